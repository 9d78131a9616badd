from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from reconciler.model.desired import Limit, Policy
from reconciler.model.live import Caller, CredentialFacts, Live
from reconciler.model.resources import (
    UNDELIVERED_MARK,
    Address,
    Credential,
    Group,
    Kind,
    Member,
    Resource,
    Role,
    ServiceAccount,
)
from reconciler.plan.allowance import Allowance
from reconciler.plan.changes import NEVER_LIFTED, Guard, Refusal
from reconciler.vaults.parse import DocumentParser
from tests.build import GAINS, account_vault, admin, credential, desired, group, invited, live, planned, vault

ROOT = admin("root@acme.io")
LENIENT = Policy(min_admins=1, max_removals=Limit(count=1000))


def refusals(
    declared: tuple[Resource, ...],
    existing: Live,
    parser: DocumentParser,
    policy: Policy = LENIENT,
    allow: tuple[Guard, ...] = (),
    credentials_of: tuple[str, ...] = (),
) -> list[Refusal]:
    wanted = desired(*declared, policy=policy, credentials_of=credentials_of)
    return list(planned(wanted, existing, parser, allow=(*allow, *GAINS)).plan.refused)


def guards(
    declared: tuple[Resource, ...],
    existing: Live,
    parser: DocumentParser,
    policy: Policy = LENIENT,
    allow: tuple[Guard, ...] = (),
    credentials_of: tuple[str, ...] = (),
) -> list[Guard]:
    return [item.guard for item in refusals(declared, existing, parser, policy, allow, credentials_of)]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("total", range(1, 51))
