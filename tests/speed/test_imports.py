"""What a run loads: a library of a tenth of a second is there only where its work is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.sandboxes import ADMIN_KEY, ADMIN_SECRET
from tests.support.terminal import REPOSITORY, run_script

RUN = """
import sys
from reconciler.cli.main import run
code = run(sys.argv[1:])
heavy = {"deepdiff", "httpx", "jinja2", "jwt", "numpy", "pyhocon", "rich", "starlette", "tenacity", "uvicorn"}
print(code, *sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
COMPARE = """
import json, sys
from reconciler.vaults.compare import Shown, compare
from reconciler.vaults.tree import from_plain
before, after = map(from_plain, json.loads(sys.argv[1]))
print(len(compare(before, after, Shown.of({}, {}))), "deepdiff" in sys.modules, file=sys.stderr)
"""


def told(script: str, *arguments: str, folder: Path = REPOSITORY, **variables: str) -> str:
    """Return the last line that a script prints on stderr."""
    return run_script(script, *arguments, folder=folder, **variables).stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "d": 3, "c": [1]}}, "2 False"),
        ({}, {"a": {"b": 1}, "c": [1, 2]}, "3 False"),
        ({"a": [1, 2]}, {"a": {"b": 1}}, "3 False"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "1 True"),
    ],
)
def test_only_lists_that_differ_are_left_to_deepdiff(before: object, after: object, expected: str) -> None:
    assert told(COMPARE, json.dumps([before, after])) == expected


@pytest.mark.parametrize(
    ("command", "told_at_the_end"),
    [
        (("validate",), "0"),
        (("plan",), "0 httpx"),
        (("drift",), "2 httpx"),
        (("effective", "root@acme.io", "--live"), "0 httpx"),
        (("import", "--out", "imported"), "0 httpx"),
    ],
)
def test_a_run_over_a_port_loads_no_library_that_it_has_no_work_for(
    project: Project, command: tuple[str, ...], told_at_the_end: str
) -> None:
    project.declare(
        """
        members: [{email: root@acme.io, role: admin}]
        groups: [{name: team, members: [root@acme.io]}]
        vaults: [{name: s3, group: team, data: "sdk.aws.s3.region = eu-west-1"}]
        """
    )
    keys = {"CLEARML_API_ACCESS_KEY": ADMIN_KEY, "CLEARML_API_SECRET_KEY": ADMIN_SECRET}
    with project.sandbox.on_a_port() as url:
        server = () if command[0] == "validate" else ("--server", url)
        assert told(RUN, *command, *server, folder=project.folder, **keys) == told_at_the_end
