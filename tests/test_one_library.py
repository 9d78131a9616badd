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


DECODING = {"convert", "Decoder", "decode", "load", "loads", "JSONDecoder", "model_validate_json", "validate_json"}
"""What reads JSON, in any of the libraries that are there."""


def decoding(path: Path) -> bool:
    """Tell whether a file reads JSON: by a call of a library, whatever it is imported as."""
    modules = {"json", "msgspec", "msgspec.json", "pydantic"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    direct = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in modules
        for name in node.names
    }
    called = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules
    }
    return bool(DECODING & (direct | called))


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("import json\njson.loads(text)", True),
        ("import msgspec\nmsgspec.json.decode(text)", True),
        ("import msgspec\nmsgspec.json.Decoder(int)", True),
        ("import msgspec\nmsgspec.convert(value, int)", True),
        ("from json import loads", True),
        ("from msgspec import convert", True),
        ("def f():\n    from msgspec.json import decode", True),
        ("import json\njson.dumps(value)", False),
        ("import msgspec\nmsgspec.structs.replace(value)", False),
        ("text.encode().decode()", False),
    ],
)
def test_whatever_reads_json_is_seen(source: str, reads: bool, tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text(source)
    assert decoding(path) == reads


def test_answers_are_decoded_in_one_place() -> None:
    found = {path.name for path in (PACKAGE / "clearml").rglob("*.py") if decoding(path)}
    assert found == {"decode.py"}
