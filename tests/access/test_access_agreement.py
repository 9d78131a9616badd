"""Property: the index says what the sandbox answers, and the listings say what the index does.

``pytest tests/access/test_access_agreement.py --all-faults -n 2`` compares 10,000 generated workspaces.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.live import Live
from reconciler.model.resources import Address, Kind
from reconciler.model.secret import Secret
from reconciler.plan.access.index import EVERYONE, AccessIndex
from reconciler.plan.access.listing import Fact, Listing
from reconciler.plan.impact.content import Content
from reconciler.plan.impact.report import Aspect
from reconciler.sandbox import state
from reconciler.sandbox.app import create_app
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.choices import USERS_GROUP_ID
from reconciler.sandbox.permissions import permission
from reconciler.sandbox.store import Store

SHARES, SAMPLE, ALL_WORKSPACES = 4, 25, 2_500
RANK = {None: 0, "none": 0, "read": 1, "read_write": 2}
ENTITIES = (
    state.Entity("project", "a", "A"),
    state.Entity("project", "ab", "A/B"),
    state.Entity("project", "abc", "A/B/C"),
    state.Entity("project", "a2", "A2"),
    state.Entity("project", "d", "D"),
    state.Entity("project", "d-twin", "D"),
    state.Entity("project", "de", "D/E"),
    state.Entity("model", "resnet", "resnet", "ab"),
    state.Entity("task", "train", "A"),
    state.Entity("queue", "gpu", "gpu"),
    state.Entity("app", "app-1", "Viewer"),
)
RULED = (*((one.type, one.id) for one in ENTITIES), ("project", "gone"), ("project", None), ("app_category", "Tools"))


def generated(seed: int) -> state.Workspace:
    """Return a workspace with rules of all sorts, whose default rules may be narrowed or gone."""
    choose = random.Random(seed)
    numbers = count()

    def some(items: list[str], share: float) -> frozenset[str]:
        return frozenset(item for item in items if choose.random() < share)

    people = [state.Person("root", "root@acme.io", "Root", "admin")]
    people += [
        state.Person(f"p{number}", f"p{number}@acme.io", "", choose.choice(["user", "user", "consumer", "admin"]))
        for number in range(choose.randint(1, 3))
    ]
    accounts = [
        state.ServiceAccount(f"s{number}", f"agent-{number}", choose.choice(["user", "user", "admin"]))
        for number in range(choose.randint(0, 2))
    ]
    users = [*(person.id for person in people), *(account.id for account in accounts)]
    groups = [state.Group(f"g{number}", f"group {number}", users=some(users, 0.4)) for number in range(2)]
    groups.append(state.Group("qa", "Queue admins", users=some(users, 0.2), system=True))

    def rule(kind: str, entity: str | None, *, automatic: bool) -> state.Rule:
        number = next(numbers)
        named = frozenset([USERS_GROUP_ID]) if automatic or choose.random() < 0.1 else some(["g0", "g1", "qa"], 0.4)
        return state.Rule(
            id=f"r{number}",
            name=f"rule {number}",
            entity_type=kind,
            entity_id=entity,
            access_permission="read_write" if choose.random() < 0.6 else "read",
            users=frozenset() if automatic else some(users, 0.2),
            groups=named,
            autocreated=automatic,
        )

    defaults = choose.choice([1.0, 0.7, 0.1])
    rules = [rule("route", ALL, automatic=True)]
    rules += [
        rule(kind.value, ALL, automatic=True)
        for kind in EntityType
        if kind is not EntityType.ROUTE and choose.random() < defaults
    ]
    wanted = (*RULED, *((kind.value, ALL) for kind in EntityType))
    rules += [rule(*choose.choice(wanted), automatic=False) for _ in range(choose.randint(0, 8))]
    return state.Workspace(
        tuple(people), service_accounts=tuple(accounts), groups=tuple(groups), rules=tuple(rules), entities=ENTITIES
    )


@pytest.mark.parametrize("share", range(SHARES))
def test_the_index_is_what_the_sandbox_answers(share: int, request: pytest.FixtureRequest) -> None:
    workspaces = ALL_WORKSPACES if request.config.getoption("--all-faults") else SAMPLE
    exact = 0
    for seed in range(share, workspaces * SHARES, SHARES):
        with Store.open(":memory:") as store:
            load_workspace(store, generated(seed))
            live = asyncio.run(_read(store))
            exact += _compare(live, store, seed)
    assert exact > workspaces * 20


async def _read(store: Store) -> Live:
    settings = ConnectionSettings("http://sandbox.localhost", token=Secret(store.session_for("root")))
    async with Transport(settings, transport=httpx.ASGITransport(create_app(store))) as transport:
        return await read_live(Reader(transport), accounts=())


def _asked() -> Iterator[Entity]:
    names = {(one.type, one.id): one.name for one in ENTITIES}
    for kind, identifier in RULED:
        yield Entity(EntityType(kind), identifier, names.get((kind, identifier or "")))
    for entity_type in EntityType:
        yield Entity(entity_type, ALL)


def _compare(live: Live, store: Store, seed: int) -> int:
    """Ask the sandbox everything and compare; return for how many questions the index is sure of the answer."""
    index = AccessIndex.of_live(live)
    listing = Listing(index, lambda _: Content(0, 0))
    sure = 0
    for principal, user in live.ids.items():
        if principal.kind not in (Kind.MEMBER, Kind.SERVICE_ACCOUNT):
            continue
        listed = [fact for fact in listing.of_principal(principal) if fact.aspect is Aspect.ACCESS]
        for entity in _asked():
            where = f"workspace {seed}: {principal.key[0]} and {entity.title}"
            with store.transaction(write=False) as db:
                answer = RANK[permission(db, user, entity.type.value, entity.id)]
            known, is_open = RANK[index.permission(principal, entity)], index.at_least(principal, entity)
            assert known == answer or (is_open and known < answer), where
            sure += not is_open
            assert _of_entity(listing, principal, entity) == known, where
            if entity.title.endswith("project D"):
                continue
            assert _of_principal(listed, entity, index) == known, where
    return sure


def _of_entity(listing: Listing, principal: Address, entity: Entity) -> int:
    title = listing.index.title(principal)
    return _most(fact for fact in listing.of_entity(entity) if fact.kind is None or fact.principal == title)


def _of_principal(listed: list[Fact], entity: Entity, index: AccessIndex) -> int:
    """Return what the facts of one principal say of an entity: those of itself, of what it is in, and of everything."""
    holders = {entity.title, f"{entity.type.value.replace('_', ' ')} {ALL}"}
    holders |= {index.entities[scope].title for scope in index.scopes(entity) if scope in index.entities}
    plural = "app categories" if entity.type is EntityType.APP_CATEGORY else f"{entity.type.value}s"
    return _most(
        fact
        for fact in listed
        if fact.subject in holders
        or (fact.subject.startswith("everything") and plural not in fact.subject.partition(" but ")[2].split(", "))
    )


def _most(facts: Iterator[Fact]) -> int:
    return max((RANK[fact.level] for fact in facts if fact.certain), default=0)


def test_everyone_has_what_the_default_rules_give() -> None:
    with Store.open(":memory:") as store:
        index = AccessIndex.of_live(asyncio.run(_read_new(store)))
    assert {index.permission(EVERYONE, entity) for entity in _asked()} == {Permission.READ_WRITE}


async def _read_new(store: Store) -> Live:
    load_workspace(store, state.Workspace((state.Person("root", "root@acme.io", "Root", "admin"),), entities=ENTITIES))
    return await _read(store)
