"""A declaration as it was read: every entry with its place, the documents of its vaults, and what it was read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import field

from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import Kind, OwnerKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.declaration.models import (
        DocumentEntry,
        GroupEntry,
        MemberEntry,
        ServiceAccountEntry,
        VaultEntry,
        WorkspaceFile,
    )
    from reconciler.declaration.models_access import AccessRuleEntry
    from reconciler.errors import Place, Problem
    from reconciler.model.placed_text import PlacedText
    from reconciler.model.policy import Rule
    from reconciler.yaml.tree import YamlPath, YamlTree

T_co = TypeVar("T_co", covariant=True)

_EXCERPT_LENGTH = 400


class Entry(Frozen, Generic[T_co]):
    """One entry of a list, and where it stands."""

    item: T_co
    tree: YamlTree
    path: YamlPath
    start: Place

    @property
    def key(self) -> tuple[str, YamlPath]:
        """What tells it from every other entry: its file and its path in it."""
        return self.tree.file, self.path

    def place(self, *steps: str | int, key: bool = False) -> Place:
        """Return the place of the entry, or of something within it."""
        return self.tree.place((*self.path, *steps), key=key) if steps else self.start


class OwnedVault(Frozen):
    """A vault with its owner, whichever of the two lists it was declared in."""

    owner_kind: OwnerKind
    owner: str
    name: str
    entry: Entry[DocumentEntry]


class Declaration(Frozen):
    """What ``workspace.yaml`` and the files that it includes say.

    A list that no file mentions is ``None``. ``rules`` are the organization's own, from its policy file. ``files``
    names all files as a user would type them, documents included.
    ``documents`` leads from a vault's place in the files (file and path) to its text.
    """

    folder: Path
    top_file: str
    top: WorkspaceFile
    trees: Mapping[str, YamlTree]
    members: tuple[Entry[MemberEntry], ...] | None
    service_accounts: tuple[Entry[ServiceAccountEntry], ...] | None
    groups: tuple[Entry[GroupEntry], ...] | None
    vaults: tuple[Entry[VaultEntry], ...] | None
    access_rules: tuple[Entry[AccessRuleEntry], ...] | None = None
    rules: tuple[Rule, ...] = ()
    documents: Mapping[tuple[str, YamlPath], PlacedText] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def management(self, kind: Kind) -> Management:
        """Return how much of a kind the declaration speaks for; for vaults, of the vaults of groups."""
        lists = {
            Kind.MEMBER: (self.members, self.top.manage.members),
            Kind.SERVICE_ACCOUNT: (self.service_accounts, self.top.manage.service_accounts),
            Kind.GROUP: (self.groups, self.top.manage.groups),
            Kind.VAULT: (self.vaults, self.top.manage.vaults),
            Kind.ACCESS_RULE: (self.access_rules, self.top.manage.access_rules),
        }
        entries, extent = lists.get(kind, (None, None))
        return Management.NONE if entries is None or extent is None else extent

    def owned_vaults(self) -> Iterator[OwnedVault]:
        """Return every vault: those of groups, then those of service accounts."""
        for vault in self.vaults or ():
            yield OwnedVault(OwnerKind.GROUP, vault.item.group, vault.item.name, vault)
        for account in self.service_accounts or ():
            own = account.item.vault
            if own is not None:
                name = own.name if own.name is not None else account.item.name
                entry = Entry(own, account.tree, (*account.path, "vault"), account.place("vault"))
                yield OwnedVault(OwnerKind.SERVICE_ACCOUNT, account.item.name, name, entry)

    def document(self, entry: Entry[DocumentEntry]) -> PlacedText | None:
        """Return the text of a vault's document, or ``None`` if it could not be read."""
        return self.documents.get(entry.key)

    def excerpt(self, place: Place) -> str | None:
        """Return the line at a place in a declaration file; a vault document's is never shown."""
        return excerpt(self.trees, place)


def excerpt(trees: Mapping[str, YamlTree], place: Place) -> str | None:
    """Return the line at a place, or ``None`` if the place is in none of these files."""
    tree = trees.get(place.file)
    line = tree.line(place.line) if tree else None
    return None if line is None else line[:_EXCERPT_LENGTH]
