"""A drift report: the differences of a plan, told from the live workspace's side."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.model.text import harmless, json_document
from reconciler.views.plan_text import change_lines, note_lines, verdict
from reconciler.views.sentences import counted, heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.plan.document import Plan
    from reconciler.views.palette import Palette

_LEGEND = "(+ declared and missing, ~ different: live → declared, - live and not declared)"


def render_drift(plan: Plan, palette: Palette) -> str:
    """Return the report as text, its verdict last."""
    return "".join(f"{line}\n" for line in _lines(plan, palette))


def _lines(plan: Plan, palette: Palette) -> Iterator[str]:
    if plan.changes:
        yield palette.quiet(f"{heading(plan.workspace, plan.server)}   {_LEGEND}")
    for _, changes in groupby(plan.changes, key=lambda change: change.kind):
        yield ""
        for change in changes:
            yield from change_lines(change, plan.declaration, palette)
    if plan.changes:
        yield ""
    yield from note_lines(plan, palette, refusals=False)
    if plan.is_empty:
        yield palette.strong(verdict(plan))
    else:
        found = counted(len(plan.changes), "resource")
        yield palette.error(f"Drift: {found} not as {harmless(plan.declaration)} says.")


def drift_json(plan: Plan) -> str:
    """Return the report as one JSON document."""
    from reconciler.views.drift_document import DriftReport

    shared = DriftReport.model_fields.keys() - {"format", "in_sync"}
    report = DriftReport(in_sync=plan.is_empty, **{name: getattr(plan, name) for name in shared})
    return json_document(report.model_dump(mode="json"))
