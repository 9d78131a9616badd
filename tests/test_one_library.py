"""One library for one job: what another one would be imported or called for is forbidden, and each rule says where."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
IMPORTED_AS = {
    "pyjwt": "jwt",
    "python-dateutil": "dateutil",
    "ruamel-yaml": "ruamel.yaml",
    "ruamel-yaml-clib": "ruamel.yaml",
}


@dataclass(frozen=True)
class Rule:
    """Who does a job; the modules (with all below them) and the calls that would do it too; the rooms that may use them."""

    job: str
    library: str
    modules: frozenset[str]
    calls: frozenset[str] = frozenset()
    allowed_in: tuple[str, ...] = ()


RULES = [
    Rule(
        job="HTTP",
        library="httpx",
        modules=frozenset(
            {
                "aiohttp",
                "anyio",
                "h11",
                "http.client",
                "httpcore",
                "httptools",
                "pycurl",
                "requests",
                "sniffio",
                "socket",
                "urllib.request",
                "urllib3",
                "websockets",
            }
        ),
        calls=frozenset({"create_connection", "create_datagram_endpoint", "open_connection", "sock_connect"}),
        allowed_in=("sandbox",),
    ),
    Rule(job="YAML", library="ruamel", modules=frozenset({"_ruamel_yaml", "ruamel", "yaml"}), allowed_in=("yaml",)),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.job)
def test_a_job_is_done_with_one_library(rule: Rule) -> None:
    found = [place for path in sorted(PACKAGE.rglob("*.py")) for place in broken(rule, path)]
    assert found == [], f"{rule.job} is done with {rule.library}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.job)
def test_the_library_is_used(rule: Rule) -> None:
    found = set().union(*(imported(tree_of(path)) for path in PACKAGE.rglob("*.py")))
    assert any(is_within(module, {rule.library}) for module in found)


def test_a_dependency_is_named_only_if_it_is_imported() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    named = [re.split(r"[^\w.-]", line)[0].lower().replace(".", "-") for line in project["dependencies"]]
    modules = [IMPORTED_AS.get(name, name) for name in named]
    found = set().union(*(imported(tree_of(path)) for path in PACKAGE.rglob("*.py")))
    assert [name for name in modules if not any(is_within(module, {name}) for module in found)] == []


@pytest.mark.parametrize(
    ("source", "forbidden"),
    [
        ("import httpx", False),
        ("import requests", True),
        ("import requests.sessions as s", True),
        ("from urllib import request", True),
        ("from urllib.request import urlopen", True),
        ("from urllib.parse import quote", False),
        ("from http import client", True),
        ("def f():\n    import http.client", True),
        ("if TYPE_CHECKING:\n    import socket", True),
        ("import asyncio\nasyncio.open_connection()", True),
        ("import importlib\nimportlib.import_module('h11')", True),
        ("from reconciler.clearml.http import HttpCalls", False),
        ("from . import http", False),
    ],
)
def test_every_way_to_import_or_call_is_seen(source: str, forbidden: bool, tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text(source)
    assert bool(list(broken(RULES[0], path))) == forbidden


def broken(rule: Rule, path: Path) -> Iterator[str]:
    """Iterate over what breaks a rule in a file."""
    if path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] in rule.allowed_in:
        return
    tree = tree_of(path)
    for module in imported(tree):
        if is_within(module, rule.modules):
            yield f"{path.name}: import {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in rule.calls:
            yield f"{path.name}:{node.lineno}: {node.attr}"


def is_within(module: str, modules: AbstractSet[str]) -> bool:
    """Return whether a module is one of these, or below one of them."""
    names = module.split(".")
    return any(".".join(names[:length]) in modules for length in range(1, len(names) + 1))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Return the full name of all that a file imports from elsewhere, by any name, also within a function."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and name_of(node.func) in ("import_module", "__import__") and node.args:
            first = node.args[0]
            found.update([first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else [])
    return found


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


DECODING = {"convert", "Decoder", "decode", "load", "loads", "JSONDecoder", "model_validate_json", "validate_json"}
"""What reads JSON, in any of the libraries that are there."""


def decoding(path: Path) -> bool:
    """Tell whether a file reads JSON: by a call of a library, whatever it is imported as."""
    modules = {"json", "msgspec", "msgspec.json", "pydantic"}
    tree = tree_of(path)
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
