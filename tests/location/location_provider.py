"""A provider of positions in the ``geolocate`` form: a real HTTP server that answers what it is
told to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


def found(latitude: float, longitude: float, accuracy: float) -> Answer:
    answer = {"location": {"lat": latitude, "lng": longitude}, "accuracy": accuracy}
    return 200, json.dumps(answer).encode()


def error(status: int, reason: str) -> Answer:
    errors = [{"domain": "geolocation", "reason": reason, "message": reason}]
    told = {"error": {"errors": errors, "code": status, "message": reason}}
    return status, json.dumps(told).encode()


class Provider:
    """Listens on a free port between ``with`` and its end."""

    def __init__(self, answer: Callable[[dict[str, Any]], Answer]) -> None:
        #: What it answers to a request's body; may be changed at any time.
        self.answer = answer
        #: Paths (with the query) and bodies of what it was asked.
        self.asked: list[tuple[str, dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, body))
                status, content, *more = outer.answer(body)
                with contextlib.suppress(ConnectionError):  # who asked may have left
                    self._reply(status, content, more[0] if more else {})

            def _reply(self, status: int, content: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/geolocate"

    def __enter__(self) -> Provider:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
