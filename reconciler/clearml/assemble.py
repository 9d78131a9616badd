"""Records → the live snapshot. Pure: values in, a value out, whatever the order of the server's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.clearml.records import GROUP_SCOPE, USER_SCOPE
from reconciler.frozen import Frozen
from reconciler.model.live import Caller, CredentialFacts, Live, Moments
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Document,
    Group,
    Kind,
    Member,
    MemberState,
    OwnerKind,
    Role,
    ServiceAccount,
    Vault,
)
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.clearml.claims import Claims
    from reconciler.clearml.consistency import Readings
    from reconciler.clearml.records import AccountRecord, CredentialRecord, GroupRecord, RuleRecord, VaultRecord
    from reconciler.model.resources import Resource

_IDENTITIES = (Kind.MEMBER, Kind.SERVICE_ACCOUNT)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Found:
    """Resources by address as they come in, with their server ids; an address that comes twice is ambiguous."""

    resources: dict[Address, tuple[Resource, str | None]] = field(default_factory=dict)
    ambiguous: dict[Address, list[tuple[Resource, str | None]]] = field(default_factory=dict)
    strangers: dict[Address, frozenset[str]] = field(default_factory=dict)
    facts: dict[Address, CredentialFacts] = field(default_factory=dict)
    server_rules: dict[str, AccessRule] = field(default_factory=dict)
    moments: dict[Address, Moments] = field(default_factory=dict)

    def add(self, resource: Resource, identifier: str | None, moments: Moments | None = None) -> None:
        address = resource.address
        first = self.resources.setdefault(address, (resource, identifier))
        if first[0] is not resource:
            self.ambiguous.setdefault(address, [first]).append((resource, identifier))
        if moments is not None:
            self.moments[address] = moments

    def unique(self, address: Address) -> bool:
        return address in self.resources and address not in self.ambiguous

    def sorted(self) -> Iterator[tuple[Address, tuple[Resource, str | None]]]:
        """Iterate over all in the order of kinds, and within one in that of keys."""
        by_kind: dict[Kind, list[Address]] = {kind: [] for kind in Kind}
        for address in self.resources:
            by_kind[address.kind].append(address)
        for addresses in by_kind.values():
            addresses.sort()
            yield from ((address, self.resources[address]) for address in addresses)


class _Names(Frozen):
    """The folded names of one kind's unique resources by their server ids; ``ids`` are those, for work with sets."""

    by_id: dict[str, str]
    ids: frozenset[str]

    @staticmethod
    def of(found: _Found, kind: Kind) -> _Names:
        names = {
            identifier: address.key[0]
            for address, (_, identifier) in found.resources.items()
            if address.kind is kind and address not in found.ambiguous and identifier is not None
        }
        return _Names(names, frozenset(names))

    def among(self, ids: frozenset[str]) -> frozenset[str]:
        return frozenset(map(self.by_id.__getitem__, self.ids & ids))


def assemble(readings: Readings, claims: Claims, access_key: str | None) -> Live:
    """Make the live snapshot of consistent readings.

    Resources that share an address (names are not unique on the server) are in ``ambiguous`` only, and so is what
    belongs to them; such users in a group count among its strangers, so that they are always kept.
    """
    found = _Found()
    _add_people(found, readings)
    members, accounts = _Names.of(found, Kind.MEMBER), _Names.of(found, Kind.SERVICE_ACCOUNT)
    _add_groups(found, readings, members, accounts)
    for account in readings.service.accounts:
        if account.id in readings.credentials:
            _add_credentials(found, account, readings.credentials[account.id])
        for vault in readings.account_vaults.get(account.id, ()):
            if vault.scope == USER_SCOPE:
                found.add(
                    _vault(vault, OwnerKind.SERVICE_ACCOUNT, account.name), vault.id, Moments(updated=vault.updated)
                )
    groups = {group.id: group for group in readings.groups}
    for vault in readings.vaults:
        if vault.scope == GROUP_SCOPE and vault.group in groups:
            owned = _vault(vault, OwnerKind.GROUP, groups[vault.group].name)
            found.add(owned, vault.id, Moments(updated=vault.updated))
    _add_rules(found, readings, members, accounts)
    return _live(found, readings, claims, access_key)


