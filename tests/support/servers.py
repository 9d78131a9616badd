"""Servers on a port that answer wrongly: web pages, broken envelopes, connections that end too early."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.contract import judge

Answer = Callable[[str], bytes]


def http(body: bytes, *, status: str = "200 OK", kind: str = "application/json", length: int | None = None) -> bytes:
    """Return a whole HTTP answer; ``length`` lies about the size of its body."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def envelope(data: Any, code: int = 200, subcode: int = 0, text: str = "OK") -> bytes:
    meta = {"id": "1", "trx": "1", "result_code": code, "result_subcode": subcode, "result_msg": text}
    return json.dumps({"meta": meta, "data": data}).encode()


def token(**claims: Any) -> str:
    """Return a token as a server signs it, with a signature that nobody checks."""
    identity = {"user": "u", "company": "c", "role": "admin", "user_name": "n", "company_name": "acme-ml"}
    payload = {"identity": identity, "exp": 4102444800, "feature_set": "full", "api_version": "2.31"} | claims
    parts = ({"alg": "HS256", "typ": "JWT"}, payload)
    return ".".join([*(_base64(json.dumps(part).encode()) for part in parts), _base64(b"signature")])


def signing_in(**claims: Any) -> bytes:
    return http(envelope({"token": token(**claims)}))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Answer every request for an endpoint with these bytes and close the connection; yields the address."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.1)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    _answer_one(connection, answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join(10)


def _answer_one(connection: socket.socket, answer: Answer) -> None:
    connection.settimeout(10)
    try:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        path = first.split(" ")[1]
        judge.sent(path, headers, body)
        connection.sendall(answer(path.rpartition("/")[2]))
    except OSError:
        return
