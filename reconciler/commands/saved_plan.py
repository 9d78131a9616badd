"""Tells a saved plan from a declaration, both of which ``apply`` takes."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import PlanFileError
from reconciler.model.text import harmless
from reconciler.plan.document import MAXIMUM_BYTES, Plan, looks_like_plan, read_plan

_HEAD = 4096


def read_target_file(folder: Path, path: Path) -> tuple[Plan | None, Path]:
    """Return the saved plan, if the file is one, and the path of the declaration; paths start at ``folder``.

    A file that cannot be read is taken for a declaration, so that there is one place that says what is wrong with it.
    Raises :class:`PlanFileError` for a plan that is damaged, altered, or cannot be applied.
    """
    try:
        with (folder / path).open(encoding="utf-8") as file:
            head = file.read(_HEAD)
            if not looks_like_plan(head):
                return None, path
            text = head + file.read(MAXIMUM_BYTES)
    except (OSError, UnicodeDecodeError):
        return None, path
    plan = read_plan(text, harmless(str(path)))
    if plan.without_secrets:
        raise PlanFileError(
            f"{harmless(str(path))} was made without secret values, so it cannot be applied",
            hint="make a plan where the secrets are available",
        )
    return plan, Path(plan.declaration)
