"""Every state that may be true on the way of small plans: lawful, as predicted, and as the sandbox has it.

``pytest tests/plan/test_prefixes.py --all-faults -n 2`` looks at some 3,000 plans.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.apply.perform import perform
from reconciler.apply.run import Run, chosen_ids
from reconciler.apply.scheduler import run_all
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport
from reconciler.errors import ReconcilerError, RefusedError
from reconciler.model.access import Entity, EntityType, Permission
from reconciler.model.desired import Policy
from reconciler.model.live import Live
from reconciler.model.resources import (
    AccessRule,
    Address,
    Group,
    Kind,
    Member,
    MemberState,
    Resource,
    Role,
    ServiceAccount,
    Vault,
)
from reconciler.model.secret import Secret
from reconciler.model.snapshot import Snapshot
from reconciler.plan.access.index import PRINCIPALS, AccessIndex, gives_more
from reconciler.plan.changes import Change, Guard
from reconciler.plan.make import Prepared
from reconciler.plan.operations import Operation, OperationKind, operations_of
from reconciler.plan.order import dependencies, order_of
from reconciler.plan.outcomes import Outcome
from reconciler.plan.prefixes import check_prefixes, predicted
from reconciler.process import CHANCE
from reconciler.sandbox.app import create_app
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.store import Store
from reconciler.vaults.parse import DocumentParser
from tests.build import admin, desired, group, live, planned, rule
from tests.support.copying import workspace_of
from tests.support.random_workspaces import random_pair

SHARES, PLANS, MANY_PLANS = 4, 12, 300
MOST_OPERATIONS = 8
ROOT, BOB, TOM = admin("root@acme.io"), Member("bob@acme.io"), Member("tom@acme.io")
Identity = tuple[Address, OperationKind]
Order = dict[Identity, frozenset[Identity]]


@dataclass(frozen=True)
class Small:
    """A plan of few operations, which need nothing that is not among them."""

    prepared: Prepared
    operations: tuple[Operation, ...]
    order: Order

    @property
    def live(self) -> Live:
        return self.prepared.live

    def after(self, done: frozenset[Identity]) -> Snapshot:
        return predicted(
            self.live.snapshot, self.prepared.desired, [one for one in self.operations if one.identity in done]
        )

    def states(self) -> Iterator[frozenset[Identity]]:
        """Return every set of operations that the order permits, whichever of them failed."""
        found = {frozenset[Identity]()}
        yield from found
        while found:
            found = {
                state | {one.identity}
                for state in found
                for one in self.operations
                if one.identity not in state and self.order[one.identity] <= state
            }
            yield from found


def small_plan(prepared: Prepared, changes: tuple[Change, ...] | None = None) -> Small:
    operations = operations_of(prepared.plan.changes if changes is None else changes)
    before, after = AccessIndex.of_live(prepared.live), AccessIndex.of_live(prepared.live, prepared.desired)
    return Small(prepared, operations, order_of(operations, before, after))


def small_plans(seed: int, parser: DocumentParser) -> Iterator[Small]:
    """Return parts of a random plan that can be carried out alone."""
    pair, choose = random_pair(seed), random.Random(seed)
    prepared = planned(pair.wanted, pair.existing, parser, allow=tuple(Guard))
    needs: dict[Address, set[Address]] = {}
    for (address, _), before in dependencies(operations_of(prepared.plan.changes)).items():
        needs.setdefault(address, set()).update(other for other, _ in before)
    for _ in range(3 if not prepared.plan.refused and prepared.plan.changes else 0):
        chosen = {change.address for change in choose.sample(prepared.plan.changes, min(3, len(prepared.plan.changes)))}
        while more := {other for address in chosen for other in needs.get(address, ())} - chosen:
            chosen |= more
        found = small_plan(prepared, tuple(change for change in prepared.plan.changes if change.address in chosen))
        if len(found.operations) <= MOST_OPERATIONS:
            yield found


@pytest.mark.parametrize("share", range(SHARES))
def test_every_state_on_the_way_is_lawful_and_as_the_sandbox_has_it(
    share: int, parser: DocumentParser, request: pytest.FixtureRequest
) -> None:
    everything = request.config.getoption("--all-faults")
    states = compared = 0
    for seed in range(share, (MANY_PLANS if everything else PLANS) * SHARES, SHARES):
        for plan in small_plans(seed, parser):
            check_prefixes(plan.operations, plan.order, plan.live, plan.prepared.desired)
            ways = list(plan.states())
            for done in ways:
                assert list(_unlawful(plan, done)) == [], f"{seed}: {_titles(done)}"
            states += len(ways)
            chosen = ways if everything else [ways[0], *random.Random(seed).sample(ways, min(2, len(ways))), ways[-1]]
            for done in dict.fromkeys(chosen):
                asyncio.run(_compare(plan, done, parser))
                compared += 1
    assert states > 100
    assert compared > 20


def _titles(done: frozenset[Identity]) -> list[str]:
    return sorted(f"{kind.value} {' / '.join(address.key)}" for address, kind in done)


def _unlawful(plan: Small, done: frozenset[Identity]) -> Iterator[str]:
    """Look at one state in all ways that a workspace can be looked at."""
    start, end = plan.live.snapshot, plan.after(frozenset(plan.order))
    now = plan.after(done)
    if _admins(now) < min(_admins(start), _admins(end)):
        yield "too few admins"
    if plan.live.caller.address not in now:
        yield "the identity of this run is gone"
    yield from _dangling(now)
    for address, rule_now in now.access_rules.items():
        either = {granted for one in (start, end) for granted in _granted(one.get(address))}
        if not _granted(rule_now) <= either:
            yield f"{rule_now.name} gives what it gives neither before nor after"
    before, after, here = (AccessIndex.of_live(plan.live, snapshot) for snapshot in (start, end, now))
    exchanged = sum(one.removal and one.kind is OperationKind.UPDATE_RULE for one in plan.operations) > 1
    for principal in before.principals:
        if after.has(principal) and before.has(principal) and not exchanged:
            for entity in (before.entities | after.entities).values():
                had, has = before.permission(principal, entity), after.permission(principal, entity)
                kept = has if gives_more(had, has) else had
                if gives_more(kept, here.permission(principal, entity)):
                    yield f"{principal.key[0]} keeps {entity.title} and has it not"


def _admins(snapshot: Snapshot) -> int:
    return sum(one.role is Role.ADMIN and one.state is MemberState.ACTIVE for one in snapshot.members.values())


def _granted(one: Resource | None) -> set[tuple[object, ...]]:
    if not isinstance(one, AccessRule):
        return set()
    permissions = {Permission.READ, one.permission}
    holders = {*one.members, *one.service_accounts, *one.groups}
    return {(holder, one.entity.identity, permission) for holder in holders for permission in permissions}


def _dangling(now: Snapshot) -> Iterator[str]:
    for address, resource in now.resources.items():
        if address.owner is not None and address.owner not in now:
            yield f"{resource.title} has lost its owner"
        if isinstance(resource, AccessRule):
            yield from (f"{resource.name} names {one}" for one in resource.groups if Address.group(one) not in now)


@dataclass
class Recording:
    """The sandbox's application, and the writes that were sent to it."""

    app: Callable[..., Awaitable[None]]
    writes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        content = b""

        async def heard() -> Any:
            nonlocal content
            message = await receive()
            content += message.get("body", b"")
            return message

        await self.app(scope, heard, send)
        self.writes.append((scope["path"].rpartition("/")[2], json.loads(content or b"{}")))


