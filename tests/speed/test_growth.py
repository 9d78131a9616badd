"""How the work grows with the workspace, in calls of each function: a search within a search is seen without a clock."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from tests.support.project import Project, new_project

SIZES = (5, 30, 60, 120)
"""The first, which also imports what is needed, is not counted."""

LINEAR = 2.5
"""The calls that the second doubling adds, against the first: 2 if they grow with the workspace, 4 if by its square."""

SLACK = 100
"""So many calls may come and go: a page more, a poll of a thread."""


def sections(count: int, *, permission: str = "read") -> dict[str, list[str]]:
    half = range(count // 2)
    people = [f"{{email: p{number}@acme.io, role: user}}" for number in range(count)]
    delivered = [f"credentials: [{{label: ci, deliver: {{file: out/{number}.conf}}}}]" for number in half]
    joined = [f"members: [root@acme.io], service_accounts: [agent-{number}]" for number in half]
    given = [f"resource: {{project: '*'}}, permission: {permission}, groups: [group-{number}]" for number in half]
    return {
        "members": ["{email: root@acme.io, role: admin}", *people],
        "service_accounts": [f"{{name: agent-{number}, {delivered[number]}}}" for number in half],
        "groups": [f"{{name: group-{number}, {joined[number]}}}" for number in half],
        "vaults": [f'{{name: vault-{number}, group: group-{number}, data: "a.b = {number}"}}' for number in half],
        "access_rules": [f"{{name: rule-{number}, {given[number]}}}" for number in half],
    }


def declare(project: Project, content: dict[str, list[str]]) -> None:
    lists = [f"{name}:" + ("".join(f"\n  - {line}" for line in lines) or " []") for name, lines in content.items()]
    project.declare("\n".join(lists) + "\n")


_BY_THE_CLOCK = ("reconciler.record.parts.", "reconciler.record.document.Creation.")
"""What the last writing of the record still has to do depends on what the checkpoints have done."""


def calls_in(work: Callable[[], object]) -> Counter[str]:
    """Count calls by function, but for those of the record's checkpoints: how many there are depends on the clock."""
    made: Counter[str] = Counter()
    checkpoints = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal checkpoints
        if frame.f_code.co_qualname == "Recorder._checkpoint":
            # A coroutine is called whenever it goes on, and returns whenever it waits.
            checkpoints += {"call": 1, "return": -1}.get(event, 0)
        elif event == "call" and not checkpoints and frame.f_globals.get("__package__", "").startswith("reconciler"):
            name = f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"
            made[name] += not name.startswith(_BY_THE_CLOCK)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return made


def run(project: Project, command: tuple[str, ...]) -> None:
    words = [word.replace("SERVER", project.sandbox.server) for word in command]
    result = project.run(*words)
    assert result.code in (0, 2), result


def nothing_is_there(project: Project, size: int) -> None:
    declare(project, sections(size))


def all_is_there(project: Project, size: int) -> None:
    declare(project, sections(size))
    result = project.apply()
    assert result.code == 0, result


def rules_changed(project: Project, size: int) -> None:
    all_is_there(project, size)
    declare(project, sections(size, permission="read_write"))


def much_is_gone(project: Project, size: int) -> None:
    """Take out what can be looked up by its id; invitations, accounts and vaults can only be listed, all for each."""
    all_is_there(project, size)
    content = sections(size)
    groups = [line.replace("members: [root@acme.io]", "members: []") for line in content["groups"]]
    declare(project, content | {"groups": groups, "access_rules": []})


STORIES = [
    pytest.param(nothing_is_there, ("plan",), id="plan everything new"),
    pytest.param(all_is_there, ("plan",), id="plan nothing to do"),
    pytest.param(rules_changed, ("plan",), id="plan every rule changed"),
    pytest.param(nothing_is_there, ("apply", "--yes"), id="apply everything new"),
    pytest.param(rules_changed, ("apply", "--yes"), id="apply every rule changed"),
    pytest.param(much_is_gone, ("apply", "--yes", "--allow", "empty-kind"), id="apply removals"),
    pytest.param(rules_changed, ("drift",), id="drift"),
    pytest.param(all_is_there, ("import", "--server", "SERVER", "--out", "imported"), id="import"),
    pytest.param(
        all_is_there, ("import", "--server", "SERVER", "--split", "group", "--out", "imported"), id="import by group"
    ),
    pytest.param(all_is_there, ("credentials", "list"), id="credentials"),
    pytest.param(all_is_there, ("access", "--all", "--live"), id="access of everybody"),
    pytest.param(all_is_there, ("effective", "agent-0"), id="effective"),
]


@pytest.mark.parametrize(("prepare", "command"), STORIES)
def test_work_grows_as_the_workspace_does(
    tmp_path: Path, prepare: Callable[[Project, int], None], command: tuple[str, ...]
) -> None:
    work = []
    for size in SIZES:
        folder = tmp_path / str(size)
        folder.mkdir()
        project = new_project(folder)
        (folder / "out").mkdir()
        prepare(project, size)
        work.append(calls_in(lambda project=project: run(project, command)))  # type: ignore[misc]
    _, small, middle, large = work
    faster = {
        name: (small[name], middle[name], large[name])
        for name in large
        if large[name] - middle[name] > LINEAR * (middle[name] - small[name]) + SLACK
    }
    assert not faster, f"called more and more often, at sizes {SIZES[1:]}"
