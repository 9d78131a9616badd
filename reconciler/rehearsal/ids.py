"""The server ids of those who hold something, by kind and folded name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.model.live import Live

_HOLDERS = (Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP)


class HolderIds(Frozen):
    """The ids of a workspace's members, service accounts and groups; whoever has none is left out of each answer."""

    by_name: Mapping[Kind, Mapping[str, str]]

    @staticmethod
    def of(live: Live) -> HolderIds:
        """Gather the ids once: memberships are looked up by the ten thousand."""
        found: dict[Kind, dict[str, str]] = {kind: {} for kind in _HOLDERS}
        for address, identifier in live.ids.items():
            if address.kind in found:
                found[address.kind][address.key[0]] = identifier
        return HolderIds(found)

    def users(self, members: Iterable[str] | None, accounts: Iterable[str] | None) -> frozenset[str]:
        """Return the ids of these people and service accounts."""
        return self._ids(Kind.MEMBER, members) | self._ids(Kind.SERVICE_ACCOUNT, accounts)

    def groups(self, names: Iterable[str]) -> frozenset[str]:
        """Return the ids of these groups."""
        return self._ids(Kind.GROUP, names)

    def _ids(self, kind: Kind, names: Iterable[str] | None) -> frozenset[str]:
        known = self.by_name[kind]
        return frozenset(known[name] for name in names or () if name in known)