async def _compare(plan: Small, done: frozenset[Identity], parser: DocumentParser) -> None:
    """Carry out just these operations on the sandbox; compare each write, and what is true then, with what was said."""
    with Store.open(":memory:") as store:
        load_workspace(store, workspace_of(plan.live, plan.prepared.desired.access_rules.values()))
        settings = ConnectionSettings(
            "http://sandbox.localhost", token=Secret(store.session_for("id-member-root@acme.io"))
        )
        app = Recording(create_app(store))
        async with Transport(settings, transport=httpx.ASGITransport(app)) as transport:
            run = Run.begin(
                transport, plan.prepared, parser, _Nowhere(), chosen_ids(plan.prepared.plan.changes, {}, CHANCE)
            )
            applied: set[Identity] = set()

            async def carry_out(operation: Operation) -> None:
                if operation.identity not in done:
                    raise ReconcilerError("not this one")
                app.writes.clear()
                await perform(run, operation)
                applied.add(operation.identity)
                now = plan.after(frozenset(applied)).get(operation.change.address)
                for endpoint, body in app.writes:
                    assert _said(endpoint, body) in (None, _wanted(endpoint, now, run.ids)), operation.title

            results = run_all(plan.operations, plan.order, carry_out, concurrency=1, stop=asyncio.Event())
            succeeded = {one.operation.identity async for one in results if one.outcome is Outcome.APPLIED}
            assert applied == succeeded == done
            found = await read_live(Reader(transport))
    assert _told(found.snapshot, found.ids) == _told(plan.after(done), run.ids), _titles(done)


