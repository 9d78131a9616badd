from __future__ import annotations

import asyncio

import httpx
import pytest
from msgspec.structs import replace

from reconciler.apply.execute import execute
from reconciler.apply.run import Run, chosen_ids
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, Resource, Role, ServiceAccount
from reconciler.model.secret import Secret
from reconciler.plan.access.index import SERVER_DEFAULT
from reconciler.plan.changes import Guard
from reconciler.plan.impact.report import Aspect, Effect, HeadlineType, Impact, Weight
from reconciler.plan.make import Prepared
from reconciler.plan.outcomes import Outcome
from reconciler.process import CHANCE
from reconciler.sandbox.app import create_app
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.permissions import permission
from reconciler.sandbox.store import Store
from reconciler.vaults.parse import DocumentParser
from tests.build import admin, credential, desired, group, live, planned, vault
from tests.support.copying import workspace_of
from tests.support.random_workspaces import random_pair

ROOT = admin("root@acme.io")
USERS = Group("Users", builtin=True, assignable=False)
BOB, TOM = Member("bob@acme.io"), Member("tom@acme.io")
VISION = Entity(EntityType.PROJECT, "p-vision", "Vision")
SHARES = 4
PLANS = 60
MANY_PLANS = 2500


def rule(
    name: str, *, permission: Permission = Permission.READ_WRITE, members: str = "", groups: str = ""
) -> AccessRule:
    return AccessRule(name, VISION, permission, frozenset(members.split()), frozenset(), frozenset(groups.split()))


def impact_of(
    before: tuple[Resource, ...], after: tuple[Resource, ...], parser: DocumentParser, *default: AccessRule
) -> Impact:
    """Return the impact of a plan; ``default`` are the server's own rules, without which nobody has anything."""
    accounts = [item.name for item in after if isinstance(item, ServiceAccount)]
    wanted = desired(ROOT, *after, credentials_of=accounts)
    existing = live(ROOT, *before, server_rules={one.name: one for one in default})
    return planned(wanted, existing, parser, allow=tuple(Guard)).plan.impact


def effects(impact: Impact, title: str) -> list[tuple[Aspect, str, str | None, str | None]]:
    found = [principal for principal in impact.principals if principal.title == title]
    return [(item.aspect, item.subject, item.before, item.after) for one in found for item in one.effects]


def headlines(impact: Impact) -> list[tuple[HeadlineType, str, Weight]]:
    return [(line.type, line.subject, line.weight) for line in impact.headlines]


def test_nothing_to_do_has_no_impact(parser: DocumentParser) -> None:
    same = (BOB, group("ops", "bob@acme.io"), rule("vision", groups="ops"))
    assert impact_of(same, same, parser).is_empty


def test_joining_a_group_brings_its_rules_and_vaults(parser: DocumentParser) -> None:
    rest = (BOB, TOM, rule("vision", groups="ops"), vault("s3", "ops", "sdk.aws.s3 { key: k, secret: s, region: r }"))
    impact = impact_of(
        (*rest, group("ops", "tom@acme.io")), (*rest, group("ops", "tom@acme.io", "bob@acme.io")), parser
    )
    assert effects(impact, "bob@acme.io") == [
        (Aspect.ACCESS, "project Vision", None, "read_write"),
        (Aspect.VAULT, "s3", None, "reached"),
        (Aspect.GROUP, "ops", None, "member"),
    ]
    (bob,) = impact.principals
    assert bob.weight is Weight.SENSITIVE
    assert (bob.effects[0].via, bob.effects[1].paths, bob.effects[1].secrets) == (("vision", "ops"), 3, 2)


