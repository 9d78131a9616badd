"""What a change shows: every field of what comes, of what goes, and of what becomes another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from reconciler.apply.stale import check_still_fits
from reconciler.errors import StalePlanError
from reconciler.model.access import Permission
from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit
from reconciler.model.live import CredentialFacts
from reconciler.model.resources import Credential, Document, DocumentFormat, Member, Resource, Role, ServiceAccount
from reconciler.model.secret import Secret
from reconciler.plan.changes import Change, Waiting
from reconciler.vaults.parse import DocumentParser
from tests.build import NOW, admin, credential, desired, group, invited, live, planned, rule, vault

ROOT, ADA, AGENT = admin("root@acme.io"), Member("ada@acme.io"), ServiceAccount("agent")
REST = (ROOT, ADA, AGENT, group("ops"))
BOTH = ServiceAccount("bot", impersonation=True, admin=True)
FULL = group("lab", "ada@acme.io", accounts=["agent"], description="words")
YAML = replace(
    vault("v", "ops", "a: 1"), document=Document(DocumentFormat.YAML, Secret("a: 1")), format=DocumentFormat.YAML
)


def edit(field: str, before: str | bool | None, after: str | bool | None) -> FieldEdit:
    return FieldEdit(field=field, before=before, after=after)


def joins(field: str, *names: str) -> SetEdit:
    return SetEdit(field=field, added=names, removed=())


def leaves(field: str, *names: str) -> SetEdit:
    return SetEdit(field=field, added=(), removed=names)


A = DocumentEdit(path="a", before=None, after="1")
HIDDEN = DocumentEdit(path="a", before=None, after="(secret)", secret=True)
"""A value in a vault that is not for clients: nobody can tell what it is."""
KEY = credential("agent", "ci", "out/key.conf")

COMING = {
    "a member": (Member("new@acme.io", Role.CONSUMER), (edit("role", None, "consumer"),)),
    "an account": (ServiceAccount("bot"), ()),
    "an account with privileges": (BOTH, (edit("impersonation", None, True), edit("admin", None, True))),
    "a key": (KEY, (edit("deliver", None, "out/key.conf"),)),
    "a group": (
        FULL, (edit("description", None, "words"), joins("members", "ada@acme.io"), joins("service_accounts", "agent")),
    ),
    "a vault": (vault("v", "ops", "a: 1"), (A,)),
    "a vault in another format": (YAML, (edit("format", None, "yaml"), A)),
    "a vault that is off": (vault("v", "ops", "a: 1", enabled=False), (edit("enabled", None, False), A)),
    "a vault elsewhere": (vault("v", "ops", "a: 1", target="/x"), (edit("target", None, "/x"), HIDDEN)),
}  # fmt: skip

GOING = {
    "an admin": (admin("bob@acme.io"), (edit("role", "admin", None),)),
    "an account": (ServiceAccount("bot"), ()),
    "an account with privileges": (BOTH, (edit("impersonation", True, None), edit("admin", True, None))),
    "a group": (FULL, (leaves("members", "ada@acme.io"), leaves("service_accounts", "agent"))),
    "a key": (Credential("agent", "old"), ()),
}

BECOMING = {
    "a name": (Member("x@acme.io", name="New"), Member("x@acme.io", name="Old"), (edit("name", "Old", "New"),)),
    "a role": (Member("x@acme.io"), Member("x@acme.io", Role.CONSUMER), (edit("role", "consumer", "user"),)),
    "privileges": (
        BOTH, ServiceAccount("Bot"),
        (edit("name", "Bot", "bot"), edit("impersonation", False, True), edit("admin", False, True)),
    ),
    "a label": (Credential("agent", "CI"), Credential("agent", "ci"), (edit("label", "ci", "CI"),)),
    "a group": (
        FULL, group("lab", "root@acme.io", description="old"),
        (
            edit("description", "old", "words"),
            SetEdit(field="members", added=("ada@acme.io",), removed=("root@acme.io",)),
            joins("service_accounts", "agent"),
        ),
    ),
    "a vault": (
        vault("V", "ops", "a: 1", target="/y", enabled=False), vault("v", "ops", "a: 1", target="/x"),
        (edit("name", "v", "V"), edit("target", "/x", "/y"), edit("enabled", True, False)),
    ),
    "a format": (YAML, vault("v", "ops", "a: 1"), (edit("format", "hocon", "yaml"),)),
    "a rule": (
        rule("r", "ada@acme.io", permission=Permission.READ), rule("r", "root@acme.io"),
        (
            edit("permission", "read_write", "read"),
            SetEdit(field="members", added=("ada@acme.io",), removed=("root@acme.io",)),
        ),
    ),
}  # fmt: skip


def only_change(wanted: tuple[Resource, ...], there: tuple[Resource, ...], parser: DocumentParser) -> Change:
    found = planned(desired(*REST, *wanted, credentials_of=["agent"]), live(*REST, *there), parser).plan.changes
    (change,) = found
    return change


@pytest.mark.parametrize(("resource", "edits"), COMING.values(), ids=COMING.keys())
def test_what_comes_is_shown_with_all_that_is_not_as_usual(
    resource: Resource, edits: tuple[object, ...], parser: DocumentParser
) -> None:
    change = only_change((resource,), (), parser)
    assert change.edits == edits
    assert (change.before, change.after is None) == (None, False)


@pytest.mark.parametrize(("resource", "edits"), GOING.values(), ids=GOING.keys())
def test_what_goes_is_shown_with_what_is_lost(
    resource: Resource, edits: tuple[object, ...], parser: DocumentParser
) -> None:
    change = only_change((), (resource,), parser)
    assert change.edits == edits
    assert (change.before is None, change.after) == (False, None)


@pytest.mark.parametrize(("wanted", "existing", "edits"), BECOMING.values(), ids=BECOMING.keys())
def test_what_becomes_another_is_shown_by_field(
    wanted: Resource, existing: Resource, edits: tuple[object, ...], parser: DocumentParser
) -> None:
    assert only_change((wanted,), (existing,), parser).edits == edits


def test_a_rotation_shows_when_the_key_ends_and_how_long_the_new_one_lives(parser: DocumentParser) -> None:
    wanted = replace(KEY, lifetime=timedelta(days=90), rotate_before=timedelta(days=14))
    there = Credential("agent", "ci")
    facts = {there.address: CredentialFacts("k", "ci", expires=NOW + timedelta(days=3))}
    plan = planned(desired(*REST, wanted, credentials_of=["agent"]), live(*REST, there, facts=facts), parser).plan
    assert plan.changes[0].edits == (
        edit("expires", "2026-11-27 02:00", "90d after it is created"),
        edit("deliver", None, "out/key.conf"),
    )


@pytest.mark.parametrize("there", [(), (invited("new@acme.io"),)], ids=["to be invited", "invited"])
def test_the_name_of_somebody_who_has_not_come_yet_waits(there: tuple[Resource, ...], parser: DocumentParser) -> None:
    wanted = desired(*REST, Member("new@acme.io", name="New"))
    assert planned(wanted, live(*REST, *there), parser).plan.waiting == (Waiting(member="new@acme.io"),)


@pytest.mark.parametrize(
    "altered",
    [replace(KEY, lifetime=timedelta(days=9)), replace(KEY, rotate_before=timedelta(days=9))],
    ids=["lifetime", "rotation"],
)
def test_what_a_change_does_not_show_is_not_altered_unseen_either(altered: Credential, parser: DocumentParser) -> None:
    saved, now = (
        planned(desired(*REST, key, credentials_of=["agent"]), live(*REST), parser).plan for key in (KEY, altered)
    )
    assert [change.edits for change in saved.changes] == [change.edits for change in now.changes]
    with pytest.raises(StalePlanError, match=r"credential agent / ci: the declaration has moved"):
        check_still_fits(saved, now)


@pytest.mark.parametrize("secret", ["one", "two"])
def test_a_secret_that_nobody_sees_is_digested_on_both_sides(secret: str, parser: DocumentParser) -> None:
    before, after = vault("v", "ops", "a.secret: zero"), vault("v", "ops", f"a.secret: {secret}")
    change = only_change((after,), (before,), parser)
    other = only_change((vault("v", "ops", "a.secret: three"),), (before,), parser)
    assert change.edits == other.edits
    assert change.document_before == other.document_before is not None
    assert change.document_after not in (None, other.document_after, change.document_before)
