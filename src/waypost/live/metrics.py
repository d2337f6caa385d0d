"""Figures of live events and consoles, for ``/metrics``. The hot path adds to plain integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_COUNTED = {
    "received": "Messages of WebSocket clients",
    "changes": "New states of sources that WebSocket clients follow",
    "gone": "WebSocket clients that were given up because they were silent",
    "refused": "WebSocket connections turned away",
    "commands": "Commands given in consoles",
}


class LiveMetrics(Collector):
    """All figures of one process. ``sizes`` are asked when Prometheus asks: name -> (help, how)."""

    def __init__(self) -> None:
        self.received = 0
        self.changes = 0
        self.gone = 0
        self.refused = 0
        self.commands = 0
        #: Open connections by what they are for, and messages told by event.
        self.connections: dict[str, int] = {}
        self.events: dict[str, int] = {}
        self.sizes: dict[str, tuple[str, Callable[[], float]]] = {}

    def told(self, event: str) -> None:
        self.events[event] = self.events.get(event, 0) + 1

    def collect(self) -> Iterator[Metric]:
        connections = GaugeMetricFamily(
            "waypost_live_connections", "Open WebSocket connections", labels=["kind"]
        )
        for kind, count in self.connections.items():
            connections.add_metric([kind], count)
        yield connections
        events = CounterMetricFamily(
            "waypost_live_events", "Messages to WebSocket clients", labels=["event"]
        )
        for event, count in self.events.items():
            events.add_metric([event], count)
        yield events
        for name, text in _COUNTED.items():
            yield CounterMetricFamily(f"waypost_live_{name}", text, value=getattr(self, name))
        for name, (text, how) in self.sizes.items():
            yield GaugeMetricFamily(f"waypost_live_{name}", text, value=how())
