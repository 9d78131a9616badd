from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vault_documents import HOCON, JSON, YAML, portable_trees

from reconciler.model.resources import Document, DocumentFormat
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError, place_in_file
from reconciler.vaults.hocon import HoconProcess, Outcome
from reconciler.vaults.hocon_fast import parse_plain
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.tree import Expression, Object, Scalar, Substitution, from_plain, parse_path, path_text


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a.b: 1", {"a": {"b": 1}}),
        ("a { b = 1 } // comment", {"a": {"b": 1}}),
        ("a = yes, b = true, c = TRUE", {"a": "yes", "b": True, "c": True}),
        ('a = 010, b = 1e3, c = "1", d = 1.10', {"a": 10, "b": 1000.0, "c": "1", "d": 1.1}),
        ("a = null, b = {}, c = []", {"a": None, "b": {}, "c": []}),
        ('"c.d": 2', {"c.d": 2}),
        ('l = ["", a]', {"l": ["a"]}),
        ("t = 5 minutes\n# end", {"t": "5 minutes"}),
        ("a {x: 1}\na {y: 2}", {"a": {"x": 1, "y": 2}}),
        ("a: 1\na: 2", {"a": 2}),
        ('m = """one\n "two" """', {"m": 'one\n "two" '}),
        ("", {}),
        ("# nothing but a comment", {}),
    ],
)
def test_hocon_means_what_clients_read(parser: DocumentParser, text: str, meaning: object) -> None:
    assert parser.parse(HOCON, text) == from_plain(meaning)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a: no\nb: on\nc: y", {"a": "no", "b": "on", "c": "y"}),
        ("a: true\nb: False\nc: ~\nd:\ne: null", {"a": True, "b": False, "c": None, "d": None, "e": None}),
        ("a: 010\nb: 0o10\nc: 0x10\nd: 1.\ne: 1e3", {"a": 10, "b": 8, "c": 16, "d": 1.0, "e": 1000.0}),
        ("a: 2001-01-01\nb: 1:30\nc: 1_000", {"a": "2001-01-01", "b": "1:30", "c": "1_000"}),
        ("a: '1'\nb: !!str 1\nc: \"x\\ny\"", {"a": "1", "b": "1", "c": "x\ny"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("k: |\n  one\n  two\n", {"k": "one\ntwo\n"}),
        ("a: {u: https://acme.io:8080/x}", {"a": {"u": "https://acme.io:8080/x"}}),
        ("a: !!map {b: !!int 1, c: !!null ~}\nd: !!seq [!!float 1.5]", {"a": {"b": 1, "c": None}, "d": [1.5]}),
    ],
)
def test_yaml_has_the_meaning_of_yaml_1_2(parser: DocumentParser, text: str, meaning: object) -> None:
    assert parser.parse(YAML, text) == from_plain(meaning)


