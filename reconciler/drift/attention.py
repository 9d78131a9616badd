"""What deserves a look though nothing differs: keys that end or are not used, old invitations, groups of nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from reconciler.drift.report import Attention, AttentionKind
from reconciler.frozen import Frozen
from reconciler.model.resources import Group, MemberState, OwnerKind, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from reconciler.model.live import Live
    from reconciler.model.resources import Address, Resource
    from reconciler.model.unreadable import Unreadable


class Limits(Frozen):
    """How long is too long; ``None`` does not ask."""

    expiring_within: timedelta | None
    unused_for: timedelta | None
    pending_for: timedelta | None
    inactive_for: timedelta | None


class WatchedWorkspace(Frozen):
    """What attention is judged by; ``now`` is the server's time, ``None`` where that is not certain.

    ``waited_for`` are the groups that somebody waits to join, ``due`` the credentials that are to be replaced anyway.
    ``activity`` tells when admins were last seen (``None``: never); whom it does not name nobody knows of.
    """

    live: Live
    now: datetime | None
    waited_for: Collection[str] = ()
    due: Collection[Address] = ()
    activity: Mapping[Address, datetime | None] = field(default_factory=dict)


def find_attention(workspace: WatchedWorkspace, limits: Limits) -> tuple[Attention, ...]:
    """Return all that deserves a look, by kind of concern, in a stable order."""
    found: list[Attention] = []
    if workspace.now is not None:
        for judge in (_expiring, _unused, _pending, _inactive):
            found += judge(workspace, workspace.now, limits)
    found += _empty_groups(workspace)
    found += _unreached_vaults(workspace)
    return tuple(found)


def unreadable_attention(doubts: Iterable[Unreadable]) -> tuple[Attention, ...]:
    """Return what could not be read as what deserves a look: it may differ, and nobody can tell."""
    return tuple(
        Attention(
            what=AttentionKind.UNREADABLE,
            kind=item.kind,
            key=item.key or (item.id or item.title,),
            title=item.title,
            reason=item.reason,
        )
        for item in doubts
    )


def admins_to_ask_about(live: Live) -> dict[str, Address]:
    """Return the active admins by server id."""
    return {
        live.ids[address]: address
        for address, member in sorted(live.snapshot.members.items())
        if member.role is Role.ADMIN and member.state is MemberState.ACTIVE and address in live.ids
    }


def _expiring(workspace: WatchedWorkspace, now: datetime, limits: Limits) -> Iterator[Attention]:
    for address, credential in sorted(workspace.live.snapshot.credentials.items()):
        facts = workspace.live.credentials.get(address)
        works_on = facts is not None and not facts.is_retiring and address not in workspace.due
        ends = facts.expires if facts is not None and works_on else None
        if ends is None or limits.expiring_within is None or ends <= now:
            continue
        if ends - now <= limits.expiring_within:
            yield _about(AttentionKind.EXPIRING_CREDENTIAL, credential, (ends - now).days, ends)


def _unused(workspace: WatchedWorkspace, now: datetime, limits: Limits) -> Iterator[Attention]:
    for address, credential in sorted(workspace.live.snapshot.credentials.items()):
        facts = workspace.live.credentials.get(address)
        since = (facts.last_used or facts.created) if facts is not None else None
        gone = facts is not None and facts.expires is not None and facts.expires <= now
        if since is not None and not gone and _longer(now, since, limits.unused_for):
            yield _about(AttentionKind.UNUSED_CREDENTIAL, credential, (now - since).days, since)


def _pending(workspace: WatchedWorkspace, now: datetime, limits: Limits) -> Iterator[Attention]:
    for address, member in sorted(workspace.live.snapshot.members.items()):
        moments = workspace.live.moments.get(address)
        sent = moments.created if moments is not None and member.state is MemberState.INVITED else None
        if sent is not None and _longer(now, sent, limits.pending_for):
            yield _about(AttentionKind.PENDING_INVITATION, member, (now - sent).days, sent)


def _inactive(workspace: WatchedWorkspace, now: datetime, limits: Limits) -> Iterator[Attention]:
    for address, last in sorted(workspace.activity.items()):
        moments = workspace.live.moments.get(address)
        since = last or (moments.created if moments is not None else None)
        if since is not None and _longer(now, since, limits.inactive_for):
            member = workspace.live.snapshot.resources[address]
            yield _about(AttentionKind.INACTIVE_ADMIN, member, (now - since).days, since)


def _longer(now: datetime, since: datetime, limit: timedelta | None) -> bool:
    return limit is not None and now - since >= limit


def _empty_groups(workspace: WatchedWorkspace) -> Iterator[Attention]:
    for address, group in sorted(workspace.live.snapshot.groups.items()):
        if not group.builtin and _reaches_nobody(workspace, address) and group.name not in workspace.waited_for:
            yield _about(AttentionKind.EMPTY_GROUP, group)


def _unreached_vaults(workspace: WatchedWorkspace) -> Iterator[Attention]:
    for address, vault in sorted(workspace.live.snapshot.vaults.items()):
        owner = address.owner
        if vault.owner_kind is not OwnerKind.GROUP or not vault.enabled or owner is None:
            continue
        if _reaches_nobody(workspace, owner) and vault.owner not in workspace.waited_for:
            yield _about(AttentionKind.UNREACHED_VAULT, vault)


def _reaches_nobody(workspace: WatchedWorkspace, address: Address) -> bool:
    group = workspace.live.snapshot.get(address)
    known = isinstance(group, Group) and not group.members and not group.service_accounts
    return known and not workspace.live.strangers.get(address)


def _about(what: AttentionKind, item: Resource, days: int | None = None, at: datetime | None = None) -> Attention:
    address = item.address
    return Attention(what=what, kind=address.kind, key=address.key, title=item.title, days=days, at=at)
