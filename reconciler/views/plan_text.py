"""A plan as text for people: one greppable line per change, and below it only what differs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.model.edits import DocumentEdit, Edit, EditCause, FieldEdit, SetEdit, TextEdit
from reconciler.model.resources import Kind
from reconciler.model.secret import UNSHOWN
from reconciler.model.text import harmless
from reconciler.plan.changes import Action, Change, Reason
from reconciler.views.impact_text import impact_lines
from reconciler.views.rename_question import rename_question
from reconciler.views.sentences import (
    acting_sentence,
    counted,
    heading,
    kind_name,
    left_alone_sentence,
    listed,
    refusal_remedy,
    refusal_sentence,
    unreadable_sentence,
    waiting_sentence,
    warning_subject,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.plan.document import Plan
    from reconciler.views.palette import Palette

SYMBOLS = {
    Action.CREATE: "+",
    Action.INVITE: "+",
    Action.UPDATE: "~",
    Action.ROTATE: "~",
    Action.DELETE: "-",
}
HIDDEN_CHANGE = "(hidden, changes)"
_KIND_WIDTH = max(len(kind.value) for kind in Kind)
_TITLE_WIDTH = 40
_SHOWN = 50


_CAUSES = {EditCause.SUBSTITUTION: " (through a substitution)", EditCause.CLIENTS: " (as clients read it)"}
"""What is said of a path that is written as before, and changes for clients."""


def render_plan(plan: Plan, palette: Palette, *, full_impact: bool = False) -> str:
    """Return the whole plan as text, ending in a newline; with ``full_impact`` also what is routine of its impact."""
    return "".join(f"{line}\n" for line in _lines(plan, palette, full_impact=full_impact))


def _lines(plan: Plan, palette: Palette, *, full_impact: bool) -> Iterator[str]:
    if plan.changes:
        yield palette.quiet(heading(plan.workspace, plan.server, plan.declaration))
    for _, changes in groupby(plan.changes, key=lambda change: change.kind):
        yield ""
        for change in changes:
            yield from change_lines(change, plan.declaration, palette)
    if plan.changes:
        yield ""
        impact = list(impact_lines(plan.impact, palette, full=full_impact))
        yield from [*impact, ""] if impact else []
    yield from note_lines(plan, palette, refusals=True)
    yield palette.strong(verdict(plan))


def note_lines(plan: Plan, palette: Palette, *, refusals: bool) -> Iterator[str]:
    """Return what stands beside the changes: what waits, what is left alone, warnings and, if wanted, refusals."""
    if plan.waiting:
        yield f"Waiting:    {waiting_sentence(plan.waiting)}"
    for item in plan.left_alone:
        yield palette.quiet(f"Left alone: {left_alone_sentence(item)}")
    if plan.text_only:
        what = counted(len(plan.text_only), "vault")
        yield palette.quiet(f"Text only:  {what} written differently with the same meaning ({listed(plan.text_only)})")
    yield from _unreadable_lines(plan, palette)
    for acting in plan.acting:
        yield palette.error(f"Will act:   {acting_sentence(acting)}")
    for warning in plan.warnings:
        yield palette.change(f"Warning:    {warning_subject(warning)}{harmless(warning.message)}")
    for rename in plan.possible_renames if refusals else ():
        yield palette.change(f"Renamed?    {rename_question(rename)}")
    if plan.without_secrets:
        left_out = counted(plan.secrets_left_out, "secret value")
        yield palette.change(f"Secrets:    {left_out} not compared (--without-secrets); this plan cannot be applied")
    for refusal in plan.refusals if refusals else ():
        if refusal.allowed:
            yield palette.change(f"Allowed:    {refusal_sentence(refusal)}")
        else:
            yield palette.error(f"Refused:    {refusal_sentence(refusal)}   ({refusal_remedy(refusal)})")


def _unreadable_lines(plan: Plan, palette: Palette) -> Iterator[str]:
    for item in plan.unreadable[:_SHOWN]:
        style = palette.quiet if item.accepted else palette.change
        yield style(f"Unreadable: {unreadable_sentence(item)}")
    if len(plan.unreadable) > _SHOWN:
        yield palette.change(f"Unreadable: and {len(plan.unreadable) - _SHOWN} more (--format json has all)")


def verdict(plan: Plan) -> str:
    """Return the last line of a plan: its totals, or that there is nothing to do and how much was looked at."""
    if plan.is_empty and plan.doubts:
        things = counted(len(plan.doubts), "thing")
        accept = "what is left alone on purpose is accepted in policy.unreadable"
        return f"Nothing to change, but {things} could not be read, so this is not known to be in sync; {accept}."
    if plan.is_empty:
        compared = ", ".join(counted(count, kind_name(kind)) for kind, count in plan.compared.items()) or "nothing"
        return f"In sync with {harmless(plan.declaration)} ({compared} compared)."
    totals = plan.totals
    counts = f"{totals.add} to add, {totals.change} to change, {totals.remove} to remove"
    return f"Plan: {counts}. Nothing has been changed yet."


def change_lines(change: Change, declaration: str, palette: Palette) -> Iterator[str]:
    """Return the lines of one change: its heading, then what differs."""
    style = _style(change.action, palette)
    head = f"{SYMBOLS[change.action]} {change.kind.value:<{_KIND_WIDTH}}  {_title(change)}"
    place = harmless(change.place) if change.place else f"not in {harmless(declaration)}"
    yield f"{style(f'{head:<{_KIND_WIDTH + 4 + _TITLE_WIDTH}}')}  {palette.quiet(place)}"
    edits = [edit for edit in change.edits if not _said_in_title(edit, change)]
    width = min(max((len(edit_name(edit)) for edit in edits), default=0), 60)
    for edit in edits:
        yield from _edit_lines(edit, width, palette)
    if change.action is Action.ROTATE:
        ending = "has expired" if change.reason is Reason.EXPIRED else "works until its own end"
        yield f"    {palette.quiet(f'a new key is created and delivered; the old one {ending}')}"
    if change.action is Action.DELETE and change.reason is Reason.EXPIRED:
        yield f"    {palette.quiet('it was replaced, and has expired')}"
    if change.credentials_lost:
        credentials = counted(change.credentials_lost, "credential")
        yield f"    {palette.remove(f'{credentials} will stop working')}"


def _title(change: Change) -> str:
    title = harmless(change.title)
    if change.kind is Kind.MEMBER and change.action is not Action.UPDATE:
        role = change.edited("role")
        value = (role.after or role.before) if role else None
        words = [str(value)] if value else []
        words += ["invitation"] if change.invitation else []
        return f"{title} ({', '.join(words)})" if words else title
    return title


def _said_in_title(edit: Edit, change: Change) -> bool:
    return (
        isinstance(edit, FieldEdit)
        and edit.field == "role"
        and change.kind is Kind.MEMBER
        and change.action is not Action.UPDATE
    )


def _style(action: Action, palette: Palette) -> Callable[[str], str]:
    return {
        Action.CREATE: palette.add,
        Action.INVITE: palette.add,
        Action.UPDATE: palette.change,
        Action.ROTATE: palette.change,
        Action.DELETE: palette.remove,
    }[action]


def edit_name(edit: Edit) -> str:
    """Return what an edit is about, as people read it."""
    match edit:
        case FieldEdit() | SetEdit():
            return edit.field.replace("_", " ")
        case DocumentEdit():
            return harmless(edit.path) + _CAUSES.get(edit.cause, "")
        case TextEdit():
            return "document"


def _edit_lines(edit: Edit, width: int, palette: Palette) -> Iterator[str]:
    head = f"    {edit_name(edit):<{width}}  "
    match edit:
        case FieldEdit():
            yield head + _values(shown_value(edit, edit.before), shown_value(edit, edit.after), palette)
        case DocumentEdit():
            before, after = shown_value(edit, edit.before), shown_value(edit, edit.after)
            told = _secret(edit) if edit.secret else HIDDEN_CHANGE if is_hidden_change(edit) else None
            yield head + (told or _values(before, after, palette))
        case TextEdit():
            yield head + ("written differently" if edit.readable else "replaced; the live text cannot be read")
        case SetEdit():
            signed = [palette.add(f"+ {harmless(name)}") for name in edit.added]
            signed += [palette.remove(f"- {harmless(name)}") for name in edit.removed]
            for position, entry in enumerate(signed):
                yield (head if position == 0 else " " * len(head)) + entry


def is_hidden_change(edit: DocumentEdit) -> bool:
    """Return whether both values of an edit are hidden: then all that is shown is that they differ."""
    return edit.before == edit.after == UNSHOWN


def _secret(edit: DocumentEdit) -> str:
    if edit.before is None and edit.after is not None:
        return "(secret added)"
    if edit.before is not None and edit.after is None:
        return "(secret removed)"
    return "(secret changed)"


def _values(before: str | None, after: str | None, palette: Palette) -> str:
    if before is None:
        return palette.add(f"+ {after}")
    if after is None:
        return palette.remove(f"- {before}")
    return f"{palette.remove(before)} → {palette.add(after)}"


def shown_value(edit: FieldEdit | DocumentEdit, value: str | bool | None) -> str | None:
    """Return one side of an edit as people read it: a field's text in quotes, a document's value as it is written."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f'"{harmless(value)}"' if isinstance(edit, FieldEdit) else harmless(value)