def test_substitutions_stay_unresolved_and_never_see_the_environment(
    parser: DocumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_SECRET", "canary-in-the-environment")
    with DocumentParser() as fresh:
        tree = fresh.parse(HOCON, "a: ${CI_SECRET}, b: x ${?CI_SECRET} y, c = [1] ${q}")
    assert tree == Object(
        {
            "a": Expression((Substitution("CI_SECRET"),)),
            "b": Expression((Scalar("x "), Substitution("CI_SECRET", optional=True, blanks=" "), Scalar("y"))),
            "c": Expression((from_plain([1]), Substitution("q"))),
        }
    )
    assert "canary" not in repr(tree)


def test_an_expression_remembers_what_it_overrides(parser: DocumentParser) -> None:
    assert parser.parse(HOCON, "a: 1\na: ${a} b") != parser.parse(HOCON, "a: 2\na: ${a} b")


@pytest.mark.parametrize(
    ("document_format", "text", "line", "column"),
    [
        (JSON, '{"a": 1,\n "a": 2}', 2, 2),
        (JSON, '{"a": {"b": 1},\n "c": {"b": 1, "b": 2}}', 2, 16),
        (JSON, '{"a": NaN}', 1, 7),
        (JSON, '{"a": 1e999}', 1, 7),
        (JSON, '{"a": 1 2}', 1, 9),
        (JSON, "[1] x", 1, 5),
        (YAML, "a: 1\na: 2", 2, 1),
        (YAML, "a: 1\n1: 2", 2, 1),
        (YAML, "a: 1\n---\nb: 2", 2, 1),
        (YAML, "a: [1\nb: 2", 2, 2),
        (YAML, "a: !!python/object/apply:os.system [id]", 1, 4),
        (YAML, "a: !custom x", 1, 4),
        (YAML, "a: .inf", 1, 4),
        (YAML, "b: {x: 1}\na: {<<: {}}", 2, 5),
        (YAML, "a: !!int x", 1, 4),
        (YAML, "%YAML 1.2\n---\na: 1", 1, 1),
        (YAML, "a: &a [*a]", 1, 8),
        (YAML, "a: *b", 1, 4),
        (YAML, "? [a]\n: b", 1, 3),
        (YAML, "a: 1" + "0" * 5000, 1, 4),
        (YAML, "a: 1e999", 1, 4),
        (HOCON, "a: 1\nb: ]", 2, 4),
        (HOCON, "\t\ta: ]", 1, 6),
        (HOCON, "a: 1\n\x07", 2, 1),
        (HOCON, "a: \ud800", 1, 4),
        (YAML, "\ufeffa: 1", 1, 1),
    ],
)
def test_every_error_says_where(
    parser: DocumentParser, document_format: DocumentFormat, text: str, line: int, column: int
) -> None:
    with pytest.raises(DocumentError) as caught:
        parser.parse(document_format, text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        (HOCON, "a: 1\na { b: 2 }"),
        (HOCON, "a: [1]\na: x"),
        (HOCON, "a.b: 1\na.b.c: 2"),
        (HOCON, "x = {a: 1} {a: []}"),
        (HOCON, 'a."b.c": 1'),
        (HOCON, '"a\\"b": 1'),
        (HOCON, '"": 1'),
        (HOCON, '"""a""": 1'),
        (HOCON, 'a: null "text"'),
        (HOCON, "[1, 2"),
        (JSON, '"text"'),
        (JSON, ""),
        (JSON, '{"a": "\\ud800"}'),
        (YAML, "just text"),
        (YAML, ""),
        (YAML, "%YAML 1.1\n---\na: 1"),
        (YAML, "? [a]\n: 1"),
    ],
)
def test_what_readers_disagree_on_is_refused(
    parser: DocumentParser, document_format: DocumentFormat, text: str
) -> None:
    with pytest.raises(DocumentError):
        parser.parse(document_format, text)


@pytest.mark.parametrize("document_format", list(DocumentFormat))
@pytest.mark.parametrize(
    "text",
    [
        "s3.secret = hunter2canary ]",
        '{"hunter2canary": hunter2canary}',
        "a: [hunter2canary\nb: {",
        "hunter2canary: \t- x: ]",
    ],
)
def test_errors_never_quote_the_document(parser: DocumentParser, document_format: DocumentFormat, text: str) -> None:
    try:
        parser.parse(document_format, text)
    except DocumentError as error:
        chain = f"{error!r} {error} {error.hint} {error.__cause__!r} {error.__suppress_context__}"
        assert "hunter2canary" not in chain


@settings(max_examples=60, deadline=None)
@given(tree=portable_trees)
def test_writing_and_parsing_is_the_identity_in_every_format(parser: DocumentParser, tree: Object) -> None:
    text = write_portable_json(tree)
    for document_format in DocumentFormat:
        assert parser.parse(document_format, text) == tree


@settings(max_examples=60, deadline=None)
@given(tree=portable_trees)
def test_the_short_cut_for_json_gives_what_pyhocon_gives(
    hocon: HoconProcess, parser: DocumentParser, tree: Object
) -> None:
    text = write_portable_json(tree)
    assert hocon.read(text).meaning == parser.parse(HOCON, text)


@pytest.fixture(scope="module")
def hocon() -> HoconProcess:
    process = HoconProcess()
    yield process
    process.close()


def test_equal_text_is_parsed_once() -> None:
    with DocumentParser() as parser:
        for _ in range(3):
            parser.parse(HOCON, "a.b = c")
            with pytest.raises(DocumentError):
                parser.parse(HOCON, "a ] b")
        parser.parse(YAML, "a: b")
        assert parser.full_parses == 3


def test_a_dead_child_is_replaced() -> None:
    process = HoconProcess()
    assert process.read("a = b") == process.read("a = b")
    assert process._child is not None
    process._child.kill()
    process._child.wait()
    assert isinstance(process.read("a = b").meaning, DocumentError)
    assert process.read("a = b").meaning == from_plain({"a": "b"})
    process.close()


