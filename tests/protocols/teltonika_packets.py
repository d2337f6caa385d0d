"""Builds Teltonika packets for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from fastcrc import crc16
from hypothesis import strategies as st

from waypost.protocols.teltonika.avl import families

IMEI = "356307042441013"
LOGIN = b"\x00\x0f" + IMEI.encode()
TIME = 1_750_000_000_000

Elements = Mapping[int, Sequence[tuple[int, int]]]
"""Size of the value -> (AVL id, raw value)."""


def record(
    elements: Elements | None = None,
    *,
    codec: int = 0x8E,
    time: int = TIME,
    latitude: int = 546_900_000,
    longitude: int = 252_600_000,
    altitude: int = 120,
    heading: int = 90,
    satellites: int = 12,
    speed: int = 50,
    event: int = 0,
    variable: Sequence[tuple[int, bytes]] = (),
    long: Sequence[tuple[int, bytes]] | None = None,
) -> bytes:
    """A record. ``long``: 16-byte elements, that codec 8 has where the device is set so."""
    elements = elements or {}
    wide = 1 if codec == 0x08 else 2
    count_size = 2 if codec == 0x8E else 1
    total = sum(len(group) for group in elements.values()) + len(variable) + len(long or ())
    data = struct.pack(
        ">QBiihHBH", time, 0, longitude, latitude, altitude, heading, satellites, speed
    )
    data += event.to_bytes(wide, "big")
    data += b"\x05" if codec == 0x10 else b""
    data += total.to_bytes(count_size, "big")
    for size in (1, 2, 4, 8):
        group = elements.get(size, ())
        data += len(group).to_bytes(count_size, "big")
        for avl_id, raw in group:
            data += avl_id.to_bytes(wide, "big") + raw.to_bytes(size, "big", signed=raw < 0)
    if long is not None:
        data += bytes((len(long),))
        for avl_id, value in long:
            data += avl_id.to_bytes(wide, "big") + value
    if codec == 0x8E:
        data += len(variable).to_bytes(2, "big")
        for avl_id, value in variable:
            data += struct.pack(">HH", avl_id, len(value)) + value
    return data


def packet(data: bytes) -> bytes:
    """``data`` with preamble, length and checksum."""
    return bytes(4) + len(data).to_bytes(4, "big") + data + crc16.arc(data).to_bytes(4, "big")


def records(*parts: bytes, codec: int = 0x8E) -> bytes:
    """A packet of records."""
    return packet(bytes((codec, len(parts))) + b"".join(parts) + bytes((len(parts),)))


def datagram(data: bytes, imei: str = IMEI, packet_id: int = 0xCAFE, number: int = 5) -> bytes:
    """``data`` (codec to second count) as a datagram."""
    body = struct.pack(">HBBH", packet_id, 1, number, len(imei)) + imei.encode() + data
    return len(body).to_bytes(2, "big") + body


def reseal(data: bytes) -> bytes:
    """A packet whose data was changed, with its length and checksum right again."""
    return packet(data[8:-4])


def meant(size: int, most: int) -> list[int]:
    """Ids that mean something with values of ``size`` bytes."""
    elements = [element for family in families().values() for element in family.elements]
    return sorted({item.id for item in elements if size in item.size and item.id <= most})


def element_lists(most: int) -> st.SearchStrategy[dict[int, list[tuple[int, int]]]]:
    """Elements by size, mostly of ids that mean something."""
    return st.fixed_dictionaries(
        {
            size: st.lists(
                st.tuples(
                    st.sampled_from(meant(size, most)) | st.integers(0, most),
                    st.integers(0, 2 ** (8 * size) - 1) | st.integers(0, 5),
                ),
                max_size=6,
                unique_by=lambda item: item[0],
            )
            for size in (1, 2, 4, 8)
        }
    )
