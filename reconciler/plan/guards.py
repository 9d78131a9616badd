"""The guards: rules that stop a plan before its first write. Pure functions from a plan's parts to refusals.

Each rule has a name and is lifted alone (``docs/explanation/decisions.md, 11``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.resources import Kind, MemberState, Role
from reconciler.plan.allowance import marked
from reconciler.plan.changes import Action, Guard, Refusal
from reconciler.plan.gains import gain_refusals
from reconciler.plan.identity import identity_refusals
from reconciler.plan.last_policy import only_refused_before
from reconciler.plan.policy.outcome import policy_refusals
from reconciler.plan.protected import protected_refusals
from reconciler.plan.removals import is_leftover, loses_admin, removal_refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from reconciler.model.resources import Address
    from reconciler.plan.allowance import Allowance
    from reconciler.plan.case import Case
    from reconciler.plan.document import Plan


def check(case: Case, allowed: Collection[Allowance]) -> tuple[Refusal, ...]:
    """Return every refusal, in a stable order; those whose guard is allowed are marked so."""
    now = _refusals(case)
    if case.last_policy in (None, replace(case.policy, rules=(), unreadable=frozenset())):
        return marked(now, allowed, case.changes)
    then = _refusals(replace(case, policy=case.last_policy, broken=()))
    return marked((*now, *only_refused_before(then, now)), allowed, case.changes)


def _refusals(case: Case) -> tuple[Refusal, ...]:
    return tuple(refusal for rule in _RULES for refusal in rule(case))


def still_refused(reviewed: Plan, now: Iterable[Refusal], allowed: Collection[Allowance]) -> tuple[Refusal, ...]:
    """Return what a reviewed plan was refused for and its successor is not, because only the limits have moved.

    People who reviewed a refused plan have not agreed to it: its guards have to be allowed by name.
    """
    told = {(refusal.guard, refusal.kind, refusal.subject) for refusal in now}
    others = (refusal for refusal in reviewed.refused if (refusal.guard, refusal.kind, refusal.subject) not in told)
    return marked(others, allowed, reviewed.changes)


def _own_identity(case: Case) -> Iterator[Refusal]:
    own = {case.live.caller.address, *_own_keys(case)}
    for change in case.changes:
        if change.address in own and (change.action is Action.DELETE or loses_admin(change)):
            yield Refusal(guard=Guard.OWN_IDENTITY, kind=change.kind, subject=change.title, names=(change.title,))


def _own_keys(case: Case) -> Iterable[Address]:
    """Return the credential that the caller signed in with, or all of its own if it signed in by a token.

    Nobody says which of them the token comes from. What an earlier run left behind is none that anybody signs in with.
    """
    live = case.live
    if live.caller.access_key is not None:
        return (address for address in live.credentials if live.ids.get(address) == live.caller.access_key)
    own = (address for address in live.credentials if address.owner == live.caller.address)
    return (address for address in own if not is_leftover(case, address))


def _min_admins(case: Case) -> Iterator[Refusal]:
    changes = [change for change in case.changes if change.kind is Kind.MEMBER]
    losing = tuple(change.title for change in changes if loses_admin(change))
    if not losing:
        return
    gained = sum(
        change.action is Action.UPDATE
        and not change.invitation
        and (role := change.edited("role")) is not None
        and role.after == Role.ADMIN
        for change in changes
    )
    before = sum(
        member.role is Role.ADMIN and member.state is MemberState.ACTIVE
        for member in case.live.snapshot.members.values()
    )
    after = before + gained - len(losing)
    if after < case.policy.min_admins:
        yield Refusal(
            guard=Guard.MIN_ADMINS,
            kind=Kind.MEMBER,
            names=losing,
            count=after,
            total=before,
            limit=str(case.policy.min_admins),
        )


def _groups_with_vaults(case: Case) -> Iterator[Refusal]:
    """Stop the removal of a group while a vault that is left alone belongs to it."""
    owners: dict[Address | None, list[str]] = {}
    for address, vault in case.desired.vaults.items():
        owners.setdefault(address.owner, []).append(vault.title)
    for change in case.deleted(Kind.GROUP):
        vaults = tuple(sorted(owners.get(change.address, ())))
        if vaults:
            yield Refusal(
                guard=Guard.STILL_USED,
                kind=Kind.GROUP,
                subject=change.title,
                names=vaults,
                count=len(vaults),
                limit="vaults",
            )


def _groups_with_rules(case: Case) -> Iterator[Refusal]:
    """Stop the removal of a group while an access rule that is left alone names it."""
    users: dict[str, list[str]] = {}
    for rule in case.desired.access_rules.values():
        for group in rule.groups:
            users.setdefault(group, []).append(rule.title)
    for change in case.deleted(Kind.GROUP):
        rules = tuple(sorted(users.get(change.key[0], ())))
        if rules:
            yield Refusal(
                guard=Guard.STILL_USED,
                kind=Kind.GROUP,
                subject=change.title,
                names=rules,
                count=len(rules),
                limit="access_rules",
            )


def _service_account_limits(case: Case) -> Iterator[Refusal]:
    changes = [change for change in case.changes if change.kind is Kind.SERVICE_ACCOUNT]
    created = tuple(change.title for change in changes if change.action is Action.CREATE)
    wanted, most = len(case.desired.service_accounts), case.live.maximum_service_accounts
    if created and most is not None and wanted > most:
        yield Refusal(
            guard=Guard.SERVER_LIMIT,
            kind=Kind.SERVICE_ACCOUNT,
            names=created,
            count=wanted,
            total=len(case.live.snapshot.service_accounts),
            limit=str(most),
        )
    judged = tuple(change.title for change in changes if change.edited("admin") is not None)
    if judged and not case.live.admin_accounts_allowed:
        yield Refusal(guard=Guard.SERVER_LIMIT, kind=Kind.SERVICE_ACCOUNT, names=judged, limit="admins")


def _identities(case: Case) -> Iterator[Refusal]:
    return identity_refusals(case.replaced, case.live)


def _own_rules(case: Case) -> Iterator[Refusal]:
    return policy_refusals(case.broken)


_RULES: tuple[Callable[[Case], Iterator[Refusal]], ...] = (
    _own_identity,
    protected_refusals,
    _min_admins,
    removal_refusals,
    _groups_with_vaults,
    _groups_with_rules,
    _service_account_limits,
    gain_refusals,
    _identities,
    _own_rules,
)
