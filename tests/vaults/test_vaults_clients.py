from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vault_documents import HOCON, JSON, YAML, declared, vault

from reconciler.vaults.client_view import client_differences

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
        (YAML, "a: 010\nb: '010'\nc: [0, 07]", JSON, [("ambiguous-number", ""), ("ambiguous-number", "")]),
        (YAML, "a: 1\nc: 'x'", YAML, [("client-reads-differently", "c")]),
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
        (HOCON, "a: 5 minutes\n", HOCON, [("client-reads-differently", "a")]),
        (HOCON, "a: 5 minutes\nb: 1\n", HOCON, []),
        (HOCON, "l += 3", HOCON, [("append-sees-no-base", "")]),
        (HOCON, "l = [1]\nl += [3]", HOCON, []),
        (HOCON, 'l = ["", x] # += [""]', HOCON, [("empty-text-in-list", "")]),
        (HOCON, 'l = "+= [\\"\\"]", k = ""', HOCON, []),
        (HOCON, "a {c += y}\na: ${?z}", HOCON, [("client-may-hang", "")]),
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
    assert client_differences(vault(declared(YAML, "- 1"), target="ui_storage_credentials"), parser) == ()


@pytest.mark.parametrize(
    ("document_format", "text", "stored_as", "rules"),
    [
        (JSON, '{"ssh_host_ecdsa_key": "x"}', JSON, []),
        (HOCON, '{"ssh_host_ecdsa_key": "x"}', HOCON, []),
        (YAML, "ssh_host_ecdsa_key: x", JSON, []),
        (YAML, "ssh_host_ecdsa_key: x", YAML, ["not-strict-json"]),
        (HOCON, "# a comment\nssh_host_ecdsa_key = x", HOCON, ["not-strict-json"]),
    ],
)
def test_vaults_for_ssh_servers_are_strict_json(
    parser: DocumentParser, document_format: DocumentFormat, text: str, stored_as: DocumentFormat, rules: list[str]
) -> None:
    keys = vault(declared(document_format, text), stored_as, target="remote_session_ssh_server")
    assert [found.rule.value for found in client_differences(keys, parser)] == rules
