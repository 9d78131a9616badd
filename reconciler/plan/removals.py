"""Guards on removals: how many go at once, whether anything is left, and which keys stop working.

A share of a small set is less than one, so a floor lets single removals pass (``policy.max_removals``). It holds only
while the plan takes no more than the share of all memberships, and admins have none. Keys are counted apart: each one
that works and would stop is asked about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.frozen import Frozen
from reconciler.model.resources import AccessRule, Address, Group, Kind, Vault, is_servers_own
from reconciler.plan.changes import Action, Change, Guard, Refusal
from reconciler.plan.rotation import successor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.resources import Resource
    from reconciler.plan.case import Case

_NAMED: Final = ("members", "service_accounts", "groups")
"""The sets of a group or access rule that name who has something through it."""

_MEMBERSHIPS: Final = 3
"""How many memberships of one group, or grants of one access rule, may go in any case, unless the policy says."""

_OTHERS: Final = 1
"""How many resources of one kind may go in any case, unless the policy says."""


def removal_refusals(case: Case) -> Iterator[Refusal]:
    """Return the refusals for removals, in a stable order."""
    sets = tuple(_shrinking_sets(case))
    holds = _floors_hold(case, sets)
    yield from _per_kind(case, holds)
    yield from _per_set(case, sets, holds)
    yield from _revocations(case)


def loses_admin(change: Change) -> bool:
    """Return whether somebody stops being an admin, by another role or by being removed."""
    if change.invitation or change.action in (Action.CREATE, Action.INVITE):
        return False
    role, admin = change.edited("role"), change.edited("admin")
    return (role is not None and role.before == "admin") or (admin is not None and admin.before is True)


def switches_off(change: Change) -> bool:
    """Return whether a vault reaches nobody any more, which is to clients as if it were removed."""
    enabled = change.edited("enabled")
    return change.kind is Kind.VAULT and change.action is Action.UPDATE and enabled is not None and not enabled.after


def is_leftover(case: Case, address: Address) -> bool:
    """Return whether a credential was left behind by a run that died before anybody had its secret key.

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


class _ShrinkingSet(Frozen):
    """A group or access rule and who it loses; ``staying`` are those who do not leave the workspace altogether."""

    change: Change
    removed: tuple[str, ...]
    staying: tuple[str, ...]
    total: int


def _shrinking_sets(case: Case) -> Iterator[_ShrinkingSet]:
    """Return the groups and access rules that lose somebody, also those that go as a whole."""
    leaving = {change.key[0] for kind in (Kind.MEMBER, Kind.SERVICE_ACCOUNT) for change in case.deleted(kind)}
    for change in case.changes:
        existing = case.live.snapshot.get(change.address)
        if not isinstance(existing, Group | AccessRule) or change.action not in (Action.UPDATE, Action.DELETE):
            continue
        edits = [edit for name in _NAMED if (edit := change.edited_set(name)) is not None]
        removed = tuple(name for edit in edits for name in edit.removed)
        staying = tuple(name for name in removed if name not in leaving)
        if removed:
            yield _ShrinkingSet(change, removed, staying, _size(existing))


def _size(resource: Group | AccessRule) -> int:
    return sum(len(getattr(resource, name, None) or ()) for name in _NAMED)


def _floors_hold(case: Case, sets: Iterable[_ShrinkingSet]) -> bool:
    """Return whether all that the plan takes of memberships is within the share of all there are."""
    snapshot = case.live.snapshot
    total = sum(map(_size, snapshot.groups.values())) + sum(map(_size, snapshot.access_rules.values()))
    return case.policy.max_removals.allows(sum(len(one.staying) for one in sets), total)


def _per_kind(case: Case, floors_hold: bool) -> Iterator[Refusal]:
    for kind in Kind:
        if kind is Kind.CREDENTIAL:
            continue
        removals = case.deleted(kind)
        off = [change for change in case.changes if change.kind is kind and switches_off(change)]
        counted = tuple(change.title for change in (*removals, *off))
        if not counted:
            continue
        removed = tuple(change.title for change in removals)
        total = sum(map(_counts, case.live.snapshot.of_kind(kind).values()))
        if removed and len(removed) >= total:
            yield Refusal(guard=Guard.EMPTY_KIND, kind=kind, names=removed, count=len(removed), total=total)
        floor = _OTHERS if floors_hold and not any(map(loses_admin, removals)) else None
        yield from _too_many(case, kind, None, counted, total, floor)


def _counts(resource: Resource) -> bool:
    """Return whether a resource is one of those that could be removed: an own vault that was emptied stays for good."""
    is_emptied = isinstance(resource, Vault) and resource.is_emptied
    return not is_emptied and not is_servers_own(resource)


def _per_set(case: Case, sets: Iterable[_ShrinkingSet], floors_hold: bool) -> Iterator[Refusal]:
    """Judge each group and access rule that stays; who leaves the workspace altogether is counted as a member only."""
    for one in sets:
        change = one.change
        if change.action is Action.DELETE:
            continue
        if len(one.removed) >= one.total:
            yield Refusal(
                guard=Guard.EMPTY_GROUP,
                kind=change.kind,
                subject=change.title,
                names=one.removed,
                count=len(one.removed),
                total=one.total,
            )
        floor = _MEMBERSHIPS if floors_hold else None
        yield from _too_many(case, change.kind, change.title, one.staying, one.total, floor)


def _too_many(
    case: Case, kind: Kind, subject: str | None, names: tuple[str, ...], total: int, usual_floor: int | None
) -> Iterator[Refusal]:
    limit = case.policy.max_removals
    floor = limit.floor(usual_floor) if usual_floor is not None else 0
    if not limit.allows(len(names), total, floor):
        yield Refusal(
            guard=Guard.MAX_REMOVALS,
            kind=kind,
            subject=subject,
            names=names,
            count=len(names),
            total=total,
            limit=f"{limit} or {floor}" if floor > (limit.share or 0) * total else str(limit),
        )


def _revocations(case: Case) -> Iterator[Refusal]:
    """Stop for every key that works and would stop, by account; those of an account that goes are among them."""
    keys: dict[Address, list[str]] = {}
    for change in case.deleted(Kind.CREDENTIAL):
        if _works(case, change.address):
            keys.setdefault(Address(Kind.SERVICE_ACCOUNT, change.key[:1]), []).append(change.title)
    accounts = {change.address: change for change in case.deleted(Kind.SERVICE_ACCOUNT)}
    for account in sorted({*keys, *accounts}):
        names = tuple(keys.get(account, ())) or _keys_of(case, account)
        count = len(names)
        if not count and account in accounts:
            count = accounts[account].credentials_lost
        if count:
            yield Refusal(
                guard=Guard.REVOCATION,
                kind=Kind.SERVICE_ACCOUNT,
                subject=_title(case.live.snapshot.get(account), account),
                names=names,
                count=count,
            )


def _keys_of(case: Case, account: Address) -> tuple[str, ...]:
    snapshot = case.live.snapshot
    return tuple(
        resource.title
        for address, resource in sorted(snapshot.credentials.items())
        if address.owner == account and _works(case, address)
    )


def _works(case: Case, address: Address) -> bool:
    """Return whether somebody may be using a key: it has not ended, and no dead run left it behind."""
    facts = case.live.credentials.get(address)
    ended = case.now is not None and facts is not None and facts.expires is not None and facts.expires <= case.now
    return not ended and not is_leftover(case, address)


def _title(resource: Resource | None, address: Address) -> str:
    return resource.title if resource is not None else address.key[0]
