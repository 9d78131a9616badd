"""A session is all that a command reaches the world through, and a reporter is only ever shown things."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.clearml.transport import CallEvent
from reconciler.commands import (
    ApplyRequest,
    Connection,
    DriftRequest,
    HistoryRequest,
    PlanRequest,
    Session,
    apply_changes,
    check_drift,
    plan_changes,
    read_history,
)
from reconciler.errors import Problem, RefusedError, UsageError
from reconciler.plan.outcomes import Result
from reconciler.sandbox import state
from reconciler.world import Chance
from tests.support.project import Project, new_project
from tests.support.runner import session_at

TEAM = state.Workspace(people=(state.Person("u-root", "root@acme.io", "Root", "admin"),))


async def at_once(work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """Run work where a thread would: in a simulation nothing else may happen meanwhile."""
    return work(*arguments, **named)


def session_in(project: Project, seed: int = 1) -> Session:
    """Return a session for a project's folder that takes nothing from this process but its file system."""
    session = session_at()
    chance = Chance(Random(seed).randbytes)
    world = replace(session.world, chance=chance, in_thread=at_once)
    environment = {"HOME": str(project.folder / "home"), "PATH": "/usr/bin:/bin"}
    return replace(session, world=world, environment=environment, folder=project.folder)


def team(folder: Path) -> Project:
    folder.mkdir()
    project = new_project(folder)
    project.sandbox.load(TEAM)
    project.declare(
        """
        members: [{email: root@acme.io, role: admin}]
        groups: [{name: one, members: [root@acme.io]}, {name: two, members: [root@acme.io]}]
        """
    )
    return project


def record_of(project: Project) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (project.folder / ".reconciler").rglob("*.json"))


def applied(project: Project, seed: int) -> tuple[str, list[str]]:
    session = session_in(project, seed)
    result = asyncio.run(apply_changes(session, ApplyRequest()))
    assert result.report is not None
    assert result.report.is_complete
    history = asyncio.run(read_history(session, HistoryRequest()))
    return history.runs[0].id, sorted(line for line in record_of(project).splitlines() if '"server_id"' in line)


def test_the_same_chance_gives_the_same_run_and_the_same_ids(tmp_path: Path) -> None:
    first, again, other = (applied(team(tmp_path / name), seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_a_program_may_work_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = team(tmp_path / "team")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    session = replace(session_in(project), folder=Path("../team"))
    connection = Connection(server="sandbox:sandbox.db")
    planned = asyncio.run(plan_changes(session, PlanRequest(connection=connection)))
    assert [change.title for change in planned.plan.changes] == ["one", "two"]
    asyncio.run(apply_changes(session, ApplyRequest(connection=connection)))
    checked = asyncio.run(check_drift(session, DriftRequest(connection=connection)))
    assert (checked.drift.findings, checked.plan.is_empty) == ((), True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_a_guard_refuses_is_an_error_only_when_it_is_carried_out(tmp_path: Path) -> None:
    project = team(tmp_path / "team")
    session = session_in(project)
    asyncio.run(apply_changes(session, ApplyRequest()))
    project.declare("groups: []\n")
    planned = asyncio.run(plan_changes(session, PlanRequest()))
    assert planned.plan.refused
    with pytest.raises(RefusedError, match="nothing was changed"):
        asyncio.run(apply_changes(session, ApplyRequest()))


def test_without_a_wire_to_it_there_is_no_embedded_sandbox(tmp_path: Path) -> None:
    project = team(tmp_path / "team")
    session = Session.of_process(environment={"HOME": str(tmp_path)}, folder=project.folder)
    with pytest.raises(UsageError, match="the embedded sandbox is not available here"):
        asyncio.run(plan_changes(session, PlanRequest()))


class Broken:
    """A reporter that fails whatever it is shown, but for notes, which it keeps."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warning(self, text: str) -> None:
        raise RuntimeError

    def problems(self, problems: Sequence[Problem]) -> None:
        raise RuntimeError

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        yield
        raise RuntimeError

    @contextmanager
    def operations(self, total: int) -> Iterator[None]:
        raise RuntimeError
        yield

    def operation(self, result: Result) -> None:
        raise RuntimeError

    def call(self, event: CallEvent) -> None:
        raise OSError


def test_a_reporter_that_fails_ends_no_run_and_that_is_noted_once(tmp_path: Path) -> None:
    project, reporter = team(tmp_path / "team"), Broken()
    session = replace(session_in(project), reporter=reporter)
    result = asyncio.run(apply_changes(session, ApplyRequest()))
    assert result.report is not None
    assert result.report.is_complete
    assert result.left.planned == 0
    assert reporter.notes == ["Progress could not be shown: internal error: OSError"]
