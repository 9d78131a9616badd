"""A whole workspace as one immutable value, the same for desired and live."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from msgspec import field

from reconciler.frozen import Frozen
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


class Snapshot(Frozen, dict=True):
    """Every resource by address. Two snapshots are the same whatever the order they were built in.

    What it is asked for by sort or by owner is picked once (so it has no slots): who asks for each of thousands must
    not pay for all of them each time.
    """

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
        return dict(self._kinds.get(kind, {}))

    def owned_by(self, owner: Address) -> tuple[Resource, ...]:
        """Return the credentials and vaults of a service account, or the vaults of a group."""
        return tuple(self._owned.get(owner, ()))

    @cached_property
    def members(self) -> Mapping[Address, Member]:
        """The members by address."""
        return self._of(Kind.MEMBER, Member)

    @cached_property
    def service_accounts(self) -> Mapping[Address, ServiceAccount]:
        """The service accounts by address."""
        return self._of(Kind.SERVICE_ACCOUNT, ServiceAccount)

    @cached_property
    def credentials(self) -> Mapping[Address, Credential]:
        """The credentials by address."""
        return self._of(Kind.CREDENTIAL, Credential)

    @cached_property
    def groups(self) -> Mapping[Address, Group]:
        """The groups by address."""
        return self._of(Kind.GROUP, Group)

    @cached_property
    def vaults(self) -> Mapping[Address, Vault]:
        """The vaults by address."""
        return self._of(Kind.VAULT, Vault)

    @cached_property
    def access_rules(self) -> Mapping[Address, AccessRule]:
        """The access rules by address."""
        return self._of(Kind.ACCESS_RULE, AccessRule)

    def _of(self, kind: Kind, _: type[Sort]) -> Mapping[Address, Sort]:
        return MappingProxyType(cast("dict[Address, Sort]", self._kinds.get(kind, {})))

    @cached_property
    def _kinds(self) -> Mapping[Kind, dict[Address, Resource]]:
        found: defaultdict[Kind, dict[Address, Resource]] = defaultdict(dict)
        for address, resource in self.resources.items():
            found[address.kind][address] = resource
        return found

    @cached_property
    def _owned(self) -> Mapping[Address, list[Resource]]:
        found: defaultdict[Address, list[Resource]] = defaultdict(list)
        for address, resource in self.resources.items():
            if (owner := address.owner) is not None:
                found[owner].append(resource)
        return found
