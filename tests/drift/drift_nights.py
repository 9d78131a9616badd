"""Runs drift at a chosen moment, and receives what it tells, on a port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.project import Project
from tests.support.runner import Result, clean_environment, invoke, session_at


def at(project: Project, days: float, *arguments: str) -> Result:
    """Run a command so many days from now; the sandbox lives by the clock of this machine.

    A server dates its answers in whole seconds, so that it may seem earlier than what was done a moment ago.
    """
    moment = datetime.now(UTC) + timedelta(days=days, seconds=2)
    return invoke(
        *arguments,
        folder=project.folder,
        environment=clean_environment(project.folder / "home", **project.environment),
        session=session_at(moment, project.wire),
    )


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What was received; ``status`` is what is answered."""

    url: str
    requests: list[Request] = field(default_factory=list)
    status: int = 200


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            known.requests.append(Request(self.path, headers, body))
            self.send_response(known.status)
            if known.status in (301, 302, 307):
                self.send_header("Location", f"{known.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield known
        server.shutdown()
        thread.join(20)