class TestDefaultRules:
    """What is said where the server's own rules give something already: rules add up, and none takes anything away."""

    ALL_WRITE = AccessRule(
        "all projects", Entity(EntityType.PROJECT, ALL), Permission.READ_WRITE, groups=frozenset({"users"})
    )
    ALL_READ = replace(ALL_WRITE, permission=Permission.READ)

    def test_a_first_rule_closes_nothing(self, parser: DocumentParser) -> None:
        wanted = (BOB, TOM, USERS, rule("vision", members="bob@acme.io"))
        impact = impact_of((BOB, TOM, USERS), wanted, parser, self.ALL_WRITE)
        assert impact.is_empty
        assert headlines(impact) == [(HeadlineType.NO_EFFECT, "vision", Weight.ROUTINE)]

    def test_a_first_rule_gives_more_to_those_in_it_and_takes_nothing_from_the_others(
        self, parser: DocumentParser
    ) -> None:
        wanted = (BOB, TOM, USERS, rule("vision", members="bob@acme.io"))
        impact = impact_of((BOB, TOM, USERS), wanted, parser, self.ALL_READ)
        assert [principal.title for principal in impact.principals] == ["bob@acme.io"]
        assert effects(impact, "bob@acme.io") == [(Aspect.ACCESS, "project Vision", "read", "read_write")]
        assert headlines(impact) == []

    def test_the_last_rule_of_a_project_opens_nothing(self, parser: DocumentParser) -> None:
        before = (BOB, TOM, USERS, rule("vision", members="bob@acme.io"))
        impact = impact_of(before, (BOB, TOM, USERS), parser, self.ALL_READ)
        assert effects(impact, "bob@acme.io") == [(Aspect.ACCESS, "project Vision", "read_write", "read")]
        assert impact.principals[0].effects[0].via == SERVER_DEFAULT
        assert [line for line in headlines(impact) if line[0] is HeadlineType.OPENS_TO_EVERYONE] == []


@pytest.mark.parametrize("permission", Permission)
def test_a_project_opens_and_closes_to_everyone_where_no_other_rule_lets_them_in(
    permission: Permission, parser: DocumentParser
) -> None:
    few = (BOB, TOM, USERS, rule("vision", members="bob@acme.io"))
    all_of_them = (*few, rule("all", groups="users", permission=permission))
    opened = impact_of(few, all_of_them, parser)
    assert headlines(opened) == [(HeadlineType.OPENS_TO_EVERYONE, "project Vision", Weight.CRITICAL)]
    assert opened.principals == ()
    closed = impact_of(all_of_them, few, parser)
    assert headlines(closed) == [(HeadlineType.CLOSES_TO_EVERYONE, "project Vision", Weight.CRITICAL)]
    assert (closed.headlines[0].level, closed.headlines[0].names) == (None, ("bob@acme.io",))


class TestHierarchy:
    """Access to a project is access to what is below it."""

    BELOW = Entity(EntityType.PROJECT, "p-robots", "Vision/Robots")
    MODEL = Entity(EntityType.MODEL, "m-resnet", "resnet")

    def on(
        self, entity: Entity, name: str, *members: str, permission: Permission = Permission.READ_WRITE
    ) -> AccessRule:
        return AccessRule(name, entity, permission, frozenset(members))

    def test_a_rule_below_gives_nothing_that_the_project_above_gives_already(self, parser: DocumentParser) -> None:
        rest = (BOB, rule("vision", members="bob@acme.io"))
        below = self.on(self.BELOW, "robots", "bob@acme.io", permission=Permission.READ)
        for before, after in ((rest, (*rest, below)), ((*rest, below), rest)):
            assert impact_of(before, after, parser).is_empty

    def test_what_is_lost_above_leaves_what_a_rule_below_gives(self, parser: DocumentParser) -> None:
        below = self.on(self.BELOW, "robots", "bob@acme.io", permission=Permission.READ)
        impact = impact_of((BOB, below, rule("vision", members="bob@acme.io")), (BOB, below), parser)
        assert effects(impact, "bob@acme.io") == [
            (Aspect.ACCESS, "project Vision", "read_write", None),
            (Aspect.ACCESS, "project Vision/Robots", "read_write", "read"),
        ]

    def test_what_is_lost_above_leaves_what_everyone_has_below(self, parser: DocumentParser) -> None:
        below = replace(self.on(self.BELOW, "robots", permission=Permission.READ), groups=frozenset({"users"}))
        impact = impact_of((BOB, USERS, below, rule("vision", members="bob@acme.io")), (BOB, USERS, below), parser)
        assert effects(impact, "bob@acme.io")[1] == (Aspect.ACCESS, "project Vision/Robots", "read_write", "read")

    def test_a_project_whose_name_only_begins_alike_is_not_below(self, parser: DocumentParser) -> None:
        beside = Entity(EntityType.PROJECT, "p-visions", "Visions")
        rest = (BOB, rule("vision", members="bob@acme.io"))
        impact = impact_of(rest, (*rest, self.on(beside, "other", "bob@acme.io")), parser)
        assert effects(impact, "bob@acme.io") == [(Aspect.ACCESS, "project Visions", None, "read_write")]

    def test_a_loss_is_at_most_that_where_the_project_that_holds_it_is_not_known(self, parser: DocumentParser) -> None:
        model = self.on(self.MODEL, "resnet", "bob@acme.io", "tom@acme.io")
        rest = (BOB, TOM, rule("vision", members="bob@acme.io"))
        impact = impact_of((*rest, model), rest, parser)
        told = {one.title: [effect.at_least for effect in one.effects] for one in impact.principals}
        assert told == {"bob@acme.io": [True], "tom@acme.io": [False]}


