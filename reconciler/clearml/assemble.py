"""Wire messages → the live snapshot. Pure: values in, a value out, whatever the order of the server's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.decode import read
from reconciler.clearml.messages import GROUP_SCOPE, USER_SCOPE
from reconciler.frozen import Frozen
from reconciler.model.live import Caller, CredentialFacts, Live, Moments
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Document,
    DocumentFormat,
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
    from reconciler.clearml.messages import (
        CredentialMessage,
        GroupMessage,
        RuleMessage,
        ServiceUserMessage,
        VaultMessage,
    )
    from reconciler.model.resources import Resource

_IDENTITIES = (Kind.MEMBER, Kind.SERVICE_ACCOUNT)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Assembly:
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
    def of(found: _Assembly, kind: Kind) -> _Names:
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
    found = _Assembly()
    _add_people(found, readings)
    members, accounts = _Names.of(found, Kind.MEMBER), _Names.of(found, Kind.SERVICE_ACCOUNT)
    _add_groups(found, readings, members, accounts)
    for account in readings.service.users:
        if account.id in readings.credentials:
            _add_credentials(found, account, readings.credentials[account.id])
        for vault in _own_vaults(account, readings.account_vaults.get(account.id, ())):
            _add_vault(found, vault, OwnerKind.SERVICE_ACCOUNT, account.name)
    groups = {group.id: group for group in readings.groups}
    for vault in readings.vaults:
        if vault.scope == GROUP_SCOPE and vault.group in groups:
            _add_vault(found, vault, OwnerKind.GROUP, groups[vault.group].name)
    _add_rules(found, readings, members, accounts)
    return _live(found, readings, claims, access_key)


def _live(found: _Assembly, readings: Readings, claims: Claims, access_key: str | None) -> Live:
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
            for account in readings.service.users
            if account.id not in readings.credentials and found.unique(Address.service_account(account.name))
        },
        server_rules=found.server_rules,
        moments={address: moments for address, moments in found.moments.items() if address not in ambiguous},
        admin_accounts_allowed=bool(readings.service.allow_admins),
        maximum_service_accounts=readings.service.allowed_service_users,
        invitation_roles=claims.invitation_roles,
    )


def _add_people(found: _Assembly, readings: Readings) -> None:
    accounts = {account.id for account in readings.service.users}
    for user in readings.users:
        if user.id not in accounts and user.email:
            member = Member(user.email, user.known_role, user.name, MemberState.ACTIVE, user.fixed)
            found.add(member, user.id, Moments(created=read(user.created)))
    active = set(found.resources)
    for entry in readings.settings.whitelist_entries:
        if entry.invited is not None and Address.member(entry.invited) not in active:
            invited = Member(entry.invited, None, None, MemberState.INVITED)
            found.add(invited, None, Moments(created=read(read(entry.added))))
    for account in readings.service.users:
        admin = account.role is Role.ADMIN
        found.add(ServiceAccount(account.name, bool(account.allow_running_as_owner), admin), account.id)


def _add_groups(found: _Assembly, readings: Readings, members: _Names, accounts: _Names) -> None:
    for message in readings.groups:
        group = _group(message, members, accounts)
        found.add(group, message.id)
        strangers = message.user_ids - members.ids - accounts.ids
        if strangers:
            found.strangers[group.address] = strangers


def _group(message: GroupMessage, members: _Names, accounts: _Names) -> Group:
    return Group(
        name=message.name,
        description=message.description or "",
        members=members.among(message.user_ids),
        service_accounts=accounts.among(message.user_ids),
        builtin=message.builtin,
        assignable=message.assignable is not False,
    )


def _add_rules(found: _Assembly, readings: Readings, members: _Names, accounts: _Names) -> None:
    """Add the access rules. The server's own are kept by id: no plan touches them, whatever they are called."""
    groups = _Names.of(found, Kind.GROUP)
    for message in sorted(readings.rules, key=lambda message: message.id):
        rule = replace(
            rule_of(message),
            members=members.among(message.user_ids),
            service_accounts=accounts.among(message.user_ids),
            groups=groups.among(message.group_ids),
        )
        if message.autocreated:
            found.server_rules[message.id] = rule
            continue
        found.add(rule, message.id)
        strangers = (message.user_ids - members.ids - accounts.ids) | (message.group_ids - groups.ids)
        if strangers:
            found.strangers[rule.address] = strangers


def rule_of(message: RuleMessage) -> AccessRule:
    """Return an access rule without the people in it, whom the server knows by id."""
    return AccessRule(
        name=message.name or "",
        entity=message.entity,
        permission=message.access_permission,
        description=message.description or "",
    )


def _add_credentials(found: _Assembly, account: ServiceUserMessage, messages: Iterable[CredentialMessage]) -> None:
    """Name each credential by its label.

    Of several with one label the newest keeps it; the others, and those without a label, are told apart by their
    access key, so that none hides another and each can be revoked by itself.
    """
    taken: set[str] = set()
    for facts in sorted(map(_facts, messages), key=_age, reverse=True):
        label = facts.label or ""
        if not fold(label) or fold(label) in taken:
            label = f"{label} [{facts.access_key}]".lstrip()
        taken.add(fold(label))
        credential = Credential(account.name, label)
        found.add(credential, facts.access_key)
        found.facts[credential.address] = facts


def _facts(message: CredentialMessage) -> CredentialFacts:
    return CredentialFacts(
        access_key=message.access_key,
        label=message.label or None,
        created=read(message.created),
        expires=read(message.expire),
        last_used=read(message.last_used),
        last_used_from=message.last_used_from,
    )


def _age(facts: CredentialFacts) -> tuple[datetime, str]:
    return facts.created or _LONG_AGO, facts.access_key


def _own_vaults(account: ServiceUserMessage, messages: Iterable[VaultMessage]) -> list[VaultMessage]:
    """Return an account's own vaults: of those that were emptied one, and that only if there are no others."""
    own = [message for message in messages if message.scope == USER_SCOPE]
    kept = [message for message in own if not vault_of(message, OwnerKind.SERVICE_ACCOUNT, account.name).is_emptied]
    return kept or sorted(own, key=lambda message: message.id)[:1]


def _add_vault(found: _Assembly, message: VaultMessage, owner_kind: OwnerKind, owner: str) -> None:
    vault = vault_of(message, owner_kind, owner)
    found.add(vault, message.id, Moments(updated=read(message.last_update)))


def vault_of(message: VaultMessage, owner_kind: OwnerKind, owner: str) -> Vault:
    """Return a vault; what the server leaves out has the default of ``docs/explanation/clearml-api.md, Vaults``."""
    written = message.format or DocumentFormat.HOCON
    is_unnamed_own = owner_kind is OwnerKind.SERVICE_ACCOUNT and not message.name.strip()
    return Vault(
        name=owner if is_unnamed_own else message.name,
        owner_kind=owner_kind,
        owner=owner,
        document=Document(written, message.text),
        format=written,
        target=message.type if message.type is not None else "config",
        enabled=message.enabled is not False,
    )
