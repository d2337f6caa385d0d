"""How fast Teltonika packets decode: the compiled readers against the field-by-field one.

    python benchmarks/decode_teltonika.py [--records 20] [--seconds 2]

Prints one JSON object: records a second of both, on one core, with checksum, messages and values
built, and their ratio. Both run in turns, so that a slower moment of the machine hits both.
"""

from __future__ import annotations

import argparse
import json
import struct
import time
from collections.abc import Callable

from fastcrc import crc16

from waypost.protocols.base import Device
from waypost.protocols.teltonika import Teltonika
from waypost.protocols.teltonika.avl import CODEC_8E, table_for
from waypost.protocols.teltonika.records import Reader, read_record

#: What a vehicle tracker sends by default: AVL ids by size of their values.
ELEMENTS = {
    1: (239, 240, 21, 200, 69, 1, 179),
    2: (181, 182, 66, 67, 68, 205, 206),
    4: (241, 16, 199),
    8: (78,),
}
MODEL = "FMB920"


def record(number: int) -> bytes:
    """A record of a vehicle on its way."""
    data = struct.pack(
        ">QBiihHBH",
        1_750_000_000_000 + number * 1000,
        0,
        252_600_000 + number * 700,
        546_900_000 + number * 400,
        120,
        number % 360,
        12,
        50,
    )
    data += struct.pack(">HH", 0, sum(map(len, ELEMENTS.values())))
    raw = {239: 1, 240: 1, 21: 4, 181: 12, 182: 8, 66: 12_800, 67: 4050, 241: 24_602}
    for size, ids in ELEMENTS.items():
        data += len(ids).to_bytes(2, "big")
        for avl_id in ids:
            value = raw.get(avl_id, (number * 37 + avl_id) % 100)
            data += avl_id.to_bytes(2, "big") + value.to_bytes(size, "big")
    return data + b"\x00\x00"


def packet(records: int, first: int) -> bytes:
    data = bytes((CODEC_8E, records))
    data += b"".join(record(first + index) for index in range(records)) + bytes((records,))
    return bytes(4) + len(data).to_bytes(4, "big") + data + crc16.arc(data).to_bytes(4, "big")


def rate(decode: Callable[[bytes], int], packets: list[bytes]) -> float:
    start = time.perf_counter()
    done = sum(decode(data) for data in packets)
    return done / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20, help="records in a packet")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to measure")
    given = parser.parse_args()
    packets = [packet(given.records, index * given.records) for index in range(50)]
    device, protocol = Device("356307042441013", MODEL), Teltonika()
    table = table_for(MODEL, CODEC_8E)

    def compiled(data: bytes) -> int:
        buffer = bytearray(data)
        return len(list(protocol.decode(protocol.frames(buffer)[0], device).messages))

    def by_field(data: bytes) -> int:
        if crc16.arc(data[8:-4]) != int.from_bytes(data[-4:], "big"):
            raise AssertionError("checksum")
        reader = Reader(data, 10, len(data) - 5)
        return len([read_record(reader, CODEC_8E, table) for _ in range(data[9])])

    for decode in (compiled, by_field):
        rate(decode, packets)
    fast: list[float] = []
    slow: list[float] = []
    until = time.perf_counter() + given.seconds
    while time.perf_counter() < until:
        fast.append(rate(compiled, packets))
        slow.append(rate(by_field, packets))
    fast.sort()
    slow.sort()
    result = {
        "records_in_packet": given.records,
        "elements": sum(map(len, ELEMENTS.values())),
        "compiled_records_per_second": round(fast[len(fast) // 2]),
        "by_field_records_per_second": round(slow[len(slow) // 2]),
        "ratio": round(fast[len(fast) // 2] / slow[len(slow) // 2], 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
