"""A drift report as the body of a GitHub issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift.report import AttentionKind, DriftClass, Memory
from reconciler.views.drift_words import (
    CLASS_HELP,
    CLASS_WORDS,
    attention_sentence,
    due_words,
    finding_sentence,
    name,
    summary,
)
from reconciler.views.markdown import code, marker
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.drift.report import Drift
    from reconciler.plan.document import Plan

_SHOWN = 100
_WHAT_TO_DO = {
    DriftClass.CHANGED_OUTSIDE: "Declare what is right (`reconciler adopt`), or let `reconciler apply` put it back.",
    DriftClass.NOT_YET_APPLIED: "`reconciler apply` carries it out.",
    DriftClass.CONFLICT: "Decide in the declaration what is right, then `reconciler apply`.",
    DriftClass.UNKNOWN: "Compare both sides; after the next `reconciler apply` the record shows which side moved.",
}


def render_issue(plan: Plan, drift: Drift) -> str:
    """Return Markdown below a hidden line by which the issue is found again; every foreign name is a code span."""
    return "".join(f"{line}\n" for line in _lines(plan, drift))


def _lines(plan: Plan, drift: Drift) -> Iterator[str]:
    yield marker(plan.workspace, plan.declaration)
    where = f"{code(plan.workspace)} ({code(plan.server)})"
    if drift.findings:
        count = counted(len(drift.findings), "resource")
        yield f"**The workspace {where} is not as {code(plan.declaration)} says**: {count}, {summary(drift.findings)}."
    elif any(item.what is AttentionKind.UNREADABLE for item in drift.attention):
        yield f"Whether the workspace {where} is as {code(plan.declaration)} says is not known: not all could be read."
    else:
        yield f"The workspace {where} is as {code(plan.declaration)} says."
    if drift.findings and drift.memory is not Memory.RECORD:
        yield ""
        yield "Which side moved is not known: there is no record of what was last applied."
    for drift_class in DriftClass:
        found = [finding for finding in drift.findings if finding.drift is drift_class]
        lines = [f"{name(item.kind, item.title, code)}: {finding_sentence(item, code)}" for item in found]
        title = f"{CLASS_WORDS[drift_class].capitalize()}: {CLASS_HELP[drift_class]}"
        yield from _section(title, lines, _WHAT_TO_DO[drift_class])
    due = [f"{name(change.kind, change.title, code)} {due_words(change)}" for change in drift.due]
    yield from _section("Due", due)
    yield from _section("Deserves a look", [attention_sentence(item, code) for item in drift.attention])


def _section(title: str, lines: Sequence[str], after: str = "") -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"### {title}"
    yield ""
    yield from (f"- {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"- and {len(lines) - _SHOWN} more"
    if after:
        yield ""
        yield after
