"""Runs, locks and records for tests, an S3 server of a few lines, and an apply in a process of its own."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from msgspec import convert
from msgspec.structs import replace

from reconciler.record.document import Record, RunEntry, Who, Workspace
from reconciler.record.local import LocalFile
from reconciler.record.lock import Lock
from reconciler.record.parts import pack
from reconciler.record.places import PARTS
from reconciler.record.store import load_record
from tests.support.project import Project
from tests.support.runner import clean_environment, world_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = Workspace(name="acme-ml", server="https://api.acme.io")
WORLD = world_at(NOON, waits=True)
"""This machine at a moment at which the clock stands still."""
ROOT = Who(user="root@acme.io")


def run_entry(name: str, **fields: object) -> RunEntry:
    known: dict[str, object] = {"started": NOON, "who": ROOT, "plan": "sha256:0", "tool": "0.1.0", "total": 0}
    return convert(known | {"id": name} | fields, RunEntry)


def lock_of(run: str, now: datetime = NOON, lease: timedelta = timedelta(minutes=10), **changes: object) -> Lock:
    return replace(Lock.of(ACME, run, ROOT, world_at(now), lease), **changes)


def record_path(project: Project) -> Path:
    """Return where the only record beside a declaration is."""
    (found,) = (project.folder / ".reconciler").glob("*.json")
    return found


def lock_path(project: Project) -> Path:
    path = record_path(project)
    return path.with_name(path.name + ".lock")


def record_of(project: Project) -> Record:
    return record_at(record_path(project))


def record_at(path: Path) -> Record:
    loaded = asyncio.run(load_record(LocalFile(path, WORLD), None))
    assert loaded is not None
    return loaded.record


def keep_record(path: Path, record: Record) -> None:
    packed = pack(record, None, {}, "00")
    path.write_bytes(packed.head.to_bytes())
    parts = path.with_name(path.name + PARTS)
    if packed.new:
        parts.mkdir(exist_ok=True)
    for name, content in packed.new.items():
        (parts / f"{name}.json").write_bytes(content)


def text_of(path: Path) -> str:
    """Return all that a record at a path is written in."""
    parts = path.with_name(path.name + PARTS)
    return "".join(file.read_text() for file in (path, *sorted(parts.glob("*.json"))))


_CHILD = """
import asyncio, os, signal, sys, time
from reconciler.cli.main import run
from reconciler.commands.session import Session
from tests.support.runner import WrappedSandbox
from tests.support.wires import Tampering, endpoint_of

writes = 0

def before(request):
    global writes
    if endpoint_of(request) in {"login.add_whitelist_entries", "permissions.add_or_update_user_group"}:
        writes += 1
        if writes == NUMBER:
            THEN

class Network(Tampering):
    async def handle_async_request(self, request):
        response = await super().handle_async_request(request)
        await asyncio.sleep(0.02)  # as over a network: others get their turn
        return response

wire = WrappedSandbox(lambda inner: Network(inner, before=before))
sys.exit(run(sys.argv[1:], session=Session.of_process(wire=wire)))
"""


def child_apply(project: Project, *options: str, at_write: int, then: str) -> subprocess.Popen[str]:
    """Start an apply in a process of its own that does something just before its so-and-so-many-th write."""
    script = textwrap.dedent(_CHILD).replace("NUMBER", str(at_write)).replace("THEN", then)
    root = Path(__file__).parents[2]
    environment = clean_environment(project.folder / "home", **project.environment) | {"PYTHONPATH": str(root)}
    return subprocess.Popen(
        [sys.executable, "-c", script, "apply", "--yes", *options],
        cwd=project.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_apply(project: Project, *options: str, at_write: int = 2) -> None:
    child = child_apply(project, *options, at_write=at_write, then="os.kill(os.getpid(), signal.SIGKILL)")
    child.communicate(timeout=60)
    assert child.returncode == -9


@dataclass
class Bucket:
    """What an S3 server holds; ``writes`` counts the accepted ones."""

    url: str
    objects: dict[str, bytes] = field(default_factory=dict)
    writes: int = 0
    down: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "planted-store-secret",
        }

    def meets(self, path: str, headers: Message) -> bool:
        """Return whether an object is as a request demands."""
        known = self.objects.get(path)
        tag = None if known is None else f'"{hashlib.sha256(known).hexdigest()}"'
        if headers.get("If-None-Match") == "*" and known is not None:
            return False
        return "If-Match" not in headers or headers["If-Match"] == tag


@contextmanager
def s3_server() -> Iterator[Bucket]:
    """Serve a bucket that knows GET, PUT, DELETE, If-Match and If-None-Match, which is all that a record needs."""
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, content: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Last-Modified", "Sun, 01 Mar 2026 12:00:00 GMT")
            if status == 200:
                known = bucket.objects.get(self.path, b"")
                self.send_header("ETag", f'"{hashlib.sha256(known).hexdigest()}"')
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            if bucket.down:
                return self.answer(403)
            content = bucket.objects.get(self.path)
            return self.answer(404) if content is None else self.answer(200, content)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if bucket.down:
                return self.answer(403)
            with guard:
                if not bucket.meets(self.path, self.headers):
                    return self.answer(412)
                bucket.objects[self.path] = content
                bucket.writes += 1
            return self.answer(200)

        def do_DELETE(self) -> None:
            bucket.objects.pop(self.path, None)
            return self.answer(204)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        bucket = Bucket(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield bucket
        server.shutdown()
        thread.join(20)