def _live(found: _Found, readings: Readings, claims: Claims, access_key: str | None) -> Live:
    resources: dict[Address, Resource] = {}
    ids: dict[Address, str] = {}
    ambiguous: dict[Address, tuple[str, ...]] = {}
    for address, (resource, identifier) in found.sorted():
        owner = address.owner
        if address in found.ambiguous or (owner is not None and not found.unique(owner)):
            candidates = found.ambiguous.get(address, [(resource, identifier)])
            ambiguous[address] = tuple(sorted(server_id or item.title for item, server_id in candidates))
            continue
        resources[address] = resource
        if identifier is not None:
            ids[address] = identifier
    me = (address for address, identifier in ids.items() if identifier == claims.user and address.kind in _IDENTITIES)
    return Live(
        snapshot=Snapshot(MappingProxyType(resources)),
        ids=ids,
        caller=Caller(claims.user, next(me, None), access_key, claims.role),
        ambiguous=ambiguous,
        strangers={address: users for address, users in found.strangers.items() if address not in ambiguous},
        credentials={address: facts for address, facts in found.facts.items() if address not in ambiguous},
        credential_counts={
            Address.service_account(account.name): account.credentials
            for account in readings.service.accounts
            if account.id not in readings.credentials and found.unique(Address.service_account(account.name))
        },
        server_rules=found.server_rules,
        moments={address: moments for address, moments in found.moments.items() if address not in ambiguous},
        admin_accounts_allowed=readings.service.admins_allowed,
        maximum_service_accounts=readings.service.maximum,
    )


def _add_people(found: _Found, readings: Readings) -> None:
    accounts = {account.id for account in readings.service.accounts}
    for user in readings.users:
        if user.id not in accounts and user.email:
            member = Member(user.email, user.role, user.name, MemberState.ACTIVE, user.fixed)
            found.add(member, user.id, Moments(created=user.made))
    active = set(found.resources)
    for invitation in readings.sign_up.invitations:
        if Address.member(invitation.email) not in active:
            invited = Member(invitation.email, None, None, MemberState.INVITED)
            found.add(invited, None, Moments(created=invitation.added))
    for account in readings.service.accounts:
        admin = account.role is Role.ADMIN
        found.add(ServiceAccount(account.name, account.impersonation, admin), account.id)


def _add_groups(found: _Found, readings: Readings, members: _Names, accounts: _Names) -> None:
    for record in readings.groups:
        group = _group(record, members, accounts)
        found.add(group, record.id)
        strangers = record.users - members.ids - accounts.ids
        if strangers:
            found.strangers[group.address] = strangers


def _group(record: GroupRecord, members: _Names, accounts: _Names) -> Group:
    return Group(
        name=record.name,
        description=record.description,
        members=members.among(record.users),
        service_accounts=accounts.among(record.users),
        builtin=record.builtin,
        assignable=record.assignable,
    )


def _add_rules(found: _Found, readings: Readings, members: _Names, accounts: _Names) -> None:
    """Add the access rules. The server's own are kept by id: no plan touches them, whatever they are called."""
    groups = _Names.of(found, Kind.GROUP)
    for record in sorted(readings.rules, key=lambda record: record.id):
        rule = _rule(record, members, accounts, groups)
        if record.autocreated:
            found.server_rules[record.id] = rule
            continue
        found.add(rule, record.id)
        strangers = (record.users - members.ids - accounts.ids) | (record.groups - groups.ids)
        if strangers:
            found.strangers[rule.address] = strangers


def _rule(record: RuleRecord, members: _Names, accounts: _Names, groups: _Names) -> AccessRule:
    return AccessRule(
        name=record.name,
        entity=record.entity,
        permission=record.permission,
        members=members.among(record.users),
        service_accounts=accounts.among(record.users),
        groups=groups.among(record.groups),
        description=record.description,
    )


def _add_credentials(found: _Found, account: AccountRecord, records: Iterable[CredentialRecord]) -> None:
    """Name each credential by its label.

    Of several with one label the newest keeps it; the others, and those without a label, are told apart by their
    access key, so that none hides another and each can be revoked by itself.
    """
    taken: set[str] = set()
    newest_first = sorted(records, key=lambda record: (record.created or _LONG_AGO, record.access_key), reverse=True)
    for record in newest_first:
        label = record.label or ""
        if not fold(label) or fold(label) in taken:
            label = f"{label} [{record.access_key}]".lstrip()
        taken.add(fold(label))
        credential = Credential(account.name, label)
        found.add(credential, record.access_key)
        found.facts[credential.address] = CredentialFacts(
            access_key=record.access_key,
            label=record.label,
            created=record.created,
            expires=record.expires,
            last_used=record.last_used,
            last_used_from=record.last_used_from,
        )


def _vault(record: VaultRecord, owner_kind: OwnerKind, owner: str) -> Vault:
    return Vault(
        name=record.name,
        owner_kind=owner_kind,
        owner=owner,
        document=Document(record.format, record.text),
        format=record.format,
        target=record.target,
        enabled=record.enabled,
    )
