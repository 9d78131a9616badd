"""From a live workspace to a declaration of it: what ``import`` writes.

The result declares all that can be declared. What cannot (a name with control characters, two things of one name, a
document that does not parse, a role that nobody can assign) is left out with a note, and its kind is then managed as
``declared``, so that no later apply removes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from reconciler.declaration.check_names import description_fault, fault_of, label_fault, name_fault
from reconciler.declaration.export_access import rule_entry, titles_of
from reconciler.declaration.export_documents import DocumentFiles, own_name, target_title
from reconciler.declaration.models import AssignableRole
from reconciler.declaration.values import TARGET_PATTERN
from reconciler.frozen import Frozen
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Group,
    Kind,
    Member,
    OwnerKind,
    Role,
    ServiceAccount,
    Vault,
)
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import harmless
from reconciler.model.unreadable import Matters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.live import Live
    from reconciler.model.resources import Resource
    from reconciler.model.secret import Secret

Plain = dict[str, object]

_LISTS = {
    Kind.MEMBER: "members",
    Kind.SERVICE_ACCOUNT: "service_accounts",
    Kind.GROUP: "groups",
    Kind.VAULT: "vaults",
    Kind.ACCESS_RULE: "access_rules",
}
LISTED = frozenset(_LISTS)
"""The kinds that have a list of their own in a declaration."""

_ASSIGNABLE: frozenset[Role] = frozenset(get_args(AssignableRole))
_FEWEST_ADMINS = 2


class Exported(Frozen):
    """A declaration as plain values, its document files by path, the secrets taken out of them, and notes."""

    content: Plain
    files: Mapping[str, str]
    secrets: Mapping[str, Secret]
    notes: tuple[str, ...]
    unknown: Mapping[str, tuple[str, ...]]


def export(live: Live, documents: DocumentFiles, *, workspace: str, server: str) -> Exported:
    """Return a declaration of everything in a live workspace that can be declared."""
    return Exporter(live, documents).export(workspace, server)


def _min_admins(members: Iterable[Plain]) -> int:
    """Return how many admins a plan must leave: no more than are declared, since the server's own users are not."""
    return max(1, min(_FEWEST_ADMINS, sum(entry["role"] == Role.ADMIN.value for entry in members)))


