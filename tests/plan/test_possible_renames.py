"""A rename that nobody declared is asked about, and only where there is something to recognize it by."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from reconciler.model.access import Permission
from reconciler.model.desired import Limit, Policy
from reconciler.model.resources import Address, Document, DocumentFormat, Kind, Resource, ServiceAccount
from reconciler.model.secret import Secret
from reconciler.plan.possible_renames import Likeness, PossibleRename
from reconciler.vaults.parse import DocumentParser
from reconciler.views.rename_question import rename_question
from tests.build import account_vault, admin, credential, desired, group, invited, live, planned, rule, vault

ROOT = admin("root@acme.io")
ADA = admin("ada@acme.io")
OPS = group("ops", "root@acme.io")


@dataclass(frozen=True)
class Case:
    live: tuple[Resource, ...]
    wanted: tuple[Resource, ...]
    found: tuple[str, ...] = ()


def renamed(kind: str, old: str, new: str, *likeness: Likeness) -> tuple[str, ...]:
    return (f"{kind} {old} → {new}: {', '.join(likeness)}",)


AGENT, ROBOT = ServiceAccount("agent", impersonation=True), ServiceAccount("robot", impersonation=True)
CASES = {
    "a group with the same members": Case(
        (group("old", "ada@acme.io"),),
        (group("new", "ADA@acme.io"),),
        renamed("group", "old", "new", Likeness.MEMBERS),
    ),
    "a group with the same accounts": Case(
        (AGENT, group("old", accounts=["agent"])),
        (AGENT, group("new", accounts=["agent"])),
        renamed("group", "old", "new", Likeness.MEMBERS),
    ),
    "a group whose new member is only invited": Case(
        (group("old", "ada@acme.io"), invited("lena@acme.io")),
        (group("new", "ada@acme.io", "lena@acme.io"), admin("lena@acme.io")),
        renamed("group", "old", "new", Likeness.MEMBERS),
    ),
    "a group of which only the members are declared": Case(
        (AGENT, group("old", "ada@acme.io", accounts=["agent"])),
        (AGENT, replace(group("new", "ada@acme.io"), service_accounts=None)),
        renamed("group", "old", "new", Likeness.MEMBERS),
    ),
    "empty groups": Case((group("old"),), (group("new"),)),
    "a group of which nothing is declared": Case(
        (group("old", "ada@acme.io"),), (replace(group("new"), members=None, service_accounts=None),)
    ),
    "groups with other members": Case((group("old", "ada@acme.io"),), (group("new", "ada@acme.io", "root@acme.io"),)),
    "two old groups that fit": Case(
        (group("old", "ada@acme.io"), group("older", "ada@acme.io")), (group("new", "ada@acme.io"),)
    ),
    "two new groups that fit": Case(
        (group("old", "ada@acme.io"),), (group("new", "ada@acme.io"), group("newer", "ada@acme.io"))
    ),
    "a group that stays, and a new one like it": Case(
        (group("old", "ada@acme.io"),), (group("old", "ada@acme.io"), group("new", "ada@acme.io"))
    ),
    "a vault with the same meaning": Case(
        (OPS, vault("old", "ops", "a { b: 1 }")),
        (OPS, vault("new", "ops", "a.b = 1")),
        renamed("vault", "old", "new", Likeness.DOCUMENT),
    ),
    "empty vaults": Case((OPS, vault("old", "ops", "{}")), (OPS, vault("new", "ops", "{}"))),
    "vaults of two groups": Case(
        (OPS, group("dev"), vault("old", "ops", "a: 1")), (OPS, group("dev"), vault("new", "dev", "a: 1"))
    ),
    "vaults with other documents": Case((OPS, vault("old", "ops", "a: 1")), (OPS, vault("new", "ops", "a: 2"))),
    "vaults for other targets": Case(
        (OPS, vault("old", "ops", "a: 1")), (OPS, vault("new", "ops", "a: 1", target="remote_session_ssh_server"))
    ),
    "a vault that cannot be read": Case((OPS, vault("old", "ops", "a: {{{")), (OPS, vault("new", "ops", "a: 1"))),
    "an account with the same labels": Case(
        (AGENT, credential("agent", "ci", None)),
        (ROBOT, credential("robot", "ci")),
        renamed("service_account", "agent", "robot", Likeness.CREDENTIALS),
    ),
    "an account with the same labels and uses": Case(
        (AGENT, credential("agent", "ci", None), group("ops", accounts=["agent"])),
        (ROBOT, credential("robot", "ci"), group("ops", accounts=["robot"])),
        renamed("service_account", "agent", "robot", Likeness.CREDENTIALS, Likeness.USES),
    ),
    "accounts with other labels": Case((AGENT, credential("agent", "ci", None)), (ROBOT, credential("robot", "k8s"))),
    "accounts of which one may impersonate": Case(
        (AGENT, credential("agent", "ci", None)), (ServiceAccount("robot"), credential("robot", "ci"))
    ),
    "accounts that nothing is known of": Case((AGENT,), (ROBOT,)),
    "accounts with other vaults": Case(
        (AGENT, credential("agent", "ci", None), account_vault("agent", "a: 1")),
        (ROBOT, credential("robot", "ci"), account_vault("robot", "a: 2")),
    ),
    "an access rule with the same content": Case(
        (rule("old", "ada@acme.io"),),
        (rule("new", "ada@acme.io"),),
        renamed("access_rule", "old", "new", Likeness.CONTENT),
    ),
    "access rules with other permissions": Case(
        (rule("old", "ada@acme.io"),), (rule("new", "ada@acme.io", permission=Permission.READ),)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_it_asks_only_where_there_is_something_to_recognize(case: Case, parser: DocumentParser) -> None:
    accounts = {resource.name for resource in case.wanted if isinstance(resource, ServiceAccount)}
    vaults = {resource.key[1] for resource in (one.address for one in case.wanted) if resource.kind is Kind.VAULT}
    wanted = desired(
        ROOT,
        ADA,
        *case.wanted,
        policy=Policy(min_admins=1, max_removals=Limit(count=100)),
        credentials_of=accounts,
        vaults_of=accounts | vaults,
    )
    plan = planned(wanted, live(ROOT, ADA, *case.live), parser).plan
    found = [f"{item.kind.value} {item.old} → {item.new}: {', '.join(item.likeness)}" for item in plan.possible_renames]
    assert tuple(found) == case.found


def test_a_declared_rename_is_not_asked_about(parser: DocumentParser) -> None:
    wanted = desired(ROOT, group("new", "root@acme.io"), renames={Address.group("new"): Address.group("old")})
    assert planned(wanted, live(ROOT, group("old", "root@acme.io")), parser).plan.possible_renames == ()


def test_an_account_is_recognized_by_how_many_keys_it_has_where_labels_were_not_read(parser: DocumentParser) -> None:
    wanted = desired(ROOT, ROBOT, credential("robot", "ci"), group("ops", accounts=["robot"]), credentials_of=["robot"])
    counted = {"credential_counts": {Address.service_account("agent"): 1}}
    existing = live(ROOT, AGENT, group("ops", accounts=["agent"]), **counted)
    (found,) = planned(wanted, existing, parser).plan.possible_renames
    assert found.likeness == (Likeness.USES,)


def test_secrets_do_not_matter(parser: DocumentParser) -> None:
    document = Document(DocumentFormat.HOCON, Secret('token: "@{TOKEN}"'), (("TOKEN", None),), "v.conf")
    wanted = desired(ROOT, OPS, replace(vault("new", "ops", ""), document=document))
    (found,) = planned(wanted, live(ROOT, OPS, vault("old", "ops", 'token: "x"')), parser).plan.possible_renames
    assert found.old == "old"


def test_the_question_says_what_to_write() -> None:
    hint = PossibleRename(
        kind=Kind.VAULT, old="s 3", new="s3", owner="ops", likeness=(Likeness.DOCUMENT,), place="workspace.yaml:7"
    )
    assert rename_question(hint) == (
        'is vault s3 of ops the former s 3 (the same document)? Then write was: "s 3" at workspace.yaml:7, '
        "and it is renamed instead of removed and created again"
    )
