"""What could not be read, seen from a declaration: what stops it, what is left as it is, and what nobody creates.

A list that the declaration depends on and that is not there as a whole stops everything. All else is confined
(``docs/explanation/decisions.md, 9``): what cannot be read is the same on both sides before anything is compared, so
that it can be neither changed nor removed, and what may be there already is not created.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.errors import IncompleteReadError
from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import (
    AccessRule,
    Address,
    Group,
    Kind,
    Member,
    MemberState,
    OwnerKind,
    ServiceAccount,
)
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold
from reconciler.model.unreadable import Matters, Unreadable
from reconciler.plan.access_rules import GRANTEES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.resources import Resource

_KINDS = tuple(Kind)
_HINT = "nothing was changed; run it again, and if that does not help, the server's answers are not whole"


class Doubts(Frozen):
    """What is uncertain for a declaration.

    ``shown`` is of the kinds that it manages. ``wanted`` is the declaration with what cannot be read as it is live,
    ``unknown`` what is declared, is not in the workspace and may still be there. ``kept`` is what is not declared and
    must not be removed.
    """

    shown: tuple[Unreadable, ...]
    wanted: Desired
    unknown: frozenset[Address]
    kept: frozenset[Address]

    @staticmethod
    def of(desired: Desired, live: Live) -> Doubts:
        """Return what is uncertain; raises :class:`IncompleteReadError` for a list that cannot be done without."""
        check_whole(desired, live)
        known = [replace(item, accepted=_is_accepted(desired, item)) for item in live.unreadable]
        known += _owners(desired, live, known)
        unknown = dict(_unknown(desired, live, known))
        doubtful = [item for item in known if _makes_a_difference(item, desired, live)]
        fields = [item for item in doubtful if item.field is not None and item.address in desired.snapshot]
        shown = [item for item in (*doubtful, *unknown.values()) if not item.by_server and _is_managed(desired, item)]
        return Doubts(
            shown=tuple(sorted(shown, key=_order)),
            wanted=_as_live(desired, live, fields),
            unknown=frozenset(unknown),
            kept=frozenset(item.address for item in doubtful if item.address not in desired.snapshot),
        )

    def without_unknown(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot without what nobody creates, and without what would name such a thing."""
        if not self.unknown:
            return snapshot
        left = {address: resource for address, resource in snapshot.resources.items() if address not in self.unknown}
        names = {kind: frozenset(address.key[0] for address in self.unknown if address.kind is kind) for kind in Kind}
        del names[Kind.MEMBER]  # who has not joined yet waits in any case
        return Snapshot(MappingProxyType({address: _without(item, names) for address, item in left.items()}))


def check_whole(desired: Desired, live: Live) -> None:
    """Make sure that no list was lost that the declaration manages, or that it names things of.

    Raises :class:`IncompleteReadError`.
    """
    check_read(live, [item.kind for item in live.lost if _depends_on(desired, item.kind)])


def check_read(live: Live, kinds: Collection[Kind]) -> None:
    """Make sure that the lists of these kinds were read as a whole.

    Raises :class:`IncompleteReadError`.
    """
    for item in live.lost:
        if item.kind in kinds:
            raise IncompleteReadError(
                f"the workspace could not be read as a whole: {item.reason}", hint=item.hint or _HINT
            )


def _depends_on(desired: Desired, kind: Kind) -> bool:
    if _manages(desired, kind):
        return True
    if kind is Kind.GROUP and any(address.key[0] == OwnerKind.GROUP.value for address in desired.snapshot.vaults):
        return True
    naming: list[Resource] = [*desired.snapshot.groups.values(), *desired.snapshot.access_rules.values()]
    fields = [name for name, named in GRANTEES.items() if named is kind]
    return any(getattr(resource, name, None) for resource in naming for name in fields)


def _manages(desired: Desired, kind: Kind) -> bool:
    scope = desired.scope
    if kind is Kind.CREDENTIAL:
        return bool(scope.credentials_of)
    if kind is Kind.VAULT and scope.vaults_of:
        return True
    return scope.management(kind) is not Management.NONE


def _is_managed(desired: Desired, item: Unreadable) -> bool:
    scope, key = desired.scope, item.key
    if item.kind is Kind.CREDENTIAL:
        return key[0] in scope.credentials_of if key else bool(scope.credentials_of)
    if item.kind is Kind.VAULT and key[:1] == (OwnerKind.SERVICE_ACCOUNT.value,):
        return len(key) < 2 or key[1] in scope.vaults_of
    return scope.management(item.kind) is not Management.NONE


def _is_accepted(desired: Desired, item: Unreadable) -> bool:
    names = {item.id, fold(item.title), item.key[-1] if item.key else None}
    return any((item.kind, name) in desired.policy.unreadable for name in names if name is not None)


def _unknown(desired: Desired, live: Live, known: Iterable[Unreadable]) -> Iterator[tuple[Address, Unreadable]]:
    """Return what is declared and not there, and may be one that cannot be read, or belongs to such a one."""
    whole = [item for item in known if item.field is None]
    held: set[Address] = set()
    owners_first = sorted(desired.snapshot.resources.items(), key=lambda item: _KINDS.index(item[0].kind))
    owners_first.sort(key=lambda item: item[0].owner is not None)
    for address, resource in owners_first:
        if address in live.snapshot:
            continue
        if address.owner in held:
            reason = "it belongs to something that may be in the workspace already and cannot be read"
        else:
            twin = next((item for item in whole if _may_be(item, address)), None)
            if twin is None:
                continue
            reason = f"it may be in the workspace already: {twin.title} cannot be read ({twin.reason})"
        held.add(address)
        yield (
            address,
            Unreadable(kind=address.kind, key=address.key, title=resource.title, reason=reason, declared=True),
        )


