"""Whether a saved plan still fits: it is made again, and the two are compared change by change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.errors import StalePlanError
from reconciler.model.edits import DocumentEdit
from reconciler.model.secret import UNSHOWN
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from reconciler.model.edits import Edit
    from reconciler.plan.changes import Change
    from reconciler.plan.document import Plan

_SHOWN = 10


def check_still_fits(saved: Plan, current: Plan) -> None:
    """Compare a saved plan with the one that the same command makes now.

    Differences that came up since outside of the declaration, in resources that the saved plan does not touch, are no
    reason to refuse. Raises :class:`StalePlanError`, which names what moved.
    """
    if saved.server != current.server:
        raise StalePlanError(
            f"the plan was made for {harmless(saved.server)}, this is {harmless(current.server)}",
            hint="make a new plan for this server",
        )
    keyed = saved.key_id == current.key_id
    declaration_moved = not keyed or saved.declaration_digest != current.declaration_digest
    now = {change.address: change for change in current.changes}
    moved = []
    for change in saved.changes:
        today = now.pop(change.address, None)
        name = f"{change.kind.value} {harmless(change.title)}"
        if today is None:
            moved.append(f"{name}: no longer needs this change")
        elif _comparable(today, keyed=keyed) != _comparable(change, keyed=keyed):
            moved.append(f"{name}: {_what_moved(change, today, declaration_moved=declaration_moved)}")
    if declaration_moved:
        moved += [f"{change.kind.value} {harmless(change.title)}: not in the plan" for change in now.values()]
    if moved:
        more = f"\n  and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
        listed = "".join(f"\n  {line}" for line in moved[:_SHOWN])
        raise StalePlanError(
            f"the plan is stale; since it was made these moved:{listed}{more}",
            hint="nothing was changed; make a new plan and have it reviewed",
        )


def _comparable(change: Change, *, keyed: bool) -> Change:
    if keyed:
        # The digests cover the documents. What of their values is shown depends on what git has and on the record.
        return replace(change, place=None, edits=tuple(map(_without_values, change.edits)))
    return replace(change, place=None, document_before=None, document_after=None)


def _without_values(edit: Edit) -> Edit:
    if not isinstance(edit, DocumentEdit):
        return edit
    before, after = (None if value is None else UNSHOWN for value in (edit.before, edit.after))
    return replace(edit, before=before, after=after, secret=False)


def is_carried_out(saved: Plan, current: Plan) -> bool:
    """Tell whether nothing is left of a saved plan, for the same server and declaration: it was applied before."""
    same = (saved.server, saved.key_id, saved.declaration_digest) == (
        current.server,
        current.key_id,
        current.declaration_digest,
    )
    left = {change.address for change in current.changes}
    return same and bool(saved.changes) and not any(change.address in left for change in saved.changes)


def _what_moved(saved: Change, today: Change, *, declaration_moved: bool) -> str:
    if (saved.before, saved.document_before) != (today.before, today.document_before):
        return "the workspace has moved"
    if declaration_moved:
        return "the declaration has moved"
    return "what can be done has changed, for example because an invitation was accepted"
