"""Keys, ``kind:name`` as people write them, and the differences that they mean."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.key import KINDS, Key, written
from reconciler.model.resources import Address, Kind, is_servers_own
from reconciler.model.text import fold, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.desired import Desired
    from reconciler.plan.changes import Change
    from reconciler.plan.make import Prepared


class Selection(Frozen):
    """What to adopt: differences, and live resources that the declaration leaves alone so far.

    ``chosen``: by keys, so that other differences are none of this run's business.
    """

    changes: tuple[Change, ...]
    undeclared: tuple[Address, ...] = ()
    notes: tuple[str, ...] = ()
    chosen: bool = False


def select(keys: Sequence[Key], prepared: Prepared, desired: Desired) -> Selection:
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
        addresses = [at for at in known if _is_meant(key, at, changes, former)]
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


def _is_meant(key: Key, address: Address, changes: dict[Address, Change], former: dict[Address, Address]) -> bool:
    names = (written(address), _live_name(address, changes, former)) if address.kind is key.kind else ()
    return any(name is not None and key.fits(name) for name in names)


def _live_name(address: Address, changes: dict[Address, Change], former: dict[Address, Address]) -> str | None:
    """Return what a resource is called live, where that is another name than the declared one."""
    if address in former:
        return written(former[address])
    edit = changes[address].edited("name") if address in changes and address.kind is not Kind.MEMBER else None
    return written(Address(address.kind, (*address.key[:-1], fold(str(edit.before))))) if edit else None


def _unknown(kind: Kind, name: str, known: set[Address]) -> UsageError:
    names = sorted(written(address) for address in known if address.kind is kind)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {kind.value}:{harmless(near[0])}?" if near else None
    return UsageError(f"{kind.value}:{harmless(name)} is neither declared nor live", hint=hint)


def keys_and_file(arguments: Sequence[str]) -> tuple[tuple[Key, ...], Path]:
    """Sort keys and the file, which comes last if it is given. Raises :class:`UsageError`."""
    keys: list[Key] = []
    for position, argument in enumerate(arguments):
        if (key := Key.read(argument)) is not None:
            keys.append(key)
        elif position == len(arguments) - 1:
            return tuple(keys), Path(argument)
        else:
            hint = f"a key is a kind and a name, like group:researchers; the kinds are {', '.join(KINDS)}"
            raise UsageError(f"{harmless(argument)} is neither a key nor the last argument", hint=hint)
    return tuple(keys), Path("workspace.yaml")
