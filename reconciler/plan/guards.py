"""The guards: rules that stop a plan before its first write. Pure functions from a plan's parts to refusals.

Each rule has a name and is lifted alone (``docs/explanation/decisions.md, 11``). None has an exemption for small
numbers: removing all of something is never routine, however few there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.resources import AccessRule, Group, Kind, MemberState, Role, Vault, is_servers_own
from reconciler.plan.changes import Action, Change, Guard, Refusal
from reconciler.plan.gains import gain_refusals
from reconciler.plan.identity import identity_refusals
from reconciler.plan.policy.outcome import policy_refusals
from reconciler.plan.rotation import successor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.model.desired import Policy
    from reconciler.model.resources import Address, Resource
    from reconciler.plan.case import Case


_NAMED = ("members", "service_accounts", "groups")
"""The sets of a group or access rule that name who has something through it."""


def check(case: Case, allowed: frozenset[Guard]) -> tuple[Refusal, ...]:
    """Return every refusal, in a stable order; those whose guard is allowed are marked so."""
    return _marked((refusal for rule in _RULES for refusal in rule(case)), allowed)


def still_refused(before: Iterable[Refusal], now: Iterable[Refusal], allowed: frozenset[Guard]) -> tuple[Refusal, ...]:
    """Return what a reviewed plan was refused for and its successor is not, because only the limits have moved.

    People who reviewed a refused plan have not agreed to it: its guards have to be allowed by name.
    """
    told = {(refusal.guard, refusal.kind, refusal.subject) for refusal in now}
    others = (refusal for refusal in before if (refusal.guard, refusal.kind, refusal.subject) not in told)
    return _marked(others, allowed)


def _marked(refusals: Iterable[Refusal], allowed: frozenset[Guard]) -> tuple[Refusal, ...]:
    return tuple(
        replace(refusal, allowed=True) if refusal.liftable and refusal.guard in allowed else refusal
        for refusal in refusals
    )


def _own_identity(case: Case) -> Iterator[Refusal]:
    own = {case.live.caller.address, *_own_keys(case)}
    for change in case.changes:
        if change.address in own and (change.action is Action.DELETE or _loses_admin(change)):
            yield Refusal(guard=Guard.OWN_IDENTITY, kind=change.kind, subject=change.title, names=(change.title,))


def _own_keys(case: Case) -> Iterable[Address]:
    """Return the credential that the caller signed in with, or all of its own if it signed in by a token.

    Nobody says which of them the token comes from. What an earlier run left behind is none that anybody signs in with.
    """
    live = case.live
    if live.caller.access_key is not None:
        return (address for address in live.credentials if live.ids.get(address) == live.caller.access_key)
    own = (address for address in live.credentials if address.owner == live.caller.address)
    return (address for address in own if not _is_leftover(case, address))


def _loses_admin(change: Change) -> bool:
    """Tell whether somebody stops being an admin, by another role or by being removed."""
    if change.invitation or change.action in (Action.CREATE, Action.INVITE):
        return False
    role, admin = change.edited("role"), change.edited("admin")
    return (role is not None and role.before == Role.ADMIN) or (admin is not None and admin.before is True)


def _switches_off(change: Change) -> bool:
    """Tell whether a vault reaches nobody any more, which is to clients as if it were removed."""
    enabled = change.edited("enabled")
    return change.kind is Kind.VAULT and change.action is Action.UPDATE and enabled is not None and not enabled.after


def _min_admins(case: Case) -> Iterator[Refusal]:
    changes = [change for change in case.changes if change.kind is Kind.MEMBER]
    losing = tuple(change.title for change in changes if _loses_admin(change))
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


def _removals_per_kind(case: Case) -> Iterator[Refusal]:
    for kind in Kind:
        removed = tuple(change.title for change in case.deleted(kind) if not _is_leftover(case, change.address))
        counted = (
            *removed,
            *(change.title for change in case.changes if change.kind is kind and _switches_off(change)),
        )
        if not counted:
            continue
        total = sum(_counts(case, item) for item in case.live.snapshot.of_kind(kind).items())
        yield from _judge(case.policy, removed, counted, total, kind, Guard.EMPTY_KIND, subject=None)


def _counts(case: Case, item: tuple[Address, Resource]) -> bool:
    address, resource = item
    is_emptied = isinstance(resource, Vault) and resource.is_emptied
    return not is_emptied and not is_servers_own(resource) and not _is_leftover(case, address)


def _is_leftover(case: Case, address: Address) -> bool:
    """Tell whether a credential was left behind by a run that died before anybody had its secret key.

    Such a one is revoked unasked: it bears the mark of an undelivered one and was never used, or it is one that the
    server made with an account, without a label, and was never used. So is one that was replaced by a declared one and
    has had its time.
    """
    facts = case.live.credentials.get(address)
    if facts is None:
        return False
    if facts.is_retiring:
        return successor(address, facts) in case.desired
    return facts.last_used is None and (facts.is_undelivered or not facts.label)


def _judge(
    policy: Policy,
    removed: tuple[str, ...],
    counted: tuple[str, ...],
    total: int,
    kind: Kind,
    emptied: Guard,
    *,
    subject: str | None,
) -> Iterator[Refusal]:
    if removed and len(removed) >= total:
        yield Refusal(guard=emptied, kind=kind, subject=subject, names=removed, count=len(removed), total=total)
    if not policy.max_removals.allows(len(counted), total):
        yield Refusal(
            guard=Guard.MAX_REMOVALS,
            kind=kind,
            subject=subject,
            names=counted,
            count=len(counted),
            total=total,
            limit=str(policy.max_removals),
        )


def _memberships(case: Case) -> Iterator[Refusal]:
    """Judge each group and access rule that stays; who leaves the workspace altogether is counted as a member only."""
    leaving = {change.key[0] for kind in (Kind.MEMBER, Kind.SERVICE_ACCOUNT) for change in case.deleted(kind)}
    for change in case.changes:
        existing = case.live.snapshot.get(change.address)
        if change.action is not Action.UPDATE or not isinstance(existing, Group | AccessRule):
            continue
        total = sum(len(getattr(existing, name, None) or ()) for name in _NAMED)
        edits = [edit for name in _NAMED if (edit := change.edited_set(name)) is not None]
        removed = tuple(name for edit in edits for name in edit.removed)
        staying = tuple(name for name in removed if name not in leaving)
        yield from _judge(case.policy, removed, staying, total, change.kind, Guard.EMPTY_GROUP, subject=change.title)


def _protected(case: Case) -> Iterator[Refusal]:
    for change in case.changes:
        loses = change.action is Action.DELETE or _loses_admin(change) or _switches_off(change)
        if loses and change.address in case.policy.protected:
            yield Refusal(guard=Guard.PROTECT, kind=change.kind, subject=change.title, names=(change.title,))


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
    _protected,
    _min_admins,
    _removals_per_kind,
    _memberships,
    _groups_with_vaults,
    _groups_with_rules,
    _service_account_limits,
    gain_refusals,
    _identities,
    _own_rules,
)
