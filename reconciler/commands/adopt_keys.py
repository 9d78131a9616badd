"""Keys, ``kind:name`` as people write them, and the differences that they mean."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.resources import Address, Kind, Vault, is_servers_own
from reconciler.model.text import fold, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.desired import Desired
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.changes import Change
    from reconciler.plan.make import Prepared


KINDS = tuple(kind.value for kind in Kind)
"""The words that a key begins with."""


class AdoptKey(Frozen):
    """What to adopt: a kind and a folded name; of a vault ``owner/name``, of a credential ``account/label``."""

    kind: Kind
    name: str

    @staticmethod
    def read(text: str) -> AdoptKey | None:
        """Read ``kind:name``; ``None`` if the text is no key."""
        kind, _, name = text.partition(":")
        return AdoptKey(Kind(kind), fold(name)) if kind in KINDS and name else None


class Selection(Frozen):
    """What to adopt: differences, and live resources that the declaration leaves alone so far.

    ``chosen``: by keys, so that other differences are none of this run's business.
    """

    changes: tuple[Change, ...]
    undeclared: tuple[Address, ...] = ()
    notes: tuple[str, ...] = ()
    chosen: bool = False


def select(keys: Sequence[AdoptKey], prepared: Prepared, desired: Desired) -> Selection:
    """Return what the keys mean; without keys, every difference. Raises :class:`UsageError` for an unknown key."""
    if not keys:
        return Selection(prepared.plan.changes)
    changes = {change.address: change for change in prepared.plan.changes}
    former = {new: old for new, old in desired.renames.items() if new in changes}
    live = prepared.live.snapshot
    known = {*changes, *live.resources, *desired.snapshot.resources}
    found: dict[Address, Change] = {}
    undeclared: dict[Address, None] = {}
    notes: list[str] = []
    for key in keys:
        kind, name = key.kind, key.name
        addresses = [at for at in known if at.kind is kind and name in (_written(at), _live_name(at, changes, former))]
        if not addresses:
            raise _unknown(kind, name, known)
        for address in addresses:
            if address in changes:
                found[address] = changes[address]
            elif address in live and address not in desired.snapshot and not is_servers_own(live.get(address)):
                undeclared[address] = None
            else:
                notes.append(f"{kind.value}:{harmless(name)} is as the declaration says")
    return Selection(tuple(found.values()), tuple(undeclared), tuple(notes), chosen=True)


def _written(address: Address) -> str:
    return "/".join(address.key[1:] if address.kind is Kind.VAULT else address.key)


def _live_name(address: Address, changes: dict[Address, Change], former: dict[Address, Address]) -> str | None:
    """Return what a resource is called live, where that is another name than the declared one."""
    if address in former:
        return _written(former[address])
    edit = changes[address].edited("name") if address in changes and address.kind is not Kind.MEMBER else None
    return _written(Address(address.kind, (*address.key[:-1], fold(str(edit.before))))) if edit else None


def _unknown(kind: Kind, name: str, known: set[Address]) -> UsageError:
    names = sorted(_written(address) for address in known if address.kind is kind)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {kind.value}:{harmless(near[0])}?" if near else None
    return UsageError(f"{kind.value}:{harmless(name)} is neither declared nor live", hint=hint)


def key_of(address: Address, live: Snapshot, declared: Snapshot) -> str:
    """Return an address as it is written on the command line, its names as people write them."""
    resource = declared.get(address) or live.get(address)
    if resource is None or (isinstance(resource, Vault) and resource.is_own):
        return f"{address.kind.value}:{_written(address)}"
    owner = getattr(resource, "owner", None) or getattr(resource, "account", None)
    own = getattr(resource, "label", None) or getattr(resource, "name", None) or resource.title
    if address.kind is Kind.MEMBER:
        own = resource.title
    return f"{address.kind.value}:{owner}/{own}" if owner else f"{address.kind.value}:{own}"