@pytest.mark.parametrize(
    ("document_format", "text"),
    [
        (
            YAML,
            "key: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops: {mac: 'ENC[AES256_GCM,data:x]', version: 3.9.0}",
        ),
        (YAML, "sdk: {aws: {key: 'ENC[AES256_GCM,data:x]'}}"),
        (JSON, '{"data": "ENC[AES256_GCM,data:x]", "sops": {"lastmodified": "2026-01-01"}}'),
        (HOCON, 'data: "ENC[AES256_GCM,data:x]"\nsops { mac: "ENC[AES256_GCM,data:y]" }'),
    ],
)
def test_a_document_that_sops_encrypted_is_refused(
    parser: DocumentParser, document_format: DocumentFormat, text: str
) -> None:
    with pytest.raises(DocumentError, match="encrypted with SOPS"):
        parser.parse(document_format, text)


def test_a_key_named_sops_is_just_a_key(parser: DocumentParser) -> None:
    assert parser.parse(YAML, "sops: {note: 'ENC[ is no end'}") == from_plain({"sops": {"note": "ENC[ is no end"}})


def test_how_long_a_document_may_take_depends_on_its_length_and_not_on_the_machine() -> None:
    """One of 150 kB, which takes more than the limit for a short one, is read, however slow the machine is."""
    text = "base.x = 1\n" + "".join(
        f"s{number} {{ a: [1, two, 3.5], b: ${{base.x}}, c: text of it }} # comment {number}\n"
        for number in range(2_200)
    )
    assert 140_000 < len(text) < 160_000
    with DocumentParser() as parser:
        tree = parser.parse(HOCON, text)
        assert isinstance(tree, Object)
        assert len(tree.entries) == 2_201
        assert parser.read(text).bare.outcome is Outcome.READ


def test_a_child_that_was_started_early_is_the_one_that_serves() -> None:
    with DocumentParser() as parser:
        parser.start()
        child = parser._hocon._child
        assert parser.parse(HOCON, "a = ${b}, b = 1")
        parser.start()
        assert parser._hocon._child is child


def test_importing_the_package_is_cheap() -> None:
    modules = "tree parse references render redact redactor compare portable client_view extract places"
    code = "import sys\n" + "".join(f"import reconciler.vaults.{name}\n" for name in modules.split())
    code += "print([m for m in ('pyhocon', 'pyparsing', 'deepdiff', 'ruamel', 'subprocess') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("sdk", "aws", "s3", "credentials", 0, "bucket"), "sdk.aws.s3.credentials[0].bucket"),
        (("a.b", "c"), '"a.b".c'),
        (("x y", 1, 2), '"x y"[1][2]'),
        (('q"', "\n"), '"q\\""."\\n"'),
    ],
)
def test_paths_are_written_and_read_back(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text
    assert parse_path(text) == path


LINES = st.sampled_from(
    [
        *("a: 1", "a = x", "b { c: 2 }", "b.c = [1, x, {d: 1}]", '"a.b": "q\\n\\"x"', "a { b {", "}", "} }", "# c {"),
        *(
            "y: 010",
            "a: true",
            "a: trueish",
            'l = ["", ]',
            "a = 5m",
            "a: http://h:1/x",
            "a: ${x}",
            "z: -2.50",
            "a b: c",
        ),
        *("k:", "include x", "a: 1 b: 2", "[1]", 'm: """x"""', "a: null ", "b: {} {}", "a: //x", "\ta:\t1", "é: é"),
        *('e: "é"', "a: 1e3", "a: 7 ", "x = a b // c", "x = a true", "x = a 1"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LINES, max_size=5), separator=st.sampled_from(["\n", ",", ", ", "\n\n# c\n", " "]))
def test_plain_hocon_is_read_as_pyhocon_reads_it(hocon: HoconProcess, lines: list[str], separator: str) -> None:
    text = separator.join(lines)
    plain = parse_plain(text)
    if plain is not None:
        assert plain == hocon.read(text).meaning


@pytest.mark.parametrize("text", ['a.b = c\nd { e: [1, two words, {f: "x"}] } # g', '{"a": [1, 2.5, null]}'])
def test_everyday_documents_need_no_child(text: str) -> None:
    with DocumentParser() as parser:
        parser.parse(HOCON, text)
        assert parser._hocon._child is None


def test_an_error_is_placed_in_the_file_of_the_document(parser: DocumentParser) -> None:
    document = Document(YAML, Secret("a: 1\na: 2"), file="teams/ml.yaml", line=40)
    with pytest.raises(DocumentError) as caught:
        parser.parse(document.format, document.text.reveal())
    assert str(place_in_file(document, caught.value)) == "teams/ml.yaml:41:1"
