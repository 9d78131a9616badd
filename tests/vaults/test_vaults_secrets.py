from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vault_documents import HOCON, JSON, YAML, declared, live

from reconciler.errors import SecretUnavailableError
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.looks import looks_like_secret
from reconciler.vaults.redact import is_secret
from reconciler.vaults.redactor import Redactor
from reconciler.vaults.references import bind, find_references, template_tree
from reconciler.vaults.render import render
from reconciler.vaults.showing import Origin, showings, shown_tree
from reconciler.vaults.tree import Hidden, from_plain, leaves, parse_path, to_plain

if TYPE_CHECKING:
    from reconciler.model.resources import DocumentFormat
    from reconciler.vaults.parse import DocumentParser
    from reconciler.vaults.tree import Path, Tree

AWKWARD = [
    'quo"te', "line\nbreak", "back\\slash", "has # hash", "a // b", "tab\there", "${HOME}", "@{A}", "@@{A}", "it's",
    '"""', "x: y",
    "{", "}", "é✓", " lead", "trail ", "true", "null", "010", "1e3", 'ends"', "\\", "include", "a,b", "[x]",
    "Qx0REFERENCEN0E",
    "-----BEGIN PRIVATE KEY-----\nMIIE/+==\n-----END PRIVATE KEY-----",
]  # fmt: skip

PLACES = [
    (HOCON, "a: @{A}"),
    (HOCON, 'a: "@{A}"'),
    (HOCON, 'a: "https://user:@{A}@host/@{A}"'),
    (HOCON, "a: before@{A}after // @{A}"),
    (HOCON, 'a: """x@{A}y"""'),
    (HOCON, "a: [x, @{A}, y], b { c = @{A} }"),
    (HOCON, 'a: "@{A}" # @{A} ] @{B}\nb: "@@{A}"'),
    (JSON, '{"a": "@{A}"}'),
    (JSON, '{"a": @{A}, "b": [@{A}]}'),
    (JSON, '{"a": "x@{A}y@@{A}"}'),
    (YAML, "a: @{A}\nb: [@{A}]"),
    (YAML, 'a: "x@{A}y" # @{A}'),
    (YAML, "a: 'x@{A}y'"),
    (YAML, "a:\n  b: |\n    first\n    @{A}\n    last\n"),
]


@pytest.mark.parametrize(("document_format", "text"), PLACES)
@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_neither_breaks_nor_injects(
    parser: DocumentParser, document_format: DocumentFormat, text: str, value: str
) -> None:
    document = declared(document_format, text, A=value)
    rendered = render(document, parser).reveal()
    meant = bind(document, parser)
    assert parser.parse(document_format, rendered) == meant.tree
    template = template_tree(document, parser)
    assert [path for path, _ in leaves(template.tree)] == [path for path, _ in leaves(meant.tree)]
    assert meant.references == set(template.references)


@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=12), place=st.sampled_from(PLACES))
def test_any_value_is_written_safely_or_refused_by_name(
    parser: DocumentParser, value: str, place: tuple[DocumentFormat, str]
) -> None:
    document = declared(*place, A=value)
    try:
        rendered = render(document, parser).reveal()
    except DocumentError as error:
        assert "secret A " in error.message or "cannot be written safely together" in error.message  # noqa: PT017
    else:
        assert parser.parse(place[0], rendered) == bind(document, parser).tree


def test_a_value_without_a_safe_spelling_is_refused_by_name_and_never_shown(parser: DocumentParser) -> None:
    with pytest.raises(DocumentError) as caught:
        render(declared(YAML, "x: 1\na: plain @{KEY}", KEY="canary # comment"), parser)
    assert caught.value.message == "the value of the secret KEY cannot be written safely here"
    assert (caught.value.line, caught.value.column) == (2, 10)
    assert "canary" not in f"{caught.value!r}{caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a: 1\nb: @{OTHER}", "the secret OTHER is not among this vault's secrets", 2, 4),
        ("@{A}: 1", "a secret cannot be part of a key", 1, 1),
        ('a: "@{not a name}"', "this is not a reference to a secret", 1, 5),
        ('a: "@{A}" = ]', "this is not valid HOCON", 1, 11),
        ('a: "@{A"', "this is not a reference to a secret", 1, 5),
    ],
)
def test_a_wrong_reference_is_refused_with_its_place(
    parser: DocumentParser, text: str, message: str, line: int, column: int
) -> None:
    with pytest.raises(DocumentError) as caught:
        template_tree(declared(HOCON, text, A="v"), parser)
    assert (caught.value.message, caught.value.line, caught.value.column) == (message, line, column)


def test_references_are_found_with_their_places() -> None:
    found = find_references('a: @{ONE}\n  b: "x@{TWO}" # @@{THREE}')
    assert [(item.name, item.line, item.column) for item in found] == [("ONE", 1, 4), ("TWO", 2, 8)]


def test_in_a_live_text_a_reference_is_just_text(parser: DocumentParser) -> None:
    document = live(HOCON, 'a: "@{A} @@{B}"')
    assert bind(document, parser).tree == from_plain({"a": "@{A} @@{B}"})
    assert render(document, parser) == document.text


def test_a_secret_without_a_value_cannot_be_rendered(parser: DocumentParser) -> None:
    document = declared(HOCON, "a: @{KEY}", KEY=None)
    assert bind(document, parser).unbound == {("a",)}
    with pytest.raises(SecretUnavailableError, match="KEY"):
        render(document, parser)


