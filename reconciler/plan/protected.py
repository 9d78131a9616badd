"""The guard on what ``policy.protect`` names: it follows the server's id, whatever name a resource has by now.

A protected resource is not removed, demoted, switched off, renamed, emptied or given another target: each of these
would take away what it is protected for, or the name that protects it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.edits import DocumentEdit
from reconciler.model.resources import AccessRule, Group, Kind, Vault
from reconciler.plan.changes import Action, Guard, Refusal
from reconciler.plan.fingerprints import identity
from reconciler.plan.identity import former
from reconciler.plan.removals import loses_admin, switches_off
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.references import template_tree
from reconciler.vaults.tree import leaves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.resources import Address, Resource
    from reconciler.plan.case import Case
    from reconciler.plan.changes import Change
    from reconciler.vaults.parse import DocumentParser

_TARGETS = ("resource", "target", "owner")
"""The fields that say what a resource is about."""


def protected_refusals(case: Case) -> Iterator[Refusal]:
    """Return a refusal for each change that would take a protected resource, or what protects it, away."""
    if not case.policy.protected:
        return
    ids = _protected_ids(case)
    for change in case.changes:
        removed = change.action is Action.DELETE
        goes_along = removed and change.kind is Kind.SERVICE_ACCOUNT
        owned = {address for address in case.policy.protected if goes_along and address.owner == change.address}
        lost = _loss(change, case) if _is_protected(change.address, case, ids) else None
        if lost is not None or owned:
            names = (change.title, *sorted("/".join(address.key[-2:]) for address in owned))
            yield Refusal(
                guard=Guard.PROTECT, kind=change.kind, subject=change.title, names=names, limit=lost or "removed"
            )


def _protected_ids(case: Case) -> frozenset[tuple[Kind, str]]:
    """Return the server ids of what has a protected name, and of what had one when it was last applied."""
    found = {
        (address.kind, identity(address, server_id))
        for address, server_id in case.live.ids.items()
        if {address, former(address, case.renames)} & case.policy.protected
    }
    known = {(address.kind, case.identities.get(address)) for address in case.policy.protected}
    return frozenset((kind, server_id) for kind, server_id in found | known if server_id is not None)


def _is_protected(address: Address, case: Case, ids: Collection[tuple[Kind, str]]) -> bool:
    if {address, former(address, case.renames)} & case.policy.protected:
        return True
    server_id = identity(address, case.live.ids.get(address))
    return server_id is not None and (address.kind, server_id) in ids


def _loss(change: Change, case: Case) -> str | None:
    """Say what a change does to a protected resource; ``None`` for what it may."""
    if change.action is Action.DELETE:
        return "removed"
    if change.action is not Action.UPDATE:
        return None
    if loses_admin(change):
        return "demoted"
    if switches_off(change):
        return "switched off"
    if change.kind is not Kind.MEMBER and change.edited("name") is not None:
        return "renamed"
    if any(change.edited(field) is not None for field in _TARGETS):
        return "given another target"
    return "emptied" if _is_emptied(change, case) else None


def _is_emptied(change: Change, case: Case) -> bool:
    before, after = case.live.snapshot.get(change.address), case.desired.get(change.address)
    if isinstance(before, Vault):
        return change.address in case.emptied
    return _holds(before) and not _holds(after)


def _holds(resource: Resource | None) -> bool:
    if isinstance(resource, Group):
        return bool(resource.members or resource.service_accounts)
    return isinstance(resource, AccessRule) and bool(resource.members or resource.service_accounts or resource.groups)


def emptied_vaults(case: Case, parser: DocumentParser) -> frozenset[Address]:
    """Return the vaults that keep not one path of what is in them."""
    changed = (change for change in case.changes if change.kind is Kind.VAULT and change.action is Action.UPDATE)
    edited = (change.address for change in changed if any(isinstance(edit, DocumentEdit) for edit in change.edits))
    return frozenset(address for address in edited if _keeps_nothing(address, case, parser))


def _keeps_nothing(address: Address, case: Case, parser: DocumentParser) -> bool:
    before, after = case.live.snapshot.vaults.get(address), case.desired.vaults.get(address)
    if before is None or after is None:
        return False
    try:
        paths = [
            {path for path, _ in leaves(template_tree(side.document, parser).tree) if path} for side in (before, after)
        ]
    except DocumentError:
        return False
    return bool(paths[0]) and not paths[0] & paths[1]