def _said(endpoint: str, body: dict[str, Any]) -> object:
    """Return what a request says that the check predicts; nothing of others."""
    match endpoint:
        case "permissions.add_or_update_user_group":
            return set(body["users"])
        case "permissions.add_or_update_access_rule":
            return body["access_permission"], body["entity_id"], set(body["users"]), set(body["groups"])
        case "users.set_role":
            return body["role"]
        case "users.update_service_user":
            return body["name"], body["allow_running_as_owner"]
        case _:
            return None


def _wanted(endpoint: str, now: Resource | None, ids: dict[Address, str]) -> object:
    match now:
        case Group():
            return _ids(ids, now)
        case AccessRule():
            groups = {ids[Address.group(name)] for name in now.groups}
            return now.permission.value, now.entity.id, _ids(ids, now), groups
        case Member():
            return now.role
        case _ if endpoint == "users.set_role":
            return "admin" if getattr(now, "admin", False) else "user"
        case _:
            return getattr(now, "name", None), getattr(now, "impersonation", None)


def _ids(ids: Mapping[Address, str], named: Group | AccessRule) -> set[str]:
    members = {Address(Kind.MEMBER, (name,)) for name in named.members or ()}
    accounts = {Address(Kind.SERVICE_ACCOUNT, (name,)) for name in named.service_accounts or ()}
    return {ids[address] for address in members | accounts if address in ids}


def _told(snapshot: Snapshot, ids: Mapping[Address, str]) -> dict[str, object]:
    """Return what is compared, by server ids: names may change; of built-in groups, keys and emptied vaults nothing."""
    there = {ids[address] for address in snapshot.resources if address.kind in PRINCIPALS and address in ids}
    found: dict[str, object] = {}
    for address, one in snapshot.resources.items():
        identifier = ids.get(address, address.key[0])
        match one:
            case Member():
                found[identifier] = one.role, one.state
            case Group() if not one.builtin:
                found[identifier] = _ids(ids, one) & there
            case AccessRule():
                groups = {ids[Address.group(name)] for name in one.groups}
                found[identifier] = one.entity.identity, one.permission, _ids(ids, one) & there, groups
            case Vault() if not one.is_emptied:
                found[identifier] = one.document.text, one.enabled
            case ServiceAccount():
                found[identifier] = one.admin, one.impersonation
    return found


class _Nowhere:
    def check(self, delivery: object) -> None:
        pass

    async def deliver(self, delivery: object, access_key: str, secret_key: Secret) -> None:
        pass


@pytest.mark.parametrize("seed", range(200))
def test_the_least_number_of_admins_holds_unless_it_is_lifted(seed: int, parser: DocumentParser) -> None:
    pair = random_pair(seed)
    wanted = replace(pair.wanted, policy=Policy(min_admins=3, max_removals=pair.wanted.policy.max_removals))
    allowed = tuple(guard for guard in Guard if guard is not Guard.MIN_ADMINS)
    prepared = planned(wanted, pair.existing, parser, allow=allowed)
    admins_after = sum(
        member.role == "admin" and address in pair.existing.ids
        for address, member in prepared.desired.members.items()
        if address in pair.existing.snapshot
    )
    demotes = any(change.edited("role") and change.edited("role").before == "admin" for change in prepared.plan.changes)  # type: ignore[union-attr]
    refused = any(refusal.guard is Guard.MIN_ADMINS for refusal in prepared.plan.refused)
    assert refused == (demotes and admins_after < 3)


