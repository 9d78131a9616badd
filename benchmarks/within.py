"""Times parts of a plan within one process: ``python -m benchmarks.within FOLDER DATABASE impact|states``."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

import httpx

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport
from reconciler.cli.main import RARELY
from reconciler.declaration.load import load
from reconciler.declaration.resolve import resolve
from reconciler.model.secret import Secret
from reconciler.plan.access.index import AccessIndex
from reconciler.plan.fingerprints import DigestKey
from reconciler.plan.impact.assess import assess
from reconciler.plan.impact.content import counting
from reconciler.plan.make import Terms, make_plan
from reconciler.plan.operations import operations_of
from reconciler.plan.order import order_of
from reconciler.plan.prefixes import check_prefixes
from reconciler.sandbox.app import create_app
from reconciler.sandbox.store import Store
from reconciler.vaults.parse import DocumentParser


async def main(folder: Path, database: Path, what: str) -> None:
    with DocumentParser() as parser, Store.open(database) as store:
        desired = resolve(load(folder / "workspace.yaml", documents=parser), secrets=None)
        settings = ConnectionSettings("http://copy.localhost", token=Secret(store.session_for_admin()))
        async with ReadTransport(settings, transport=httpx.ASGITransport(create_app(store))) as transport:
            scope = desired.scope
            live = await read_live(Reader(transport), accounts=scope.credentials_of, vaults_of=scope.vaults_of)
        key = DigestKey.derive(Secret("secret"))
        terms = Terms("workspace.yaml", "http://copy.localhost", parser, key)
        prepared = make_plan(desired, live, terms)
        changes = prepared.plan.changes
        began, cpu = time.perf_counter(), time.process_time()
        if what == "impact":
            assess(changes, AccessIndex.of_live(live), AccessIndex.of_live(live, prepared.desired), counting(parser))
        else:
            operations = operations_of(changes)
            before, after = AccessIndex.of_live(prepared.live), AccessIndex.of_live(prepared.live, prepared.desired)
            check_prefixes(operations, order_of(operations, before, after), prepared.live, prepared.desired)
        seconds = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "changes": len(changes)}
    print(json.dumps(seconds))


if __name__ == "__main__":
    gc.set_threshold(RARELY)  # as the command does
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
