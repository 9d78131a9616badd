"""What an adoption took, kept and would revert, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.drift.report import DriftClass
from reconciler.model.key import key_of
from reconciler.model.text import harmless
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.drift.sides import Kept
    from reconciler.model.resources import Address
    from reconciler.model.snapshot import Snapshot

_WHY: Final = {
    DriftClass.NOT_YET_APPLIED: "not yet applied",
    DriftClass.CONFLICT: "changed on both sides",
    DriftClass.UNKNOWN: "it is not known which side changed; name it to adopt it",
}


def reverted_lines(reverted: Iterable[Kept], live: Snapshot, declared: Snapshot, *, done: bool) -> Iterator[str]:
    """Say which edits of the files are lost, or would be."""
    verb = "reverted" if done else "would revert"
    for kept in reverted:
        unknown = kept.drift is DriftClass.UNKNOWN
        why = "not known to have changed outside" if unknown else _WHY[kept.drift]
        yield f"{verb}  {_named(kept, live, declared)} ({why})"


def kept_lines(kept: Iterable[Kept], live: Snapshot, declared: Snapshot) -> Iterator[str]:
    """Say what stays as the files say: what is not yet applied, conflicts, and what nobody can tell of."""
    undecided = False
    for one in kept:
        yield f"kept     {_named(one, live, declared)} ({_WHY[one.drift]})"
        undecided = undecided or (one.is_open and one.drift is DriftClass.CONFLICT)
    if undecided:
        yield "Of conflicts, --ours keeps what the files say, and --theirs takes what the workspace has."


def left_lines(left: Mapping[Address, str], live: Snapshot, declared: Snapshot) -> Iterator[str]:
    """Say what could not be taken over, and why."""
    for address, reason in left.items():
        yield f"Left: {harmless(key_of(address, live, declared))}: {reason}"


def outcome_lines(files: int, variables: Sequence[str], *, is_open: bool, written: bool) -> str:
    """Say how many files change, and which variables hold the secrets that are new in them."""
    if not files:
        return "Nothing was changed." if is_open else "Nothing to adopt."
    names = ", ".join(variables)
    secrets = f"Secret values are not written. Set these environment variables for plan and apply: {names}\n"
    many = counted(files, "file")
    return (secrets if names else "") + (
        f"{many} changed." if written else f"{many} would change; nothing was written."
    )


def _named(kept: Kept, live: Snapshot, declared: Snapshot) -> str:
    """Name a part of a resource as people write it."""
    name = harmless(key_of(kept.address, live, declared))
    if not kept.part.field:
        return name
    element = f" {harmless(kept.part.element)}" if kept.part.element is not None else ""
    return f"{name}: {kept.part.field.replace('_', ' ')}{element}"
