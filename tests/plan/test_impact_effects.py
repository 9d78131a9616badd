"""Each effect on one principal as it is told, and who has what when several rules speak of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, Resource, Role, ServiceAccount
from reconciler.model.snapshot import Snapshot
from reconciler.plan.access.index import EVERYONE, SERVER_DEFAULT, AccessIndex
from reconciler.plan.changes import Guard
from reconciler.plan.impact.report import Aspect, Effect, HeadlineType, Impact, Weight
from reconciler.vaults.parse import DocumentParser
from tests.build import account_vault, admin, credential, desired, group, invited, live, planned, rule, vault

ROOT, BOB, TOM, AGENT = admin("root@acme.io"), Member("bob@acme.io"), Member("tom@acme.io"), ServiceAccount("agent")
USERS = Group("Users", builtin=True, assignable=False)
PLAIN, SECRET = "a: 1, b: 2", "a: 1, aws.secret: hunter2"
Resources = tuple[Resource, ...]


def impact_of(before: Resources, after: Resources, parser: DocumentParser) -> Impact:
    accounts = [item.name for item in after if isinstance(item, ServiceAccount)]
    wanted = desired(ROOT, *after, credentials_of=accounts, vaults_of=accounts)
    return planned(wanted, live(ROOT, *before), parser, allow=tuple(Guard)).plan.impact


def effect(
    aspect: Aspect, subject: str, before: str | None, after: str | None, weight: Weight, **more: object
) -> Effect:
    return Effect(aspect=aspect, subject=subject, before=before, after=after, weight=weight, **more)  # type: ignore[arg-type]


CRITICAL, SENSITIVE, ROUTINE = Weight.CRITICAL, Weight.SENSITIVE, Weight.ROUTINE
IN_OPS, OF_OPS = group("ops", "bob@acme.io"), vault("v", "ops", PLAIN)
NOT_OPS, KEY = effect(Aspect.GROUP, "ops", "member", None, ROUTINE), credential("agent", "ci")
OWN, OWN_SECRETS = account_vault("agent", PLAIN), account_vault("agent", SECRET)
GROUP, VAULT, ACCESS = Aspect.GROUP, Aspect.VAULT, Aspect.ACCESS

CASES: dict[str, tuple[Resources, Resources, list[tuple[str, bool, tuple[Effect, ...]]]]] = {
    "somebody leaves a group that has a vault": (
        (BOB, TOM, OF_OPS, group("ops", "bob@acme.io", "tom@acme.io")), (BOB, TOM, OF_OPS, group("ops", "tom@acme.io")),
        [("bob@acme.io", False, (NOT_OPS, effect(VAULT, "v", "reached", None, ROUTINE, via=("ops",), paths=2)))],
    ),
    "a group goes": ((BOB, IN_OPS, group("x")), (BOB, group("x")), [("bob@acme.io", False, (NOT_OPS,))]),
    "queue admins": (
        (BOB, Group("Queue admins", builtin=True)),
        (BOB, Group("Queue admins", None, frozenset({"bob@acme.io"}), builtin=True)),
        [("bob@acme.io", False, (effect(GROUP, "Queue admins", None, "member", SENSITIVE),))],
    ),
    "a group gets a vault with secrets": (
        (BOB, IN_OPS), (BOB, IN_OPS, vault("v", "ops", SECRET)),
        [("bob@acme.io", False, (effect(VAULT, "v", None, "reached", SENSITIVE, via=("ops",), paths=2, secrets=1),))],
    ),
    "an account loses its own vault": (
        (AGENT, OWN), (AGENT,), [("agent", False, (effect(VAULT, "agent", "reached", None, ROUTINE, paths=2),))],
    ),
    "an account gets its own vault": (
        (AGENT,), (AGENT, OWN_SECRETS),
        [("agent", False, (effect(VAULT, "agent", None, "reached", SENSITIVE, paths=2, secrets=1),))],
    ),
    "everybody gets a vault": ((BOB, USERS), (BOB, USERS, vault("v", "Users", PLAIN)), []),
    "an account is no admin any more": (
        (ServiceAccount("agent", admin=True),), (AGENT,),
        [("agent", False, (effect(Aspect.ADMIN, "admin", "yes", None, CRITICAL),))],
    ),
    "an account is new": (
        (), (AGENT,), [("agent", False, (effect(Aspect.WORKSPACE, "workspace", None, "service account", SENSITIVE),))],
    ),
    "a person is new": (
        (), (Member("new@acme.io", Role.CONSUMER),),
        [("new@acme.io", True, (effect(Aspect.WORKSPACE, "workspace", None, "consumer", ROUTINE),))],
    ),
    "an invitation goes": (
        (invited("new@acme.io"),), (),
        [("new@acme.io", True, (effect(Aspect.WORKSPACE, "workspace", "user", None, CRITICAL),))],
    ),
    "a key is made": (
        (AGENT,), (AGENT, KEY), [("agent", False, (effect(Aspect.CREDENTIAL, "ci", None, "works", SENSITIVE),))],
    ),
    "a key goes": (
        (AGENT, KEY), (AGENT,), [("agent", False, (effect(Aspect.CREDENTIAL, "ci", "works", None, CRITICAL),))],
    ),
    "a key is spelled otherwise": ((AGENT, credential("agent", "CI")), (AGENT, KEY), []),
    "a member with access comes": (
        (TOM, rule("r", "tom@acme.io")), (TOM, BOB, rule("r", "tom@acme.io")),
        [("bob@acme.io", True, (effect(Aspect.WORKSPACE, "workspace", None, "user", SENSITIVE),))],
    ),
    "access by name, to read": (
        (BOB, TOM, rule("r", "tom@acme.io", permission=Permission.READ)),
        (BOB, TOM, rule("r", "tom@acme.io", "bob@acme.io", permission=Permission.READ)),
        [("bob@acme.io", False, (effect(ACCESS, "project Vision", None, "read", ROUTINE, via=("r",)),))],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), CASES.values(), ids=CASES.keys())
def test_who_gains_and_loses_what(
    before: Resources, after: Resources, expected: list[tuple[str, bool, tuple[Effect, ...]]], parser: DocumentParser
) -> None:
    found = impact_of(before, after, parser).principals
    assert [(one.title, one.invitation, one.effects) for one in found] == expected


def test_every_change_without_effect_is_named_wherever_it_stands(parser: DocumentParser) -> None:
    def groups(words: str | None, *of_b: str, accounts: tuple[str, ...] = ()) -> Resources:
        b = replace(group("b", *of_b, accounts=accounts), description=words)
        return (BOB, AGENT, group("a", description=words), b, group("c", description=words))

    for who in ({"of_b": ("bob@acme.io",)}, {"accounts": ("agent",)}):
        people, accounts = who.get("of_b", ()), who.get("accounts", ())
        found = impact_of(groups("old"), groups("new", *people, accounts=accounts), parser)
        assert [line.subject for line in found.headlines if line.type is HeadlineType.NO_EFFECT] == ["a", "c"]


def test_what_closes_says_how_many_keep_it(parser: DocumentParser) -> None:
    kept = (BOB, TOM, USERS, rule("r", "tom@acme.io", "bob@acme.io"))
    impact = impact_of((*kept, rule("all", groups=["users"])), kept, parser)
    (line,) = impact.headlines
    assert (line.names, line.count, line.level) == (("bob@acme.io", "tom@acme.io"), 2, None)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Permission.READ, Permission.READ_WRITE, (HeadlineType.OPENS_TO_EVERYONE, "read_write", ())),
        (Permission.READ_WRITE, Permission.READ, (HeadlineType.CLOSES_TO_EVERYONE, "read", ("bob@acme.io",))),
    ],
)
def test_what_everyone_may_do_opens_or_closes(
    before: Permission, after: Permission, expected: tuple[object, ...], parser: DocumentParser
) -> None:
    rest = (BOB, USERS, rule("own", "bob@acme.io"))
    old, new = (rule("all", groups=["users"], permission=permission) for permission in (before, after))
    line = impact_of((*rest, old), (*rest, new), parser).headlines[0]
    assert (line.type, line.level, line.names) == expected


def test_a_built_in_group_is_no_last_of_its_kind(parser: DocumentParser) -> None:
    impact = impact_of((BOB, AGENT, USERS), (BOB, AGENT, USERS, group("x")), parser)
    assert [line for line in impact.headlines if line.type is HeadlineType.LAST_OF_ITS_KIND] == []
    emptied = impact_of((AGENT, USERS, group("x")), (AGENT, USERS), parser)
    (line,) = (one for one in emptied.headlines if one.type is HeadlineType.LAST_OF_ITS_KIND)
    assert (line.kind, line.count) == (Kind.GROUP, 1)


class TestSeveralRules:
    VISION = Entity(EntityType.PROJECT, "id-of-vision", "Vision")
    EVERY = Entity(EntityType.PROJECT, ALL)
    READ, WRITE = Permission.READ, Permission.READ_WRITE
    server_rules: tuple[AccessRule, ...] = ()

    def everyone(self, *rules: AccessRule) -> tuple[Permission, tuple[str, ...]] | None:
        return self.of(EVERYONE, *rules)

    def of(self, principal: Address, *rules: AccessRule) -> tuple[Permission, tuple[str, ...]] | None:
        resources = (ROOT, BOB, TOM, USERS, group("ops", "bob@acme.io"), *rules)
        grant = AccessIndex(Snapshot.of(resources), self.server_rules).grant(principal, self.VISION)
        return (grant.permission, grant.via) if grant else None

    @pytest.mark.parametrize("names", ["ab", "ba"])
    def test_the_one_that_gives_more_counts_whichever_comes_first(self, names: str) -> None:
        less, more = (rule(names[0], permission=self.READ), rule(names[1], permission=self.WRITE))
        for field, whom in (("groups", EVERYONE), ("members", BOB.address), ("groups", BOB.address)):
            name = "users" if whom == EVERYONE else "ops" if field == "groups" else "bob@acme.io"
            named = [replace(one, **{field: frozenset({name})}) for one in (less, more)]
            found = self.of(whom, *named)
            assert found is not None
            assert (found[0], found[1][0]) == (self.WRITE, names[1])

    def test_those_for_all_of_a_type_hold_beside_an_entitys_own(self) -> None:
        own, every = rule("own", "tom@acme.io"), rule("every", "bob@acme.io", entity=self.EVERY)
        assert self.of(BOB.address, own, every) == (self.WRITE, ("every",))
        assert self.of(TOM.address, own, every) == (self.WRITE, ("own",))
        assert self.of(TOM.address, every) is None

    def test_those_of_other_entities_do_not(self) -> None:
        other = rule("other", "bob@acme.io", entity=Entity(EntityType.PROJECT, "id-of-audio"))
        queues = rule("queues", "bob@acme.io", entity=Entity(EntityType.QUEUE, ALL))
        assert self.of(BOB.address, rule("own", "tom@acme.io"), other, queues) is None

    def test_without_any_nobody_may_do_anything(self) -> None:
        assert self.everyone() is None

    def test_the_servers_own_count_as_any_other(self) -> None:
        self.server_rules = (rule("default", groups=["users"], entity=self.EVERY, permission=self.READ),)
        assert self.everyone() == (self.READ, SERVER_DEFAULT)
        assert self.of(TOM.address, rule("own", "bob@acme.io")) == (self.READ, SERVER_DEFAULT)
        assert self.of(BOB.address, rule("own", "bob@acme.io")) == (self.WRITE, ("own",))

    @pytest.mark.parametrize("kind", EntityType)
    def test_admins_may_do_everything_but_use_queues(self, kind: EntityType) -> None:
        entity = Entity(kind, "x")
        resources = (ROOT, BOB, ServiceAccount("boss", admin=True), rule("r", "bob@acme.io", entity=entity))
        table = AccessIndex(Snapshot.of(resources), ())
        for principal in (ROOT.address, Address.service_account("boss")):
            grant = table.grant(principal, entity)
            assert (grant.via if grant else None) == (None if kind is EntityType.QUEUE else ("Admins",))
