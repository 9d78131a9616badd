"""Changes as the lines of a ``diff`` block: the symbol in column 0, where it is colored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit, TextEdit
from reconciler.model.text import harmless
from reconciler.plan.changes import Action
from reconciler.views.markdown import shortened
from reconciler.views.palette import Palette
from reconciler.views.plan_text import HIDDEN_CHANGE, change_lines, edit_name, is_hidden_change, shown_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.edits import Edit
    from reconciler.plan.changes import Change

_LONGEST = 400
_PLAIN = Palette()
_CHANGED = "!"
"""What a ``diff`` block colors as changed; the other views write ``~``."""


def diff_lines(change: Change, declaration: str) -> Iterator[str]:
    """Return a change: its heading as in the text view, then one line per value that goes, comes or changes."""
    heading, *_ = change_lines(change, declaration, _PLAIN)
    symbol = heading[0].replace("~", _CHANGED)
    yield shortened(symbol + heading[1:], _LONGEST)
    edits = [edit for edit in change.edits if not _is_told(edit, change)]
    width = min(max((len(edit_name(edit)) for edit in edits), default=0), 60)
    for edit in edits:
        for sign, value in _values(edit):
            yield shortened(f"{sign}     {edit_name(edit):<{width}}  {value}", _LONGEST)
    if change.credentials_lost:
        yield f"-     {change.credentials_lost} of its credentials will stop working"


def _is_told(edit: Edit, change: Change) -> bool:
    return isinstance(edit, FieldEdit) and edit.field == "role" and change.action is not Action.UPDATE


def _values(edit: Edit) -> Iterator[tuple[str, str]]:
    match edit:
        case SetEdit():
            yield from (("+", harmless(name)) for name in edit.added)
            yield from (("-", harmless(name)) for name in edit.removed)
        case TextEdit():
            yield _CHANGED, "written differently" if edit.readable else "replaced; the live text cannot be read"
        case DocumentEdit(secret=True):
            yield _secret(edit)
        case DocumentEdit() if is_hidden_change(edit):
            yield _CHANGED, HIDDEN_CHANGE
        case FieldEdit() | DocumentEdit():
            before, after = shown_value(edit, edit.before), shown_value(edit, edit.after)
            yield from ((sign, value) for sign, value in (("-", before), ("+", after)) if value is not None)


def _secret(edit: DocumentEdit) -> tuple[str, str]:
    if edit.before is None and edit.after is not None:
        return "+", "(secret)"
    return ("-", "(secret)") if edit.after is None and edit.before is not None else (_CHANGED, "(secret changed)")
