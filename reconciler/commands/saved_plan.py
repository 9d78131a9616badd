"""Reads the saved plan that ``apply --plan`` names, and holds it to the declaration and the key of the run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.apply.stale import check_server
from reconciler.errors import PlanFileError, UsageError
from reconciler.model.text import harmless
from reconciler.plan.document import MAXIMUM_BYTES, Plan, check_seal, looks_like_plan, read_plan

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.plan.fingerprints import DigestKey

_HEAD = 4096


class SavedPlan:
    """A saved plan and what to call it. It is not believed before :meth:`check`."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self._name = name

    @staticmethod
    def read(folder: Path, path: Path, file: Path) -> SavedPlan:
        """Read a plan that was made from this declaration; paths start at ``folder``.

        The plan names a declaration, but it is never opened by that name. Raises :class:`PlanFileError` for what is no
        plan, was altered, cannot be applied, or was made from another declaration, and :class:`UsageError` for a file
        that cannot be read.
        """
        name = harmless(str(path))
        try:
            with (folder / path).open("rb") as stream:
                content = stream.read(MAXIMUM_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its path cannot be used"
            raise UsageError(f"{name} cannot be read: {reason}", hint="plan --out saves a plan") from None
        plan = read_plan(content[:MAXIMUM_BYTES].decode("utf-8", "replace"), name)
        if plan.without_secrets:
            raise PlanFileError(
                f"{name} was made without secret values, so it cannot be applied",
                hint="make a plan where the secrets are available",
            )
        if os.path.normpath(folder / plan.declaration) != os.path.normpath(folder / file):
            raise PlanFileError(
                f"{name} was made from {harmless(plan.declaration)}, not from {harmless(file.as_posix())}",
                hint=f"name the declaration too: apply --plan {name} {harmless(plan.declaration)}",
            )
        return SavedPlan(plan, name)

    def check(self, server: str, key: DigestKey) -> None:
        """Make sure that the plan was made for this server, with this key.

        Raises :class:`reconciler.errors.StalePlanError` and :class:`PlanFileError`.
        """
        check_server(self.plan, server)
        check_seal(self.plan, key, self._name)


def refuse_plan_as_declaration(folder: Path, file: Path) -> None:
    """Raise :class:`UsageError` if a saved plan was given where a declaration belongs; nothing is guessed."""
    try:
        with (folder / file).open(encoding="utf-8") as stream:
            head = stream.read(_HEAD)
    except (OSError, ValueError):
        return
    if looks_like_plan(head):
        name = harmless(str(file))
        raise UsageError(f"{name} is a saved plan, not a declaration", hint=f"apply --plan {name}")
