from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from vault_documents import ALL_APPLIED, HOCON, JSON, YAML, declared, live, portable_trees, vault

from reconciler.model.edits import DocumentEdit
from reconciler.vaults.compare import Shown, compare, compare_vaults
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.portable import stored_text, write_portable_json
from reconciler.vaults.showing import UNKNOWN, showings
from reconciler.vaults.tree import Object, from_plain

if TYPE_CHECKING:
    from reconciler.model.resources import DocumentFormat
    from reconciler.vaults.parse import DocumentParser
    from reconciler.vaults.tree import Tree


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1, b: 2", "b: 2\na: 1 # order and comments"),
        ("a.b: 1", "a { b = 1 }"),
        ("a = text", 'a = "text"'),
        ("a {b: 1}\na {c: 2}", "a {c: 2, b: 1}"),
        ('"k" = [1, 2]', "k = [\n1\n2\n]"),
    ],
)
def test_another_text_with_the_same_meaning_is_no_edit(parser: DocumentParser, before: str, after: str) -> None:
    diff = compare_vaults(vault(live(HOCON, before)), vault(declared(HOCON, after)), parser)
    assert (diff.edits, diff.same_meaning, diff.same_text) == ((), True, False)


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("a: 1", 'a: "1"', [("a", "1", '"1"')]),
        ("a: 1", "a: 1.0", [("a", "1", "1.0")]),
        ("a: 1", "a: true", [("a", "1", "true")]),
        ("a: 0", "a: null", [("a", "0", "null")]),
        ("a: [1, 2]", "a: [2, 1]", [("a[0]", "1", "2"), ("a[1]", "2", "1")]),
        ("a: [x, y, z]", "a: [y, z]", [("a[0]", '"x"', None)]),
        ("a: [1, true]", "a: [true, true]", [("a[0]", "1", "true")]),
        ("a: x", "b: x", [("a", '"x"', None), ("b", None, '"x"')]),
        ("a: {b: {c: 1, d: 2}}", "a: x", [("a", None, '"x"'), ("a.b.c", "1", None), ("a.b.d", "2", None)]),
        ("a: {}", "a: []", [("a", "{}", "[]")]),
        ("a: ${x}", 'a: "${x}"', [("a", "${x}", '"${x}"')]),
        ("a: ${x}", "a: ${?x}", [("a", "${x}", "${?x}")]),
        ("a: [{b: 1, c: 2}]", "a: [{b: 3, c: 2}]", [("a[0].b", "1", "3")]),
        ("a: 1", "a: 1, __b: 2", [("__b", None, "2")]),
        ("__a: {b: 1}", "__a: {b: 2}", [("__a.b", "1", "2")]),
        ("a: [{__b: 1}]", "a: [{__b: 2}]", [("a[0].__b", "1", "2")]),
    ],
)
def test_meaning_changes_by_path(parser: DocumentParser, before: str, after: str, edits: list[tuple[str, ...]]) -> None:
    diff = compare_vaults(vault(live(HOCON, before)), vault(declared(HOCON, after)), parser, ALL_APPLIED)
    assert [(edit.path, edit.before, edit.after) for edit in diff.edits] == edits
    assert not diff.same_meaning


def _compared(before: Tree, after: Tree) -> tuple[DocumentEdit, ...]:
    return compare(before, after, Shown.of(showings(before, UNKNOWN), showings(after, UNKNOWN)))


@settings(max_examples=120, deadline=None)
@given(before=portable_trees, after=portable_trees)
def test_equal_meaning_is_no_edit_and_no_edit_is_equal_meaning(before: Object, after: Object) -> None:
    assert (_compared(before, after) == ()) == (before == after)
    shuffled = Object(dict(reversed(before.entries.items())))
    assert _compared(before, shuffled) == ()


@settings(max_examples=60, deadline=None)
@given(before=portable_trees, after=portable_trees)
def test_edits_turn_around(before: Object, after: Object) -> None:
    forth = {edit.path for edit in _compared(before, after)}
    assert bool(forth) == bool(_compared(after, before))


def test_only_the_fact_of_a_rotation_is_told(parser: DocumentParser) -> None:
    before = live(HOCON, 'innocent: "canary-old", moved: "canary-new", region: a')
    after = declared(HOCON, "innocent: @{KEY}, region: b", KEY="canary-new")
    diff = compare_vaults(vault(before), vault(after), parser, ALL_APPLIED)
    assert diff.edits == (
        DocumentEdit(path="innocent", before="(secret)", after="(secret)", secret=True),
        DocumentEdit(path="moved", before="(secret)", after=None, secret=True),
        DocumentEdit(path="region", before='"a"', after='"b"'),
    )


def test_an_old_secret_that_moves_in_a_list_stays_hidden(parser: DocumentParser) -> None:
    before = live(HOCON, 'arguments: ["one", "canary-old"]')
    after = declared(HOCON, "arguments: [@{KEY}]", KEY="v2")
    assert "canary" not in repr(compare_vaults(vault(before), vault(after), parser))


