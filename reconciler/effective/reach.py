"""Who is meant, and which vaults reach them through which group."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.errors import UnknownPrincipalError
from reconciler.frozen import Frozen
from reconciler.model.resources import Address, Kind, Member, OwnerKind, Role, ServiceAccount
from reconciler.model.text import fold, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.resources import AccessRule, Group, Vault
    from reconciler.model.snapshot import Snapshot

USERS = fold("Users")
"""The built-in group that everyone is in, service accounts too (``docs/explanation/clearml-api.md, Groups``)."""

ADMINS = fold("Admins")
_SUGGESTIONS = 3
_ABOUT_AS_NEAR = 0.08


class Through(StrEnum):
    """Why a vault reaches somebody."""

    EVERYONE = "everyone"
    ADMINS = "admins"
    GROUP = "group"
    OWN = "own"


class Principal(Frozen):
    """Somebody who has a configuration; ``resource`` is ``None`` for one whom only a group or rule names."""

    address: Address
    title: str
    resource: Member | ServiceAccount | None = None

    @property
    def is_admin(self) -> bool:
        """Whether it is in the built-in group Admins, which follows from the role."""
        if isinstance(self.resource, Member):
            return self.resource.role is Role.ADMIN
        return isinstance(self.resource, ServiceAccount) and self.resource.admin


class Reaching(Frozen):
    """A vault that reaches somebody; ``group`` is the group that it does so through, if any."""

    vault: Vault
    through: Through
    group: str | None = None


class Reach(Frozen):
    """The vaults that reach somebody, an own one last, and the groups with vaults that nobody knows the members of."""

    vaults: tuple[Reaching, ...]
    groups: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def find_principal(who: str, snapshot: Snapshot) -> Principal:
    """Find a member by e-mail or a service account by name.

    Raises :class:`UnknownPrincipalError` with the nearest names if there is none, and if the name means both.
    """
    known = _principals(snapshot)
    found = [known[address] for address in (Address.member(who), Address.service_account(who)) if address in known]
    if len(found) == 1:
        return found[0]
    name = harmless(who)
    if found:
        raise UnknownPrincipalError(f"{name} is both a member and a service account; one of them needs another name")
    titles = {address.key[0]: principal.title for address, principal in known.items()}
    near = [harmless(titles[key]) for key in _nearest(fold(who), titles)]
    hint = f"did you mean {' or '.join(near)}?" if near else "give a member's e-mail or a service account's name"
    raise UnknownPrincipalError(f"{name} is neither a member nor a service account", hint=hint)


def reach(principal: Principal, snapshot: Snapshot) -> Reach:
    """Return the vaults that reach somebody, in the snapshot's order, its own one last."""
    groups = _groups(principal, snapshot)
    administrator: list[Reaching] = []
    own: list[Reaching] = []
    unknown: dict[str, None] = {}
    for vault in snapshot.vaults.values():
        owner = fold(vault.owner)
        if vault.owner_kind is OwnerKind.SERVICE_ACCOUNT:
            if Address.service_account(vault.owner) == principal.address:
                own.append(Reaching(vault, Through.OWN))
        elif owner in groups:
            administrator.append(Reaching(vault, _through(owner), groups[owner]))
        elif _is_unknown(principal, owner, snapshot):
            unknown[vault.owner] = None
    return Reach((*administrator, *own), tuple(groups.values()), tuple(unknown))


def _principals(snapshot: Snapshot) -> dict[Address, Principal]:
    known: dict[Address, Principal] = {}
    for address, resource in snapshot.resources.items():
        if isinstance(resource, Member | ServiceAccount):
            known[address] = Principal(address, resource.title, resource)
    sources: list[Group | AccessRule] = [*snapshot.groups.values(), *snapshot.access_rules.values()]
    for source in sources:
        named = [Address(Kind.MEMBER, (key,)) for key in source.members or ()]
        named += [Address(Kind.SERVICE_ACCOUNT, (key,)) for key in source.service_accounts or ()]
        for address in named:
            known.setdefault(address, Principal(address, address.key[0]))
    return known


def _groups(principal: Principal, snapshot: Snapshot) -> dict[str, str]:
    """Return the names of the groups that somebody is in, by folded name."""
    groups = {USERS: "Users"}
    if principal.is_admin:
        groups[ADMINS] = "Admins"
    key = principal.address.key[0]
    for address, group in snapshot.groups.items():
        people = group.members if principal.address.kind is Kind.MEMBER else group.service_accounts
        if key in (people or ()):
            groups.setdefault(address.key[0], group.name)
    return groups


def _is_unknown(principal: Principal, owner: str, snapshot: Snapshot) -> bool:
    """Tell whether nobody says who of this principal's kind is in a group."""
    group = snapshot.groups.get(Address.group(owner))
    if group is None:
        return owner != ADMINS or principal.resource is None
    people = group.members if principal.address.kind is Kind.MEMBER else group.service_accounts
    return people is None and owner != ADMINS


def _through(owner: str) -> Through:
    return {USERS: Through.EVERYONE, ADMINS: Through.ADMINS}.get(owner, Through.GROUP)


def _nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the nearest names: of e-mails, which share their domains, only those about as near as the nearest."""
    near = difflib.get_close_matches(wanted, names, n=_SUGGESTIONS, cutoff=0.6)
    likeness = {name: difflib.SequenceMatcher(None, name, wanted).ratio() for name in near}
    return [name for name in near if likeness[name] >= likeness[near[0]] - _ABOUT_AS_NEAR]
