"""``show``: a saved plan again, in any form. It needs no server and no declaration."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from reconciler.commands.connection import Connection
from reconciler.commands.server import find_target
from reconciler.errors import PlanFileError, ReconcilerError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.plan.document import MAXIMUM_BYTES, Plan, check_seal, read_plan

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.commands.session import Session


class Authenticity(Enum):
    """What is known of who made a plan; the value is what people are shown."""

    AUTHENTIC = "This plan is authentic: it was made with the key that is set here."
    UNKNOWN = "Whether this plan is authentic is not known: the key to verify it is not available here."


class ShownPlan(Frozen):
    """A saved plan, and whether it is what its maker made."""

    plan: Plan
    authenticity: Authenticity


def read_saved_plan(session: Session, path: Path) -> ShownPlan:
    """Read a saved plan. Raises :class:`PlanFileError` for a file that is no plan, or a damaged or altered one."""
    shown = harmless(str(path))
    try:
        with (session.folder / path).open(encoding="utf-8") as file:
            text = file.read(MAXIMUM_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise PlanFileError(f"{shown} cannot be read: {reason}", hint="name a file that plan --out saved") from None
    plan = read_plan(text, shown)
    return ShownPlan(plan, _authenticity(session, plan, shown))


def _authenticity(session: Session, plan: Plan, shown: str) -> Authenticity:
    """Return whether a plan has the seal of the key of this session, as far as that is known.

    Raises :class:`PlanFileError` for a plan of this key that somebody altered.
    """
    try:
        key = find_target(session, Connection(server=plan.server, allow_http=True), None).key
    except ReconcilerError:
        return Authenticity.UNKNOWN
    if plan.key_id != key.key_id:
        return Authenticity.UNKNOWN
    check_seal(plan, key, shown)
    return Authenticity.AUTHENTIC
