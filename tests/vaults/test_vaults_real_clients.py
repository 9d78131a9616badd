"""The same questions put to the parser that the real SDK carries."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vault_documents import HOCON, portable_trees

from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.resolve import overlay, resolve
from reconciler.vaults.tree import from_plain

if TYPE_CHECKING:
    from reconciler.vaults.parse import DocumentParser
    from reconciler.vaults.tree import Object

pytestmark = [pytest.mark.real_clients, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

pyhocon = pytest.importorskip("clearml.utilities.pyhocon")


@settings(max_examples=40, deadline=None)
@given(trees=st.lists(portable_trees, min_size=2, max_size=3))
def test_merging_is_what_the_client_does(trees: list[Object]) -> None:
    configs = [pyhocon.ConfigFactory.parse_string(write_portable_json(tree)) for tree in trees]
    merged = reduce(pyhocon.ConfigTree.merge_configs, configs)
    assert from_plain(_plain(merged)) == reduce(overlay, trees)


@settings(max_examples=40, deadline=None)
@given(one=portable_trees, two=portable_trees, three=portable_trees)
def test_merging_is_associative_where_the_clients_is(one: Object, two: Object, three: Object) -> None:
    def merged(first: Object, second: Object) -> Object:
        parsed = [pyhocon.ConfigFactory.parse_string(write_portable_json(tree)) for tree in (first, second)]
        return from_plain(_plain(pyhocon.ConfigTree.merge_configs(*parsed)))  # type: ignore[return-value]

    theirs = merged(merged(one, two), three) == merged(one, merged(two, three))
    ours = overlay(overlay(one, two), three) == overlay(one, overlay(two, three))
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        "a: 1, b: ${a}", "a: true, b: x ${a} y", "a: null, b: x${a}y", "a {x: 1}, b: ${a} {y: 2}",
        "a: [1], b: ${a} [2]",
        "a: 1, b: ${?zz}", "a: 1.5, b: ${a}s", "l = [1]\nl += [2]", "a.b.c: d, e: ${a.b}", "a: ${b}, b: ${c}, c: 3",
        'a: "x", b: ${a}"y" z', "a: x\na: ${a} y", "a: [${b}, 2], b: 1", "b: ${?zz} tail", "a: 010, b: ${a}",
    ],
)  # fmt: skip
def test_substitutions_are_worked_out_as_the_client_does(parser: DocumentParser, text: str) -> None:
    ours = resolve(parser.parse(HOCON, text))
    assert not ours.unresolved
    assert ours.tree == from_plain(_plain(pyhocon.ConfigFactory.parse_string(text)))


@settings(max_examples=40, deadline=None)
@given(tree=portable_trees)
def test_a_portable_document_is_read_the_same_by_the_client(tree: Object) -> None:
    assert from_plain(_plain(pyhocon.ConfigFactory.parse_string(write_portable_json(tree)))) == tree


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_unquoted(key): _plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if type(value).__name__ == "NoneValue" else value


def _unquoted(key: str) -> str:
    return key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key
