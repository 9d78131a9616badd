"""Keys: resources as people name them on a command line, ``kind:name``, with ``*`` and ``?`` for any characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.frozen import Frozen
from reconciler.model.resources import Address, Kind, Vault
from reconciler.model.text import fold

if TYPE_CHECKING:
    from reconciler.model.snapshot import Snapshot

KINDS: Final = tuple(kind.value for kind in Kind)
"""The words that a key begins with."""


class Key(Frozen):
    """A kind and a folded name; of a vault ``owner/name``, of a credential ``account/label``."""

    kind: Kind
    name: str

    @staticmethod
    def read(text: str) -> Key | None:
        """Read ``kind:name``; ``None`` if the text is no key."""
        kind, _, name = text.partition(":")
        return Key(Kind(kind), fold(name)) if kind in KINDS and name else None

    def means(self, address: Address) -> bool:
        """Return whether a resource is meant: by its very name, or by a pattern."""
        return address.kind is self.kind and self.fits(written(address))

    def fits(self, name: str) -> bool:
        """Return whether a folded name is this one or fits the pattern."""
        if name == self.name:
            return True
        if not {"*", "?"} & set(self.name):
            return False
        pattern = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in self.name)
        return re.fullmatch(pattern, name, re.DOTALL) is not None


def written(address: Address) -> str:
    """Return the folded name of a resource as a key has it."""
    return "/".join(address.key[1:] if address.kind is Kind.VAULT else address.key)


def key_of(address: Address, live: Snapshot, declared: Snapshot) -> str:
    """Return an address as it is written on the command line, its names as people write them."""
    resource = declared.get(address) or live.get(address)
    if resource is None or (isinstance(resource, Vault) and resource.is_own):
        return f"{address.kind.value}:{written(address)}"
    owner = getattr(resource, "owner", None) or getattr(resource, "account", None)
    own = getattr(resource, "label", None) or getattr(resource, "name", None) or resource.title
    if address.kind is Kind.MEMBER:
        own = resource.title
    return f"{address.kind.value}:{owner}/{own}" if owner else f"{address.kind.value}:{own}"
