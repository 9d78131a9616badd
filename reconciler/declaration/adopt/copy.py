"""A declaration's files to be changed: their values by list, and every declared resource's entry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.model.desired import Management
from reconciler.model.resources import Address, Kind, OwnerKind
from reconciler.model.text import fold
from reconciler.yaml.edit import CannotEditError, EditableYaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.declaration.declaration import Declaration, Entry

Plain = dict[str, Any]

LISTS = {
    Kind.MEMBER: "members",
    Kind.SERVICE_ACCOUNT: "service_accounts",
    Kind.GROUP: "groups",
    Kind.VAULT: "vaults",
    Kind.ACCESS_RULE: "access_rules",
}
"""The key of each kind's list."""


class WorkingCopy:
    """The values of all files of a declaration, to be changed in place; nothing is written by it.

    ``entries`` leads from an address to its entry (of an account's own vault: to the part of the account's entry).
    ``documents`` holds new texts of document files, by their paths relative to the declaration's folder.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.files = {shown: _Editable(tree.text) for shown, tree in declaration.trees.items()}
        self.documents: dict[str, str] = {}
        self._names: dict[Kind, set[str]] = {}
        self.entries: dict[Address, Plain] = dict(self._entries())

    def _entries(self) -> Iterator[tuple[Address, Plain]]:
        declaration = self.declaration
        for member in declaration.members or ():
            yield Address.member(member.item.email), self._values(member)
        for account in declaration.service_accounts or ():
            values = self._values(account)
            yield Address.service_account(account.item.name), values
            for index, credential in enumerate(account.item.credentials or ()):
                yield Address.credential(account.item.name, credential.label), values["credentials"][index]
        for group in declaration.groups or ():
            yield Address.group(group.item.name), self._values(group)
        for rule in declaration.access_rules or ():
            yield Address.access_rule(rule.item.name), self._values(rule)
        for vault in declaration.owned_vaults():
            address = Address.vault(vault.owner_kind, vault.owner, vault.name)
            yield address, self._values(vault.entry)

    def _values(self, entry: Entry[Any]) -> Plain:
        values: Any = self.files[entry.tree.file].yaml.values
        for step in entry.path:
            values = values[step]
        found: Plain = values
        return found

    def lists(self, kind: Kind) -> list[list[Plain]]:
        """Return the lists of a kind, of every file that has one."""
        key = LISTS[kind]
        files = (file.yaml.values for file in self.files.values())
        return [values[key] for values in files if isinstance(values.get(key), list)]

    def all(self, kind: Kind) -> Iterator[Plain]:
        """Iterate over the entries of a kind, in all files."""
        for entries in self.lists(kind):
            yield from entries

    def file_of(self, entry: Plain) -> str | None:
        """Return the file, as it is shown, that an entry of a list stands in."""
        for shown, file in self.files.items():
            for key in LISTS.values():
                if any(other is entry for other in file.yaml.values.get(key) or ()):
                    return shown
        return None

    def remove(self, kind: Kind, entry: Plain) -> None:
        """Take an entry out of its list."""
        for entries in self.lists(kind):
            entries[:] = [other for other in entries if other is not entry]
        self.changed(kind)

    def must_be_declared(self, kind: Kind) -> bool:
        """Return whether whatever is named of a kind has to be declared."""
        return self.declaration.management(kind) is Management.ALL

    def names(self, kind: Kind) -> set[str]:
        """Return the folded names of all entries of a kind that are known by one name."""
        if kind not in self._names:
            key = "email" if kind is Kind.MEMBER else "name"
            self._names[kind] = {fold(entry[key]) for entry in self.all(kind)}
        return self._names[kind]

    def changed(self, kind: Kind) -> None:
        """Say that entries of a kind have come, gone or got other names."""
        self._names.pop(kind, None)

    def texts(self) -> dict[Path, str]:
        """Return the new texts of all files that change. Raises :class:`CannotEditError`."""
        found: dict[Path, str] = {}
        for shown, file in self.files.items():
            text = file.edited()
            if text != file.original:
                found[Path(shown)] = text
        folder = self.declaration.folder
        return found | {folder / path: text for path, text in self.documents.items()}

    def own_vault_account(self, address: Address) -> Plain | None:
        """Return the account's entry that an account's own vault belongs to."""
        if address.kind is not Kind.VAULT or address.key[0] != OwnerKind.SERVICE_ACCOUNT.value:
            return None
        return self.entries.get(Address(Kind.SERVICE_ACCOUNT, address.key[1:2]))


class _Editable:
    """A file that keeps the line ends that it came with."""

    def __init__(self, text: str) -> None:
        self.original = text
        self._windows = "\r\n" in text
        self.yaml = EditableYaml.read(text.replace("\r\n", "\n"))

    def edited(self) -> str:
        text = self.yaml.edited()
        if "\r" in text:
            raise CannotEditError("its file has old-style line endings")
        return text.replace("\n", "\r\n") if self._windows else text