@dataclass(slots=True)
class Exporter:
    """Turns live resources into entries of a declaration; ``notes`` say what of them was left out."""

    live: Live
    documents: DocumentFiles
    notes: list[str] = field(default_factory=list)
    partial: set[Kind] = field(default_factory=set)

    def entry(self, resource: Resource) -> Plain | None:
        """Return the entry of one resource, or ``None`` if it cannot be declared; not for credentials."""
        match resource:
            case Member():
                entries = self._member(resource)
            case ServiceAccount():
                entries = self._service_account(resource.address, resource)
            case Group():
                entries = self._group(resource)
            case Vault():
                entries = self._vault(resource)
            case AccessRule():
                entries = self._access_rule(resource)
            case Credential():
                return None
        return next(entries, None)

    def document(self, vault: Vault) -> Plain | None:
        """Return how an entry speaks of a vault's document, or ``None`` if it cannot be declared."""
        return self._document(vault)

    def export(self, workspace: str, server: str) -> Exported:
        """Return a declaration of everything that can be declared."""
        for address, ids in sorted(self.live.ambiguous.items()):
            if address.kind is Kind.VAULT and address.key[0] == OwnerKind.SERVICE_ACCOUNT.value:
                account = harmless(address.key[1])
                self.notes.append(f"service account {account} has {len(ids)} vaults of its own; they are left out")
                continue
            self._leave_out(address.kind, " / ".join(address.key), f"{len(ids)} of them share this name")
        snapshot = self._readable()
        members = [entry for _, member in sorted(snapshot.members.items()) for entry in self._member(member)]
        accounts = [
            entry
            for address, account in sorted(snapshot.service_accounts.items())
            for entry in self._service_account(address, account)
        ]
        groups = [entry for _, group in sorted(snapshot.groups.items()) for entry in self._group(group)]
        vaults = [
            entry
            for _, vault in sorted(snapshot.vaults.items())
            if vault.owner_kind is OwnerKind.GROUP
            for entry in self._vault(vault)
        ]
        rules = [entry for _, rule in sorted(snapshot.access_rules.items()) for entry in self._access_rule(rule)]
        content: Plain = {"version": 1, "workspace": {"name": workspace, "server": server}}
        if self.partial:
            lost = {item.kind for item in self.live.lost}
            partial = [kind for kind in Kind if kind in self.partial - lost and kind in _LISTS]
            content["manage"] = {_LISTS[kind]: "declared" for kind in partial}
        content["policy"] = {"min_admins": _min_admins(members)}
        lists = dict(zip(_LISTS, (members, accounts, groups, vaults, rules), strict=True))
        content |= {_LISTS[kind]: entries for kind, entries in lists.items() if self._is_whole(kind)}
        for file, paths in self.documents.left.items():
            self.notes.append(f"{file} holds what may be a secret and cannot be a reference: {', '.join(paths)}")
        documents = self.documents
        return Exported(content, documents.files, documents.secrets, tuple(self.notes), documents.unknown)

    def _readable(self) -> Snapshot:
        """Return the snapshot without what could not be read, each with a note."""
        doubtful = [item for item in self.live.unreadable if not item.by_server]
        for item in doubtful:
            if item.matters is not Matters.IF_DECLARED:
                field = f"its {item.field} cannot be read: " if item.field is not None else "it cannot be read: "
                self._leave_out(item.kind, item.title, field + harmless(item.reason))
        left_out = {item.address for item in doubtful if item.matters is not Matters.IF_DECLARED}
        resources = self.live.snapshot.resources.items()
        return Snapshot.of(resource for address, resource in resources if address not in left_out)

    def _is_whole(self, kind: Kind) -> bool:
        """Return whether the whole list of a kind was read; if not, the kind is not managed, and a note says so."""
        lost = next((item for item in self.live.lost if item.kind is kind), None)
        if lost is not None:
            self.notes.append(f"{_LISTS[kind]} are left out: {harmless(lost.reason)}")
        return lost is None

    def _is_doubtful(self, kind: Kind, owner: tuple[str, ...]) -> bool:
        """Return whether something of a service account could not be read."""
        lost = kind is Kind.CREDENTIAL and any(item.kind is kind for item in self.live.lost)
        return lost or any(item.kind is kind and item.key[: len(owner)] == owner for item in self.live.unreadable)

    def _leave_out(self, kind: Kind, name: str, why: str) -> None:
        self.partial.add(kind)
        self.notes.append(f"{kind.value} {harmless(name)} is left out: {why}")

    def _declarable(self, kind: Kind, name: str) -> bool:
        fault = fault_of(kind, name)
        if fault is not None:
            self._leave_out(kind, name or "without a name", f"its name {fault}")
        return fault is None

    def _member(self, member: Member) -> Iterator[Plain]:
        if (member.fixed and not self._is_named(member)) or not self._declarable(Kind.MEMBER, member.email):
            return
        role = member.role
        if role is None:
            why = (
                "it is a pending invitation, and the server does not say with which role; declare it with its role, "
                "then manage all members again"
            )
            self._leave_out(Kind.MEMBER, member.email, why)
            return
        if role not in _ASSIGNABLE:
            self._leave_out(Kind.MEMBER, member.email, f"nobody can be given the role {role.value}")
            return
        entry: Plain = {"email": member.email}
        if member.name is not None:
            fault = name_fault(member.name)
            if fault is None:
                entry["name"] = member.name
            else:
                self.notes.append(f"the name of member {harmless(member.email)} is left out: it {fault}")
        yield entry | {"role": role.value}

    def _is_named(self, member: Member) -> bool:
        """Return whether a group or a rule names a member, which is then declared even if no apply can change it."""
        snapshot = self.live.snapshot
        groups = (group for group in snapshot.groups.values() if not group.builtin or group.assignable)
        named = [group.members or () for group in groups] + [rule.members for rule in snapshot.access_rules.values()]
        return any(member.address.key[0] in names for names in named)

    def _service_account(self, address: Address, account: ServiceAccount) -> Iterator[Plain]:
        if not self._declarable(Kind.SERVICE_ACCOUNT, account.name):
            return
        entry: Plain = {"name": account.name}
        entry |= {name: True for name in ("impersonation", "admin") if getattr(account, name)}
        owned = self.live.snapshot.owned_by(address)
        credentials = [
            (credential.label, self.live.credentials[credential.address].label)
            for credential in owned
            if isinstance(credential, Credential)
        ]
        if self._is_doubtful(Kind.CREDENTIAL, address.key):
            self.notes.append(f"the credentials of service account {account.name} are left out: not all can be read")
        elif all(label == shown and label_fault(shown) is None for shown, label in credentials):
            entry["credentials"] = [{"label": shown} for shown, _ in sorted(credentials)]
        else:
            self.notes.append(
                f"the credentials of service account {account.name} are left out: "
                "not each has a label of its own that can be declared"
            )
        own = next((vault for vault in owned if isinstance(vault, Vault) and not vault.is_emptied), None)
        if self._is_doubtful(Kind.VAULT, (OwnerKind.SERVICE_ACCOUNT.value, *address.key)):
            self.notes.append(f"the vault of service account {account.name} is left out: it cannot be read")
        elif own is not None and (document := self._document(own)):
            entry["vault"] = own_name(own) | document
        yield entry

    def _group(self, group: Group) -> Iterator[Plain]:
        if group.builtin and not (group.assignable and (group.members or group.service_accounts)):
            return
        if not self._declarable(Kind.GROUP, group.name):
            return
        entry: Plain = {"name": group.name}
        if not group.assignable:
            yield entry
            return
        if group.description and not group.builtin:
            fault = description_fault(group.description)
            if fault is None:
                entry["description"] = group.description
            else:
                self.notes.append(f"the description of group {group.name} is left out: it {fault}")
        for name, kind, people in (
            ("members", Kind.MEMBER, group.members),
            ("service_accounts", Kind.SERVICE_ACCOUNT, group.service_accounts),
        ):
            titles = titles_of(self.live, kind, people or ())
            if titles is not None:
                entry[name] = titles
            else:
                self.notes.append(f"the {name} of group {group.name} are left out: not all of them can be declared")
        yield entry

    def _vault(self, vault: Vault) -> Iterator[Plain]:
        fault = name_fault(vault.owner)
        if fault is not None:
            self._leave_out(Kind.VAULT, vault.title, f"the name of its group {fault}")
        elif self._declarable(Kind.VAULT, vault.name) and (document := self._document(vault)) is not None:
            yield {"name": vault.name, "group": vault.owner} | document

    def _access_rule(self, rule: AccessRule) -> Iterator[Plain]:
        if self._declarable(Kind.ACCESS_RULE, rule.name):
            entry = rule_entry(rule, self.live)
            if isinstance(entry, str):
                self._leave_out(Kind.ACCESS_RULE, rule.name, entry)
            else:
                yield entry

    def _document(self, vault: Vault) -> Plain | None:
        if re.fullmatch(TARGET_PATTERN, target_title(vault.target)) is None:
            self._leave_out(Kind.VAULT, vault.title, f"its type {harmless(vault.target)} cannot be declared")
            return None
        document = self.documents.add(vault)
        if document is None:
            self._leave_out(Kind.VAULT, vault.title, f"its document is no {vault.format.value}")
        return document
