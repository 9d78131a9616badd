"""Time is the server's: a wrong clock here revokes nothing, and one that cannot be believed there neither."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from msgspec.structs import replace

from tests.support.project import Project
from tests.support.runner import Result, WrappedSandbox, clean_environment, invoke, session_at, world_at
from tests.support.wires import tampering

BODY = """
members:
  - {email: root@acme.io, role: admin}
service_accounts:
  - name: agent
    credentials:
      - {label: ci, expires_in: 30d, rotate_before: 7d, deliver: {file: ci.conf}}
"""
PAIR = re.compile(r'access_key: "([^"]+)"\s+secret_key: "([^"]+)"')
UNKNOWN = "no credential counts as due or expired in this run"


@pytest.fixture
def team(project: Project) -> Project:
    """A project whose service account has a key that the server has just made."""
    project.declare(BODY)
    assert at(project, "apply", "--yes").code == 0
    return project


def at(
    project: Project, *arguments: str, here: timedelta = timedelta(), wire: object = None, days: float = 0
) -> Result:
    """Run a command with a local clock that is wrong by ``here``, so many days later by the server's."""
    server = datetime.now(UTC) + timedelta(days=days)
    session = session_at(server)
    if wire is not None:
        session = replace(session, wire=WrappedSandbox(wire, server))  # type: ignore[arg-type]
    return invoke(
        *arguments,
        folder=project.folder,
        environment=clean_environment(project.folder / "home"),
        session=replace(session, world=world_at(server + here)),
    )


def works(project: Project) -> bool:
    pair = PAIR.search((project.folder / "ci.conf").read_text())
    assert pair
    return project.sandbox.sign_in(*pair.groups()) == 200


@pytest.mark.parametrize("days", [5, 25, 28, 100, 3650, -5, -3650])
def test_a_wrong_clock_here_replaces_and_revokes_no_key_and_is_warned_of(team: Project, days: int) -> None:
    before = (team.folder / "ci.conf").read_bytes()
    for command in (("plan", "--detailed-exitcode"), ("apply", "--yes"), ("drift",)):
        result = at(team, *command, here=timedelta(days=days))
        assert result.code == 0, result
        side = "ahead of" if days > 0 else "behind"
        assert f"d {side} the server's" in result.stderr
    assert (team.folder / "ci.conf").read_bytes() == before
    assert works(team)
    assert team.sandbox.truth().labels("agent") == ["ci"]


def test_a_key_that_is_due_by_the_servers_time_is_replaced_whatever_the_clock_here_says(team: Project) -> None:
    result = at(team, "plan", here=timedelta(days=-1000), days=25)
    assert "~ credential       agent / ci" in result.stdout
    assert "works until its own end" in result.stdout


def test_a_clock_that_is_right_is_not_spoken_of(team: Project) -> None:
    assert "clock" not in at(team, "plan", here=timedelta(seconds=90)).stderr


def undated(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    del request
    del response.headers["date"]
    return response


class Jumping:
    """Dates the answers from the second one on by another clock."""

    def __init__(self, by: timedelta) -> None:
        self.by = by
        self.answers = 0

    def __call__(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        del request
        self.answers += 1
        if self.answers > 1:
            response.headers["date"] = format_datetime(datetime.now(UTC) + timedelta(days=50) + self.by, usegmt=True)
        return response


@pytest.mark.parametrize(
    "after",
    [undated, Jumping(timedelta(minutes=3)), Jumping(timedelta(minutes=-3)), Jumping(timedelta(days=-50))],
    ids=["no date", "three minutes ahead", "three minutes back", "days back"],
)
def test_where_the_servers_time_is_not_certain_nothing_is_due_and_that_is_said(team: Project, after: object) -> None:
    before = (team.folder / "ci.conf").read_bytes()
    for command in ("plan", "apply", "drift", "credentials"):
        words = {"apply": ["apply", "--yes"], "credentials": ["credentials", "list"]}.get(command, [command])
        if isinstance(after, Jumping):
            after.answers = 0
        result = at(team, *words, wire=tampering(after=after), days=50)
        assert result.code == 0, result
        assert UNKNOWN in result.stderr, command
    assert (team.folder / "ci.conf").read_bytes() == before


def test_a_server_whose_clock_agrees_within_two_minutes_is_believed(team: Project) -> None:
    result = at(team, "plan", wire=tampering(after=Jumping(timedelta(seconds=100))), days=50)
    assert UNKNOWN not in result.stderr
    assert "~ credential       agent / ci" in result.stdout


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 31 Dec 99999 23:59:59 GMT", "Tue, 01 Dec 2026 01:02:03"])
def test_a_date_that_is_none_makes_no_error(team: Project, date: str) -> None:
    def garbled(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        del request
        response.headers["date"] = date
        return response

    assert at(team, "plan", wire=tampering(after=garbled)).code == 0