class TestRulesWithoutEffect:
    """Whoever declares a rule that gives access to nobody meant to restrict; that has to be said."""

    def warned(self, parser: DocumentParser, declared: AccessRule, *default: AccessRule) -> list[str]:
        people = (ROOT, BOB, TOM, USERS, group("ops", "tom@acme.io"), group("empty"))
        existing = live(*people, server_rules={one.name: one for one in default})
        plan = planned(desired(*people, declared), existing, parser, allow=tuple(Guard)).plan
        return [warning.title for warning in plan.warnings if warning.rule == "rule-without-effect"]

    @pytest.mark.parametrize("declared", [{"members": "bob@acme.io"}, {"groups": "ops"}, {"groups": "empty"}])
    def test_everyone_has_it_by_default(self, declared: dict[str, str], parser: DocumentParser) -> None:
        assert self.warned(parser, rule("r", **declared), TestDefaultRules.ALL_WRITE) == ["r"]
        assert self.warned(parser, rule("r", **declared), TestDefaultRules.ALL_READ) == []
        assert self.warned(parser, rule("r", **declared)) == []

    def test_a_rule_to_read_is_covered_by_reading(self, parser: DocumentParser) -> None:
        to_read = rule("r", members="bob@acme.io", permission=Permission.READ)
        assert self.warned(parser, to_read, TestDefaultRules.ALL_READ) == ["r"]

    def test_only_admins_are_in_it(self, parser: DocumentParser) -> None:
        assert self.warned(parser, rule("r", members="root@acme.io")) == ["r"]
        assert self.warned(parser, rule("r", members="root@acme.io tom@acme.io")) == []


def test_narrowing_a_rule_is_told_of_those_it_names(parser: DocumentParser) -> None:
    before = (BOB, rule("vision", members="bob@acme.io"))
    after = (BOB, rule("vision", members="bob@acme.io", permission=Permission.READ))
    assert effects(impact_of(before, after, parser), "bob@acme.io") == [
        (Aspect.ACCESS, "project Vision", "read_write", "read")
    ]


def test_an_access_that_comes_another_way_too_is_not_lost(parser: DocumentParser) -> None:
    rest = (BOB, group("ops", "bob@acme.io"), rule("by-group", groups="ops"))
    impact = impact_of((*rest, rule("by-name", members="bob@acme.io")), rest, parser)
    assert impact.principals == ()
    assert (HeadlineType.NO_EFFECT, "by-name", Weight.ROUTINE) in headlines(impact)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param((BOB,), (admin("bob@acme.io"),), (Aspect.ROLE, "user", "admin"), id="promoted"),
        pytest.param((admin("bob@acme.io"),), (BOB,), (Aspect.ROLE, "admin", "user"), id="demoted"),
        pytest.param((BOB,), (), (Aspect.WORKSPACE, "user", None), id="removed"),
        pytest.param((), (admin("bob@acme.io"),), (Aspect.WORKSPACE, None, "admin"), id="invited as admin"),
    ],
)
def test_what_happens_to_a_person_is_critical(
    before: tuple[Resource, ...], after: tuple[Resource, ...], expected: tuple[object, ...], parser: DocumentParser
) -> None:
    impact = impact_of((TOM, *before), (TOM, *after), parser)
    (bob,) = [principal for principal in impact.principals if principal.title == "bob@acme.io"]
    first = bob.effects[0]
    assert (first.aspect, first.before, first.after) == expected
    assert bob.weight is Weight.CRITICAL