class TestWaiting:
    """What an order by the resources that operations touch does not see."""

    BELOW = Entity(EntityType.PROJECT, "id-of-robots", "Vision/Robots")
    OPS, LAB = group("ops", "bob@acme.io"), group("lab", "bob@acme.io")

    def steps(
        self, before: tuple[Resource, ...], after: tuple[Resource, ...], parser: DocumentParser
    ) -> dict[str, set[str]]:
        people = (ROOT, BOB, TOM)
        plan = small_plan(planned(desired(*people, *after), live(*people, *before), parser, allow=tuple(Guard)))
        check_prefixes(plan.operations, plan.order, plan.live, plan.prepared.desired)
        unordered = dependencies(plan.operations)
        if any(plan.order[step] != unordered[step] for step in unordered):
            with pytest.raises(RefusedError, match="who keeps it"):
                check_prefixes(plan.operations, unordered, plan.live, plan.prepared.desired)
        return {
            f"{kind.value} {address.key[-1]}": {f"{other.value} {at.key[-1]}" for at, other in found}
            for (address, kind), found in plan.order.items()
        }

    def test_a_rule_of_ones_own_waits_for_one_of_a_group(self, parser: DocumentParser) -> None:
        steps = self.steps(
            (self.OPS, rule("own", "bob@acme.io"), rule("x", "tom@acme.io")),
            (self.OPS, rule("of-ops", groups=["ops"]), rule("x", "tom@acme.io")),
            parser,
        )
        assert steps["remove access rule own"] == {"create access rule of-ops"}

    def test_leaving_a_group_waits_for_another_groups_rule(self, parser: DocumentParser) -> None:
        vision = rule("of-ops", groups=["ops"])
        steps = self.steps(
            (self.OPS, self.LAB, vision),
            (group("ops", "tom@acme.io"), self.LAB, vision, rule("of-lab", groups=["lab"])),
            parser,
        )
        assert "create access rule of-lab" in steps["remove from group ops"]

    def test_a_rule_below_waits_for_one_above(self, parser: DocumentParser) -> None:
        steps = self.steps(
            (self.OPS, rule("robots", "bob@acme.io", entity=self.BELOW), rule("x", "tom@acme.io")),
            (self.OPS, rule("vision", groups=["ops"], permission=Permission.READ_WRITE), rule("x", "tom@acme.io")),
            parser,
        )
        assert steps["remove access rule robots"] == {"create access rule vision"}

    def test_a_rule_of_other_people_or_another_entity_is_not_waited_for(self, parser: DocumentParser) -> None:
        other = Entity(EntityType.PROJECT, "id-of-audio", "Audio")
        steps = self.steps(
            (self.OPS, rule("own", "bob@acme.io"), rule("x", "tom@acme.io")),
            (
                self.OPS,
                rule("audio", groups=["ops"], entity=other),
                rule("x", "tom@acme.io"),
                rule("y", "root@acme.io"),
            ),
            parser,
        )
        assert steps["remove access rule own"] == set()

    def test_two_rules_that_change_places_are_not_refused(self, parser: DocumentParser) -> None:
        """Each gives what the other takes, in one call: no order is better than the other."""
        queue = Entity(EntityType.QUEUE, "id-of-gpu", "gpu")
        steps = self.steps(
            (rule("one", "bob@acme.io", entity=self.BELOW), rule("two", "bob@acme.io", entity=queue)),
            (rule("one", "bob@acme.io", entity=queue), rule("two", "bob@acme.io")),
            parser,
        )
        assert steps == {"update access rule one": set(), "update access rule two": set()}

    def test_an_unknown_order_is_refused(self, parser: DocumentParser) -> None:
        before, after = (admin("bob@acme.io"), TOM), (BOB, admin("tom@acme.io"))
        plan = small_plan(planned(desired(ROOT, *after), live(ROOT, *before), parser, allow=tuple(Guard)))
        nothing = {one.identity: frozenset[Identity]() for one in plan.operations}
        check_prefixes(plan.operations, plan.order, plan.live, plan.prepared.desired)
        with pytest.raises(RefusedError, match="too few admins are left"):
            check_prefixes(plan.operations, nothing, plan.live, plan.prepared.desired)

    def test_what_is_made_is_used_afterwards_and_what_is_removed_is_used_before(self, parser: DocumentParser) -> None:
        before, after = (
            (group("old", "bob@acme.io"), rule("r", groups=["old"])),
            (group("new"), rule("s", groups=["new"])),
        )
        plan = small_plan(planned(desired(ROOT, BOB, *after), live(ROOT, BOB, *before), parser, allow=tuple(Guard)))
        nothing = {one.identity: frozenset[Identity]() for one in plan.operations}
        with pytest.raises(RefusedError) as refused:
            check_prefixes(plan.operations, nothing, plan.live, plan.prepared.desired)
        assert "create access rule s could come before create group new" in refused.value.message
        assert "remove group old could come before remove access rule r" in refused.value.message


def test_the_identity_of_the_run_is_not_touched(parser: DocumentParser) -> None:
    plan = small_plan(
        planned(desired(BOB, admin("tom@acme.io")), live(ROOT, BOB, admin("tom@acme.io")), parser, allow=tuple(Guard))
    )
    with pytest.raises(RefusedError, match="the identity of this run"):
        check_prefixes(plan.operations, plan.order, plan.live, plan.prepared.desired)
