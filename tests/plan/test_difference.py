from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from reconciler.errors import AmbiguousWorkspaceError, InvalidDeclarationError
from reconciler.model.desired import Desired, Management
from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit, TextEdit
from reconciler.model.live import Live
from reconciler.model.resources import Address, Group, Kind, Member, MemberState, Resource, Role, ServiceAccount
from reconciler.model.snapshot import Snapshot
from reconciler.plan.changes import Action, Change, Reason, Waiting
from reconciler.vaults.parse import DocumentParser
from tests.build import (
    EVERYTHING,
    account_vault,
    admin,
    credential,
    desired,
    group,
    invited,
    live,
    planned,
    vault,
)

ROOT = admin("root@acme.io")


def changes(wanted: Desired, existing: Live, parser: DocumentParser) -> list[str]:
    plan = planned(wanted, existing, parser).plan
    return [f"{change.action.value} {change.kind.value} {change.title}" for change in plan.changes]


def only_change(wanted: Desired, existing: Live, parser: DocumentParser) -> Change:
    (change,) = planned(wanted, existing, parser).plan.changes
    return change


def test_the_same_on_both_sides_is_an_empty_plan(parser: DocumentParser) -> None:
    resources = (ROOT, ServiceAccount("agent"), group("ops", "root@acme.io"), vault("v", "ops", "a: 1"))
    plan = planned(desired(*resources), live(*resources), parser).plan
    assert plan.is_empty
    assert plan.compared == {Kind.MEMBER: 1, Kind.SERVICE_ACCOUNT: 1, Kind.GROUP: 1, Kind.VAULT: 1}


@pytest.mark.parametrize(
    ("declared", "existing", "expected"),
    [
        pytest.param((Member("ada@acme.io"),), (), ["invite member ada@acme.io"], id="a new member is invited"),
        pytest.param((), (Member("ada@acme.io"),), ["delete member ada@acme.io"], id="an undeclared member goes"),
        pytest.param((), (invited("ada@acme.io"),), ["delete member ada@acme.io"], id="an undeclared invitation goes"),
        pytest.param((Member("ADA@acme.io"),), (Member("ada@ACME.io"),), [], id="the case of an e-mail is no change"),
        pytest.param((Member("ada@acme.io"),), (invited("ada@acme.io"),), [], id="an invited member is not invited twice"),
        pytest.param((Member("ada@acme.io"),), (Member("ada@acme.io", name="A"),), [], id="a name not said is not changed"),
        pytest.param((), (Member("bot@clear.ml", fixed=True),), [], id="a user fixed by the server is left alone"),
        pytest.param((ServiceAccount("agent"),), (), ["create service_account agent"], id="a new account"),
        pytest.param((), (Group("Admins", builtin=True),), [], id="a built-in group is never removed"),
        pytest.param((Group("ops"),), (group("ops", "root@acme.io"),), [], id="a membership not said is not changed"),
        pytest.param((group("Ops"),), (group("ops"),), ["update group Ops"], id="the spelling of a group is a rename"),
    ],
)  # fmt: skip
def test_what_becomes_a_change(
    declared: tuple[Resource, ...], existing: tuple[Resource, ...], expected: list[str], parser: DocumentParser
) -> None:
    assert changes(desired(ROOT, *declared), live(ROOT, *existing), parser) == expected


def test_a_role_change_says_what_it_was_and_will_be(parser: DocumentParser) -> None:
    change = only_change(desired(ROOT, admin("ada@acme.io")), live(ROOT, Member("ada@acme.io")), parser)
    assert change.edits == (FieldEdit(field="role", before="user", after="admin"),)


def test_a_membership_change_names_who_joins_and_who_leaves(parser: DocumentParser) -> None:
    people = (ROOT, Member("ada@acme.io"), Member("tom@acme.io"))
    change = only_change(
        desired(*people, group("ops", "root@acme.io", "ada@acme.io")),
        live(*people, group("ops", "root@acme.io", "tom@acme.io")),
        parser,
    )
    assert change.edits == (SetEdit(field="members", added=("ada@acme.io",), removed=("tom@acme.io",)),)


def test_a_membership_of_someone_who_was_only_invited_waits(parser: DocumentParser) -> None:
    plan = planned(
        desired(ROOT, Member("ada@acme.io"), group("ops", "ada@acme.io")),
        live(ROOT, invited("ada@acme.io"), group("ops")),
        parser,
    ).plan
    assert plan.is_empty
    assert plan.waiting == (Waiting(member="ada@acme.io", group="ops"),)