def test_privileges_and_destroyed_keys_of_an_account_are_critical(parser: DocumentParser) -> None:
    before = (ServiceAccount("agent"), credential("agent", "ci"))
    impact = impact_of(before, (ServiceAccount("agent", impersonation=True),), parser)
    assert effects(impact, "agent") == [
        (Aspect.IMPERSONATION, "impersonation", None, "yes"),
        (Aspect.CREDENTIAL, "ci", "works", None),
    ]
    assert impact.principals[0].weight is Weight.CRITICAL


def test_a_changed_vault_says_how_many_it_reaches(parser: DocumentParser) -> None:
    rest = (BOB, TOM, group("ops", "bob@acme.io", "tom@acme.io"))
    impact = impact_of((*rest, vault("v", "ops", "a: 1")), (*rest, vault("v", "ops", "a: 2")), parser)
    (line,) = impact.headlines
    assert (line.type, line.count, line.names, line.weight) == (HeadlineType.VAULT_CHANGES, 2, ("a",), Weight.ROUTINE)


def test_an_edit_of_words_has_no_effect(parser: DocumentParser) -> None:
    rest = (BOB, group("ops", "bob@acme.io"))
    after = (BOB, group("ops", "bob@acme.io", description="new words"))
    assert headlines(impact_of(rest, after, parser)) == [(HeadlineType.NO_EFFECT, "ops", Weight.ROUTINE)]


def test_a_new_admin_gets_what_rules_and_vaults_give_to_admins(parser: DocumentParser) -> None:
    queue = Entity(EntityType.QUEUE, "q-gpu", "gpu")
    rest = (
        Group("Admins", builtin=True, assignable=False),
        AccessRule("gpu", queue, Permission.READ_WRITE, frozenset(), frozenset(), frozenset({"admins"})),
        vault("keys", "Admins", "sdk.aws.s3.secret: s"),
    )
    impact = impact_of((*rest, TOM), (*rest, admin("tom@acme.io")), parser)
    assert effects(impact, "tom@acme.io") == [
        (Aspect.ROLE, "role", "user", "admin"),
        (Aspect.ACCESS, "queue gpu", None, "read_write"),
        (Aspect.VAULT, "keys", None, "reached"),
    ]
    (tom,) = impact.principals
    assert [effect.via for effect in tom.effects] == [(), ("gpu", "Admins"), ("Admins",)]


def test_a_changed_vault_of_admins_reaches_them(parser: DocumentParser) -> None:
    rest = (Group("Admins", builtin=True, assignable=False), TOM, admin("ada@acme.io"))
    impact = impact_of((*rest, vault("v", "Admins", "a: 1")), (*rest, vault("v", "Admins", "a: 2")), parser)
    (line,) = impact.headlines
    assert (line.type, line.count) == (HeadlineType.VAULT_CHANGES, 2)


def test_nobody_left_in_queue_admins_is_critical(parser: DocumentParser) -> None:
    before = replace(group("Queue admins", "bob@acme.io"), builtin=True)
    after = replace(group("Queue admins"), builtin=True)
    impact = impact_of((BOB, before), (BOB, after), parser)
    assert (HeadlineType.EMPTIED_GROUP, "Queue admins", Weight.CRITICAL) in headlines(impact)


Permissions = dict[tuple[Address, tuple[str, ...]], str | None]


@pytest.mark.parametrize("share", range(SHARES))
def test_the_impact_is_what_the_sandbox_says_before_and_after(
    share: int, parser: DocumentParser, request: pytest.FixtureRequest
) -> None:
    plans = MANY_PLANS if request.config.getoption("--all-faults") else PLANS
    compared = 0
    for seed in range(share, plans * SHARES, SHARES):
        pair = random_pair(seed)
        prepared = planned(pair.wanted, pair.existing, parser, allow=tuple(Guard))
        if not prepared.plan.refused:
            before, after = asyncio.run(_really(prepared, parser))
            compared += _compare(prepared, before, after, seed)
    assert compared > plans


