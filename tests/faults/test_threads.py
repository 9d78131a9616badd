"""Threads: what runs beside the event loop shares nothing that changes, and whoever only listens ends no run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from reconciler.cli.console import Console
from tests.support.project import Project
from tests.support.wires import endpoint_of, refusal, tampering

KEYS = 15
APPLIES = 10


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    """Let threads take turns five thousand times as often as they do by themselves."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def declare_keys(project: Project, name: str) -> None:
    labels = "".join(f"\n      - {{label: k{n}, deliver: {{file: out/{name}-{n}.conf}}}}" for n in range(KEYS))
    project.declare(
        f"manage: {{service_accounts: declared}}\nservice_accounts:\n  - name: {name}\n    credentials:{labels}\n"
    )


@pytest.mark.usefixtures("_hasty_threads")
def test_many_deliveries_at_once_are_all_applied_and_no_key_is_left_undelivered(project: Project) -> None:
    (project.folder / "out").mkdir()
    for number in range(APPLIES):
        declare_keys(project, f"agent{number}")
        result = project.apply()
        assert result.code == 0, result
        assert "internal error" not in result.stderr
    listed = project.run("credentials", "list").output
    assert listed.count("agent") == KEYS * APPLIES
    assert "[undelivered]" not in listed


@dataclass
class Leak:
    """A server that repeats, in the refusal of the next call for it, every secret key that it has just answered."""

    keys: list[str] = field(default_factory=list)

    def remember(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) in ("auth.create_credentials", "auth.create_service_user"):
            self.keys.append(json.loads(response.content)["data"]["credentials"]["secret_key"])
        return response

    def leak(self, request: httpx.Request) -> httpx.Response | None:
        hit = endpoint_of(request) == "auth.edit_credentials"
        return refusal(400, 12, f"no label for {' and '.join(self.keys)}") if hit else None


@pytest.mark.usefixtures("_hasty_threads")
def test_every_new_key_is_masked_as_soon_as_it_is_handed_over(project: Project) -> None:
    (project.folder / "out").mkdir()
    declare_keys(project, "agent")
    leak = Leak()
    result = project.apply(wire=tampering(instead=leak.leak, after=leak.remember))
    assert result.code == 6
    assert "no label for" in result.stderr
    assert len(leak.keys) == KEYS
    assert [key for key in leak.keys if key in result.output] == []


def test_progress_that_cannot_be_shown_ends_no_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    note = Console.note

    def broken(self: Console, text: str) -> None:
        if text.startswith("applied"):
            raise RuntimeError("a set changed its size during iteration")
        note(self, text)

    monkeypatch.setattr(Console, "note", broken)
    (project.folder / "out").mkdir()
    declare_keys(project, "agent")
    result = project.apply()
    assert result.code == 0, result
    assert result.stderr.count("Progress could not be shown: internal error: RuntimeError") == 1
    assert project.run("plan", "--detailed-exitcode").code == 0
