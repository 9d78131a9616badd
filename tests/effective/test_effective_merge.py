from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.effective.configuration import CONFLICT, document
from reconciler.effective.merge import Source, Value, merge
from reconciler.model.secret import Secret
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.tree import Object, from_plain, lookup, path_text, to_plain


@pytest.fixture(scope="module")
def parser() -> Iterator[DocumentParser]:
    with DocumentParser() as parser:
        yield parser


def source(name: str, plain: dict[str, Any], *, base: bool = False) -> Source:
    tree = from_plain(plain)
    assert isinstance(tree, Object)
    return Source(name, Secret(write_portable_json(tree)), tree, tree, base=base)


def told(values: tuple[Value, ...]) -> dict[str, object]:
    return {
        path_text(value.path): (
            [(to_plain(said.value), said.source.name) for said in value.said],
            [(path_text(said.path), to_plain(said.value), said.source.name) for said in value.overrides],
        )
        for value in values
    }


def test_every_value_knows_who_says_it_and_what_it_hides(parser: DocumentParser) -> None:
    base = source("base", {"a": {"b": 1, "c": [1], "d": {"x": 1}}}, base=True)
    vault = source("vault", {"a": {"b": 2, "c": [2], "d": None}})
    other = source("other", {"a": {"b": 2}})
    assert told(merge(base, [vault, other], parser)) == {
        "a.b": ([(2, "vault")], [("a.b", 1, "base")]),
        "a.c": ([([2], "vault")], [("a.c", [1], "base")]),
        "a.d": ([(None, "vault")], [("a.d.x", 1, "base")]),
    }


def test_an_object_over_a_value_hides_it_with_all_that_it_brings(parser: DocumentParser) -> None:
    values = merge(source("base", {"a": 1}, base=True), [source("vault", {"a": {"x": 2, "y": {}}})], parser)
    assert told(values) == {"a.x": ([(2, "vault")], [("a", 1, "base")]), "a.y": ([({}, "vault")], [("a", 1, "base")])}


def test_the_agent_keeps_its_own_value_of_what_is_its_machines(parser: DocumentParser) -> None:
    base = source("base", {"agent": {"worker_id": "own"}}, base=True)
    vault = source("vault", {"agent": {"worker_id": "one for all", "worker_name": "x", "git_user": "g"}})
    assert to_plain(document(merge(base, [vault], parser))) == {"agent": {"worker_id": "own", "git_user": "g"}}
    assert to_plain(document(merge(None, [vault], parser))) == {"agent": {"git_user": "g"}}


def test_vaults_that_disagree_are_a_conflict_in_every_order(parser: DocumentParser) -> None:
    sources = [
        source("one", {"a": {"x": 1}, "b": 1}),
        source("two", {"a": 5, "b": 1}),
        source("three", {"a": {"y": 2}}),
    ]
    for order in permutations(sources):
        values = merge(None, order, parser)
        found = {path_text(value.path): value for value in values}
        assert set(found) == {"a", "b"}
        assert {said.source.name for said in found["a"].said} == {"one", "two", "three"}
        assert not found["b"].is_conflict
        assert lookup(document(values), ("a",)) is CONFLICT


def test_vaults_that_agree_are_no_conflict_and_both_are_named(parser: DocumentParser) -> None:
    value = merge(None, [source("one", {"a": [1]}), source("two", {"a": [1]})], parser)[0]
    assert (value.is_conflict, [said.source.name for said in value.same]) == (False, ["two"])


plain = st.recursive(
    st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), plain, max_size=3)


@settings(max_examples=40, deadline=None)
@given(base=objects, vaults=st.lists(objects, max_size=3))
def test_what_is_settled_is_what_every_order_gives(parser: DocumentParser, base: Any, vaults: list[Any]) -> None:
    sources = [source(str(number), vault) for number, vault in enumerate(vaults)]
    below = source("base", base, base=True)
    values = merge(below, sources, parser)
    texts = [item.text.reveal() for item in (below, *sources)]
    results = parser.merge(texts, [[0, *order] for order in permutations(range(1, len(texts)))])
    for value in values:
        if not value.is_conflict:
            assert {lookup(result, value.path) for result in results} == {value.said[0].value}
    if not any(value.is_conflict for value in values):
        assert set(map(repr, map(sorted_plain, results))) == {repr(sorted_plain(document(values)))}


def sorted_plain(tree: Any) -> Any:
    value = to_plain(tree) if isinstance(tree, Object) else tree
    if isinstance(value, dict):
        return {key: sorted_plain(value[key]) for key in sorted(value)}
    return value


def test_the_order_of_vaults_does_not_matter(parser: DocumentParser) -> None:
    one, two = source("one", {"a": 1, "b": {"c": 1}}), source("two", {"a": 2, "b": {"d": 1}})
    first, second = (
        {path_text(v.path): {s.source.name for s in v.said} for v in merge(None, order, parser)}
        for order in ((one, two), (two, one))
    )
    assert first == second
