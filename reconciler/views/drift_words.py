"""The words of a drift report that its text, issue body and messages share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.drift.report import AttentionKind, DriftClass
from reconciler.model.resources import Kind
from reconciler.model.text import harmless
from reconciler.plan.changes import Action
from reconciler.views.sentences import counted, kind_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.drift.report import Attention, Finding, Part, Trace
    from reconciler.model.resources import Address
    from reconciler.plan.changes import Change

CLASS_WORDS = {
    DriftClass.CHANGED_OUTSIDE: "changed outside",
    DriftClass.NOT_YET_APPLIED: "not yet applied",
    DriftClass.CONFLICT: "conflict",
    DriftClass.UNKNOWN: "unknown",
}
CLASS_HELP = {
    DriftClass.CHANGED_OUTSIDE: "the workspace left what was last applied",
    DriftClass.NOT_YET_APPLIED: "the declaration did, or since then somebody signed in or a key expired",
    DriftClass.CONFLICT: "both did, differently",
    DriftClass.UNKNOWN: "the record does not show it",
}
_SHOWN_PARTS = 8
_PAST = {
    "create": "made",
    "update": "changed",
    "edit": "changed",
    "delete": "removed",
    "activate": "turned on",
    "deactivate": "turned off",
    "last use": "last used",
}


def name(kind: Kind, title: str, show: Callable[[str], str] = harmless) -> str:
    """Return kind and title of a resource."""
    return f"{kind_name(kind)} {show(title)}"


def address_name(address: Address, show: Callable[[str], str] = harmless) -> str:
    """Return what is left of a resource's name once it is gone: its kind and key."""
    key = address.key[1:] if address.kind is Kind.VAULT else address.key
    return name(address.kind, " / ".join(key), show)


def summary(findings: Iterable[Finding]) -> str:
    """Return how many resources are of which class."""
    counts = Counter(finding.drift for finding in findings)
    return ", ".join(f"{counts[drift]} {CLASS_WORDS[drift]}" for drift in DriftClass if counts[drift])


def due_words(change: Change) -> str:
    """Return what the next apply does with a credential that is due."""
    if change.action is Action.DELETE:
        return "was replaced and has expired; the next apply revokes it"
    return "is replaced by the next apply"


def finding_sentence(finding: Finding, show: Callable[[str], str] = harmless) -> str:
    """Say which side moved, of each part where they differ, and who and when where the server tells."""
    parts = _parts(finding, show)
    traces = traces_sentence(finding, show)
    return CLASS_WORDS[finding.drift] + (f": {parts}" if parts else "") + (f" ({traces})" if traces else "")


def traces_sentence(finding: Finding, show: Callable[[str], str] = harmless) -> str:
    """Say who and when, as far as the server tells."""
    return ", ".join(trace_words(trace, show) for trace in finding.traces)


def _parts(finding: Finding, show: Callable[[str], str]) -> str:
    mixed = any(part.drift is not finding.drift for part in finding.parts)
    said = [
        f"{_part(part, show)} {CLASS_WORDS[part.drift]}" if mixed else _part(part, show)
        for part in finding.parts
        if mixed or part.field == "identity"
    ]
    more = f" and {len(said) - _SHOWN_PARTS} more" if len(said) > _SHOWN_PARTS else ""
    return ", ".join(said[:_SHOWN_PARTS]) + more


def _part(part: Part, show: Callable[[str], str]) -> str:
    if part.field == "identity":
        return "another resource has the same name now"
    field = part.field.replace("_", " ")
    return field if part.element is None else f"{field} {show(part.element)}"


def trace_words(trace: Trace, show: Callable[[str], str] = harmless) -> str:
    """Say what happened, by whom and when."""
    by = f" by {show(trace.by)}" if trace.by else ""
    at = f" {trace.at:%Y-%m-%d %H:%M} UTC" if trace.at else ""
    return f"{_PAST.get(trace.what, show(trace.what))}{by}{at}"


def attention_sentence(item: Attention, show: Callable[[str], str] = harmless) -> str:
    """Say what deserves a look, and why."""
    what = name(item.kind, item.title, show)
    days = counted(item.days or 0, "day")
    day = f" ({item.at:%Y-%m-%d})" if item.at else ""
    match item.what:
        case AttentionKind.EXPIRING_CREDENTIAL:
            return f"{what} expires in {days}{day}"
        case AttentionKind.UNUSED_CREDENTIAL:
            return f"{what} was not used for {days}{day}"
        case AttentionKind.PENDING_INVITATION:
            return f"{what} was invited {days} ago and has not accepted{day}"
        case AttentionKind.INACTIVE_ADMIN:
            return f"{what} is an admin and was not active for {days}{day}"
        case AttentionKind.EMPTY_GROUP:
            return f"{what} has no members"
        case AttentionKind.UNREADABLE:
            return f"{what} could not be read: {show(item.reason or '')}"
        case AttentionKind.UNREACHED_VAULT:
            return f"{what} reaches nobody: its group has no members"
