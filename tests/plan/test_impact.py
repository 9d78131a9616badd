from __future__ import annotations

import asyncio

import httpx
import pytest

from reconciler.apply.execute import execute
from reconciler.apply.run import Run
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport
from reconciler.model.access import Entity, EntityType, Permission
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, Resource, Role, ServiceAccount
from reconciler.model.secret import Secret
from reconciler.plan.changes import Guard
from reconciler.plan.impact.report import Aspect, Effect, HeadlineType, Impact, Weight
from reconciler.plan.make import Prepared
from reconciler.plan.outcomes import Outcome
from reconciler.process import CHANCE
from reconciler.rehearsal.copying import workspace_of
from reconciler.sandbox.app import create_app
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.permissions import permission_of
from reconciler.sandbox.store import Store
from reconciler.vaults.parse import DocumentParser
from tests.build import admin, credential, desired, group, live, planned, vault
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


def impact_of(before: tuple[Resource, ...], after: tuple[Resource, ...], parser: DocumentParser) -> Impact:
    accounts = [item.name for item in after if isinstance(item, ServiceAccount)]
    wanted = desired(ROOT, *after, credentials_of=accounts)
    return planned(wanted, live(ROOT, *before), parser, allow=tuple(Guard)).plan.impact


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


def test_the_first_rule_closes_a_project_to_everyone_else(parser: DocumentParser) -> None:
    impact = impact_of((BOB, TOM), (BOB, TOM, rule("vision", members="bob@acme.io")), parser)
    assert headlines(impact) == [(HeadlineType.CLOSES_TO_EVERYONE, "project Vision", Weight.CRITICAL)]
    assert impact.headlines[0].names == ("bob@acme.io",)
    assert impact.principals == ()


@pytest.mark.parametrize(
    "after", [(), (rule("vision", groups="users"),)], ids=["the last rule goes", "Users are named"]
)
def test_a_project_opens_to_everyone(after: tuple[Resource, ...], parser: DocumentParser) -> None:
    before = (BOB, TOM, USERS, rule("vision", members="bob@acme.io"))
    impact = impact_of(before, (BOB, TOM, USERS, *after), parser)
    opened = [line for line in headlines(impact) if line[1] == "project Vision"]
    assert opened == [(HeadlineType.OPENS_TO_EVERYONE, "project Vision", Weight.CRITICAL)]


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
    from msgspec.structs import replace

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
            run = Run.begin(transport, prepared, parser, _Nowhere(), CHANCE)
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
    return {
        (principal, entity.identity): permission_of(store, known.get(principal, ""), entity.type.value, entity.id)
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
    compared = 0
    for principal in _principals(prepared):
        title = (prepared.desired.get(principal) or prepared.live.snapshot.resources[principal]).title
        for entity in _entities(prepared):
            if not _is_told(prepared, principal, entity):
                continue
            was, is_now = before[principal, entity.identity], after[principal, entity.identity]
            effect = told.get((principal.kind, title, entity.title))
            _check(effect, was, is_now, everyone=entity.title in everyone, where=f"{seed}: {title} {entity.title}")
            compared += 1
    return compared


_FOR_EVERYONE = {HeadlineType.OPENS_TO_EVERYONE, HeadlineType.CLOSES_TO_EVERYONE}


def _check(effect: Effect | None, was: str | None, is_now: str | None, *, everyone: bool, where: str) -> None:
    if effect is not None:
        assert (effect.before, effect.after) == (was, is_now), where
    elif was != is_now:
        assert everyone, where


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