@pytest.mark.parametrize("document_format", [HOCON, JSON, YAML])
def test_no_planted_secret_is_in_any_edit(parser: DocumentParser, document_format: DocumentFormat) -> None:
    plain = {
        "sdk": {"aws": {"s3": {"key": "canary1", "credentials": [{"bucket": "b", "secret": "canary2"}]}}},
        "environment": {"A": "canary3xR7"},
        "agent": {"git_pass": "canary4", "extra_docker_arguments": ["-e", "X=canary5"]},
        "url": "https://me:canary6@host",
        "gcs": {"credentials_json": {"private_key_id": "canary7"}},
    }
    text = write_portable_json(from_plain(plain))
    for old, new in (("{}", text), (text, "{}"), (text, text.replace("canary", "canary-new")), ("]", text)):
        diff = compare_vaults(vault(live(document_format, old)), vault(declared(document_format, new)), parser)
        assert diff.edits
        assert "canary" not in repr(diff)
        assert all(
            edit.secret
            for edit in diff.edits
            if "bucket" not in edit.path and edit.after != '"-e"' and edit.before != "(hidden)"
        )


def test_a_live_text_that_does_not_parse_is_replaced_and_not_shown(parser: DocumentParser) -> None:
    diff = compare_vaults(vault(live(HOCON, "canary = ]")), vault(declared(HOCON, "a = b")), parser)
    assert diff.unparsable_before
    assert diff.edits == (DocumentEdit(path="a", before=None, after='"b"'),)


@pytest.mark.parametrize(
    ("before", "same_text", "edits"),
    [
        ('key = "anything"\nregion = eu', True, 0),
        ("key = bare\nregion = eu", True, 0),
        ('key = "anything"\nregion = us', False, 1),
        ("region = eu", False, 1),
        ("region=eu, key=x", False, 0),
    ],
)
def test_without_secrets_their_places_are_left_out(
    parser: DocumentParser, before: str, same_text: bool, edits: int
) -> None:
    after = declared(HOCON, 'key = "@{KEY}"\nregion = eu', KEY=None)
    diff = compare_vaults(vault(live(HOCON, before)), vault(after), parser)
    assert (diff.same_text, len(diff.edits), diff.secrets_left_out) == (same_text, edits, 1)
    assert "anything" not in repr(diff)


def test_yaml_that_is_sent_as_json_is_compared_by_what_is_stored(parser: DocumentParser) -> None:
    wanted = vault(declared(YAML, "sdk:\n  key: @{KEY}\n  list: [1, x]\n", KEY='va"l\nue'), JSON)
    stored = stored_text(wanted, parser)
    assert parser.parse(JSON, stored.reveal()) == from_plain({"sdk": {"key": 'va"l\nue', "list": [1, "x"]}})
    diff = compare_vaults(vault(live(JSON, stored.reveal())), wanted, parser)
    assert (diff.edits, diff.same_meaning, diff.same_text) == ((), True, True)
    spaced = compare_vaults(vault(live(JSON, stored.reveal() + "\n")), wanted, parser)
    assert (spaced.same_meaning, spaced.same_text) == (True, False)


def test_the_authors_text_is_stored_untouched(parser: DocumentParser) -> None:
    text = "# why\na   =  1\n"
    assert stored_text(vault(declared(HOCON, text)), parser).reveal() == text


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (from_plain({"a": {"b": ["x", ""]}}), "a.b[1]"),
        (from_plain({"a": {"": 1}}), 'a.""'),
        (from_plain({'q"': 1}), '"q\\""'),
        (from_plain({"a": ["\x07"]}), "a[0]"),
        (from_plain({"a": "\u2028"}), "a"),
    ],
)
def test_what_cannot_be_written_portably_is_named(tree: Tree, path: str) -> None:
    with pytest.raises(DocumentError) as caught:
        write_portable_json(tree)
    assert caught.value.message.startswith(f"{path} ")


def test_portable_documents_have_at_most_24_levels() -> None:
    tree: Tree = from_plain(1)
    for _ in range(24):
        tree = Object({"a": tree})
    assert write_portable_json(tree)
    with pytest.raises(DocumentError, match="24 levels"):
        write_portable_json(Object({"a": tree}))


@pytest.mark.parametrize(
    ("value", "text"), [(1e100, "1.0e+100"), (1e-7, "1.0e-07"), (1.5e300, "1.5e+300"), (2.0, "2.0")]
)
def test_floats_are_floats_to_every_reader(value: float, text: str) -> None:
    assert write_portable_json(from_plain({"a": value})) == f'{{\n  "a": {text}\n}}\n'


@pytest.mark.parametrize("value", ["another", None])
def test_what_goes_from_a_document_with_secrets_may_be_one_under_a_former_name(
    parser: DocumentParser, value: str | None
) -> None:
    before = vault(live(HOCON, "old: hunter2, region: eu"))
    after = vault(declared(HOCON, "new: @{KEY}, region: us", KEY=value))
    diff = compare_vaults(before, after, parser, ALL_APPLIED)
    shown = {edit.path: (edit.before, edit.after) for edit in diff.edits}
    assert shown["old"] == ("(secret)", None)
    assert shown["region"] == ('"eu"', '"us"')


def test_a_vault_that_was_for_others_than_clients_keeps_its_secrets(parser: DocumentParser) -> None:
    before = replace(vault(live(HOCON, "aws.mykey: hunter2")), target="ui_storage_credentials")
    diff = compare_vaults(before, vault(declared(HOCON, "a: 1")), parser, ALL_APPLIED)
    assert ("aws.mykey", "(secret)", None) in [(edit.path, edit.before, edit.after) for edit in diff.edits]
