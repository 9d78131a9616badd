"""A drift report: the differences of a plan, told from the live workspace's side, and which side moved."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from reconciler.drift.report import AttentionKind, Drift, DriftClass, Memory
from reconciler.model.text import harmless, json_document
from reconciler.plan.document import totals_of
from reconciler.views.drift_words import (
    CLASS_HELP,
    CLASS_WORDS,
    attention_sentence,
    due_words,
    finding_sentence,
    name,
    summary,
    traces_sentence,
)
from reconciler.views.plan_text import change_lines, note_lines, verdict
from reconciler.views.sentences import counted, heading, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.drift.report import Finding
    from reconciler.plan.document import Plan
    from reconciler.views.palette import Palette

_LEGEND = "(+ declared and missing, ~ different: live → declared, - live and not declared)"
_SHOWN = 20


def render_drift(plan: Plan, palette: Palette, drift: Drift | None = None) -> str:
    """Return the report as text, its verdict last."""
    told = Drift() if drift is None else drift
    return "".join(f"{line}\n" for line in _lines(_drifted(plan), told, palette, classes=drift is not None))


def _drifted(plan: Plan) -> Plan:
    """Return the plan without what is no drift: the steps of a rotation that are due."""
    changes = tuple(change for change in plan.changes if not change.is_due)
    return replace(plan, changes=changes, totals=totals_of(changes))


def _lines(plan: Plan, drift: Drift, palette: Palette, *, classes: bool) -> Iterator[str]:
    findings = {finding.address: finding for finding in drift.findings}
    if plan.changes or findings:
        yield palette.quiet(f"{heading(plan.workspace, plan.server)}   {_LEGEND}")
    for _, changes in groupby(plan.changes, key=lambda change: change.kind):
        yield ""
        for change in changes:
            yield from change_lines(change, plan.declaration, palette)
            found = findings.pop(change.address, None)
            if found is not None and (drift.memory is Memory.RECORD or found.traces):
                yield _class_line(found, palette, classes=drift.memory is Memory.RECORD)
    if findings:
        yield ""
    for finding in findings.values():
        yield palette.error(f"! {finding.kind.value:<15}  {harmless(finding.title)}")
        yield _class_line(finding, palette, classes=True)
    if plan.changes or findings:
        yield ""
    yield from _notes(drift, palette)
    yield from note_lines(plan, palette, refusals=False)
    yield from _verdict(plan, drift, palette, classes=classes)


def _class_line(finding: Finding, palette: Palette, *, classes: bool) -> str:
    style: Callable[[str], str] = palette.quiet if finding.drift is DriftClass.NOT_YET_APPLIED else palette.change
    said = finding_sentence(finding) if classes else traces_sentence(finding)
    return f"    {style(f'→ {said}')}"


def _notes(drift: Drift, palette: Palette) -> Iterator[str]:
    for change in drift.due:
        ends = change.edited("expires")
        when = f", it ends {ends.before}" if ends is not None else ""
        yield f"Due:        {name(change.kind, change.title)} {due_words(change)}{when}"
    attention = [item for item in drift.attention if item.what is not AttentionKind.UNREADABLE]  # the plan says those
    for item in attention[:_SHOWN]:
        yield palette.change(f"Attention:  {attention_sentence(item)}")
    if len(attention) > _SHOWN:
        yield palette.change(f"Attention:  and {len(attention) - _SHOWN} more (--format json has all)")
    if drift.agreeing:
        what = counted(len(drift.agreeing), "resource")
        yield palette.quiet(f"Agree again: {what} changed outside and now declared ({listed(drift.agreeing)})")


def _verdict(plan: Plan, drift: Drift, palette: Palette, *, classes: bool) -> Iterator[str]:
    count = max(len(plan.changes), len(drift.findings))
    if not count:
        yield palette.strong(verdict(plan))
        return
    if classes and drift.memory is Memory.RECORD:
        present = [item for item in DriftClass if any(finding.drift is item for finding in drift.findings)]
        legend = "; ".join(f"{CLASS_WORDS[item]}: {CLASS_HELP[item]}" for item in present)
        yield palette.quiet(f"({legend})")
    elif classes and drift.memory is Memory.NONE:
        yield palette.quiet("Which side moved is unknown: there is no record of what was last applied (see --record).")
    elif classes:
        yield palette.change("Which side moved is unknown: the record of what was last applied cannot be trusted.")
    found = counted(count, "resource")
    told = f" ({summary(drift.findings)})" if classes and drift.memory is Memory.RECORD else ""
    yield palette.error(f"Drift: {found} not as {harmless(plan.declaration)} says{told}.")


def drift_json(plan: Plan, drift: Drift | None = None) -> str:
    """Return the report as one JSON document."""
    from reconciler.views.drift_document import DriftReport

    drift = Drift() if drift is None else drift
    plan = _drifted(plan)
    told = asdict(drift)
    shared = set(DriftReport.__struct_fields__) - {"format", "in_sync"} - told.keys()
    in_sync = plan.in_sync and not drift.findings
    report = DriftReport(in_sync=in_sync, **{name: getattr(plan, name) for name in shared}, **told)
    return json_document(report.plain())
