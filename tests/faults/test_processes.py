"""Whole processes: many readers beside a running apply, and applies that are really killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from reconciler.sandbox.store import Store
from tests.faults.faulty_wire import FaultyWire
from tests.faults.scenario import ALLOWED, NOW, Scenario, Stage, check_converged
from tests.support.runner import clean_environment

READERS = 200
ROUNDS = 4
PROGRAM = """
import os, signal, sys
from datetime import datetime
import httpx
from msgspec.structs import replace
from reconciler.cli.main import run
from reconciler.commands.session import Session
from tests.support.runner import WrappedSandbox, world_at

class Killing(httpx.AsyncBaseTransport):
    def __init__(self, inner):
        self.inner, self.calls = inner, 0
    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        await response.aread()
        self.calls += 1
        if self.calls == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return response

now = datetime.fromisoformat(sys.argv[2])
session = replace(Session.of_process(wire=WrappedSandbox(Killing, now)), world=world_at(now, waits=True))
sys.exit(run(sys.argv[3:], session=session))
"""
NEVER = 0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("processes"))


def _arguments() -> list[str]:
    return ["apply", "--yes", *(word for guard in ALLOWED for word in ("--allow", guard))]


def _program(kill_after: int, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(kill_after), NOW.isoformat(), *arguments]


@pytest.mark.parametrize("calls", [9, 15, 21, 27, 33, 39, 45, 51])
def test_an_apply_that_is_killed_is_finished_by_the_next_one(calls: int, stage: Stage) -> None:
    scenario = stage.scenario()
    killed = subprocess.run(
        _program(calls, *_arguments()),
        cwd=scenario.project.folder,
        env=clean_environment(scenario.project.folder / "home", PYTHONPATH=str(Path.cwd())),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL
    again = scenario.apply(FaultyWire(None, 0))
    assert again is not None
    assert again.code == 0, again
    check_converged(scenario)


def test_many_readers_beside_an_apply_lose_nothing(stage: Stage) -> None:
    scenario = stage.scenario()
    scenario.clock = lambda: NOW
    with scenario.project.sandbox.on_a_port(scenario.clock) as url:
        answers, code, output = asyncio.run(_apply_among_readers(scenario, url))
    assert code == 0, output
    assert len(answers) == READERS * ROUNDS
    assert set(answers) == {200}
    scenario.unlawful.clear()
    check_converged(scenario)


async def _apply_among_readers(scenario: Scenario, url: str) -> tuple[list[int], int, str]:
    limits = httpx.Limits(max_connections=READERS, max_keepalive_connections=0)
    with Store.open(scenario.project.sandbox.path) as store:
        token = store.session_for_admin()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120, headers=headers) as http:
        readers = [asyncio.create_task(_read(http, number)) for number in range(READERS)]
        apply = await asyncio.create_subprocess_exec(
            *_program(NEVER, *_arguments(), "--server", url),
            cwd=scenario.project.folder,
            env=clean_environment(
                scenario.project.folder / "home",
                PYTHONPATH=str(Path.cwd()),
                CLEARML_AUTH_TOKEN=token,
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await apply.communicate()
        answers = [status for reader in await asyncio.gather(*readers) for status in reader]
    return answers, apply.returncode or 0, output.decode()


async def _read(http: httpx.AsyncClient, number: int) -> list[int]:
    calls = ("users.get_all_ex", "permissions.get_user_groups", "users.get_organization_vaults", "login.get_settings")
    statuses = []
    for turn in range(ROUNDS):
        response = await http.post(f"/{calls[(number + turn) % len(calls)]}", json={"include_auth": True})
        assert response.json()["meta"]["result_code"] == 200
        statuses.append(response.status_code)
    return statuses
