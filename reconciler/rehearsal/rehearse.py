"""The rehearsal: a plan is carried out on an in-memory copy before the real workspace is touched.

It finds what the comparison cannot see: a call that the server's rules refuse, a state on the way that nobody wants,
an end that is not what was declared.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.apply.execute import execute
from reconciler.apply.run import Run
from reconciler.clearml.endpoints import READS
from reconciler.clearml.read import read_part
from reconciler.clearml.reader import Reader
from reconciler.clearml.retrying import Timing
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import Transport
from reconciler.errors import RefusedError
from reconciler.frozen import Frozen
from reconciler.model.access import Permission
from reconciler.model.resources import AccessRule, Address, Group, Kind, Member, MemberState, Role
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.plan.make import changes_left
from reconciler.plan.outcomes import Outcome
from reconciler.rehearsal.copying import workspace_of
from reconciler.rehearsal.ids import HolderIds
from reconciler.rehearsal.watch import Bounds, Watch
from reconciler.sandbox.app import create_app
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.store import Store
from reconciler.world import Chance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.model.delivery import Delivery
    from reconciler.model.desired import Desired
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.changes import Change
    from reconciler.plan.make import Prepared, Terms
    from reconciler.plan.outcomes import Result
    from reconciler.rehearsal.watch import Grant, GroupBounds

_COPY = "http://copy.localhost"
_SHOWN = 5


class Rehearsed(Frozen):
    """How a rehearsal went: the number of writes, and of states that were looked at on the way."""

    writes: int
    states: int


class _NoDeliveries:
    """Takes the copy's secret keys, which open nothing, and keeps none of them."""

    def check(self, delivery: Delivery) -> None:
        """Find nothing wrong: the real deliveries are checked by the real run."""

    async def deliver(self, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
        """Deliver nothing."""


async def rehearse(prepared: Prepared, changes: Sequence[Change], desired: Desired, terms: Terms) -> Rehearsed:
    """Carry these changes out on a copy of the workspace.

    Raises :class:`RefusedError`, which says which operation would have gone wrong, or which rule broken.
    """
    chance = Chance(Random(prepared.plan.digest).randbytes)  # noqa: S311 - nobody has to guess what is in the copy
    with Store.open(
        ":memory:", clock=lambda: terms.now, randomness=lambda length: chance.token(length)[:length]
    ) as store:
        load_workspace(store, workspace_of(prepared.live, prepared.desired.access_rules.values()))
        watch = Watch(create_app(store), store, READS)
        caller = prepared.live.caller
        token = store.session_for(caller.user) if caller.address is not None else store.session_for_admin()
        settings = ConnectionSettings(_COPY, source="the rehearsal", token=Secret(token))
        async with Transport(settings, transport=watch, timing=_timing(terms, chance)) as transport:
            run = Run.begin(transport, prepared, terms.parser, _NoDeliveries(), chance)
            holders = HolderIds.of(prepared.live)
            watch.bounds = _bounds(prepared, changes, desired, holders)
            results = execute(run, changes, concurrency=1, stop=asyncio.Event())
            failed = [result async for result in results if result.outcome is not Outcome.APPLIED]
            problems = list(_failures(failed)) + watch.violations
            problems = problems or await _remaining(transport, prepared, changes, desired, terms, holders)
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        listed = "".join(f"\n  {problem}" for problem in problems[:_SHOWN])
        raise RefusedError(
            f"the rehearsal on a copy failed; nothing was changed:{listed}{more}",
            hint="mend the declaration or the workspace, then make a new plan",
        )
    return Rehearsed(watch.writes, watch.states)


def _timing(terms: Terms, chance: Chance) -> Timing:
    """Return the time of the copy, which stands still: a rehearsal is the same whenever it is done."""

    async def no_wait(seconds: float) -> None:
        del seconds

    return Timing(sleep=no_wait, random=chance.fraction, clock=lambda: 0.0, now=terms.now.timestamp)


def _failures(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        yield f"{harmless(result.operation.title)} would be {result.outcome.value}: {harmless(result.message)}"


async def _remaining(
    transport: Transport,
    prepared: Prepared,
    changes: Sequence[Change],
    desired: Desired,
    terms: Terms,
    holders: HolderIds,
) -> list[str]:
    """Compare again on the copy; what was carried out must not differ any more. Nobody else is asked for."""
    done = {change.address for change in changes}
    owners = {
        (address.kind, owner.key[0])
        for address in done
        if (owner := address.owner) is not None and owner.kind is Kind.SERVICE_ACCOUNT
    }
    read = await read_part(
        Reader(transport),
        people=_concerned(prepared, done, holders),
        accounts={name for kind, name in owners if kind is Kind.CREDENTIAL} & desired.scope.credentials_of,
        vaults_of={name for kind, name in owners if kind is Kind.VAULT} & desired.scope.vaults_of,
    )
    live = replace(read, entities=prepared.live.entities)
    return [
        f"{change.kind.value} {harmless(change.title)} would still differ afterwards"
        for change in changes_left(desired, live, terms, done)
    ]


def _concerned(prepared: Prepared, done: Iterable[Address], holders: HolderIds) -> frozenset[str]:
    """Return the ids of the people whom changes name, as things are and as they shall be."""
    names = set[str]()
    for address in done:
        if address.kind is Kind.MEMBER:
            names.add(address.key[0])
        for side in (prepared.live.snapshot, prepared.desired):
            resource = side.get(address)
            if isinstance(resource, Group | AccessRule):
                names |= resource.members or frozenset()
    return holders.users(names, None)


def _bounds(prepared: Prepared, changes: Sequence[Change], desired: Desired, holders: HolderIds) -> Bounds:
    live, ids = prepared.live, prepared.live.ids
    changed = {change.address for change in changes}
    before = {address for address, member in live.snapshot.members.items() if _is_admin(member)}
    after = {
        address
        for address, member in live.snapshot.members.items()
        if (_is_admin(member) if address not in changed else _stays_admin(prepared.desired, address, member))
    }
    people = frozenset(ids[address] for address in live.snapshot.members if address in ids)
    accounts_before, accounts_after = _admin_accounts(prepared, changed)
    return Bounds(
        caller=live.caller.user if live.caller.address is not None else None,
        known=frozenset(ids.values()),
        fewest_admins=min(desired.policy.min_admins, len(before), len(after)),
        people=people,
        admins_before=frozenset(ids[address] for address in before) | accounts_before,
        admins_after=frozenset(ids[address] for address in after) | accounts_after,
        group=_group_bounds(prepared, holders),
        rules={
            live.ids[address]: (_grants(holders, rule), _grants(holders, wanted))
            for address, rule in live.snapshot.access_rules.items()
            if isinstance(wanted := prepared.desired.get(address), AccessRule)
        },
    )


def _is_admin(member: Member) -> bool:
    return member.role is Role.ADMIN and member.state is MemberState.ACTIVE


def _stays_admin(desired: Snapshot, address: Address, member: Member) -> bool:
    wanted = desired.get(address)
    return member.state is MemberState.ACTIVE and isinstance(wanted, Member) and wanted.role is Role.ADMIN


def _admin_accounts(prepared: Prepared, changed: set[Address]) -> tuple[frozenset[str], frozenset[str]]:
    live = prepared.live
    before = {address for address, account in live.snapshot.service_accounts.items() if account.admin}
    wanted = {address for address, account in prepared.desired.service_accounts.items() if account.admin}
    after = {address for address in before if address not in changed} | (wanted & live.ids.keys())
    return frozenset(live.ids[address] for address in before), frozenset(live.ids[address] for address in after)


def _group_bounds(prepared: Prepared, holders: HolderIds) -> Callable[[str], GroupBounds | None]:
    """Return what tells who is in a group before and after; only the few that are written are asked for."""
    live = prepared.live
    addresses = {live.ids[address]: address for address, group in live.snapshot.groups.items() if not group.builtin}

    def bounds(group_id: str) -> GroupBounds | None:
        address = addresses.get(group_id)
        if address is None:
            return None
        group, wanted = live.snapshot.get(address), prepared.desired.get(address)
        if not isinstance(group, Group) or not isinstance(wanted, Group):
            return None
        members = group.members if wanted.members is None else wanted.members
        accounts = group.service_accounts if wanted.service_accounts is None else wanted.service_accounts
        return holders.users(group.members, group.service_accounts), holders.users(members, accounts)

    return bounds


def _grants(holders: HolderIds, rule: AccessRule) -> frozenset[Grant]:
    found = holders.users(rule.members, rule.service_accounts) | holders.groups(rule.groups)
    entity = rule.entity.type.value, rule.entity.id
    permissions = {Permission.READ.value, rule.permission.value}
    return frozenset((holder, *entity, permission) for holder in found for permission in permissions)