def _may_be(item: Unreadable, address: Address) -> bool:
    """Return whether a declared resource may be this one; who accepts one without a name says that it is another."""
    return item.may_be(address) and (not item.accepted or item.address == address)


def _owners(desired: Desired, live: Live, known: Iterable[Unreadable]) -> list[Unreadable]:
    """Return the undeclared owners of what cannot be read: it would go with them."""
    found: dict[Address, Unreadable] = {}
    for item in known:
        owner = _owner(item)
        if owner is not None and owner in live.snapshot and owner not in desired.snapshot:
            title = live.snapshot.resources[owner].title
            reason = f"it has a {item.kind.value} that cannot be read: {item.reason}"
            field, accepted = f"{item.kind.value}s", item.accepted
            found[owner] = Unreadable(
                kind=owner.kind, key=owner.key, title=title, id=live.ids.get(owner), field=field, reason=reason
            )
            found[owner] = replace(found[owner], accepted=accepted or _is_accepted(desired, found[owner]))
    return list(found.values())


def _owner(item: Unreadable) -> Address | None:
    if item.kind is Kind.CREDENTIAL and item.key:
        return Address(Kind.SERVICE_ACCOUNT, item.key[:1])
    if item.kind is Kind.VAULT and len(item.key) > 1:
        return Address(Kind(item.key[0]), item.key[1:2])
    return None


def _makes_a_difference(item: Unreadable, desired: Desired, live: Live) -> bool:
    wanted = desired.snapshot.get(item.address)
    if item.matters is Matters.IF_DECLARED:
        return wanted is not None
    if wanted is None:
        return item.matters is not Matters.IF_REPLACED
    if item.matters is Matters.ALWAYS:
        return True
    existing = live.snapshot.get(item.address)
    counts_as_empty = item.matters in (Matters.IF_DIFFERENT, Matters.IF_REPLACED)
    return counts_as_empty and existing is not None and _differs(wanted, existing, live)


def _differs(wanted: Resource, existing: Resource, live: Live) -> bool:
    """Return whether something would be written; who has not joined yet changes nothing so far."""
    match wanted, existing:
        case ServiceAccount(), ServiceAccount():
            return (wanted.name, wanted.impersonation) != (existing.name, existing.impersonation)
        case Group(), Group():
            named = existing.builtin or (wanted.name, wanted.description or "") == (
                existing.name,
                existing.description if wanted.description is not None else "",
            )
            members = wanted.members is None or _joined(wanted.members, live) == existing.members
            accounts = wanted.service_accounts in (None, existing.service_accounts)
            return not (named and members and accounts)
        case AccessRule(), AccessRule():
            described = wanted.description in (None, existing.description)
            said = (wanted.name, wanted.entity.identity, wanted.permission, wanted.service_accounts, wanted.groups)
            says = (
                existing.name,
                existing.entity.identity,
                existing.permission,
                existing.service_accounts,
                existing.groups,
            )
            return not described or said != says or _joined(wanted.members, live) != existing.members
    return True


def _joined(members: frozenset[str], live: Live) -> frozenset[str]:
    present = ((email, live.snapshot.get(Address(Kind.MEMBER, (email,)))) for email in members)
    return frozenset(
        email for email, member in present if isinstance(member, Member) and member.state is MemberState.ACTIVE
    )


_BY_FIELD = (Kind.MEMBER, Kind.SERVICE_ACCOUNT)
"""The kinds of which each field is written by itself; of the others a write replaces all, so that all must be known."""


def _as_live(desired: Desired, live: Live, fields: Iterable[Unreadable]) -> Desired:
    """Return the declaration with what cannot be read as it is in the workspace."""
    resources = dict(desired.snapshot.resources)
    for item in fields:
        existing = live.snapshot.get(item.address)
        if existing is None:
            continue
        if item.kind not in _BY_FIELD:
            resources[item.address] = existing
        elif item.field == "read_only":
            resources[item.address] = _with_field(resources[item.address], existing, "role")
        else:
            resources[item.address] = _with_field(resources[item.address], existing, str(item.field))
    return replace(desired, snapshot=Snapshot(MappingProxyType(resources)))


def _with_field(wanted: Resource, existing: Resource, name: str) -> Resource:
    return replace(wanted, **{name: getattr(existing, name)}) if hasattr(existing, name) else wanted


def _without(resource: Resource, names: dict[Kind, frozenset[str]]) -> Resource:
    if not isinstance(resource, Group | AccessRule):
        return resource
    cut = {}
    for name, kind in GRANTEES.items():
        named = getattr(resource, name, None)
        if named and kind in names and named & names[kind]:
            cut[name] = named - names[kind]
    return replace(resource, **cut) if cut else resource


def _order(item: Unreadable) -> tuple[int, tuple[str, ...], str, str]:
    return _KINDS.index(item.kind), item.key, item.id or item.title, item.field or ""
