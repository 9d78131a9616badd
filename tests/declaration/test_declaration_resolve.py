"""What a declaration asks for, as a snapshot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.declaration.resolve import resolve
from reconciler.declaration.secrets import SecretResolver, SecretSources
from reconciler.errors import SecretUnavailableError
from reconciler.model.access import Entity, EntityType, Permission
from reconciler.model.delivery import FileDelivery
from reconciler.model.desired import Limit, Management
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    DocumentFormat,
    Group,
    Kind,
    Member,
    OwnerKind,
    Role,
    ServiceAccount,
)
from reconciler.process import run_program

EVERYTHING = """\
include: [teams/*.yaml]
manage: {vaults: declared}
policy:
  min_admins: 1
  max_removals: 25%
  protect: {members: [root@acme.io], groups: [Core], vaults: [{group: Core, name: s3}, {service_account: bot, name: own}], access_rules: [RW]}
members:
  - {email: Ada@acme.io, name: Ada, role: admin}
service_accounts:
  - name: bot
    was: robot
    impersonation: true
    credentials:
      - {label: k8s, expires_in: 90d, rotate_before: 2w, deliver: {file: out/k8s.conf}}
    vault:
      format: yaml
      data: |
        a: "@{KEY}"
      secrets: {KEY: {env: KEY}}
  - {name: plain, vault: null, credentials: []}
  - {name: loose}
vaults:
  - {name: s3, was: s3-old, group: Core, file: vaults/s3.conf, secrets: {KEY: {env: KEY}}, target: ssh-server, enabled: false}
access_rules:
  - {name: rw, was: wr, description: ' All. ', resource: {project: Vision/A}, permission: read_write, members: [ADA@acme.io], groups: [CORE, users]}
  - {name: id, resource: {queue: {id: Q1}}, permission: read, service_accounts: [Bot]}
  - {name: all, resource: {task: "*"}, permission: read, groups: [Core]}
  - {name: app, resource: {app: Jupyter}, permission: read, groups: [Core]}
"""
TEAM = (
    "groups:\n  - {name: Core, was: Kernel, description: ' The core. ', members: [ADA@acme.io], service_accounts: []}\n"
)


@pytest.fixture
def desired(files):
    files.write("teams/core.yaml", TEAM)
    files.write("vaults/s3.conf", "a: @{KEY}\n")
    return resolve(
        files.loaded(EVERYTHING), secrets=SecretResolver(SecretSources({"KEY": "hunter2"}, Path(), run_program))
    )


def test_every_resource_is_in_the_snapshot(desired) -> None:
    snapshot = desired.snapshot
    assert snapshot.get(Address.member("ada@acme.io")) == Member("Ada@acme.io", Role.ADMIN, "Ada")
    assert snapshot.get(Address.service_account("bot")) == ServiceAccount("bot", impersonation=True)
    assert snapshot.get(Address.credential("bot", "k8s")) == Credential(
        "bot", "k8s", timedelta(days=90), timedelta(days=14), FileDelivery("out/k8s.conf")
    )
    assert snapshot.get(Address.group("core")) == Group(
        "Core", "The core.", frozenset({"ada@acme.io"}), frozenset(), builtin=False
    )
    assert (desired.workspace, desired.server) == ("acme", "https://api.acme.io")


def test_access_rules_name_an_entity_by_name_or_id(desired) -> None:
    rules = desired.snapshot.access_rules
    assert rules[Address.access_rule("rw")] == AccessRule(
        "rw",
        Entity(EntityType.PROJECT, None, "Vision/A"),
        Permission.READ_WRITE,
        members=frozenset({"ada@acme.io"}),
        groups=frozenset({"core", "users"}),
        description="All.",
    )
    assert [rules[Address.access_rule(name)].entity for name in ("id", "all", "app")] == [
        Entity(EntityType.QUEUE, "Q1"),
        Entity(EntityType.TASK, "*"),
        Entity(EntityType.APP, "Jupyter"),
    ]


def test_vaults_hold_their_document_and_where_it_came_from(desired) -> None:
    own = desired.snapshot.vaults[Address.vault(OwnerKind.SERVICE_ACCOUNT, "bot", "bot")]
    assert (own.document.format, own.format, own.target, own.enabled) == (
        DocumentFormat.YAML,
        DocumentFormat.JSON,
        "config",
        True,
    )
    assert (own.document.file, own.document.line) == ("workspace.yaml", 20)
    assert own.document.text.reveal() == 'a: "@{KEY}"\n'
    assert [(name, value.reveal()) for name, value in own.document.secrets] == [("KEY", "hunter2")]
    shared = desired.snapshot.vaults[Address.vault(OwnerKind.GROUP, "core", "s3")]
    assert (shared.document.file, shared.document.line) == ("vaults/s3.conf", 1)
    assert (shared.format, shared.target, shared.enabled) == (DocumentFormat.HOCON, "remote_session_ssh_server", False)
    assert "hunter2" not in repr(desired)


def test_scope_tells_absent_from_empty(desired) -> None:
    assert desired.scope.management(Kind.MEMBER) is Management.ALL
    assert desired.scope.management(Kind.VAULT) is Management.DECLARED
    assert desired.scope.credentials_of == {"bot", "plain"}
    assert desired.scope.vaults_of == {"bot", "plain"}


def test_a_kind_that_no_file_lists_is_not_managed(files) -> None:
    scope = resolve(files.loaded(""), secrets=None).scope
    assert {scope.management(kind) for kind in Kind} == {Management.NONE}


def test_policy_renames_and_places_are_kept(desired) -> None:
    core = Address.group("core")
    assert desired.policy.min_admins == 1
    assert desired.policy.max_removals == Limit(share=0.25)
    assert desired.policy.protected == {
        Address.member("root@acme.io"),
        core,
        Address.vault(OwnerKind.GROUP, "core", "s3"),
        Address.vault(OwnerKind.SERVICE_ACCOUNT, "bot", "own"),
        Address.access_rule("rw"),
    }
    assert desired.renames == {
        Address.service_account("bot"): Address.service_account("robot"),
        core: Address.group("kernel"),
        Address.access_rule("rw"): Address.access_rule("wr"),
        Address.vault(OwnerKind.GROUP, "core", "s3"): Address.vault(OwnerKind.GROUP, "core", "s3-old"),
    }
    assert str(desired.places[core]) == "teams/core.yaml:2:5"
    assert str(desired.places[Address.member("ada@acme.io")]) == "workspace.yaml:10:5"
    assert set(desired.places) == set(desired.snapshot.resources)


def test_without_secrets_names_stay_and_are_bound_to_nothing(files) -> None:
    files.write("teams/core.yaml", TEAM)
    files.write("vaults/s3.conf", "a: @{KEY}\n")
    desired = resolve(files.loaded(EVERYTHING), secrets=None)
    assert desired.without_secrets
    assert {vault.document.secrets for vault in desired.snapshot.vaults.values()} == {(("KEY", None),)}


def test_every_secret_that_is_missing_is_told_at_once(files) -> None:
    declaration = files.loaded(
        "vaults:\n"
        "  - {name: v, group: g, data: 'a: \"@{A}\"', secrets: {A: {env: A}}}\n"
        "  - {name: w, group: g, data: 'b: \"@{B}\"', secrets: {B: {file: b}}}\n"
    )
    with pytest.raises(SecretUnavailableError) as caught:
        resolve(declaration, secrets=SecretResolver(SecretSources({}, Path(), run_program)))
    assert "the secret A is unavailable" in caught.value.message
    assert "the secret B is unavailable" in caught.value.message


@pytest.mark.parametrize(
    ("fields", "written", "sent"),
    [
        ("data: 'a: 1'", DocumentFormat.HOCON, DocumentFormat.HOCON),
        ("file: d.json", DocumentFormat.JSON, DocumentFormat.JSON),
        ("file: d.yml", DocumentFormat.YAML, DocumentFormat.JSON),
        ("file: d.yml, send_as: yaml", DocumentFormat.YAML, DocumentFormat.YAML),
        ("file: d.json, format: yaml", DocumentFormat.YAML, DocumentFormat.JSON),
    ],
)
def test_the_format_follows_the_file_and_what_is_sent_follows_send_as(files, fields: str, written, sent) -> None:
    files.write("d.json", '{"a": 1}')
    files.write("d.yml", "a: 1\n")
    (vault,) = resolve(files.loaded(f"vaults:\n  - {{name: v, group: g, {fields}}}\n"), secrets=None).snapshot
    assert (vault.document.format, vault.format) == (written, sent)


@pytest.mark.parametrize(
    ("target", "text"),
    [("client", "config"), ("ssh-server", "remote_session_ssh_server"), ("type:anything", "anything")],
)
def test_a_target_is_the_type_that_the_server_knows(files, target: str, text: str) -> None:
    declaration = files.loaded(f"vaults:\n  - {{name: v, group: g, data: 'a: 1', target: {target}}}\n")
    (vault,) = resolve(declaration, secrets=None).snapshot
    assert vault.target == text
