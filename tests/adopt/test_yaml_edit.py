"""A text is changed at the lines of what changes, and nowhere else."""

from __future__ import annotations

import difflib
import random
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.declaration.source import read_yaml
from reconciler.yaml.comments import comments
from reconciler.yaml.edit import CannotEditError, EditableYaml
from reconciler.yaml.nodes import line_end, line_start, read_nodes
from reconciler.yaml.values import same_values
from tests.adopt.yaml_texts import change_at_random, random_text

seeds = st.integers(0, 2**32)


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_it_knows_every_value_and_every_comment(seed: int) -> None:
    text, values, written = random_text(seed)
    editable = EditableYaml.read(text)
    assert same_values(editable.values, values)
    assert same_values(read_yaml(text, "x").root, values)
    assert sorted(comment.text for comment in comments(text, editable.root)) == sorted(written)
    assert editable.edited() == text


@settings(max_examples=300, deadline=None)
@given(seeds, st.booleans())
def test_the_new_text_means_what_was_asked_for_and_holds_every_comment(seed: int, removals: bool) -> None:
    text, _, written = random_text(seed)
    editable = EditableYaml.read(text)
    change_at_random(editable.values, random.Random(seed), removals=removals)
    try:
        edited = editable.edited()
    except CannotEditError:
        return
    assert same_values(read_yaml(edited, "x").root, editable.values)
    if not removals:
        assert sorted(comment.text for comment in comments(edited, read_nodes(edited))) == sorted(written)


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_changing_one_entry_touches_its_own_lines_only(seed: int) -> None:
    text, _, _ = random_text(seed)
    choose = random.Random(seed)
    editable = EditableYaml.read(text)
    entries = [(kind, index) for kind, items in editable.values.items() for index in range(len(items))]
    if not entries:
        return
    kind, index = choose.choice(entries)
    node = read_nodes(text).children[list(editable.values).index(kind)].children[index]
    first = text.count("\n", 0, line_start(text, node.start))
    last = text.count("\n", 0, line_end(text, node.end))
    entry = editable.values[kind][index]
    entry["name"] = "another name"
    entry["added"] = {"x": 1}
    before, after = text.splitlines(), editable.edited().splitlines()
    for tag, start, end, *_ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            assert first <= start <= end <= last + 1


def edited(text: str, change: str) -> str:
    editable = EditableYaml.read(dedent(text))
    exec(change, {"v": editable.values})
    return editable.edited()


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("m: [a, b, c]  # all\n", "v['m'].remove('b')", "m: [a, c]  # all\n"),
        ("m: [ a, b ]\n", "v['m'].append('x: y')", 'm: [ a, b, "x: y" ]\n'),
        ("m: [\n  a, # first\n  b\n]\n", "v['m'] += ['c']", "m: [\n  a, # first\n  b,\n  c,\n]\n"),
        ("m: [\n  a, # first\n  b\n]\n", "v['m'].pop(0)", "m: [\n  b\n]\n"),
        ("m: []  # nobody\n", "v['m'].append({'name': 1})", "m:  # nobody\n  - {name: 1}\n"),
        ("m:\n# head\n- a\n- b\n", "v['m'].clear()", "m: []\n# head\n"),
        ("m:\n- a\n\n# of b\n- b  # b\n\n- c\n", "v['m'].remove('b')", "m:\n- a\n\n- c\n"),
        ("m:\n- a\n\n- c\n", "v['m'].insert(1, 'b')", "m:\n- a\n\n- b\n\n- c\n"),
        ("m: {a: 'x', b: \"y\"}\n", "v['m'].update(a='z')", "m: {a: 'z', b: \"y\"}\n"),
        ("m: {a: 'x', b: \"y\"}\n", "del v['m']['a']", 'm: {b: "y"}\n'),
        ("m:\n  a: 1\n  # of b\n  b: 2\n  c: 3\n", "del v['m']['b']", "m:\n  a: 1\n  # of b\n  c: 3\n"),
        ("t: |  # c\n  one\n  two\n", "v['t'] = 'a\\nb\\n'", "t: |  # c\n  a\n  b\n"),
        ("a: &x [p, q]\nb: *x\n", "v['b'].append('r')", "a: &x [p, q]\nb: [p, q, r]\n"),
        ("a: &x [p, q]  # shared\nb: *x\n", "v['a'] += ['r']; v['b'] += ['r']", "a: &x [p, q, r]  # shared\nb: *x\n"),
    ],
)
def test_it_keeps_the_style(before: str, change: str, after: str) -> None:
    assert edited(before, change) == after


def test_what_others_share_is_not_changed() -> None:
    with pytest.raises(CannotEditError, match="anchor"):
        edited("a: &x [p, q]\nb: *x\n", "v['a'].append('r')")
