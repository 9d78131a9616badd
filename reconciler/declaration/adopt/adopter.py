"""Carries single differences over into a working copy of the declaration: live to file, the other way than a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from reconciler.declaration.adopt.copy import LISTS, Plain, WorkingCopy
from reconciler.declaration.adopt.failure import LeftError
from reconciler.declaration.adopt.mentions import left_empty, remove_mentions, rename_mentions
from reconciler.declaration.adopt.placing import insert_in_order, insert_name, place_entry
from reconciler.declaration.check_names import description_fault, fault_of, is_builtin_group, label_fault, name_fault
from reconciler.declaration.export_access import entity_reference
from reconciler.declaration.export_documents import own_name, target_title
from reconciler.declaration.key_order import ITEM, ORDERS, set_key
from reconciler.declaration.models import AssignableRole
from reconciler.model.edits import FieldEdit, SetEdit
from reconciler.model.resources import AccessRule, Address, Kind, OwnerKind, Vault
from reconciler.model.text import fold, harmless
from reconciler.plan.changes import Action, Change

if TYPE_CHECKING:
    from reconciler.declaration.adopt.documents import AdoptedDocuments
    from reconciler.declaration.export import Exporter
    from reconciler.model.live import Live

_KINDS_OF_SETS = {
    "members": Kind.MEMBER,
    "service_accounts": Kind.SERVICE_ACCOUNT,
    "groups": Kind.GROUP,
}
_ROLES = frozenset(role.value for role in get_args(AssignableRole))


def order_of(address: Address) -> tuple[str, ...]:
    """Return the order of the keys of the entry of a resource."""
    if address.kind is Kind.CREDENTIAL:
        return ORDERS["service_accounts", ITEM, "credentials", ITEM]
    if address.kind is Kind.VAULT and address.key[0] == OwnerKind.SERVICE_ACCOUNT.value:
        return ORDERS["service_accounts", ITEM, "vault"]
    return ORDERS[LISTS[address.kind], ITEM]


class Adopter:
    """Changes a working copy; what it refuses, it has not begun to change.

    ``notes`` say what was carried over only in part.
    """

    def __init__(self, copy: WorkingCopy, live: Live, exporter: Exporter, documents: AdoptedDocuments) -> None:
        self.copy = copy
        self.notes: list[str] = []
        self._live = live
        self._exporter = exporter
        self._documents = documents

    def adopt(self, change: Change) -> None:
        """Carry one difference over. Raises :class:`LeftError`."""
        address = change.address
        match change.action:
            case Action.CREATE | Action.INVITE:
                self._remove(address)
            case Action.DELETE:
                self.add(address)
            case Action.UPDATE:
                self._update(address, change)
            case Action.ROTATE:
                raise LeftError("its key is due for replacement, which is no drift: `reconciler apply` replaces it")

    def _remove(self, address: Address) -> None:
        entry = self.copy.entries.get(address)
        if entry is None:
            return
        if (account := self.copy.own_vault_account(address)) is not None:
            account["vault"] = None
        elif address.kind is Kind.CREDENTIAL:
            account = self.copy.entries[Address(Kind.SERVICE_ACCOUNT, address.key[:1])]
            account["credentials"][:] = [other for other in account["credentials"] if other is not entry]
        else:
            emptied = left_empty(self.copy, address)
            rules = [name for name in emptied if Address.access_rule(name) in self._live.snapshot]
            if rules:
                raise LeftError(f"access rule {harmless(rules[0])} would be left without anybody: change it first")
            self.copy.remove(address.kind, entry)
            remove_mentions(self.copy, address)
        self._documents.forget(entry)

    def add(self, address: Address) -> None:
        """Declare what is live. Raises :class:`LeftError`."""
        if address.kind is Kind.CREDENTIAL:
            self._add_credential(address)
            return
        resource = self._live.snapshot.resources[address]
        if isinstance(resource, Vault) and resource.owner_kind is OwnerKind.SERVICE_ACCOUNT:
            self._add_own_vault(address, resource)
            return
        if not self.copy.lists(address.kind):
            raise LeftError(f"no file lists {LISTS[address.kind].replace('_', ' ')}, so that they are not managed")
        before = len(self._exporter.notes)
        entry = self._exporter.entry(resource)
        said = self._exporter.notes[before:]
        if entry is None:
            raise LeftError(said[-1].partition(" is left out: ")[2] or said[-1] if said else "it cannot be declared")
        self._check_mentions(entry)
        self.notes += said
        place_entry(self.copy, address.kind, entry)
        self.copy.changed(address.kind)
        self.copy.entries[address] = entry

    def _check_mentions(self, entry: Plain) -> None:
        for key, kind in _KINDS_OF_SETS.items():
            for name in entry.get(key) or ():
                self._check_declared(kind, name)
        if "group" in entry:
            self._check_declared(Kind.GROUP, entry["group"])

    def _check_declared(self, kind: Kind, name: str) -> None:
        known = fold(name) in self.copy.names(kind) or (kind is Kind.GROUP and is_builtin_group(name))
        if not known and self.copy.must_be_declared(kind):
            raise LeftError(f"{kind.value}:{harmless(name)} is not declared: adopt it too")

    def _add_credential(self, address: Address) -> None:
        account = self.copy.entries.get(Address(Kind.SERVICE_ACCOUNT, address.key[:1]))
        label = self._live.credentials[address].label
        shown = self._live.snapshot.resources[address].title.partition(" / ")[2]
        if account is None or not isinstance(account.get("credentials"), list):
            raise LeftError("the declaration does not list the credentials of its account")
        if label is None or fold(label) != address.key[1] or label_fault(label) is not None:
            raise LeftError(f"it has no label of its own ({harmless(shown)})")
        insert_in_order(account["credentials"], {"label": label}, "label")

    def _add_own_vault(self, address: Address, vault: Vault) -> None:
        account = self.copy.entries.get(Address(Kind.SERVICE_ACCOUNT, address.key[1:2]))
        if account is None:
            raise LeftError("its account is not declared")
        if account.get("vault") is not None:
            raise LeftError("its account has another vault of its own declared")
        document = self._exporter.document(vault)
        if document is None:
            raise LeftError("its document cannot be declared")
        set_key(account, "vault", own_name(vault) | document, ORDERS["service_accounts", ITEM])

    def _update(self, address: Address, change: Change) -> None:
        entry = self.copy.entries[address]
        fields = [edit for edit in change.edits if isinstance(edit, FieldEdit)]
        values = {edit.field: self._value(edit, address) for edit in fields if edit.field not in ("name", "format")}
        name = change.edited("name")
        if name is not None and name.before:
            _refuse_name(name_fault(str(name.before)))
        if any(not isinstance(edit, FieldEdit | SetEdit) or edit.field == "format" for edit in change.edits):
            self._documents.adopt(entry, address, order_of(address))
        for field, value in values.items():
            self._set(address, entry, field, value)
        for edit in change.edits:
            if isinstance(edit, SetEdit):
                self._set_names(address, entry, edit)
        if name is not None:
            self._rename(address, entry, name)

    def _value(self, edit: FieldEdit, address: Address) -> Any:
        live = edit.before
        match edit.field:
            case "role":
                if live not in _ROLES:
                    raise LeftError(f"nobody can be given the role {live}")
            case "description":
                fault = description_fault(str(live or ""))
                if fault is not None:
                    raise LeftError(f"its description {fault}")
                return str(live or "").strip()
            case "resource":
                rule = self._live.snapshot.resources[address]
                reference = entity_reference(rule.entity, self._live) if isinstance(rule, AccessRule) else None
                if reference is None or not isinstance(rule, AccessRule):
                    raise LeftError("its entity cannot be declared")
                return {rule.entity.type.value: reference}
            case "target":
                return target_title(str(live))
        return live

    def _set(self, address: Address, entry: Plain, field: str, value: Any) -> None:
        set_key(entry, field, value, order_of(address))

    def _set_names(self, address: Address, entry: Plain, edit: SetEdit) -> None:
        kind = _KINDS_OF_SETS[edit.field]
        names = [name for name in entry.get(edit.field) or () if fold(name) not in edit.added]
        for folded in edit.removed:
            resource = self._live.snapshot.get(Address(kind, (folded,)))
            title = resource.title if resource is not None else folded
            try:
                _refuse_name(fault_of(kind, title))
                self._check_declared(kind, title)
            except LeftError as error:
                named = f"{address.kind.value} {harmless(entry['name'])}"
                self.notes.append(f"{named}: {harmless(title)} is left out: {error}")
                continue
            insert_name(names, title)
        if isinstance(entry.get(edit.field), list):
            entry[edit.field][:] = names
        else:
            self._set(address, entry, edit.field, names)

    def _rename(self, address: Address, entry: Plain, edit: FieldEdit) -> None:
        """Give an entry its live name; where it only bore another one so far, all that names it follows."""
        if address.kind is Kind.MEMBER:
            if edit.before:
                self._set(address, entry, "name", edit.before)
            else:
                entry.pop("name", None)
            return
        name = str(edit.before)
        account = self.copy.own_vault_account(address)
        if account is not None and "name" not in entry and fold(account["name"]) == fold(name):
            return
        if account is not None:
            self._set(address, entry, "name", name)
            return
        entry["name"] = name
        self.copy.changed(address.kind)
        if fold(entry.get("was") or "") == fold(name):
            del entry["was"]
        if fold(name) != address.key[-1]:
            rename_mentions(self.copy, address, name)


def _refuse_name(fault: str | None) -> None:
    if fault is not None:
        raise LeftError(f"its live name {fault}")
