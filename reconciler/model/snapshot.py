"""A whole workspace as one immutable value, the same for desired and live."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

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

Sort = TypeVar("Sort", Member, ServiceAccount, Credential, Group, Vault, AccessRule)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every resource by address. Two snapshots are the same whatever the order they were built in."""

    resources: Mapping[Address, Resource] = field(default_factory=lambda: MappingProxyType({}))
    _owned: list[Mapping[Address, tuple[Resource, ...]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    _sorts: dict[type, Mapping[Address, Resource]] = field(default_factory=dict, init=False, repr=False, compare=False)

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

    def owned_by(self, owner: Address) -> tuple[Resource, ...]:
        """Return the credentials and vaults of a service account, or the vaults of a group."""
        if not self._owned:
            found: defaultdict[Address, list[Resource]] = defaultdict(list)
            for address, resource in self.resources.items():
                if (holder := address.owner) is not None:
                    found[holder].append(resource)
            self._owned.append({holder: tuple(resources) for holder, resources in found.items()})
        return self._owned[0].get(owner, ())

    @property
    def members(self) -> Mapping[Address, Member]:
        """The members by address."""
        return self._of(Member)

    @property
    def service_accounts(self) -> Mapping[Address, ServiceAccount]:
        """The service accounts by address."""
        return self._of(ServiceAccount)

    @property
    def credentials(self) -> Mapping[Address, Credential]:
        """The credentials by address."""
        return self._of(Credential)

    @property
    def groups(self) -> Mapping[Address, Group]:
        """The groups by address."""
        return self._of(Group)

    @property
    def vaults(self) -> Mapping[Address, Vault]:
        """The vaults by address."""
        return self._of(Vault)

    @property
    def access_rules(self) -> Mapping[Address, AccessRule]:
        """The access rules by address."""
        return self._of(AccessRule)

    def _of(self, sort: type[Sort]) -> Mapping[Address, Sort]:
        """Pick the resources of one sort, once: who asks for each of thousands must not pay for all each time."""
        found = self._sorts.get(sort)
        if found is None:
            picked = {address: item for address, item in self.resources.items() if isinstance(item, sort)}
            found = self._sorts[sort] = MappingProxyType(picked)
        return cast("Mapping[Address, Sort]", found)
