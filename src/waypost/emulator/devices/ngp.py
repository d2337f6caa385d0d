"""A device of the platform's generic protocol: one JSON object per report, over HTTP or MQTT.

Over HTTP the device writes its own requests, one at a time on a kept connection, as small trackers
do; over MQTT whoever holds the connection publishes what ``packet`` gives (QoS 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httptools
import msgspec

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.telemetry.message import iso_time

#: Ids of the vocabulary: track point by time, ignition on and off, track point for no reason.
EVENT_IDS = {
    Event.PERIODIC: 403,
    Event.IGNITION_ON: 605,
    Event.IGNITION_OFF: 604,
    Event.REQUESTED: 401,
}


class NgpDevice(Device):
    protocol = "ngp"
    model = "navixy_ngp"
    transports = (Transport.HTTP, Transport.MQTT)
    whole_seconds = False

    @classmethod
    def check_id(cls, device_id: str) -> None:
        if not (device_id.isascii() and device_id.isprintable() and 0 < len(device_id) <= 64):
            raise ValueError(f"{cls.protocol} devices have an id of up to 64 ASCII characters")

    def encode(self, reading: Reading, event: Event) -> bytes:
        report: dict[str, Any] = {
            "message_time": iso_time(reading.time),
            "device_id": self.device_id,
            "version": "1.2",
            "location": {
                "gnss_time": iso_time(reading.time),
                "latitude": reading.latitude,
                "longitude": reading.longitude,
                "altitude": reading.altitude,
                "speed": reading.speed,
                "heading": reading.heading or 360,
                "satellites": reading.satellites,
                "hdop": reading.hdop,
                "fix_type": "FIX_3D",
                "source_type": "GNSS",
            },
            "event_id": EVENT_IDS[event],
            "is_moving": reading.moving,
            "hardware_mileage": reading.odometer,
            "board_voltage": reading.board_voltage,
            "battery_voltage": reading.battery_voltage,
            "battery_level": reading.battery_level,
            "input_status": reading.inputs,
            "output_status": self.outputs,
            "temperature_internal": reading.temperature,
            "fuel_level_1": reading.fuel,
            "mobile_cells": [
                {
                    "mcc": cell.mcc,
                    "mnc": cell.mnc,
                    "lac": cell.lac,
                    "cell_id": cell.cell_id,
                    "rssi": cell.rssi,
                    "type": "GSM",
                }
                for cell in reading.cells
            ],
        }
        return msgspec.json.encode(report)

    def packet(self, records: Sequence[Record]) -> bytes:
        body = records[0].data
        if self.transport is Transport.MQTT:
            return body
        return (
            b"POST / HTTP/1.1\r\nHost: waypost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def stays_connected(self) -> bool:
        return self.transport is not Transport.HTTP

    def hello(self, now: int) -> bytes:
        self._reply = httptools.HttpResponseParser(self)
        return b""

    def receive(self, now: int) -> bytes:
        data = bytes(self.input)
        self.input.clear()
        if self.transport is Transport.HTTP:
            try:
                self._reply.feed_data(data)
            except httptools.HttpParserError:
                self.hang_up = True
        return b""

    def on_message_complete(self) -> None:
        """The parser has a whole response."""
        status = self._reply.get_status_code()
        if status == 200:
            self.accepted(1)
        else:
            self.count.refused += 1
            self.hang_up = True
        if not self._reply.should_keep_alive():
            self.hang_up = True
