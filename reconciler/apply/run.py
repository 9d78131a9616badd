"""What the operations of one apply share: the two sides, the API, and the ids that come to be on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from reconciler.apply.shared_read import SharedRead
from reconciler.clearml.reader import Reader
from reconciler.clearml.write import Writer
from reconciler.errors import ReconcilerError
from reconciler.model.text import harmless
from reconciler.plan.operations import OperationKind, operations_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.clearml.messages import NewCredentialMessage, VaultMessage
    from reconciler.clearml.transport import Transport
    from reconciler.model.delivery import Delivery
    from reconciler.model.live import Live
    from reconciler.model.resources import Address, Resource
    from reconciler.model.secret import Secret
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.changes import Change
    from reconciler.plan.make import Prepared
    from reconciler.plan.operations import Operation
    from reconciler.plan.order import Identity
    from reconciler.vaults.parse import DocumentParser
    from reconciler.world import Chance

Sort = TypeVar("Sort", bound="Resource")

_WITH_CHOSEN_IDS = frozenset({OperationKind.CREATE_GROUP, OperationKind.CREATE_RULE})


class MovedError(ReconcilerError):
    """A resource is no longer what the plan was made from; it was left alone."""


class Delivering(Protocol):
    """Hands new secret keys over."""

    def check(self, delivery: Delivery) -> None:
        """Raise :class:`reconciler.errors.DeliveryError` if this delivery cannot work."""

    async def deliver(self, delivery: Delivery, access_key: str, secret_key: Secret) -> None:
        """Hand a secret key over, or raise :class:`reconciler.errors.DeliveryError`."""


@dataclass(slots=True)
class Run:
    """The state of one apply.

    ``ids`` starts with the live ids and grows with what is created; ``chosen`` are those of groups and rules that this
    program gives them. ``first_credentials`` holds, until it is used, the credential that the server made with a new
    service account.
    """

    reader: Reader
    writer: Writer
    desired: Snapshot
    live: Live
    parser: DocumentParser
    deliveries: Delivering
    chosen: Mapping[Identity, str]
    ids: dict[Address, str]
    first_credentials: dict[Address, NewCredentialMessage] = field(default_factory=dict)
    organization_vaults: SharedRead[tuple[VaultMessage, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.organization_vaults = SharedRead(self.reader.listed_vaults)

    @staticmethod
    def begin(
        transport: Transport,
        prepared: Prepared,
        parser: DocumentParser,
        deliveries: Delivering,
        chosen: Mapping[Identity, str],
    ) -> Run:
        """Start an apply of a plan over this connection; ``chosen`` are the ids of :func:`chosen_ids`."""
        return Run(
            reader=Reader(transport),
            writer=Writer(transport),
            desired=prepared.desired,
            live=prepared.live,
            parser=parser,
            deliveries=deliveries,
            chosen=chosen,
            ids=dict(prepared.live.ids),
        )

    def wanted(self, operation: Operation, sort: type[Sort]) -> Sort:
        """Return the operation's resource as declared."""
        return _as(sort, self.desired.get(operation.change.address))

    def existing(self, operation: Operation, sort: type[Sort]) -> Sort:
        """Return what the operation's resource was when the workspace was read."""
        return _as(sort, self.live.snapshot.get(operation.change.address))

    def id_of(self, address: Address) -> str:
        """Return the server id of a resource that exists by now."""
        try:
            return self.ids[address]
        except KeyError:
            name = harmless(" / ".join(address.key))
            raise MovedError(f"{address.kind.value} {name} has no id yet; run again") from None


def chosen_ids(changes: Sequence[Change], open_ids: Mapping[Address, str], chance: Chance) -> dict[Identity, str]:
    """Return an id for each group and rule that is to be created, which the API lets us choose.

    ``open_ids`` are those under which an earlier run began to create one, with no known end. They are used again: if
    that creation still lands, it is the same one and not a second one.
    """
    return {
        operation.identity: open_ids.get(operation.change.address) or chance.identifier()
        for operation in operations_of(changes)
        if operation.kind in _WITH_CHOSEN_IDS
    }


def _as(sort: type[Sort], resource: Resource | None) -> Sort:
    if not isinstance(resource, sort):
        raise TypeError(f"expected a {sort.__name__}, found {type(resource).__name__}")
    return resource


def moved(operation: Operation, what: str) -> MovedError:
    """Return the error for a resource that has changed since the workspace was read."""
    return MovedError(f"{harmless(operation.change.title)} {what} since the plan was made; it was left alone")