def test_a_group_that_names_nobody_known_is_an_error(parser: DocumentParser) -> None:
    wanted = desired(ROOT, group("ops", "ghost@acme.io"), kinds=EVERYTHING | {Kind.MEMBER: Management.DECLARED})
    with pytest.raises(InvalidDeclarationError) as caught:
        planned(wanted, live(ROOT), parser)
    assert "ghost@acme.io" in caught.value.problems[0].message


def test_a_credential_to_make_needs_a_delivery(parser: DocumentParser) -> None:
    wanted = desired(ROOT, ServiceAccount("agent"), credential("agent", "ci", None), credentials_of=["agent"])
    with pytest.raises(InvalidDeclarationError) as caught:
        planned(wanted, live(ROOT), parser)
    assert "does not say where to deliver it" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("management", "expected"),
    [(Management.ALL, ["delete member tom@acme.io"]), (Management.DECLARED, []), (Management.NONE, [])],
)
def test_how_a_kind_is_managed_decides_what_is_left_alone(
    management: Management, expected: list[str], parser: DocumentParser
) -> None:
    wanted = desired(ROOT, kinds=EVERYTHING | {Kind.MEMBER: management})
    assert changes(wanted, live(ROOT, Member("tom@acme.io")), parser) == expected


def test_what_is_left_alone_is_counted(parser: DocumentParser) -> None:
    wanted = desired(ROOT, kinds={Kind.MEMBER: Management.DECLARED})
    existing = live(ROOT, Member("tom@acme.io"), ServiceAccount("a"), ServiceAccount("b"))
    left = planned(wanted, existing, parser).plan.left_alone
    assert [(item.kind, item.count, item.reason) for item in left] == [
        (Kind.MEMBER, 1, "not_declared"),
        (Kind.SERVICE_ACCOUNT, 2, "kind_not_managed"),
    ]


def test_credentials_are_managed_only_where_the_account_lists_them(parser: DocumentParser) -> None:
    resources = (ROOT, ServiceAccount("agent"))
    existing = live(*resources, credential("agent", "old"))
    assert changes(desired(*resources), existing, parser) == []
    assert changes(desired(*resources, credentials_of=["agent"]), existing, parser) == ["delete credential agent / old"]


def test_an_accounts_own_vault_is_managed_only_where_it_is_declared(parser: DocumentParser) -> None:
    resources = (ROOT, ServiceAccount("agent"))
    existing = live(*resources, account_vault("agent", "a: 1"))
    assert changes(desired(*resources), existing, parser) == []
    assert changes(desired(*resources, vaults_of=["agent"]), existing, parser) == ["delete vault agent → agent"]


def test_what_a_removed_account_owns_goes_with_it_unsaid(parser: DocumentParser) -> None:
    existing = live(ROOT, ServiceAccount("agent"), credential("agent", "ci"), account_vault("agent", "a: 1"))
    assert changes(desired(ROOT), existing, parser) == ["delete service_account agent"]


class TestRenames:
    RENAMED = {Address.group("researchers"): Address.group("research")}

    def test_a_renamed_group_keeps_its_members_and_vaults(self, parser: DocumentParser) -> None:
        wanted = desired(
            ROOT, group("researchers", "root@acme.io"), vault("v", "researchers", "a: 1"), renames=self.RENAMED
        )
        existing = live(ROOT, group("research", "root@acme.io"), vault("v", "research", "a: 1"))
        change = only_change(wanted, existing, parser)
        assert (change.action, change.reason) == (Action.UPDATE, Reason.RENAMED)
        assert change.edits == (FieldEdit(field="name", before="research", after="researchers"),)

    def test_a_rename_that_is_done_is_no_change(self, parser: DocumentParser) -> None:
        wanted = desired(ROOT, group("researchers"), renames=self.RENAMED)
        assert changes(wanted, live(ROOT, group("researchers")), parser) == []

    def test_a_renamed_account_keeps_its_credentials_and_memberships(self, parser: DocumentParser) -> None:
        wanted = desired(
            ROOT,
            ServiceAccount("trainer"),
            credential("trainer", "ci"),
            group("ops", accounts=["trainer"]),
            renames={Address.service_account("trainer"): Address.service_account("agent")},
            credentials_of=["trainer"],
        )
        existing = live(ROOT, ServiceAccount("agent"), credential("agent", "ci"), group("ops", accounts=["agent"]))
        assert changes(wanted, existing, parser) == ["update service_account trainer"]

    def test_the_old_name_may_be_used_anew(self, parser: DocumentParser) -> None:
        wanted = desired(ROOT, group("researchers"), group("other"), renames=self.RENAMED)
        assert changes(wanted, live(ROOT, group("research")), parser) == [
            "create group other",
            "update group researchers",
        ]


