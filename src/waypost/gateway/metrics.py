"""Figures of the gateway, for ``/metrics``.

The hot path adds to plain integers; Prometheus reads them when it asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Counters:
    """What one protocol did."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "connections",
        "errors",
        "frames",
        "messages",
        "not_stored",
        "unregistered",
    )

    def __init__(self) -> None:
        #: Open now.
        self.connections = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.frames = 0
        self.messages = 0
        #: Frames or streams that could not be read.
        self.errors = 0
        #: Frames whose messages could not be stored and were not acknowledged.
        self.not_stored = 0
        #: Frames with data of devices that nobody registered.
        self.unregistered = 0


_COUNTED = {
    "bytes_in": "Bytes received from devices",
    "bytes_out": "Bytes sent to devices",
    "frames": "Frames received",
    "messages": "Messages decoded",
    "errors": "Frames or streams that could not be read",
    "not_stored": "Frames that were not acknowledged because they could not be stored",
    "unregistered": "Frames with data of devices that nobody registered",
}


class GatewayMetrics(Collector):
    """All figures of one gateway. ``sizes`` are asked when Prometheus asks: name -> (help, how)."""

    def __init__(self) -> None:
        self.protocols: dict[str, Counters] = {}
        self.sizes: dict[str, tuple[str, Callable[[], float]]] = {}
        #: Connections turned away, by the limit that did it.
        self.refused: dict[str, int] = {}
        #: Commands by what became of an attempt.
        self.commands: dict[str, int] = {}

    def of(self, protocol: str) -> Counters:
        """The counters of a protocol."""
        found = self.protocols.get(protocol)
        if found is None:
            found = self.protocols[protocol] = Counters()
        return found

    def refuse(self, limit: str) -> None:
        self.refused[limit] = self.refused.get(limit, 0) + 1

    def command(self, outcome: str) -> None:
        self.commands[outcome] = self.commands.get(outcome, 0) + 1

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "waypost_gateway_connections", "Open device connections", labels=["protocol"]
        )
        for name, counters in self.protocols.items():
            gauge.add_metric([name], counters.connections)
        yield gauge
        for field, text in _COUNTED.items():
            family = CounterMetricFamily(f"waypost_gateway_{field}", text, labels=["protocol"])
            for name, counters in self.protocols.items():
                family.add_metric([name], getattr(counters, field))
            yield family
        for metric, label, values, text in (
            ("refused", "limit", self.refused, "Connections turned away"),
            ("commands", "outcome", self.commands, "Command attempts by outcome"),
        ):
            family = CounterMetricFamily(f"waypost_gateway_{metric}", text, labels=[label])
            for name, count in values.items():
                family.add_metric([name], count)
            yield family
        for name, (text, ask) in self.sizes.items():
            yield GaugeMetricFamily(f"waypost_gateway_{name}", text, value=ask())
