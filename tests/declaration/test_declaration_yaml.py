"""YAML as declarations mean it: 1.2's values, their places, and a refusal of everything that could mislead."""

from __future__ import annotations

import contextlib
import io
import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.declaration.source import read_source, read_yaml
from reconciler.errors import SourceError
from reconciler.yaml.reader import STRICT


def value_of(text: str) -> object:
    return read_yaml(f"key: {text}\n", "f.yaml").root["key"]


def refusal(text: str) -> str:
    with pytest.raises(SourceError) as caught:
        read_yaml(text, "f.yaml")
    problem = caught.value.problem
    return f"{problem.place}: {problem.message}"


def test_the_parser_is_the_one_in_c() -> None:
    assert "_ruamel_yaml" in type(YAML(typ="safe").Parser("a: 1")).__module__


@pytest.mark.parametrize(
    "word", ["no", "yes", "on", "off", "No", "y", "n", "2026-11-24", "12:30", "1_000", "0b11", "=", "1.2.3"]
)
def test_a_word_that_only_yaml_1_1_interprets_is_a_text(word: str) -> None:
    assert value_of(word) == word


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("'true'", "true"),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("|\n  a\n  b", "a\nb\n"),
        (">-\n  a\n  b", "a b"),
        ("[a, [b], {c: d}]", ["a", ["b"], {"c": "d"}]),
        ("{u: https://acme.io:8080/x, t: op://a}", {"u": "https://acme.io:8080/x", "t": "op://a"}),
        ('{"a":1, u: a::b}', {"a": 1, "u": "a::b"}),
        ("{u: a:b, t: 'x: y:z'} # c:d", {"u": "a:b", "t": "x: y:z"}),
    ],
)
def test_a_scalar_has_its_yaml_1_2_meaning(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_not_a_number_is_read() -> None:
    found = value_of(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 010\n", "f.yaml:1:4: `010`: a number with a leading zero means different things to different YAML readers"),
        ("a: " + "9" * 50 + "\n", "f.yaml:1:4: `" + "9" * 40 + "`: this number is too long"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: `a` was already given at 1:1"),
        ("<<: {a: 1}\n", "f.yaml:1:1: merge keys (`<<`) are not supported: YAML 1.2 has none"),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4: the tag `tag:yaml.org,2002:python/object:os.system` is not supported"),
        ("a: !secret x\n", "f.yaml:1:4: the tag `!secret` is not supported"),
        ("a: !!map {}\n", "f.yaml:1:4: the tag `tag:yaml.org,2002:map` is not supported"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second YAML document begins here; a file holds one"),
        ("- a\n- b\n", "f.yaml:1:1: the file is a list, not a mapping of keys to values"),
        ("hello\n", "f.yaml:1:1: the file is a single value, not a mapping of keys to values"),
        ("1: a\n", "f.yaml:1:1: a key must be a string"),
        ("null: a\n", "f.yaml:1:1: a key must be a string"),
        ("? [a]\n: b\n", "f.yaml:1:3: a key must be a string, this one is a list"),
        ("? {a: b}\n: b\n", "f.yaml:1:3: a key must be a string, this one is a mapping"),
        ("a: *b\n", "f.yaml:1:4: the alias `*b` names no anchor before it"),
        ("a: &b [*b]\n", "f.yaml:1:8: the alias `*b` is inside what it names"),
        ("a: [1, 2\n", "f.yaml:2:1: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        ("a: 'x\n", "f.yaml:2:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar)"),
        ("a: b: c\n", "f.yaml:1:5: not valid YAML: mapping values are not allowed in this context"),
        ("a:\n\t- b\n", "f.yaml:2:1: not valid YAML: found character that cannot start any token (while scanning for the next token)"),
        ("", "f.yaml:1:1: this file is empty: a declaration begins with `version: 1`; to remove nothing, leave lists out"),
        ("# only a comment\n", "f.yaml:1:1: this file is empty: a declaration begins with `version: 1`; to remove nothing, leave lists out"),
        ("---\n", "f.yaml:1:1: this file is empty: a declaration begins with `version: 1`; to remove nothing, leave lists out"),
    ],
)  # fmt: skip
def test_what_could_mislead_is_refused_at_its_place(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 200_000, "a: " + "{a: " * 200_000, "a:\n" + "".join(" " * i + "- \n" for i in range(99))]
)
def test_absurd_depth_is_refused_quickly(text: str) -> None:
    assert refusal(text).endswith(f"nested more than {STRICT.depth} deep")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    assert f"the aliases stand for more than {STRICT.aliased} values" in refusal("\n".join(lines))


def test_aliases_do_not_nest_deeper_than_lists_may() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 99))]
    assert refusal("\n".join(lines)) == f"f.yaml:32:12: lists and mappings are nested more than {STRICT.depth} deep"


