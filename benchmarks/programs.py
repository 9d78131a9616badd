"""The floors, as programs of a few lines: what no tool that does the same work in Python can be faster than."""

from __future__ import annotations

import sys
from pathlib import Path

PYTHON = sys.executable
REPOSITORY = Path(__file__).parent.parent
_SCRIPT = Path(PYTHON).with_name("reconciler")
RECONCILER = [str(_SCRIPT)] if _SCRIPT.exists() else [PYTHON, "-m", "reconciler"]
"""The command as it is installed, or else as a module, which takes Python a little longer to find."""

BARE = [PYTHON, "-c", "pass"]

RUAMEL = [
    PYTHON,
    "-c",
    "from pathlib import Path; from ruamel.yaml import YAML; YAML(typ='safe').load(Path('workspace.yaml').read_text())",
]
"""The process that only loads the file, with ruamel's C parser."""

REQUESTS = """
import asyncio, json, os, ssl, sys
import httpx
url, count, width, endpoint = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
body = sys.argv[5] if len(sys.argv) > 5 else "{}"
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ.get("CLEARML_AUTH_TOKEN", "")}
numbers = iter(range(count))
trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
async def worker():
    async with httpx.AsyncClient(verify=trust, trust_env=False, limits=httpx.Limits(max_connections=1)) as client:
        for number in numbers:
            content = body.replace("NUMBER", str(number)).encode()
            answer = await client.post(f"{url}/{endpoint}", content=content, headers=headers)
            json.loads(answer.content)["data"]
async def main():
    await asyncio.gather(*(worker() for _ in range(width)))
asyncio.run(main())
"""


def requests(url: str, count: int, width: int, endpoint: str, body: str = "{}") -> list[str]:
    """Return the program that sends so many bare requests, with one httpx client for each of ``width`` workers."""
    return [PYTHON, "-c", REQUESTS, url, str(count), str(width), endpoint, body]


SLOW_PROGRAM = """
import asyncio, json, os, sys, time
from reconciler.clearml.retrying import TransportOptions
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport
from reconciler.clearml.tasks import together
from reconciler.model.secret import Secret
async def main():
    options = TransportOptions(concurrency=int(sys.argv[3]))
    settings = ConnectionSettings(sys.argv[1], token=Secret(os.environ["CLEARML_AUTH_TOKEN"]))
    async with ReadTransport(settings, options=options) as transport:
        await transport.claims()
        began, cpu = time.perf_counter(), time.process_time()
        await together(transport.call("auth.get_credentials", {}, dict) for _ in range(int(sys.argv[2])))
        print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}))
asyncio.run(main())
"""
"""Reads through our transport from a server that takes its time; prints the seconds within."""
