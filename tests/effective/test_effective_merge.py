from __future__ import annotations

from functools import reduce
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.effective.configuration import CONFLICT, document
from reconciler.effective.merge import Source, Value, merge
from reconciler.vaults.resolve import overlay
from reconciler.vaults.tree import Object, from_plain, lookup, path_text, to_plain


def source(name: str, plain: dict[str, Any], rank: int = 1) -> Source:
    tree = from_plain(plain)
    assert isinstance(tree, Object)
    return Source(name, tree, tree, rank)


def told(values: tuple[Value, ...]) -> dict[str, object]:
    return {
        path_text(value.path): (
            [(to_plain(said.value), said.source.name) for said in value.said],
            [(path_text(said.path), to_plain(said.value), said.source.name) for said in value.overrides],
        )
        for value in values
    }


def test_every_value_knows_who_says_it_and_what_it_hides() -> None:
    base = source("base", {"a": {"b": 1, "c": [1], "d": {"x": 1}}}, rank=0)
    vault = source("vault", {"a": {"b": 2, "c": [2]}})
    own = source("own", {"a": {"b": 3, "d": None}}, rank=2)
    assert told(merge([base, vault, own])) == {
        "a.b": ([(3, "own")], [("a.b", 2, "vault"), ("a.b", 1, "base")]),
        "a.c": ([([2], "vault")], [("a.c", [1], "base")]),
        "a.d": ([(None, "own")], [("a.d.x", 1, "base")]),
    }


def test_an_object_over_a_value_hides_it_with_all_that_it_brings() -> None:
    values = merge([source("base", {"a": 1}, rank=0), source("vault", {"a": {"x": 2, "y": {}}})])
    assert told(values) == {"a.x": ([(2, "vault")], [("a", 1, "base")]), "a.y": ([({}, "vault")], [("a", 1, "base")])}


def test_vaults_of_one_rank_that_disagree_are_a_conflict_in_every_order() -> None:
    sources = [
        source("one", {"a": {"x": 1}, "b": 1}),
        source("two", {"a": 5, "b": 1}),
        source("three", {"a": {"y": 2}}),
    ]
    for order in permutations(sources):
        values = merge(order)
        found = {path_text(value.path): value for value in values}
        assert set(found) == {"a", "b"}
        assert {said.source.name for said in found["a"].said} == {"one", "two", "three"}
        assert not found["b"].is_conflict
        assert lookup(document(values), ("a",)) is CONFLICT


def test_vaults_that_agree_are_no_conflict_and_both_are_named() -> None:
    value = merge([source("one", {"a": [1]}), source("two", {"a": [1]})])[0]
    assert (value.is_conflict, [said.source.name for said in value.same]) == (False, ["two"])


def test_a_higher_rank_decides_a_conflict() -> None:
    value = merge([source("one", {"a": 1}), source("two", {"a": {"x": 2}}), source("own", {"a": 3}, rank=2)])[0]
    assert (value.is_conflict, to_plain(value.said[0].value)) == (False, 3)
    assert [said.source.name for said in value.overrides] == ["one", "two"]


plain = st.recursive(
    st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), plain, max_size=3)


@settings(max_examples=150, deadline=None)
@given(base=objects, vaults=st.lists(objects, max_size=3), own=objects)
def test_what_is_settled_is_what_every_order_gives(base: Any, vaults: list[Any], own: Any) -> None:
    values = merge([source("b", base, 0), *(source(str(n), v) for n, v in enumerate(vaults)), source("o", own, 2)])
    results = [reduce(overlay, map(from_plain, (base, *order, own))) for order in permutations(vaults)]
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


def test_the_order_of_one_rank_does_not_matter() -> None:
    one, two = source("one", {"a": 1, "b": {"c": 1}}), source("two", {"a": 2, "b": {"d": 1}})
    first, second = (
        {path_text(v.path): {s.source.name for s in v.said} for v in merge(order)} for order in ((one, two), (two, one))
    )
    assert first == second
