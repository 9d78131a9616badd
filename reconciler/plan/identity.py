"""Whether a name still means what it meant when it was last applied: the server ids of then, against those of now.

A person who was removed and joined again under the same e-mail, a group that was deleted and made again under its name:
the name is the same, whoever is behind it may be another. A name that changed while the id stayed is a rename.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.lookalike import foreign_letters, look_alikes
from reconciler.model.resources import Address, Group, Kind, Member, OwnerKind, ServiceAccount
from reconciler.model.text import fold
from reconciler.plan.changes import Guard, Refusal, Warned
from reconciler.plan.fingerprints import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.snapshot import Snapshot

_LOOKED_AT = {Kind.MEMBER: "address", Kind.SERVICE_ACCOUNT: "service account", Kind.GROUP: "group"}
"""The kinds that are known by their names, and what a name of each is called in a warning."""

_RENAMED_BY_WAS = frozenset({Kind.SERVICE_ACCOUNT, Kind.GROUP, Kind.ACCESS_RULE, Kind.VAULT})


def former(address: Address, renames: Mapping[Address, Address]) -> Address:
    """Return the address that a resource had before the declared renames of itself and of its owner."""
    owner = address.owner
    if owner is not None and owner in renames:
        old = renames[owner].key[0]
        if address.kind is Kind.CREDENTIAL:
            return Address(address.kind, (old, address.key[-1]))
        return renames.get(address, Address.vault(OwnerKind(address.key[0]), old, address.key[-1]))
    return renames.get(address, address)


def replaced(desired: Desired, live: Live, known: Mapping[Address, str]) -> tuple[Address, ...]:
    """Return what is declared and there, and was another one when it was last applied, ordered.

    ``known`` are the ids of then, by the addresses of then; without any nothing is called replaced.
    """
    if not known:
        return ()
    return tuple(
        sorted(address for address in desired.snapshot.resources if _is_another(address, desired, live, known))
    )


def _is_another(address: Address, desired: Desired, live: Live, known: Mapping[Address, str]) -> bool:
    before = known.get(address) or known.get(former(address, desired.renames))
    now = identity(address, live.ids.get(address))
    return before is not None and now is not None and before != now


def identity_refusals(addresses: Iterable[Address], live: Live) -> Iterator[Refusal]:
    """Return a refusal for each kind of which something is another one now."""
    found = sorted(addresses)
    for kind in Kind:
        names = tuple(live.snapshot.resources[address].title for address in found if address.kind is kind)
        if names:
            yield Refusal(guard=Guard.IDENTITY_CHANGED, kind=kind, names=names, count=len(names))


def renamed_outside(desired: Desired, live: Live, known: Mapping[Address, str]) -> Iterator[Warned]:
    """Return a hint for each declared resource that is there under a name that nobody declares."""
    if not known:
        return
    here = {
        (address.kind, identity(address, server_id)): address
        for address, server_id in live.ids.items()
        if address not in desired.snapshot
    }
    for address, wanted in sorted(desired.snapshot.resources.items()):
        now = here.get((address.kind, known.get(address)))
        if address in live.snapshot or now is None or now not in live.snapshot:
            continue
        name = now.key[-1]
        undo = f"; `was: {name}` on {wanted.title} renames it back" if address.kind in _RENAMED_BY_WAS else ""
        message = (
            f"was applied as {wanted.title} and was renamed since (it has the same id): declare it under its new name"
            f" to keep it{undo}"
        )
        title = live.snapshot.resources[now].title
        yield Warned(kind=address.kind, title=title, rule="renamed-outside", message=message)


def live_look_alikes(desired: Desired, live: Live) -> Iterator[Warned]:
    """Return a warning for each live name that looks like another one; declared ones are warned of as they load."""
    for kind, what in _LOOKED_AT.items():
        declared, there = _names(desired.snapshot, kind), _names(live.snapshot, kind)
        if there.keys() <= declared.keys():
            continue
        for group in look_alikes({*declared.values(), *there.values()}):
            known = [name for name in group if fold(name) in declared]
            for name in (name for name in group if name not in known):
                other = next(iter(known), next(one for one in group if one != name))
                letters = foreign_letters(name + other)
                because = f" (letters: {letters})" if letters else ""
                message = f"looks like {other} but is a different {what}{because}"
                yield Warned(kind=kind, title=name, rule="look-alike", message=message)


def _names(snapshot: Snapshot, kind: Kind) -> dict[str, str]:
    """Return the names of one kind as they are spelled, by their folded form."""
    names = {}
    for resource in snapshot.of_kind(kind).values():
        if isinstance(resource, Member):
            names[fold(resource.email)] = resource.email
        elif isinstance(resource, ServiceAccount | Group):
            names[fold(resource.name)] = resource.name
    return names
