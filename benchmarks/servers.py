"""Servers on a port of this machine, each a process of its own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import environment
from benchmarks.programs import RECONCILER

_ADDRESS = re.compile(r"http://\S+")


@contextmanager
def sandbox(database: Path) -> Iterator[str]:
    """Serve a sandbox with ``reconciler sandbox serve`` and yield its address."""
    command = [*RECONCILER, "sandbox", "serve", "--db", str(database), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment({}), text=True) as process:
        try:
            assert process.stderr is not None
            found = next((found for line in process.stderr if (found := _ADDRESS.search(line))), None)
            if found is None:
                raise RuntimeError("the sandbox did not start")
            yield found.group()
        finally:
            process.terminate()


_ANSWER = b'{"meta": {"id": "1", "trx": "1", "result_code": 200, "result_subcode": 0, "result_msg": "OK"}, "data": {}}'
_REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_ANSWER), _ANSWER)


class _Late(asyncio.Protocol):
    """Gives the same answer to each request, a while after its head and its body of two bytes (``{}``) are there."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._seen.endswith(b"\r\n\r\n{}"):
            self._seen = b""
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, _REPLY)  # type: ignore[attr-defined]


@contextmanager
def slow_server(seconds: float) -> Iterator[str]:
    """Serve an empty answer that takes this long, whatever is asked; yields the address."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _Late(seconds), "127.0.0.1", 0, backlog=128))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()
