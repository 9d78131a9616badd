"""What a record can be held to: what an apply of ours that did not end has touched is not known."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from reconciler.model.resources import WITHOUT_A_NAME, Kind
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.model.resources import Address
    from reconciler.record.document import Record


def unsettled(record: Record) -> frozenset[tuple[Kind, str]]:
    """Return kind and folded title of all that the last runs touched without anybody having looked at it since.

    A run that was killed, or that could not read the workspace at its end, may have changed it in ways that the record
    does not know; so whoever finds a difference there must not say that somebody else made it.
    """
    runs = takewhile(lambda run: run.remaining is None, record.runs)
    return frozenset((item.kind, fold(item.title)) for run in runs for item in run.operations)


def is_unsettled(address: Address, open_ends: Collection[tuple[Kind, str]]) -> bool:
    """Return whether a resource, or the one that it belongs to, is among what :func:`unsettled` returned."""
    if (address.kind, fold(_title(address))) in open_ends:
        return True
    return address.owner is not None and is_unsettled(address.owner, open_ends)


def known_identities(record: Record) -> Mapping[Address, str]:
    """Return the server ids (of credentials what stands for them) that the record knows for certain."""
    open_ends = unsettled(record)
    return {
        item.address: item.server_id
        for item in record.resources
        if item.server_id is not None and not is_unsettled(item.address, open_ends)
    }


def _title(address: Address) -> str:
    """Return the title that a resource with this address has, folded: what operations are written down with."""
    match address.kind:
        case Kind.CREDENTIAL:
            return " / ".join(address.key)
        case Kind.VAULT:
            return f"{address.key[2] or WITHOUT_A_NAME} → {address.key[1]}"
        case _:
            return address.key[0]
