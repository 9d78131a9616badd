"""Whatever a file holds, loading it ends in a declaration or in problems at places, never in anything else."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.declaration.load import load
from reconciler.declaration.resolve import resolve
from reconciler.errors import InvalidDeclarationError
from reconciler.model.text import is_harmless

WHOLE = {
    "version": 1,
    "workspace": {"name": "acme", "server": "https://api.acme.io"},
    "include": ["more.yaml"],
    "manage": {"members": "all", "groups": "declared", "access_rules": "declared"},
    "policy": {
        "min_admins": 1,
        "max_removals": "20%",
        "protect": {"members": ["ada@acme.io"], "vaults": [{"group": "g", "name": "v"}]},
    },
    "members": [{"email": "ada@acme.io", "name": "Ada", "role": "admin"}, {"email": "bob@acme.io"}],
    "service_accounts": [
        {
            "name": "bot",
            "was": "robot",
            "credentials": [{"label": "l", "expires_in": "90d", "rotate_before": "2w", "deliver": {"file": "out"}}],
            "vault": {"data": "a: 1", "name": "own"},
        },
        {"name": "plain", "vault": None},
    ],
    "groups": [{"name": "g", "was": "h", "description": "x", "members": ["ada@acme.io"], "service_accounts": ["bot"]}],
    "vaults": [
        {
            "name": "v",
            "group": "g",
            "data": "a: @{A}",
            "format": "hocon",
            "target": "client",
            "enabled": True,
            "secrets": {"A": {"env": "A"}},
        }
    ],
    "access_rules": [
        {
            "name": "r",
            "was": "q",
            "description": "x",
            "resource": {"project": "P"},
            "permission": "read",
            "members": ["ada@acme.io"],
            "service_accounts": ["bot"],
            "groups": ["g", "Users"],
        },
        {"name": "s", "resource": {"queue": {"id": "x"}}, "permission": "read_write", "groups": ["g"]},
    ],
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from([[], {}, [[]], [None], [{}], {"a": 1}, ["ada@acme.io"], "g", "bot", "90d", "../x", "*", "Users", "@{B}"]),
)  # fmt: skip


def _all_paths() -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    pending: list[tuple[tuple[Any, ...], Any]] = [((), WHOLE)]
    while pending:
        prefix, value = pending.pop()
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
        for key, inner in items:
            found.append((*prefix, key))
            pending.append(((*prefix, key), inner))
    return sorted(found, key=str)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    whole = deepcopy(WHOLE)
    for path in draw(st.lists(st.sampled_from(_all_paths()), min_size=1, max_size=4)):
        action = draw(st.sampled_from(["replace", "remove", "misspell", "double"]))
        junk = draw(JUNK)
        try:
            _damage(whole, path, action, junk)
        except (AttributeError, KeyError, IndexError, TypeError):
            continue
    return whole


def _damage(whole: Any, path: tuple[Any, ...], action: str, junk: Any) -> None:
    parent = whole
    for step in path[:-1]:
        parent = parent[step]
    if action == "replace":
        parent[path[-1]] = junk
    elif action == "double" and isinstance(parent, list):
        parent.append(deepcopy(parent[path[-1]]))
    else:
        value = parent.pop(path[-1])
        if action == "misspell" and isinstance(parent, dict):
            parent[f"{path[-1]}x"] = value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("more.yaml").write_text("groups: [{name: more}]\n")
    return tmp_path


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged())
def test_a_damaged_declaration_is_loaded_or_told(folder: Path, parser, content: Any) -> None:
    Path("workspace.yaml").write_text(json.dumps(content, ensure_ascii=True))
    try:
        declaration = load(Path("workspace.yaml"), documents=parser)
    except InvalidDeclarationError as error:
        problems = error.problems
    else:
        assert set(resolve(declaration, secrets=None).places)
        return
    assert problems
    assert all(problem.place is not None and is_harmless(problem.message) for problem in problems)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_are_told_what_is_wrong_with_them(folder: Path, parser, content: bytes) -> None:
    Path("workspace.yaml").write_bytes(content)
    with pytest.raises(InvalidDeclarationError):
        load(Path("workspace.yaml"), documents=parser)
