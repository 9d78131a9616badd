from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from vault_documents import HOCON, JSON, YAML, declared, vault

from reconciler.vaults.client_view import client_differences
from reconciler.vaults.merge import Layer, merge_layers, redact_effective
from reconciler.vaults.tree import Hidden, from_plain, lookup, path_text, to_plain

if TYPE_CHECKING:
    from reconciler.model.resources import DocumentFormat
    from reconciler.vaults.parse import DocumentParser


@pytest.mark.parametrize(
    ("document_format", "text", "stored_as", "findings"),
    [
        (YAML, "sdk:\n  aws:\n    s3:\n      key: abc\n", YAML, [("client-reads-differently", "sdk.aws.s3.key")]),
        (YAML, "sdk:\n  aws:\n    s3:\n      key: abc\n", JSON, []),
        (YAML, "- 1", YAML, [("client-drops-vault", "")]),
        (YAML, "---\na: 1", YAML, [("client-drops-vault", "")]),
        (YAML, "a: 1\nb: yes", YAML, []),
        (YAML, "a: 1\nc: 'x'", YAML, [("client-reads-differently", "c")]),
        (YAML, "a: ['', x]", JSON, [("not-portable", "")]),
        (JSON, '{"a": "\\u00e9", "b": 1}', JSON, [("client-reads-differently", "a")]),
        (JSON, '{"a": ["", "x"]}', JSON, [("empty-text-in-list", "a[0]")]),
        (JSON, "[1]", JSON, [("client-drops-vault", "")]),
        (HOCON, "agent.worker_id: x", HOCON, [("machine-specific-key", "agent.worker_id")]),
        (HOCON, "api { api_server: x }", HOCON, [("redirects-clients", "api.api_server")]),
        (HOCON, "api.credentials.access_key: x", HOCON, [("redirects-clients", "api.credentials")]),
        (HOCON, "a: ${X}", HOCON, [("unresolved-substitution", "a")]),
        (HOCON, "a: ${?X}", HOCON, [("optional-substitution-vanishes", "a")]),
        (HOCON, "a: ${b} c\nb: x", HOCON, []),
        (HOCON, "l += [3]", HOCON, [("append-sees-no-base", "l")]),
        (HOCON, "a.b += [3]", HOCON, [("client-drops-vault", ""), ("append-sees-no-base", "a.b")]),
        (HOCON, "a: 5 minutes\n", HOCON, [("client-reads-differently", "")]),
        (HOCON, "a: 5 minutes\nb: 1\n", HOCON, []),
        (HOCON, "l += 3", HOCON, [("append-sees-no-base", "")]),
        (HOCON, "l = [1]\nl += [3]", HOCON, []),
        (HOCON, 'l = ["", x] # += [""]', HOCON, [("empty-text-in-list", "")]),
        (HOCON, 'l = "+= [\\"\\"]", k = ""', HOCON, []),
        (HOCON, "a {c += y}\na: ${?z}", HOCON, [("client-may-hang", "a")]),
        (JSON, '{"a":' * 26 + "1" + "}" * 26, JSON, []),
        (JSON, '{"a":' * 40 + "1" + "}" * 40, JSON, [("client-drops-vault", ""), ("too-deep-for-clients", "")]),
        (HOCON, "a: @{KEY}", HOCON, []),
    ],
)
def test_what_clients_make_of_a_vault(
    parser: DocumentParser,
    document_format: DocumentFormat,
    text: str,
    stored_as: DocumentFormat,
    findings: list[tuple[str, str]],
) -> None:
    found = client_differences(vault(declared(document_format, text, KEY=None), stored_as), parser)
    assert [(item.rule.value, item.path) for item in found] == findings


def test_findings_never_show_values_or_paths_of_a_misread_document(parser: DocumentParser) -> None:
    text = "".join(f"k{n}:\n  password{n}: canary{n}\n" for n in range(30))
    found = client_differences(vault(declared(YAML, text)), parser)
    assert len(found) == 21
    assert "canary" not in repr(found)


def test_other_targets_have_no_such_clients(parser: DocumentParser) -> None:
    assert client_differences(vault(declared(YAML, "- 1"), target="remote_session_ssh_server"), parser) == ()


def layers(parser: DocumentParser, *texts: str) -> list[Layer]:
    return [Layer(f"l{n}", parser.parse(HOCON, text), min(n, 1)) for n, text in enumerate(texts)]


def test_every_effective_value_knows_its_layer_and_what_it_hides(parser: DocumentParser) -> None:
    merged = merge_layers(layers(parser, "a {b: 1, c: [1], d {x: 1}}", "a {b: 2, c: [2]}", "a {b: 3, d: null}"))
    shown = {
        path_text(value.path): (
            to_plain(value.value),
            value.layer.name,
            [(path_text(item.path), to_plain(item.value), item.layer.name) for item in value.overrides],
        )
        for value in merged.values
    }
    assert shown == {
        "a.b": (3, "l2", [("a.b", 2, "l1"), ("a.b", 1, "l0")]),
        "a.c": ([2], "l1", [("a.c", [1], "l0")]),
        "a.d": (None, "l2", [("a.d.x", 1, "l0")]),
    }
    assert [path_text(value.path) for value in merged.conflicts] == ["a.b"]


def test_vaults_that_agree_are_no_conflict(parser: DocumentParser) -> None:
    assert merge_layers(layers(parser, "a: 1", "a: 2", "a: 2")).conflicts == ()


def test_what_the_document_does_not_say_stays_unresolved(
    parser: DocumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "canary")
    merged = merge_layers(layers(parser, "x: base", "a: ${X}, b: ${x}, c: ${?X}, d: 1, e: ${d}"))
    assert merged.unresolved == (("l1", ("a",)), ("l1", ("b",)))
    assert lookup(merged.tree, ("c",)) is None
    assert lookup(merged.tree, ("e",)) == from_plain(1)
    assert "canary" not in repr(merged)


def test_a_substitution_cannot_carry_a_secret_into_the_open(parser: DocumentParser) -> None:
    first, second = layers(
        parser,
        "sdk.aws.s3.secret: canary1, innocent: ${sdk.aws.s3.secret}",
        "innocent: canary2, list: [{token: canary3}]",
    )
    first = replace(first, rank=1)
    second = replace(second, references=frozenset({("innocent",)}))
    shown = redact_effective(merge_layers([first, second]), [first, second])
    assert "canary" not in repr(shown)
    assert shown.conflicts
    assert lookup(shown.tree, ("list", 0, "token")) == Hidden()


@pytest.mark.parametrize(
    "text",
    [
        "a: ${b}, b: ${a}",
        "a: ${a}",
        "\n".join(["a0: [x]", *(f"a{n}: ${{a{n - 1}}}${{a{n - 1}}}" for n in range(1, 40))]),
    ],
)
def test_resolving_always_ends(parser: DocumentParser, text: str) -> None:
    assert merge_layers(layers(parser, text)).unresolved