def test_an_alias_stands_for_its_whole_value() -> None:
    tree = read_yaml("a: &x {b: [1]}\nc: *x\n", "f.yaml")
    assert tree.root == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert str(tree.place(("c",))) == "f.yaml:2:4"
    assert str(tree.place(("c", "b", 0))) == "f.yaml:1:12"


def test_every_key_and_value_has_its_place() -> None:
    tree = read_yaml("a: 1\nlist:\n  - x\n  - {k: v,  w: z}\n", "f.yaml")
    assert str(tree.place()) == "f.yaml:1:1"
    assert str(tree.place(("list",), key=True)) == "f.yaml:2:1"
    assert str(tree.place(("list", 1))) == "f.yaml:4:5"
    assert str(tree.place(("list", 1, "w"), key=True)) == "f.yaml:4:13"
    assert str(tree.place(("list", 1, "w"))) == "f.yaml:4:16"
    assert str(tree.place(("list", 1, "absent"))) == "f.yaml:4:5"
    assert tree.line(3) == "  - x"
    assert tree.line(99) is None


def test_columns_count_characters_and_windows_line_ends_count_once() -> None:
    tree = read_yaml("é: {ü: 1}\r\nb: 2\r\n", "f.yaml")
    assert str(tree.place(("é", "ü"))) == "f.yaml:1:8"
    assert str(tree.place(("b",))) == "f.yaml:2:4"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff\n", "f:1:4: this file is not UTF-8: byte 0xff is not allowed here"),
        (b"a: 1\nb: \xc3\n", "f:2:4: this file is not UTF-8: byte 0xc3 is not allowed here"),
        ("a: 1".encode("utf-16"), "f:1:1: this file is UTF-16, not UTF-8"),
        (b"\x7fELF\x00\x01", "f:1:1: this is a binary file, not text: it holds a NUL byte"),
        (b"a: \x1b[31mred\n", "f:1:4: there is a control character (U+001B) here"),
        ("a: \u2028\n".encode(), "f:1:4: there is a control character (U+2028) here"),
        (b"a: 1\n<<<<<<< HEAD\nb: 2\n=======\n", "f:2:1: a merge conflict was left here"),
        (b"a: 1\n>>>>>>> theirs\n", "f:2:1: a merge conflict was left here"),
    ],
)
def test_a_file_that_is_not_clean_text_is_refused(tmp_path_factory, content: bytes, message: str) -> None:
    path = tmp_path_factory.mktemp("source") / "f"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_source(path, "f")
    assert f"{caught.value.problem.place}: {caught.value.problem.message}" == message


def test_a_byte_order_mark_does_not_count(tmp_path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read_yaml(read_source(path, "f"), "f").root == {"a": 1}


WORDS = st.one_of(
    st.text(alphabet=string.printable, max_size=12),
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    st.sampled_from(
        ["no", "true", "null", "~", "1", "0x1f", "1e3", "-", "?", "a: b", "a:b", "#", "<<", "*a", "&a", "!t", "@", "%"]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), st.booleans())
def test_what_ruamel_writes_is_read_as_ruamel_reads_it(value: dict[str, object], flow: bool) -> None:
    writer = YAML(typ="safe")
    writer.default_flow_style = flow
    stream = io.StringIO()
    writer.dump(value, stream)
    text = stream.getvalue()
    assert read_yaml(text, "f.yaml").root == YAML(typ="safe").load(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab01 :,-[]{}\"'#&*!|>\n?<%@`~.\t\r=é"), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SourceError):
        read_yaml(text, "f.yaml")
