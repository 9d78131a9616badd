"""One library for one job, and one room that knows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent


def imported(path: Path) -> Iterator[str]:
    """Iterate over the modules that a file imports, wherever in it that is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize(
    ("job", "libraries", "room"), [("one YAML reader", {"ruamel", "_ruamel_yaml", "yaml"}, "yaml")]
)
def test_only_one_room_knows_the_library(job: str, libraries: set[str], room: str) -> None:
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        for module in imported(path)
        if module.split(".")[0] in libraries
    }
    assert users == {room}
