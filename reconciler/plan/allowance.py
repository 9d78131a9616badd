"""What lifts a guard: its name alone, for one kind, or for one resource (``docs/explanation/decisions.md, 11``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.key import Key
from reconciler.model.resources import Address, Kind
from reconciler.model.text import fold
from reconciler.plan.changes import NEVER_LIFTED, Guard

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.plan.changes import Change, Refusal


class Allowance(Frozen):
    """One guard that is lifted on purpose: everywhere, for a ``kind``, or for what a ``key`` means."""

    guard: Guard
    kind: Kind | None = None
    key: Key | None = None

    @staticmethod
    def read(text: str) -> Allowance:
        """Read ``guard``, ``guard=kind`` or ``guard=kind:name``. Raises ``ValueError``, which says what is wrong."""
        name, equals, target = text.partition("=")
        try:
            guard = Guard(name)
        except ValueError:
            raise ValueError(f"there is no guard {name!r}") from None
        if guard in NEVER_LIFTED:
            raise ValueError(f"{name} cannot be lifted")
        if not equals:
            return Allowance(guard)
        if target in tuple(Kind):
            return Allowance(guard, Kind(target))
        key = Key.read(target)
        if key is None:
            kinds = ", ".join(Kind)
            raise ValueError(f"{target!r} is neither a kind nor a key like group:operators; the kinds are {kinds}")
        return Allowance(guard, key.kind, key)


def marked(
    refusals: Iterable[Refusal], allowed: Collection[Allowance], changes: Iterable[Change]
) -> tuple[Refusal, ...]:
    """Mark the refusals that were allowed; ``changes`` lead from the names in them to resources."""
    if not allowed:
        return tuple(refusals)
    addresses: dict[str, set[Address]] = {}
    for change in changes:
        addresses.setdefault(fold(change.title), set()).add(change.address)
    return tuple(
        replace(refusal, allowed=True) if refusal.liftable and _is_lifted(refusal, allowed, addresses) else refusal
        for refusal in refusals
    )


def _is_lifted(refusal: Refusal, allowed: Collection[Allowance], addresses: Mapping[str, Collection[Address]]) -> bool:
    """Return whether a refusal is allowed: as a whole, by its subject, or by everything that it names."""
    fitting = [item for item in allowed if item.guard is refusal.guard]
    if any(item.key is None and item.kind in (None, refusal.kind) for item in fitting):
        return True
    keys = [item.key for item in fitting if item.key is not None]
    if refusal.subject is not None and _is_meant(refusal.subject, refusal.kind, keys, addresses):
        return True
    if refusal.subject is not None and refusal.guard is not Guard.REVOCATION:
        return False
    return bool(refusal.names) and all(_is_meant(name, refusal.kind, keys, addresses) for name in refusal.names)


def _is_meant(title: str, kind: Kind, keys: Iterable[Key], addresses: Mapping[str, Collection[Address]]) -> bool:
    found = addresses.get(fold(title)) or {Address(kind, (fold(title),))}
    return any(key.means(address) for key in keys for address in found)
