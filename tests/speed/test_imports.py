"""What a run loads: a library of a tenth of a second is there only where its work is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.terminal import REPOSITORY, program_environment

COMPARE = """
import json, sys
from reconciler.vaults.compare import compare
from reconciler.vaults.tree import from_plain
before, after = map(from_plain, json.loads(sys.argv[1]))
print(len(compare(before, after)), "deepdiff" in sys.modules)
"""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "d": 3, "c": [1]}}, "2 False"),
        ({}, {"a": {"b": 1}, "c": [1, 2]}, "3 False"),
        ({"a": [1, 2]}, {"a": {"b": 1}}, "3 False"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "1 True"),
    ],
)
def test_only_lists_that_differ_are_left_to_deepdiff(before: object, after: object, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, json.dumps([before, after])],
        cwd=REPOSITORY,
        env=program_environment(REPOSITORY),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == told
