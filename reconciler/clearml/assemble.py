"""Wire messages → the live snapshot. Pure: values in, a value out, whatever the order of the server's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.consistency import everyone, gone_groups, hidden_memberships
from reconciler.clearml.decode import read
from reconciler.clearml.failures import shown
from reconciler.clearml.messages import GROUP_SCOPE, ORGANIZATION_SCOPE, USER_SCOPE, EntryStatus
from reconciler.frozen import Frozen
from reconciler.model.access import ALL
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
from reconciler.model.unreadable import Matters, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.clearml.claims import Claims
    from reconciler.clearml.consistency import Readings
    from reconciler.clearml.decode import Unread
    from reconciler.clearml.messages import (
        CredentialMessage,
        GroupMessage,
        RuleMessage,
        ServiceUserMessage,
        UserMessage,
        VaultMessage,
    )
    from reconciler.model.resources import Resource

_IDENTITIES = (Kind.MEMBER, Kind.SERVICE_ACCOUNT)
_KINDS = tuple(Kind)
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
    unreadable: list[Unreadable] = field(default_factory=list)

    def add(self, resource: Resource, identifier: str | None, moments: Moments | None = None) -> None:
        address = resource.address
        first = self.resources.setdefault(address, (resource, identifier))
        if first[0] is not resource:
            self.ambiguous.setdefault(address, [first]).append((resource, identifier))
        if moments is not None:
            self.moments[address] = moments

    @property
    def ambiguous_ids(self) -> frozenset[str]:
        """The ids of what shares its name: it can be read, though nobody can say which one is meant."""
        pairs = (pair for candidates in self.ambiguous.values() for pair in candidates)
        return frozenset(identifier for _, identifier in pairs if identifier is not None)

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
    """Make the live snapshot of what was read; what cannot be relied on is in ``unreadable``.

    Resources that share an address (names are not unique on the server) are in ``ambiguous`` only, and so is what
    belongs to them; such users in a group count among its strangers, so that they are always kept.
    """
    found = _Assembly()
    _add_people(found, readings)
    members, accounts = _Names.of(found, Kind.MEMBER), _Names.of(found, Kind.SERVICE_ACCOUNT)
    _add_groups(found, readings, members, accounts)
    for account in readings.accounts:
        if account.name is not None:
            _add_credentials(found, account.id, account.name, readings)
            _add_own_vaults(found, account.id, account.name, readings)
    _add_vaults(found, readings)
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
            ambiguous[address] = tuple(
                sorted(server_id or f"invitation {item.title}" for item, server_id in candidates)
            )
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
            Address.service_account(account.name): read(account.credentials) or 0
            for account in readings.accounts
            if account.id not in readings.credentials
            and account.name is not None
            and found.unique(Address.service_account(account.name))
        },
        server_rules=found.server_rules,
        moments={address: moments for address, moments in found.moments.items() if address not in ambiguous},
        admin_accounts_allowed=readings.service.allow_admins is True,
        maximum_service_accounts=read(readings.service.allowed_service_users),
        unreadable=tuple(sorted(found.unreadable, key=_order)),
        lost=readings.lost,
        invitation_roles=claims.invitation_roles,
    )


def _order(item: Unreadable) -> tuple[int, tuple[str, ...], str, str]:
    return _KINDS.index(item.kind), item.key, item.id or item.title, item.field or ""


def _doubts(
    found: _Assembly, address: Address, title: str, identifier: str | None, reasons: Mapping[str, str | None]
) -> None:
    """Note each field of a resource that there is a reason for not to rely on."""
    for name, reason in reasons.items():
        if reason is not None:
            found.unreadable.append(
                Unreadable(kind=address.kind, key=address.key, title=title, id=identifier, field=name, reason=reason)
            )


def _unread_items(found: _Assembly, kind: Kind, key: tuple[str, ...], unread: Iterable[Unread], name: str) -> None:
    """Note the entries of an answer's list that could not be read at all; of a person's the e-mail is the key."""
    for item in unread:
        if item.path != name and item.path.startswith(f"{name}["):
            known = (fold(item.name),) if kind is Kind.MEMBER and item.name and "@" in item.name else ()
            title = item.name or item.id or item.path
            found.unreadable.append(Unreadable(kind=kind, key=(*key, *known), title=title, id=item.id, reason=item.why))


def _add_people(found: _Assembly, readings: Readings) -> None:
    accounts = {account.id for account in readings.accounts}
    inside = everyone(readings)
    nameless = Kind.MEMBER if readings.knows(Kind.SERVICE_ACCOUNT) else Kind.SERVICE_ACCOUNT
    for user in readings.users.told:
        if user.id not in accounts:
            _add_member(found, user, inside, nameless)
    _unread_items(found, Kind.MEMBER, (), [item for item in readings.users.unread if item.id not in accounts], "users")
    _add_invitations(found, readings)
    for account in readings.accounts:
        _add_account(found, account)
    _unread_items(found, Kind.SERVICE_ACCOUNT, (), readings.service.unread, "users")


def _add_member(found: _Assembly, user: UserMessage, inside: frozenset[str] | None, nameless: Kind) -> None:
    """Add a person. Who has no e-mail and is not in Users was removed, or is one of the server's own users.

    Others without an e-mail are of the kind ``nameless``: service accounts, where the list of those is not there.
    """
    listed = inside is None or user.id in inside
    if not user.email:
        gone = user.removed and inside is None
        if listed and not gone and not user.fixed:
            reason = user.why("email") or "email is missing"
            title = user.name or user.id
            found.unreadable.append(Unreadable(kind=nameless, key=(), title=title, id=user.id, reason=reason))
        return
    member = Member(user.email, user.known_role, user.name, MemberState.ACTIVE, user.fixed)
    if not listed and not user.fixed:
        reason = "the built-in group Users, which has everyone in it, does not have this user"
        found.unreadable.append(
            Unreadable(kind=Kind.MEMBER, key=member.address.key, title=user.email, id=user.id, reason=reason)
        )
        return
    found.add(member, user.id, Moments(created=read(user.created)))
    role = None if user.known_role is not None or user.fixed else user.why("role") or _of_no_use("role", user.role)
    kept = user.why("read_only", "support")
    _doubts(found, member.address, user.email, user.id, {"role": role, "name": user.why("name"), "read_only": kept})


def _of_no_use(name: str, told: str | None) -> str:
    """Say what is wrong with a field that is missing or holds an unknown value."""
    return f"{name} is missing" if told is None else f"{name} is an unknown one: {shown(told, limit=40)}"


def _add_invitations(found: _Assembly, readings: Readings) -> None:
    """Add whoever was invited and has not joined. One who differs from a member only in case is a second one."""
    active = {resource.email for resource, _ in found.resources.values() if isinstance(resource, Member)}
    settings = readings.settings
    for entry in settings.whitelist_entries or ():
        email = entry.email
        if entry.status == EntryStatus.ACCEPTED or (email is not None and (email in active or "@" not in email)):
            continue
        if entry.invited is not None and entry.status == EntryStatus.PENDING:
            invited = Member(entry.invited, None, None, MemberState.INVITED)
            found.add(invited, None, Moments(created=read(entry.added)))
        else:
            key = (fold(email),) if email else ()
            reason = entry.why("status", "email") or (
                _of_no_use("status", entry.status) if email else "email is missing"
            )
            found.unreadable.append(
                Unreadable(kind=Kind.MEMBER, key=key, title=f"invitation of {email or 'nobody'}", reason=reason)
            )
    _unread_items(found, Kind.MEMBER, (), settings.unread, "whitelist_entries")
    if settings.whitelist_entries is None and readings.knows(Kind.MEMBER):
        reason = settings.why("whitelist_entries") or "whitelist_entries is missing"
        found.unreadable.append(Unreadable(kind=Kind.MEMBER, key=(), title="invitations", reason=reason))


def _add_account(found: _Assembly, account: ServiceUserMessage) -> None:
    if account.name is None:
        reason = account.why("name") or "name is missing"
        found.unreadable.append(
            Unreadable(kind=Kind.SERVICE_ACCOUNT, key=(), title=account.id, id=account.id, reason=reason)
        )
        return
    resource = ServiceAccount(account.name, bool(account.allow_running_as_owner), account.known_role is Role.ADMIN)
    found.add(resource, account.id)
    role = None if account.known_role is not None else account.why("role") or _of_no_use("role", account.role)
    impersonation = account.why("allow_running_as_owner")
    if impersonation is None and account.allow_running_as_owner is None:
        found.unreadable.append(_left_out(resource, account.id, "impersonation", "allow_running_as_owner is missing"))
    _doubts(found, resource.address, resource.title, account.id, {"admin": role, "impersonation": impersonation})


def _left_out(
    resource: Resource, identifier: str, name: str, reason: str, matters: Matters = Matters.IF_DIFFERENT
) -> Unreadable:
    """Return the doubt about a field that the server leaves out."""
    return Unreadable(
        kind=resource.address.kind,
        key=resource.address.key,
        title=resource.title,
        id=identifier,
        field=name,
        reason=reason,
        matters=matters,
    )


def _add_groups(found: _Assembly, readings: Readings, members: _Names, accounts: _Names) -> None:
    hidden = hidden_memberships(readings)
    for message in readings.groups.groups or ():
        if message.name is None:
            reason = message.why("name") or "name is missing"
            found.unreadable.append(
                Unreadable(
                    kind=Kind.GROUP, key=(), title=message.id, id=message.id, reason=reason, by_server=message.builtin
                )
            )
            continue
        group = _group(message, message.name, members, accounts)
        found.add(group, message.id)
        strangers = message.user_ids - members.ids - accounts.ids
        if strangers:
            found.strangers[group.address] = strangers
        if message.takes_members or not message.builtin:
            _doubt_group(found, message, group, hidden.get(message.id), readings)
    _unread_items(found, Kind.GROUP, (), readings.groups.unread, "groups")
    for identifier, (name, named_by) in sorted(gone_groups(readings).items()):
        reason = f"{named_by}, permissions.get_user_groups does not list it"
        key = () if name is None else (fold(name),)
        found.unreadable.append(
            Unreadable(kind=Kind.GROUP, key=key, title=name or identifier, id=identifier, reason=reason)
        )


def _doubt_group(found: _Assembly, message: GroupMessage, group: Group, hidden: str | None, readings: Readings) -> None:
    users = message.why("users")
    if users is None and hidden is not None:
        users = f"users.get_all_ex has {shown(hidden, limit=80)} in it, permissions.get_user_groups does not"
    reasons = {"users": users, "description": message.why("description"), "assignable": message.why("assignable")}
    reasons["system"] = message.why("system")
    _doubts(found, group.address, group.name, message.id, reasons)
    if message.users is None and users is None and not _nobody_is_in(message, readings):
        found.unreadable.append(_left_out(group, message.id, "users", "users is missing"))
    if message.assignable is None and message.why("assignable") is None and not message.builtin:
        found.unreadable.append(_left_out(group, message.id, "assignable", "assignable is missing"))


def _nobody_is_in(group: GroupMessage, readings: Readings) -> bool:
    """Return whether other answers confirm that a group of which no users are told is empty.

    Everybody tells of groups, service accounts too, and nobody of this one (:func:`hidden_memberships` finds those).
    """
    told = {user.id for user in readings.users.told if user.sec_groups is not None}
    asked = {user.id for user in readings.users.told if user.email} | {account.id for account in readings.accounts}
    return not readings.users.unread and asked <= told and group.id not in hidden_memberships(readings)


def _group(message: GroupMessage, name: str, members: _Names, accounts: _Names) -> Group:
    return Group(
        name=name,
        description=message.description or "",
        members=members.among(message.user_ids),
        service_accounts=accounts.among(message.user_ids),
        builtin=message.builtin,
        assignable=message.takes_members,
    )


def _add_rules(found: _Assembly, readings: Readings, members: _Names, accounts: _Names) -> None:
    """Add the access rules. The server's own are kept by id: no plan touches them, whatever they are called."""
    groups = _Names.of(found, Kind.GROUP)
    for message in sorted(readings.rules.rules or (), key=lambda message: message.id):
        bare = rule_of(message)
        if bare is None or (message.name is None and not message.autocreated):
            found.unreadable.append(_unreadable_rule(message))
            continue
        rule = replace(
            bare,
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
        _doubt_rule(found, message, rule, readings)
        unread = (strangers & (everyone(readings) or frozenset())) - found.ambiguous_ids
        if unread:  # they would stay in it, with whatever it gives then
            reason = f"{len(unread)} of its users cannot be read"
            found.unreadable.append(_left_out(rule, message.id, "users", reason, Matters.IF_REPLACED))
    _unread_items(found, Kind.ACCESS_RULE, (), readings.rules.unread, "rules")


def _unreadable_rule(message: RuleMessage) -> Unreadable:
    reason = message.why("entity_type", "entity_id", "access_permission", "name")
    if reason is None and message.entity is None:
        reason = _of_no_use("entity_type", message.entity_type)
    elif reason is None and message.permission is None:
        reason = _of_no_use("access_permission", message.access_permission)
    return Unreadable(
        kind=Kind.ACCESS_RULE,
        key=() if message.name is None else (fold(message.name),),
        title=message.name or message.id,
        id=message.id,
        reason=reason or "name is missing",
        by_server=bool(message.autocreated),
    )


def _doubt_rule(found: _Assembly, message: RuleMessage, rule: AccessRule, readings: Readings) -> None:
    names = ("users", "groups", "description", "autocreated")
    _doubts(found, rule.address, rule.name, message.id, {name: message.why(name) for name in names})
    for name, told in (("users", message.users), ("groups", message.groups)):
        if told is None and message.why(name) is None:
            found.unreadable.append(_left_out(rule, message.id, name, f"{name} is missing", Matters.IF_REPLACED))
    if rule.entity.id is None:
        matters = Matters.IF_DECLARED if message.entity_id is None else Matters.IF_DIFFERENT
        found.unreadable.append(_left_out(rule, message.id, "entity_id", "entity_id is missing", matters))
    if message.autocreated is None and message.why("autocreated") is None and _may_be_the_servers(message, readings):
        reason = "autocreated is missing: it may be one of the server's own"
        found.unreadable.append(_left_out(rule, message.id, "autocreated", reason, Matters.IF_UNDECLARED))


def _may_be_the_servers(message: RuleMessage, readings: Readings) -> bool:
    """Return whether a rule of which that is not said may be one that the server made.

    A server that says so of others says so of all. But one that looks like those, which give all of a type to a
    built-in group, may still be one.
    """
    builtin = {group.id for group in readings.groups.groups or () if group.builtin}
    looks_like_one = message.entity_id in (ALL, None) and not message.user_ids and message.group_ids <= builtin
    return looks_like_one or not any(rule.autocreated for rule in readings.rules.rules or ())


def rule_of(message: RuleMessage) -> AccessRule | None:
    """Return an access rule without the people in it, whom the server knows by id; ``None`` if it cannot be read."""
    entity, permission = message.entity, message.permission
    if entity is None or permission is None:
        return None
    return AccessRule(
        name=message.name or "", entity=entity, permission=permission, description=message.description or ""
    )


def _add_credentials(found: _Assembly, account_id: str, account: str, readings: Readings) -> None:
    """Name each credential by its label.

    Of several with one label the newest keeps it; the others, and those without a label, are told apart by their
    access key, so that none hides another and each can be revoked by itself.
    """
    answer = readings.credentials.get(account_id)
    if answer is None:
        return
    owner = (fold(account),)
    if answer.credentials is None and readings.knows(Kind.CREDENTIAL) and _may_hold(account_id, readings):
        reason = answer.why("credentials") or "credentials is missing"
        found.unreadable.append(Unreadable(kind=Kind.CREDENTIAL, key=owner, title=account, reason=reason))
    _unread_items(found, Kind.CREDENTIAL, owner, answer.unread, "credentials")
    taken: set[str] = set()
    known = [message for message in answer.credentials or () if message.why("label") is None]
    for message in sorted(known, key=_age, reverse=True):
        facts = _facts(message)
        label = facts.label or ""
        if not fold(label) or fold(label) in taken:
            label = f"{label} [{facts.access_key}]".lstrip()
        taken.add(fold(label))
        credential = Credential(account, label)
        found.add(credential, facts.access_key)
        found.facts[credential.address] = facts
        reasons = {name: message.why(name) for name in ("created", "expire", "last_used", "last_used_from")}
        _doubts(found, credential.address, credential.title, None, reasons)
    for message in answer.credentials or ():
        if (why := message.why("label")) is not None:
            found.unreadable.append(Unreadable(kind=Kind.CREDENTIAL, key=owner, title=account, reason=why))


def _may_hold(account_id: str, readings: Readings) -> bool:
    """Return whether an account may have credentials that are not listed: their count says so, or nothing does."""
    return any(account.id == account_id and read(account.credentials) != 0 for account in readings.accounts)


def _facts(message: CredentialMessage) -> CredentialFacts:
    return CredentialFacts(
        access_key=message.access_key,
        label=message.label or None,
        created=read(message.created),
        expires=read(message.expire),
        last_used=read(message.last_used),
        last_used_from=message.last_used_from,
    )


def _age(message: CredentialMessage) -> tuple[datetime, str]:
    return read(message.created) or _LONG_AGO, message.access_key


def _add_own_vaults(found: _Assembly, account_id: str, account: str, readings: Readings) -> None:
    """Add a service account's own vaults; it is told of those of its groups as well."""
    answer = readings.account_vaults.get(account_id)
    if answer is None:
        return
    owner = (OwnerKind.SERVICE_ACCOUNT.value, fold(account))
    if answer.vaults is None and readings.knows(Kind.VAULT):
        reason = answer.why("vaults") or "vaults is missing"
        found.unreadable.append(Unreadable(kind=Kind.VAULT, key=owner, title=account, reason=reason))
    _unread_items(found, Kind.VAULT, owner, answer.unread, "vaults")
    for vault in _own_vaults(account, [vault for vault in answer.vaults or () if vault.is_own(account_id)]):
        _add_vault(found, vault, OwnerKind.SERVICE_ACCOUNT, account)
    for vault in answer.vaults or ():
        if vault.scope not in _SCOPES or vault.why("user", "scope") is not None:
            found.unreadable.append(_unreadable_vault(vault, owner))


def _add_vaults(found: _Assembly, readings: Readings) -> None:
    """Add the vaults of groups. That of a group that nobody knows is none of a known one."""
    groups = {group.id: group for group in readings.groups.groups or ()}
    for vault in readings.vaults.vaults or ():
        group = groups.get(vault.group) if vault.group is not None else None
        owner = () if group is None or group.name is None else (OwnerKind.GROUP.value, fold(group.name))
        if vault.scope not in (None, GROUP_SCOPE) and vault.scope in _SCOPES:
            continue
        if vault.scope in _SCOPES and owner and (vault.description is not None) and group and group.name is not None:
            _add_vault(found, vault, OwnerKind.GROUP, group.name)
        else:
            found.unreadable.append(_unreadable_vault(vault, owner))
    _unread_items(found, Kind.VAULT, (), readings.vaults.unread, "vaults")


_SCOPES = (None, ORGANIZATION_SCOPE, GROUP_SCOPE, USER_SCOPE)


def _unreadable_vault(vault: VaultMessage, owner: tuple[str, ...]) -> Unreadable:
    reason = vault.why("scope", "group", "user", "description")
    if reason is None and vault.scope not in _SCOPES:
        reason = _of_no_use("scope", vault.scope)
    if reason is None and not owner:
        reason = "group is missing" if vault.group is None else "permissions.get_user_groups does not list its group"
    named = vault.description is not None and owner[:1] == (OwnerKind.GROUP.value,)
    key = (*owner, fold(vault.name)) if named else owner
    return Unreadable(
        kind=Kind.VAULT,
        key=key,
        title=vault.name or vault.id,
        id=vault.id,
        reason=reason or "description is missing",
    )


def _own_vaults(account: str, own: list[VaultMessage]) -> list[VaultMessage]:
    """Return an account's own vaults: of those that were emptied one, and that only if there are no others."""
    kept = [vault for vault in own if not _is_emptied(vault, account)]
    return kept or sorted(own, key=lambda message: message.id)[:1]


def _is_emptied(message: VaultMessage, account: str) -> bool:
    return vault_of(message, OwnerKind.SERVICE_ACCOUNT, account).is_emptied


def _add_vault(found: _Assembly, message: VaultMessage, owner_kind: OwnerKind, owner: str) -> None:
    vault = vault_of(message, owner_kind, owner)
    found.add(vault, message.id, Moments(updated=read(message.last_update)))
    data = message.why("data")
    if data is None and message.editable is False:
        data = "editable is false: the server keeps its text encrypted"
    elif data is None and message.data is None and not vault.is_emptied:
        data = "data is missing"
    written = message.why("format")
    if written is None and message.known_format is None:
        written = _of_no_use("format", message.format)
    reasons = {"name": message.why("description"), "document": data, "format": written, "scope": message.why("scope")}
    reasons |= {name: message.why(field) for name, field in (("target", "type"), ("enabled", "enabled"))}
    _doubts(found, vault.address, vault.title, message.id, reasons)


def vault_of(message: VaultMessage, owner_kind: OwnerKind, owner: str) -> Vault:
    """Return a vault; what the server leaves out has the default of ``docs/explanation/clearml-api.md, Vaults``."""
    written = message.known_format or DocumentFormat.HOCON
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
