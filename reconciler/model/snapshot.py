"""A whole workspace as one immutable value, the same for desired and live."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Group,
    Kind,
    Member,
    Resource,
    ServiceAccount,
    Vault,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every resource by address. Two snapshots are the same whatever the order they were built in."""

    resources: Mapping[Address, Resource] = field(default_factory=lambda: MappingProxyType({}))

    @staticmethod
    def of(resources: Iterable[Resource]) -> Snapshot:
        """Make a snapshot; the order of the input does not matter."""
        return Snapshot(MappingProxyType({resource.address: resource for resource in resources}))

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def __len__(self) -> int:
        return len(self.resources)

    def __contains__(self, address: Address) -> bool:
        return address in self.resources

    def get(self, address: Address) -> Resource | None:
        """Return the resource at this address, if there is one."""
        return self.resources.get(address)

    def of_kind(self, kind: Kind) -> dict[Address, Resource]:
        """Return the resources of one kind by address."""
        return {address: resource for address, resource in self.resources.items() if address.kind is kind}

    @property
    def members(self) -> dict[Address, Member]:
        """The members by address."""
        return {address: item for address, item in self.resources.items() if isinstance(item, Member)}

    @property
    def service_accounts(self) -> dict[Address, ServiceAccount]:
        """The service accounts by address."""
        return {address: item for address, item in self.resources.items() if isinstance(item, ServiceAccount)}

    @property
    def credentials(self) -> dict[Address, Credential]:
        """The credentials by address."""
        return {address: item for address, item in self.resources.items() if isinstance(item, Credential)}

    @property
    def groups(self) -> dict[Address, Group]:
        """The groups by address."""
        return {address: item for address, item in self.resources.items() if isinstance(item, Group)}

    @property
    def vaults(self) -> dict[Address, Vault]:
        """The vaults by address."""
        return {address: item for address, item in self.resources.items() if isinstance(item, Vault)}

    @property
    def access_rules(self) -> dict[Address, AccessRule]:
        """The access rules by address."""
        return {address: item for address, item in self.resources.items() if isinstance(item, AccessRule)}
