"""What an apply did: past tense, counted from outcomes and never from the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.text import harmless, json_document
from reconciler.plan.changes import Action
from reconciler.plan.outcomes import Outcome
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.plan.document import Plan
    from reconciler.plan.outcomes import Left, Report, Result
    from reconciler.views.palette import Palette

FORMAT = "clearml-reconciler/outcome/1"


def operation_line(result: Result, palette: Palette) -> str:
    """Return how one operation ended, in one line."""
    style = {Outcome.APPLIED: palette.add, Outcome.SKIPPED: palette.change}.get(result.outcome, palette.error)
    reason = f": {harmless(result.message)}" if result.message else ""
    return f"{style(f'{result.outcome.value:<8}')} {harmless(result.operation.title)}{reason}"


def render_outcome(report: Report, left: Left, palette: Palette) -> str:
    """Return the operations that did not succeed, then one line of totals."""
    return "".join(f"{line}\n" for line in _lines(report, left, palette))


def _lines(report: Report, left: Left, palette: Palette) -> Iterator[str]:
    troubled = [result for result in report.results if result.outcome is not Outcome.APPLIED]
    if troubled:
        yield ""
    for result in troubled:
        style = palette.change if result.outcome is Outcome.SKIPPED else palette.error
        head = f"{result.outcome.value:<8} {harmless(result.operation.title)}"
        yield f"{style(head)}  {harmless(result.message)}"
    yield ""
    yield palette.strong(_totals(report, left))


def _totals(report: Report, left: Left) -> str:
    applied = report.changes(Outcome.APPLIED)
    added = sum(change.action in (Action.CREATE, Action.INVITE) for change in applied)
    removed = sum(change.action is Action.DELETE for change in applied)
    text = f"Applied: {added} added, {len(applied) - added - removed} changed, {removed} removed"
    for outcome in (Outcome.FAILED, Outcome.SKIPPED, Outcome.UNKNOWN):
        count = len(report.changes(outcome))
        text += f", {count} {outcome.value}" if count else ""
    if left.planned is None:
        return f"{text}. Whether the workspace has converged is not known; run again."
    if left.planned:
        remain = "remains" if left.planned == 1 else "remain"
        return f"{text}. Not converged: {counted(left.planned, 'change')} {remain}; run again."
    if left.others:
        have = "has" if left.others == 1 else "have"
        return f"{text}. {counted(left.others, 'other difference')} {have} come up since: make a new plan."
    if left.unreadable:
        things = counted(left.unreadable, "thing")
        return f"{text}. {things} could not be read, so that the workspace is not known to be as declared."
    if left.waiting:
        things = counted(left.waiting, "thing")
        return (
            f"{text}. The workspace is as declared, but for {things} waiting for invitations: apply again after them."
        )
    return f"{text}. The workspace is as declared."


def outcome_json(plan: Plan, report: Report | None, left: Left) -> str:
    """Return the outcome as one JSON document; ``report`` is ``None`` if there was nothing to do."""
    ended = report.of_changes() if report else {}
    messages = {
        result.operation.change.address: result.message
        for result in (reversed(report.results) if report else ())
        if result.outcome is ended[result.operation.change.address]
    }
    document = {
        "format": FORMAT,
        "workspace": plan.workspace,
        "server": plan.server,
        "interrupted": report.interrupted if report else False,
        "changes": [
            {
                "action": change.action.value,
                "kind": change.kind.value,
                "title": change.title,
                "outcome": ended[change.address].value,
                "message": messages[change.address] or None,
            }
            for change in plan.changes
            if change.address in ended
        ],
        "counts": {outcome.value: sum(end is outcome for end in ended.values()) for outcome in Outcome},
        "remaining": left.planned,
        "others": left.others,
        "waiting": len(plan.waiting),
        "unreadable": [item.plain() for item in plan.unreadable],
    }
    return json_document(document)