class TestVaults:
    def compare(self, before: str, after: str, parser: DocumentParser, **fields: object) -> list[object]:
        wanted = desired(ROOT, group("ops"), vault("v", "ops", after, **fields))
        plan = planned(wanted, live(ROOT, group("ops"), vault("v", "ops", before)), parser).plan
        return [edit for change in plan.changes for edit in change.edits]

    def test_a_value_changes_by_path(self, parser: DocumentParser) -> None:
        assert self.compare("a.b: 1", "a { b: 2 }", parser) == [DocumentEdit(path="a.b", before="1", after="2")]

    def test_a_secret_changes_without_being_shown(self, parser: DocumentParser) -> None:
        (edit,) = self.compare("sdk.aws.s3.secret: one", "sdk.aws.s3.secret: two", parser)
        assert isinstance(edit, DocumentEdit)
        assert edit.secret
        assert "one" not in str(edit)
        assert "two" not in str(edit)

    def test_another_text_with_the_same_meaning_is_told_and_left_alone(self, parser: DocumentParser) -> None:
        wanted = desired(ROOT, group("ops"), vault("v", "ops", "a { b: 1 }"))
        existing = live(ROOT, group("ops"), vault("v", "ops", "a.b: 1"))
        plan = planned(wanted, existing, parser).plan
        assert plan.is_empty
        assert plan.text_only == ("v → ops",)
        exact = planned(wanted, existing, parser, exact=True).plan
        assert exact.changes[0].edits == (TextEdit(readable=True),)

    def test_switching_a_vault_off_does_not_touch_its_text(self, parser: DocumentParser) -> None:
        assert self.compare("a: 1", "a: 1", parser, enabled=False) == [
            FieldEdit(field="enabled", before=True, after=False)
        ]

    def test_a_live_text_that_cannot_be_read_is_replaced_and_never_shown(self, parser: DocumentParser) -> None:
        edits = self.compare("a: {{{ hunter2", "a: 1", parser)
        assert TextEdit(readable=False) in edits
        assert "hunter2" not in str(edits)


def test_two_live_accounts_of_one_declared_name_stop_the_plan(parser: DocumentParser) -> None:
    existing = live(ROOT, ambiguous={Address.service_account("agent"): ("id-1", "id-2")})
    with pytest.raises(AmbiguousWorkspaceError, match="2 service_accounts named agent"):
        planned(desired(ROOT, ServiceAccount("agent")), existing, parser)


def test_the_order_of_the_input_does_not_change_the_plan(parser: DocumentParser) -> None:
    declared = [ROOT, *(Member(f"p{n}@acme.io") for n in range(8)), group("a", "p1@acme.io"), group("b"),
                ServiceAccount("x"), ServiceAccount("y"), vault("v", "a", "k: 1"), vault("w", "b", "k: 2")]  # fmt: skip
    existing = [ROOT, *(Member(f"q{n}@acme.io") for n in range(8)), group("b", "q1@acme.io"), group("c"),
                ServiceAccount("y", admin=True), vault("w", "b", "k: 3")]  # fmt: skip
    first = planned(desired(*declared), live(*existing), parser).plan.to_json()
    shuffled = random.Random(7)
    for _ in range(5):
        shuffled.shuffle(declared)
        shuffled.shuffle(existing)
        assert planned(desired(*declared), live(*existing), parser).plan.to_json() == first


def test_a_member_who_is_active_and_invited_members_are_told_apart(parser: DocumentParser) -> None:
    change = only_change(desired(ROOT), live(ROOT, invited("ada@acme.io")), parser)
    assert change.invitation
    active = replace(invited("ada@acme.io"), state=MemberState.ACTIVE, role=Role.USER)
    assert not only_change(desired(ROOT), live(ROOT, active), parser).invitation


def test_an_empty_declaration_of_nothing_manages_nothing(parser: DocumentParser) -> None:
    existing = live(ROOT, Member("tom@acme.io"), group("ops"), ServiceAccount("agent"))
    plan = planned(desired(kinds={}), existing, parser).plan
    assert plan.is_empty
    assert sum(item.count for item in plan.left_alone) == len(existing.snapshot)
    assert Snapshot() == Snapshot.of(())