async def _really(prepared: Prepared, parser: DocumentParser) -> tuple[Permissions, Permissions]:
    """Apply a plan on the sandbox and ask it, before and after, what everybody may do with everything."""
    with Store.open(":memory:") as store:
        load_workspace(store, workspace_of(prepared.live, prepared.desired.access_rules.values()))
        before = _ask(store, prepared, prepared.live.ids)
        token = Secret(store.session_for(prepared.live.caller.user))
        settings = ConnectionSettings("http://sandbox.localhost", token=token)
        async with Transport(settings, transport=httpx.ASGITransport(create_app(store))) as transport:
            run = Run.begin(transport, prepared, parser, _Nowhere(), chosen_ids(prepared.plan.changes, {}, CHANCE))
            results = [item async for item in execute(run, prepared.plan.changes, concurrency=1, stop=asyncio.Event())]
        assert [item for item in results if item.outcome is not Outcome.APPLIED] == []
        return before, _ask(store, prepared, run.ids)


class _Nowhere:
    def check(self, delivery: object) -> None:
        pass

    async def deliver(self, delivery: object, access_key: str, secret_key: Secret) -> None:
        pass


def _entities(prepared: Prepared) -> list[Entity]:
    rules = [*prepared.live.snapshot.access_rules.values(), *prepared.desired.access_rules.values()]
    return [entity for _, entity in sorted({one.entity.identity: one.entity for one in rules}.items())]


def _principals(prepared: Prepared) -> list[Address]:
    both = {*prepared.live.snapshot.resources, *prepared.desired.resources}
    return sorted(address for address in both if address.kind in (Kind.MEMBER, Kind.SERVICE_ACCOUNT))


def _ask(store: Store, prepared: Prepared, ids: object) -> Permissions:
    known = dict(ids)  # type: ignore[call-overload]
    with store.transaction(write=False) as db:
        return {
            (principal, entity.identity): permission(db, known.get(principal, ""), entity.type.value, entity.id)
            for principal in _principals(prepared)
            for entity in _entities(prepared)
        }


def _compare(prepared: Prepared, before: Permissions, after: Permissions, seed: int) -> int:
    impact = prepared.plan.impact
    told = {
        (principal.kind, principal.title, effect.subject): effect
        for principal in impact.principals
        for effect in principal.effects
        if effect.aspect is Aspect.ACCESS
    }
    everyone = {line.subject for line in impact.headlines if line.type in _FOR_EVERYONE}
    above = {"project vision/robots": "project vision"}
    compared = 0
    for principal in _principals(prepared):
        title = (prepared.desired.get(principal) or prepared.live.snapshot.resources[principal]).title
        for entity in _entities(prepared):
            if not _is_told(prepared, principal, entity):
                continue
            was, is_now = before[principal, entity.identity], after[principal, entity.identity]
            effect = told.get((principal.kind, title, entity.title))
            up = above.get(entity.title, entity.title)
            otherwise = {entity.title, up} & everyone or (principal.kind, title, up) in told
            _check(effect, was, is_now, otherwise=bool(otherwise), where=f"{seed}: {title} {entity.title}")
            compared += 1
    return compared


_FOR_EVERYONE = {HeadlineType.OPENS_TO_EVERYONE, HeadlineType.CLOSES_TO_EVERYONE}


def _check(effect: Effect | None, was: str | None, is_now: str | None, *, otherwise: bool, where: str) -> None:
    """Compare an effect with what the sandbox says; without one, it may be told of everyone, or of all above it."""
    if effect is not None:
        assert (effect.before, effect.after) == (was, is_now), where
    elif was != is_now:
        assert otherwise, where


def _is_told(prepared: Prepared, principal: Address, entity: Entity) -> bool:
    """Tell whether what becomes of somebody's access is told: not of who comes or goes, nor of what admins have."""
    old, new = prepared.live.snapshot.get(principal), prepared.desired.get(principal)
    if principal not in prepared.live.ids or new is None or old is None:
        return False
    if entity.type is EntityType.QUEUE:
        return True
    if isinstance(old, Member) and isinstance(new, Member):
        return (old.role is Role.ADMIN) == (new.role is Role.ADMIN)
    return isinstance(old, ServiceAccount) and isinstance(new, ServiceAccount) and old.admin == new.admin
