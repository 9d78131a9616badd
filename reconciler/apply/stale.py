"""Whether a saved plan still fits: it is made again, and the two are compared change by change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.errors import StalePlanError
from reconciler.model.text import harmless
from reconciler.plan.changes import Action, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.plan.changes import Change
    from reconciler.plan.document import Plan

_SHOWN = 10


def check_still_fits(saved: Plan, current: Plan) -> None:
    """Compare a saved plan with the one that the same command makes now.

    What nobody declares and came up since, in resources that the saved plan does not touch, is no reason to refuse.
    What is declared and not in the plan is, unless the plan was limited to a selection. Raises
    :class:`StalePlanError`, which names what moved.
    """
    check_server(saved, current.server)
    declaration_moved = saved.declaration_digest != current.declaration_digest
    now = {change.address: change for change in current.changes}
    moved = []
    for change in saved.changes:
        today = now.get(change.address)
        if today is None:
            moved.append(f"{_name(change)}: no longer needs this change")
        elif replace(today, place=None) != replace(change, place=None):
            moved.append(f"{_name(change)}: {_what_moved(change, today, declaration_moved=declaration_moved)}")
    _refuse((*moved, *_not_in_plan(saved, current)))


def check_server(saved: Plan, server: str) -> None:
    """Make sure that a plan was made for this server; raises :class:`StalePlanError`."""
    if saved.server != server:
        raise StalePlanError(
            f"the plan was made for {harmless(saved.server)}, this is {harmless(server)}",
            hint="make a new plan for this server",
        )


def check_nothing_missing(saved: Plan, current: Plan) -> None:
    """Make sure that a plan which was carried out was all that is declared; raises :class:`StalePlanError`."""
    _refuse(tuple(_not_in_plan(saved, current)))


def is_carried_out(saved: Plan, current: Plan) -> bool:
    """Return whether nothing is left of a saved plan, for the same server and declaration: it was applied before."""
    same = (saved.server, saved.declaration_digest) == (current.server, current.declaration_digest)
    left = {change.address for change in current.changes}
    return same and bool(saved.changes) and not any(change.address in left for change in saved.changes)


def _not_in_plan(saved: Plan, current: Plan) -> Iterator[str]:
    """Return what the current plan has beside the saved one and is to be there in full.

    With the same declaration what nobody declares, and a credential that has become due, may wait for the next plan.
    """
    if saved.selection:
        return
    same = saved.declaration_digest == current.declaration_digest
    known = {change.address for change in saved.changes}
    for change in current.changes:
        may_wait = same and (change.action is Action.DELETE or change.reason is Reason.EXPIRING)
        if change.address not in known and not may_wait:
            yield f"{_name(change)}: not in the plan"


def _refuse(moved: Iterable[str]) -> None:
    moved = tuple(moved)
    if not moved:
        return
    more = f"\n  and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
    listed = "".join(f"\n  {line}" for line in moved[:_SHOWN])
    raise StalePlanError(
        f"the plan is stale; since it was made these moved:{listed}{more}",
        hint="nothing was changed; make a new plan and have it reviewed",
    )


def _name(change: Change) -> str:
    return f"{change.kind.value} {harmless(change.title)}"


def _what_moved(saved: Change, today: Change, *, declaration_moved: bool) -> str:
    if (saved.before, saved.document_before) != (today.before, today.document_before):
        return "the workspace has moved"
    if declaration_moved:
        return "the declaration has moved"
    return "what can be done has changed, for example because an invitation was accepted"