SECRET_PATHS = [
    "api.credentials.secret_key", "api.credentials.access_key", "sdk.aws.s3.key", "sdk.aws.s3.secret",
    "SDK.AWS.S3.TOKEN",
    "sdk.aws.s3.credentials[3].key", "sdk.aws.s3.credentials[0].secret", "sdk.aws.boto3.my_secret_thing",
    "auto_scaler.v1.a.b",
    "sdk.azure.storage.containers[0].account_key", "sdk.google.storage.credentials[0].credentials_json",
    "sdk.google.storage.credentials_json", "agent.git_pass", "agent.git_token", "agent.git.extra_credentials[0].pass",
    "environment.ANY", "files.netrc.contents", "files.aws.contents.pin", "agent.default_docker.arguments[1]",
    "my_password", "db.passwd", "x.private_key.data", "a.connection_string",
    "agent.extra_docker_arguments[1]", "agent.package_manager.extra_index_url[0]", "some.api_key", '"a.secret".b',
]  # fmt: skip
HARMLESS_PATHS = [
    "sdk.aws.s3.region", "sdk.aws.s3.credentials[0].bucket", "sdk.aws.s3.credentials[0].host", "agent.git_user",
    "sdk.azure.storage.containers[0].container_name", "agent.worker_id", "files.netrc.path", "api.api_server",
    "sdk.aws.s3.use_credentials_chain", "agent.enable_git_ask_pass", "sdk.google.storage.credentials[0].bucket",
]  # fmt: skip


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_a_secret_place_is_secret_whatever_is_there(path: str) -> None:
    assert is_secret(parse_path(path))


@pytest.mark.parametrize("path", HARMLESS_PATHS)
def test_a_harmless_place_is_shown(path: str) -> None:
    assert not is_secret(parse_path(path))


def test_all_but_public_keys_is_secret_for_the_other_targets() -> None:
    assert is_secret(("region",), "remote_session_ssh_server")
    assert not is_secret(("ssh", "public_key"), "remote_session_ssh_server")
    assert not is_secret(("ssh_host_ecdsa_key__pub",), "remote_session_ssh_server")
    assert is_secret(("ssh_host_ecdsa_key",), "remote_session_ssh_server")


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nx", True),
        ("https://user:pa55@host/x", True),
        ("AKIAIOSFODNN7EXAMPLE", True),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", True),
        ("glpat-0123456789abcdefghij", True),
        ("AIzaSyA-0123456789abcdefghijklmnopqrstu", True),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", True),
        ("https://api.clear.ml", False),
        ("git@github.com:acme/repo.git", False),
        ("s3://bucket/path", False),
        ("us-east-1", False),
    ],
)
def test_secrets_are_known_by_their_shape(value: str, secret: bool) -> None:
    assert looks_like_secret(value) is secret


def _shown(tree: Tree, *references: Path) -> Tree:
    secrets = frozenset(references)
    return shown_tree(tree, showings(tree, Origin(reviewed=True, secrets=secrets)), secrets)


def test_whoever_a_package_index_is_asked_as_is_hidden() -> None:
    places = {"extra_index_url": ["https://short@pypi.acme.io/simple", "https://pypi.org/simple"]}
    shown = to_plain(_shown(from_plain({"agent": {"package_manager": places}})))
    assert shown["agent"]["package_manager"]["extra_index_url"] == ["(secret)", "https://pypi.org/simple"]


def test_a_display_tree_hides_secrets_and_keeps_the_rest() -> None:
    tree = from_plain(
        {
            "api": {"credentials": {"access_key": "ABCDEFGHIJKLMNOPQRST", "secret_key": "canary"}},
            "agent": {"extra_docker_arguments": ["--ipc=host", "-e", "A=canary", "-v"], "docker_force_pull": True},
            "environment": {"X": "k3pXq9ZtLm2", "LEVEL": "info", "WORKERS": 5},
            "ref": "canary",
            "region": "eu",
        }
    )
    shown = _shown(tree, ("ref",))
    assert "canary" not in repr(shown)
    assert to_plain(shown)["api"]["credentials"]["access_key"] == "ABCD…ST"
    assert to_plain(shown)["agent"]["extra_docker_arguments"] == ["--ipc=host", "-e", "(secret)", "-v"]
    assert to_plain(shown)["agent"]["docker_force_pull"] is True
    assert to_plain(shown)["environment"] == {"X": "(secret)", "LEVEL": "info", "WORKERS": 5}
    assert to_plain(shown)["region"] == "eu"
    assert [node for path, node in leaves(shown) if path == ("ref",)] == [Hidden()]


@settings(max_examples=100, deadline=None)
@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Z")), min_size=8, max_size=30),
    before=st.text("abc", max_size=4),
    after=st.text("abc", max_size=4),
)
def test_the_last_net_masks_every_usual_spelling(secret: str, before: str, after: str) -> None:
    redactor = Redactor([Secret(secret)])
    around = before.encode() + secret.encode() + after.encode()
    for text in (
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        quote_plus(secret),
        base64.b64encode(around).decode(),
        base64.urlsafe_b64encode(around).decode(),
    ):
        assert redactor.holds_secret(text)
        assert "(secret)" in redactor.mask(f"{before}{text}{after}")


def test_lines_of_a_long_secret_are_masked_and_tiny_secrets_are_not() -> None:
    redactor = Redactor([Secret("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n"), Secret("1")])
    assert redactor.mask("found MIIEvQIBADANBgkq at 1") == "found (secret) at 1"
