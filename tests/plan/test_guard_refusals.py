"""What a refusal says, and which of several changes it is about."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from reconciler.model.desired import Limit, Management, Policy
from reconciler.model.live import Caller, CredentialFacts, Live
from reconciler.model.resources import (
    RETIRING_MARK,
    UNDELIVERED_MARK,
    Address,
    Credential,
    Kind,
    Member,
    Resource,
    ServiceAccount,
)
from reconciler.plan.changes import Guard, Refusal
from reconciler.vaults.parse import DocumentParser
from tests.build import EVERYTHING, GAINS, NOW, admin, desired, group, live, planned, rule, vault

ROOT, ADA, TOM = admin("root@acme.io"), admin("ada@acme.io"), Member("tom@acme.io")
LENIENT = Policy(min_admins=1, max_removals=Limit(count=1000))
AGENT, BOSS = ServiceAccount("agent"), ServiceAccount("boss", admin=True)
LEFT_ALONE = EVERYTHING | {Kind.VAULT: Management.DECLARED, Kind.ACCESS_RULE: Management.DECLARED}


def refusals(
    declared: tuple[Resource, ...],
    existing: Live,
    parser: DocumentParser,
    policy: Policy = LENIENT,
    **scope: object,
) -> tuple[Refusal, ...]:
    wanted = desired(*declared, policy=policy, **scope)  # type: ignore[arg-type]
    return planned(wanted, existing, parser, allow=GAINS).plan.refused


@dataclass(frozen=True)
class Story:
    """A plan that breaks one guard once, and the whole refusal."""

    declared: tuple[Resource, ...]
    existing: tuple[Resource, ...]
    refusal: Refusal
    policy: Policy = LENIENT
    live: dict[str, object] = field(default_factory=dict)


STORIES = {
    "the one who runs it": Story(
        (TOM, ADA),
        (TOM, ADA, ROOT),
        Refusal(guard=Guard.OWN_IDENTITY, kind=Kind.MEMBER, subject="root@acme.io", names=("root@acme.io",)),
    ),
    "a protected member": Story(
        (ROOT, ADA),
        (ROOT, ADA, TOM),
        Refusal(guard=Guard.PROTECT, kind=Kind.MEMBER, subject="tom@acme.io", names=("tom@acme.io",), limit="removed"),
        replace(LENIENT, protected=frozenset({TOM.address})),
    ),
    "too few admins": Story(
        (ROOT,),
        (ROOT, ADA),
        Refusal(guard=Guard.MIN_ADMINS, kind=Kind.MEMBER, names=("ada@acme.io",), count=1, total=2, limit="2"),
        replace(LENIENT, min_admins=2),
    ),
    "too many of a kind": Story(
        (ROOT, AGENT),
        (ROOT, AGENT, BOSS),
        Refusal(
            guard=Guard.MAX_REMOVALS, kind=Kind.SERVICE_ACCOUNT, names=("boss",), count=1, total=2, limit="20 %"
        ),
        replace(LENIENT, max_removals=Limit(share=0.2)),
    ),
    "all of a kind": Story(
        (ROOT,),
        (ROOT, AGENT, BOSS),
        Refusal(guard=Guard.EMPTY_KIND, kind=Kind.SERVICE_ACCOUNT, names=("agent", "boss"), count=2, total=2),
    ),
    "too many of a group": Story(
        (ROOT, TOM, group("ops", "root@acme.io")),
        (ROOT, TOM, group("ops", "root@acme.io", "tom@acme.io")),
        Refusal(
            guard=Guard.MAX_REMOVALS,
            kind=Kind.GROUP,
            subject="ops",
            names=("tom@acme.io",),
            count=1,
            total=2,
            limit="0",
        ),
        replace(LENIENT, max_removals=Limit(count=0)),
    ),
    "everybody of a group": Story(
        (ROOT, AGENT, group("ops")),
        (ROOT, AGENT, group("ops", "root@acme.io", accounts=["agent"])),
        Refusal(
            guard=Guard.EMPTY_GROUP,
            kind=Kind.GROUP,
            subject="ops",
            names=("root@acme.io", "agent"),
            count=2,
            total=2,
        ),
    ),
    "everybody of an access rule": Story(
        (ROOT, group("ops"), rule("r", groups=["ops"])),
        (ROOT, group("ops"), rule("r", "root@acme.io")),
        Refusal(
            guard=Guard.EMPTY_GROUP, kind=Kind.ACCESS_RULE, subject="r", names=("root@acme.io",), count=1, total=1
        ),
    ),
    "all groups of an access rule": Story(
        (ROOT, group("ops"), rule("r", "root@acme.io")),
        (ROOT, group("ops"), rule("r", groups=["ops"])),
        Refusal(guard=Guard.EMPTY_GROUP, kind=Kind.ACCESS_RULE, subject="r", names=("ops",), count=1, total=1),
    ),
    "a group that vaults point at": Story(
        (ROOT, group("x")),
        (ROOT, group("x"), group("ops"), vault("v", "ops", "a: 1"), vault("w", "ops", "a: 1"), vault("x", "x", "a: 1")),
        Refusal(
            guard=Guard.STILL_USED, kind=Kind.GROUP, subject="ops", names=("v → ops", "w → ops"), count=2, limit="vaults"
        ),
    ),
    "a group that access rules name": Story(
        (ROOT, group("x")),
        (ROOT, group("x"), group("ops"), rule("r", groups=["ops", "x"]), rule("s", groups=["ops"])),
        Refusal(
            guard=Guard.STILL_USED, kind=Kind.GROUP, subject="ops", names=("r", "s"), count=2, limit="access_rules"
        ),
    ),
    "more accounts than there is room for": Story(
        (ROOT, AGENT, BOSS),
        (ROOT, AGENT),
        Refusal(guard=Guard.SERVER_LIMIT, kind=Kind.SERVICE_ACCOUNT, names=("boss",), count=2, total=1, limit="1"),
        live={"maximum_service_accounts": 1},
    ),
    "an admin account where the server has none": Story(
        (ROOT, AGENT, replace(BOSS)),
        (ROOT, AGENT, replace(BOSS, admin=False)),
        Refusal(guard=Guard.SERVER_LIMIT, kind=Kind.SERVICE_ACCOUNT, names=("boss",), limit="admins"),
        live={"admin_accounts_allowed": False},
    ),
    "an admin account that is to be none where the server has none": Story(
        (ROOT, AGENT, replace(BOSS, admin=False)),
        (ROOT, AGENT, BOSS),
        Refusal(guard=Guard.SERVER_LIMIT, kind=Kind.SERVICE_ACCOUNT, names=("boss",), limit="admins"),
        live={"admin_accounts_allowed": False},
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_refusal_says_what_it_is_about_and_with_which_numbers(story: Story, parser: DocumentParser) -> None:
    existing = live(*story.existing, **story.live)  # type: ignore[arg-type]
    assert refusals(story.declared, existing, parser, story.policy, kinds=LEFT_ALONE) == (story.refusal,)


ALLOWED_BY_THE_SERVER = {
    "no more accounts than before, though too many": ((AGENT, BOSS), (AGENT, BOSS), {"maximum_service_accounts": 1}),
    "just as many accounts as there is room for": ((AGENT, BOSS), (AGENT,), {"maximum_service_accounts": 2}),
    "an account that stays an admin": ((BOSS, AGENT), (BOSS,), {"admin_accounts_allowed": False}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "existing", "limits"), ALLOWED_BY_THE_SERVER.values(), ids=ALLOWED_BY_THE_SERVER.keys()
)
def test_what_the_server_has_room_for_is_not_refused(
    declared: tuple[Resource, ...], existing: tuple[Resource, ...], limits: dict[str, object], parser: DocumentParser
) -> None:
    assert refusals((ROOT, *declared), live(ROOT, *existing, **limits), parser) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("declared", [(), (ServiceAccount("boss"),)], ids=["removed", "demoted"])
class TestAnAdminAccount:
    def test_that_runs_it_is_safe(self, declared: tuple[Resource, ...], parser: DocumentParser) -> None:
        resources = (ROOT, AGENT, BOSS)
        caller = Caller("id-service_account-boss", BOSS.address, None, "admin")
        found = refusals((ROOT, AGENT, *declared), replace(live(*resources), caller=caller), parser)
        assert [item.guard for item in found] == [Guard.OWN_IDENTITY]

    def test_that_is_protected_is_safe(self, declared: tuple[Resource, ...], parser: DocumentParser) -> None:
        policy = replace(LENIENT, protected=frozenset({BOSS.address}))
        found = refusals((ROOT, AGENT, *declared), live(ROOT, AGENT, BOSS), parser, policy)
        assert [item.guard for item in found] == [Guard.PROTECT]


@pytest.mark.parametrize(
    "changed", [ServiceAccount("agent", admin=True), ServiceAccount("agent", impersonation=True)], ids=["admin", "tasks"]
)  # fmt: skip
def test_a_protected_account_may_gain(changed: ServiceAccount, parser: DocumentParser) -> None:
    policy = replace(LENIENT, protected=frozenset({Address.service_account("agent")}))
    assert refusals((ROOT, changed), live(ROOT, AGENT), parser, policy) == ()


def test_a_group_is_judged_whatever_else_changes_before_it(parser: DocumentParser) -> None:
    people = (ROOT, group("ops"), group("a-new-one"), Member("new@acme.io"))
    (found,) = refusals(people, live(ROOT, group("ops", "root@acme.io")), parser)
    assert (found.guard, found.subject) == (Guard.EMPTY_GROUP, "ops")


def test_a_group_that_goes_as_a_whole_is_not_judged_by_who_was_in_it(parser: DocumentParser) -> None:
    assert refusals((ROOT, group("x")), live(ROOT, group("x"), group("ops", "root@acme.io")), parser) == ()


def test_who_leaves_the_workspace_leaves_all_groups_unasked_and_others_are_still_counted(
    parser: DocumentParser,
) -> None:
    policy = replace(LENIENT, max_removals=Limit(count=1))
    existing = live(ROOT, TOM, AGENT, BOSS, group("ops", "root@acme.io", "tom@acme.io", accounts=["agent", "boss"]))
    assert refusals((ROOT, BOSS, group("ops", "root@acme.io", accounts=["boss"])), existing, parser, policy) == ()
    (found,) = refusals((ROOT, TOM, BOSS, group("ops", "root@acme.io")), existing, parser, policy)
    assert (found.guard, found.names, found.total) == (Guard.MAX_REMOVALS, ("tom@acme.io", "boss"), 4)


class TestLeftovers:
    """Keys that a dead run left behind, beside one that somebody uses."""

    USED = Credential("agent", "used")

    def found(self, label: str, facts: CredentialFacts, parser: DocumentParser) -> list[tuple[Guard, int, int]]:
        left = Credential("agent", label)
        existing = live(ROOT, AGENT, left, self.USED, facts={left.address: facts})
        plan = refusals((ROOT, AGENT), existing, parser, credentials_of=("agent",))
        return [(item.guard, item.count, item.total) for item in plan]

    @pytest.mark.parametrize(
        ("label", "facts"),
        [
            ("ci" + UNDELIVERED_MARK, CredentialFacts("k", "ci" + UNDELIVERED_MARK)),
            ("[k]", CredentialFacts("k", None)),
            ("[k]", CredentialFacts("k", "")),
        ],
        ids=["undelivered", "without a label", "with an empty label"],
    )
    def test_are_not_counted(self, label: str, facts: CredentialFacts, parser: DocumentParser) -> None:
        assert self.found(label, facts, parser) == [(Guard.REVOCATION, 1, 0)]

    @pytest.mark.parametrize(
        ("label", "facts"),
        [
            ("[k]", CredentialFacts("k", None, last_used=NOW)),
            ("ci" + UNDELIVERED_MARK, CredentialFacts("k", "ci" + UNDELIVERED_MARK, last_used=NOW)),
            ("ci" + RETIRING_MARK, CredentialFacts("k", "ci" + RETIRING_MARK)),
            ("ci" + UNDELIVERED_MARK + "!", CredentialFacts("k", "ci" + UNDELIVERED_MARK + "!")),
        ],
        ids=[
            "without a label, in use",
            "undelivered, in use",
            "retiring for one that is not declared",
            "with the mark elsewhere",
        ],
    )
    def test_what_may_be_somebodys_is_counted(self, label: str, facts: CredentialFacts, parser: DocumentParser) -> None:
        assert self.found(label, facts, parser) == [(Guard.REVOCATION, 2, 0)]