def test_one_of_a_kind_may_go_and_beyond_that_the_share_counts(
    total: int, share: float, parser: DocumentParser
) -> None:
    people = [Member(f"p{n:02}@acme.io") for n in range(total - 1)]
    policy = Policy(min_admins=1, max_removals=Limit(share=share))
    for removed in sorted({0, 1, total // 5, total // 2, total - 2, total - 1} & set(range(total))):
        found = guards((ROOT, *people[removed:]), live(ROOT, *people), parser, policy)
        floor = 1 if share > 0 else 0
        assert (Guard.MAX_REMOVALS in found) == (removed > floor and removed / total > share)


@pytest.mark.parametrize("total", range(1, 51))
def test_all_of_a_kind_never_goes_unasked(total: int, parser: DocumentParser) -> None:
    accounts = [ServiceAccount(f"agent-{n}") for n in range(total)]
    everything = Policy(min_admins=1, max_removals=Limit(share=1.0))
    assert guards((ROOT,), live(ROOT, *accounts), parser, everything) == [Guard.EMPTY_KIND]
    if total > 1:
        assert guards((ROOT, accounts[0]), live(ROOT, *accounts), parser, everything) == []


@pytest.mark.parametrize("total", range(1, 51))
def test_everybody_of_a_group_never_leaves_unasked(total: int, parser: DocumentParser) -> None:
    people = [Member(f"p{n}@acme.io") for n in range(total)]
    emails = [person.email for person in people]
    everything = Policy(min_admins=1, max_removals=Limit(share=1.0))
    existing = live(ROOT, *people, group("ops", *emails))
    assert guards((ROOT, *people, group("ops")), existing, parser, everything) == [Guard.EMPTY_GROUP]
    replaced = (ROOT, *people, group("ops", "root@acme.io"))
    assert guards(replaced, existing, parser, everything) == [Guard.EMPTY_GROUP]


def test_a_number_limits_removals_per_kind_and_per_group(parser: DocumentParser) -> None:
    people = [Member(f"p{n}@acme.io") for n in range(10)]
    emails = [person.email for person in people]
    two = Policy(min_admins=1, max_removals=Limit(count=2))
    existing = live(ROOT, *people, group("ops", *emails))
    assert guards((ROOT, *people, group("ops", *emails[2:])), existing, parser, two) == []
    found = refusals((ROOT, *people, group("ops", *emails[3:])), existing, parser, two)
    assert [(item.guard, item.subject, item.count, item.total) for item in found] == [
        (Guard.MAX_REMOVALS, "ops", 3, 10)
    ]


def test_who_leaves_the_workspace_is_not_counted_again_in_each_group(parser: DocumentParser) -> None:
    people = [Member(f"p{n}@acme.io") for n in range(10)]
    policy = Policy(min_admins=1, max_removals=Limit(share=0.1, at_least=0))
    existing = live(ROOT, *people, group("ops", "p0@acme.io", "p1@acme.io"))
    assert guards((ROOT, *people[1:], group("ops", "p1@acme.io")), existing, parser, policy) == []


def test_invitations_count_as_members(parser: DocumentParser) -> None:
    pending = [invited(f"p{n}@acme.io") for n in range(4)]
    policy = Policy(min_admins=1, max_removals=Limit(share=0.5))
    assert guards((ROOT,), live(ROOT, *pending), parser, policy) == [Guard.MAX_REMOVALS]


class TestMinAdmins:
    ADA, TOM = admin("ada@acme.io"), admin("tom@acme.io")
    TWO = replace(LENIENT, min_admins=2)

    @pytest.mark.parametrize(
        ("declared", "existing", "expected"),
        [
            pytest.param((ADA,), (ADA, TOM), [], id="one of three may go"),
            pytest.param((), (ADA, TOM), [Guard.MIN_ADMINS], id="two of three may not"),
            pytest.param((Member("ada@acme.io"),), (ADA,), [Guard.MIN_ADMINS], id="a demotion counts like a removal"),
            pytest.param((TOM,), (Member("tom@acme.io"), ADA), [], id="a promotion makes up for a removal"),
            pytest.param((TOM,), (ADA,), [Guard.MIN_ADMINS], id="an invitation does not: nobody has come yet"),
            pytest.param((TOM,), (Member("tom@acme.io"),), [], id="too few before is no reason against a promotion"),
            pytest.param((), (Member("tom@acme.io"),), [], id="too few before is no reason against another removal"),
        ],
    )
    def test_admins_that_would_be_left(
        self,
        declared: tuple[Resource, ...],
        existing: tuple[Resource, ...],
        expected: list[Guard],
        parser: DocumentParser,
    ) -> None:
        assert guards((ROOT, *declared), live(ROOT, *existing), parser, self.TWO) == expected


class TestOwnIdentity:
    @pytest.mark.parametrize(
        "declared",
        [
            pytest.param((), id="removed"),
            pytest.param((Member("root@acme.io"),), id="demoted"),
            pytest.param((Member("root@acme.io", Role.CONSUMER),), id="made a consumer"),
        ],
    )
    def test_the_one_who_runs_it_is_safe_whatever_is_allowed(
        self, declared: tuple[Resource, ...], parser: DocumentParser
    ) -> None:
        others = (admin("a@acme.io"), admin("b@acme.io"))
        found = guards((*others, *declared), live(ROOT, *others), parser, allow=tuple(Guard))
        assert found == [Guard.OWN_IDENTITY]

    def test_its_own_credential_is_not_revoked(self, parser: DocumentParser) -> None:
        resources = (ROOT, ServiceAccount("ci", admin=True), credential("ci", "new"))
        existing = live(*resources, credential("ci", "used"), own_key="id-credential-ci-used")
        found = guards(resources, existing, parser, credentials_of=("ci",), allow=(Guard.REVOCATION,))
        assert found == [Guard.OWN_IDENTITY]

    @pytest.mark.parametrize(
        ("declared", "found"),
        [
            pytest.param((), [Guard.OWN_IDENTITY, Guard.OWN_IDENTITY], id="all of them"),
            pytest.param((credential("ci", "new"),), [Guard.OWN_IDENTITY, Guard.OWN_IDENTITY], id="all for a new one"),
            pytest.param((credential("ci", "two"),), [Guard.OWN_IDENTITY], id="one of them"),
            pytest.param((credential("ci", "one"), credential("ci", "two")), [], id="none but what was left behind"),
        ],
    )
    def test_signed_in_by_a_token_it_keeps_its_credentials(
        self, declared: tuple[Resource, ...], found: list[Guard], parser: DocumentParser
    ) -> None:
        resources = (ROOT, ServiceAccount("ci", admin=True))
        keys = (credential("ci", "one"), credential("ci", "two"), credential("ci", "ci [undelivered]"))
        existing = live(*resources, *keys)
        by_token = Caller("id-service_account-ci", Address.service_account("ci"), None, "admin")
        existing = replace(existing, caller=by_token)
        wanted = (*resources, *declared)
        assert guards(wanted, existing, parser, credentials_of=("ci",), allow=tuple(Guard)) == found


def test_a_member_that_the_server_keeps_does_not_count_among_those_that_are_left(parser: DocumentParser) -> None:
    kept = Member("sup@acme.io", fixed=True)
    existing = live(Member("a@acme.io"), kept, caller="nobody")
    assert Guard.EMPTY_KIND in guards((), existing, parser)
    assert Guard.EMPTY_KIND in guards((kept,), existing, parser)


def test_switching_vaults_off_counts_as_removing_them(parser: DocumentParser) -> None:
    ops = group("ops", "root@acme.io")
    on = tuple(vault(f"v{number}", "ops", "a: 1") for number in range(3))
    off = tuple(replace(item, enabled=False) for item in on)
    strict = Policy(min_admins=1, max_removals=Limit(count=1), protected=frozenset({on[0].address}))
    existing = live(ROOT, ops, *on)
    assert guards((ROOT, ops, *off), existing, parser, strict) == [Guard.PROTECT, Guard.MAX_REMOVALS]
    assert guards((ROOT, ops, on[0], off[1], on[2]), existing, parser, strict) == []
    assert guards((ROOT, ops, *on), live(ROOT, ops, *off), parser, strict) == []


@pytest.mark.parametrize(
    ("declared", "ends", "counted"),
    [
        pytest.param((credential("ci", "key"),), datetime(2020, 1, 1, tzinfo=UTC), False, id="its time is over"),
        pytest.param((), datetime(2020, 1, 1, tzinfo=UTC), False, id="its successor is not declared, its time is over"),
        pytest.param((), datetime(2100, 1, 1, tzinfo=UTC), True, id="its successor is not declared, and it works"),
    ],
)
def test_a_retiring_key_goes_unasked_only_when_it_works_no_more(
    declared: tuple[Resource, ...], ends: datetime, counted: bool, parser: DocumentParser
) -> None:
    bot = ServiceAccount("ci")
    old = credential("ci", "key [retiring]")
    retiring = CredentialFacts("AK", "key [retiring]", expires=ends)
    existing = live(ROOT, bot, *declared, old, facts={old.address: retiring})
    none = Policy(min_admins=1, max_removals=Limit(count=0))
    found = guards((ROOT, bot, *declared), existing, parser, none, credentials_of=("ci",))
    assert found == ([Guard.REVOCATION] if counted else [])


class TestProtect:
    @pytest.mark.parametrize(
        "resource",
        [
            Member("tom@acme.io"),
            ServiceAccount("agent"),
            group("ops"),
        ],
    )
    def test_a_protected_resource_is_not_removed(self, resource: Resource, parser: DocumentParser) -> None:
        others = (Member("x@acme.io"), ServiceAccount("x"), group("x"))
        policy = replace(LENIENT, protected=frozenset({resource.address}))
        existing = live(ROOT, *others, resource)
        assert guards((ROOT, *others), existing, parser, policy) == [Guard.PROTECT]
        assert guards((ROOT, *others), existing, parser, policy, allow=(Guard.PROTECT,)) == []

    def test_a_protected_admin_is_not_demoted(self, parser: DocumentParser) -> None:
        ada = admin("ada@acme.io")
        policy = replace(LENIENT, protected=frozenset({ada.address}))
        assert guards((ROOT, Member("ada@acme.io")), live(ROOT, ada), parser, policy) == [Guard.PROTECT]

    def test_a_protected_credential_is_not_revoked_neither_alone_nor_with_its_account(
        self, parser: DocumentParser
    ) -> None:
        account, key = ServiceAccount("agent"), credential("agent", "k8s")
        policy = replace(LENIENT, protected=frozenset({key.address}))
        existing = live(ROOT, ServiceAccount("x"), account, key)
        revoked = guards((ROOT, ServiceAccount("x"), account), existing, parser, policy, credentials_of=("agent",))
        assert revoked == [Guard.PROTECT, Guard.REVOCATION]
        assert guards((ROOT, ServiceAccount("x")), existing, parser, policy) == [Guard.PROTECT, Guard.REVOCATION]


class TestServerLimits:
    def test_a_group_with_vaults_that_are_left_alone_cannot_go(self, parser: DocumentParser) -> None:
        kept = {kind: value for kind, value in desired().scope.kinds.items() if kind is not Kind.VAULT}
        wanted = desired(ROOT, group("x"), kinds=kept, policy=LENIENT)
        existing = live(ROOT, group("x"), group("ops"), vault("v", "ops", "a: 1"))
        (refusal,) = planned(wanted, existing, parser, allow=set(Guard) - {Guard.STILL_USED}).plan.refused
        assert (refusal.guard, refusal.subject, refusal.names) == (Guard.STILL_USED, "ops", ("v → ops",))
        assert planned(wanted, existing, parser, allow=tuple(Guard)).plan.refused == ()

    def test_more_accounts_than_the_server_has_room_for(self, parser: DocumentParser) -> None:
        existing = live(ROOT, ServiceAccount("a"), maximum_service_accounts=1)
        assert guards((ROOT, ServiceAccount("a"), ServiceAccount("b")), existing, parser) == [Guard.SERVER_LIMIT]

    def test_admin_accounts_where_the_server_has_none(self, parser: DocumentParser) -> None:
        existing = live(ROOT, ServiceAccount("a"), admin_accounts_allowed=False)
        assert guards((ROOT, ServiceAccount("a", admin=True)), existing, parser) == [Guard.SERVER_LIMIT]


@pytest.mark.parametrize(
    ("label", "facts", "expected"),
    [
        ("ci" + UNDELIVERED_MARK, CredentialFacts("k", "ci" + UNDELIVERED_MARK), []),
        ("[k]", CredentialFacts("k", None), []),
        ("ci", CredentialFacts("k", "ci"), [Guard.REVOCATION]),
    ],
    ids=["never delivered", "created by the server and never used", "somebody's"],
)
def test_what_a_dead_run_left_behind_is_revoked_unasked(
    label: str, facts: CredentialFacts, expected: list[Guard], parser: DocumentParser
) -> None:
    left = Credential("agent", label)
    resources = (ROOT, ServiceAccount("agent"))
    existing = live(*resources, left, facts={left.address: facts})
    assert guards(resources, existing, parser, credentials_of=("agent",)) == expected


class TestFloors:
    """A share of a small set is less than one: single removals pass, as long as the whole plan takes little."""

    PEOPLE = tuple(Member(f"p{number:02}@acme.io") for number in range(30))
    EMAILS = tuple(person.email for person in PEOPLE)
    POLICY = Policy(min_admins=1, max_removals=Limit(share=0.2))

    def found(self, parser: DocumentParser, leaving: dict[str, int], policy: Policy = POLICY) -> list[tuple[str, int]]:
        """Return the groups that a plan is refused for, where so many of four leave a group, and of 30 none."""
        before = (group("all", *self.EMAILS), *(group(name, *self.EMAILS[:4]) for name in leaving))
        after = (group("all", *self.EMAILS), *(group(name, *self.EMAILS[n:4]) for name, n in leaving.items()))
        plan = refusals((ROOT, *self.PEOPLE, *after), live(ROOT, *self.PEOPLE, *before), parser, policy)
        return [(str(item.subject), item.count) for item in plan if item.guard is Guard.MAX_REMOVALS]

    def test_up_to_three_leave_a_small_group_unasked(self, parser: DocumentParser) -> None:
        assert self.found(parser, {"a": 1, "b": 3}) == []

    def test_a_floor_of_ones_own_holds_in_its_place(self, parser: DocumentParser) -> None:
        one = replace(self.POLICY, max_removals=Limit(share=0.2, at_least=1))
        assert self.found(parser, {"a": 1, "b": 2}, one) == [("b", 2)]

    def test_it_holds_only_while_the_plan_takes_no_more_than_the_share_of_all_memberships(
        self, parser: DocumentParser
    ) -> None:
        few = dict.fromkeys("abcd", 2)
        assert self.found(parser, few) == []
        many = dict.fromkeys("abcdefgh", 3)
        assert self.found(parser, many) == [(name, 3) for name in "abcdefgh"]

    def test_memberships_of_a_group_that_goes_as_a_whole_are_among_them(self, parser: DocumentParser) -> None:
        before = (group("all", *self.EMAILS), group("small", *self.EMAILS[:4]))
        existing = live(ROOT, *self.PEOPLE, *before)
        found = guards((ROOT, *self.PEOPLE, group("small", *self.EMAILS[:4])), existing, parser, self.POLICY)
        assert found == [Guard.MAX_REMOVALS]

    def test_no_floor_under_a_number_and_none_under_nothing(self, parser: DocumentParser) -> None:
        for limit in (Limit(count=0), Limit(share=0.0), Limit(share=0.0, at_least=3)):
            assert self.found(parser, {"a": 1}, replace(self.POLICY, max_removals=limit)) == [("a", 1)]

    def test_admins_have_no_floor(self, parser: DocumentParser) -> None:
        tom, ada = Member("tom@acme.io"), admin("ada@acme.io")
        assert guards((ROOT, ada), live(ROOT, ada, tom), parser, self.POLICY) == []
        assert guards((ROOT, tom), live(ROOT, ada, tom), parser, self.POLICY) == [Guard.MAX_REMOVALS]
        agent, boss = ServiceAccount("agent"), ServiceAccount("boss", admin=True)
        assert guards((ROOT, boss), live(ROOT, agent, boss), parser, self.POLICY) == []
        assert guards((ROOT, agent), live(ROOT, agent, boss), parser, self.POLICY) == [Guard.MAX_REMOVALS]


class TestRevocation:
    """Every key that works and would stop is asked about."""

    ACCOUNT = ServiceAccount("agent")

    def test_the_only_key_of_an_account(self, parser: DocumentParser) -> None:
        existing = live(ROOT, self.ACCOUNT, credential("agent", "k8s"))
        (found,) = refusals((ROOT, self.ACCOUNT), existing, parser, credentials_of=("agent",))
        assert (found.guard, found.subject, found.names) == (Guard.REVOCATION, "agent", ("agent / k8s",))

    def test_a_key_that_has_ended_goes_unasked(self, parser: DocumentParser) -> None:
        key = credential("agent", "k8s")
        facts = CredentialFacts("k", "k8s", expires=datetime(2020, 1, 1, tzinfo=UTC))
        existing = live(ROOT, self.ACCOUNT, key, facts={key.address: facts})
        assert guards((ROOT, self.ACCOUNT), existing, parser, credentials_of=("agent",)) == []

    def test_keys_that_were_only_counted_and_go_with_their_account(self, parser: DocumentParser) -> None:
        existing = live(ROOT, self.ACCOUNT, ServiceAccount("x"), credential_counts={self.ACCOUNT.address: 2})
        (found,) = refusals((ROOT, ServiceAccount("x")), existing, parser)
        assert (found.guard, found.subject, found.count) == (Guard.REVOCATION, "agent", 2)


class TestAllowances:
    """A guard is lifted everywhere, for a kind, for a resource, and for nothing else."""

    PEOPLE = tuple(Member(f"p{number}@acme.io") for number in range(4))
    EMAILS = tuple(person.email for person in PEOPLE)
    NONE = Policy(min_admins=1, max_removals=Limit(count=0))

    def left(self, allow: str, parser: DocumentParser) -> list[str | None]:
        """Return what stays refused of two people who leave the workspace, and of one who leaves each of two groups."""
        everyone = (group("ops", *self.EMAILS), group("ml", *self.EMAILS))
        existing = live(ROOT, *self.PEOPLE, *everyone)
        fewer = (group("ops", *self.EMAILS[2:3]), group("ml", *self.EMAILS[2:3]))
        wanted = desired(ROOT, *self.PEOPLE[2:], *fewer, policy=self.NONE)
        return [item.subject for item in planned(wanted, existing, parser, allow=allow.split()).plan.refused]

    @pytest.mark.parametrize(
        ("allow", "left"),
        [
            pytest.param("", [None, "ml", "ops"], id="nothing is lifted"),
            pytest.param("max-removals", [], id="everywhere"),
            pytest.param("max-removals=group", [None], id="a kind"),
            pytest.param("max-removals=group:ops", [None, "ml"], id="a resource"),
            pytest.param("max-removals=group:OPS", [None, "ml"], id="a resource, in other letters"),
            pytest.param("max-removals=group:*", [None], id="all that fit a pattern"),
            pytest.param("max-removals=access_rule:ops", [None, "ml", "ops"], id="a resource of another kind"),
            pytest.param("max-removals=member:p0@acme.io", [None, "ml", "ops"], id="one of two"),
            pytest.param(
                "max-removals=member:p0@acme.io max-removals=member:p1@acme.io", ["ml", "ops"], id="both by name"
            ),
            pytest.param("empty-group=group:ops", [None, "ml", "ops"], id="another guard"),
        ],
    )
    def test_lift_what_they_say(self, allow: str, left: list[str | None], parser: DocumentParser) -> None:
        assert self.left(allow, parser) == left

    @pytest.mark.parametrize("text", ["nothing", "own-identity", "max-removals=", "max-removals=ops", "policy=group:x"])
    def test_that_mean_nothing_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            Allowance.read(text)


DANGEROUS: dict[Guard, tuple[Policy, tuple[Resource, ...], tuple[Resource, ...]]] = {
    Guard.MIN_ADMINS: (replace(LENIENT, min_admins=2), (), (admin("ada@acme.io"), Member("x@acme.io"))),
    Guard.MAX_REMOVALS: (
        replace(LENIENT, max_removals=Limit(share=0.2)),
        (),
        (Member("tom@acme.io"), Member("ada@acme.io")),
    ),
    Guard.EMPTY_KIND: (LENIENT, (), (ServiceAccount("agent"),)),
    Guard.EMPTY_GROUP: (LENIENT, (group("ops"),), (group("ops", "root@acme.io"),)),
    Guard.PROTECT: (
        replace(LENIENT, protected=frozenset({Address.member("tom@acme.io")})),
        (),
        (Member("tom@acme.io"),),
    ),
}


@pytest.mark.parametrize("lifted", [guard for guard in Guard if guard not in {*NEVER_LIFTED, *GAINS}])
@pytest.mark.parametrize("broken", DANGEROUS)
def test_an_allowance_lifts_its_own_guard_and_no_other(broken: Guard, lifted: Guard, parser: DocumentParser) -> None:
    policy, declared, existing = DANGEROUS[broken]
    found = guards((ROOT, *declared), live(ROOT, *existing), parser, policy, allow=(lifted,))
    assert found == ([] if lifted is broken else [broken])


def test_a_group_of_the_server_is_neither_counted_nor_removed(parser: DocumentParser) -> None:
    users = Group("Users", builtin=True, assignable=False)
    everything = Policy(min_admins=1, max_removals=Limit(share=1.0))
    assert guards((ROOT,), live(ROOT, users, group("ops")), parser, everything) == [Guard.EMPTY_KIND]


def test_own_vaults_of_accounts_count_as_vaults(parser: DocumentParser) -> None:
    wanted = desired(ROOT, ServiceAccount("agent"), policy=LENIENT, vaults_of=("agent",))
    existing = live(ROOT, ServiceAccount("agent"), account_vault("agent", "a: 1"))
    assert [item.guard for item in planned(wanted, existing, parser).plan.refused] == [Guard.EMPTY_KIND]
