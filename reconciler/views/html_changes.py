"""One change as an item of the HTML page: its heading, and a table of what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.edits import DocumentEdit, FieldEdit, SetEdit, TextEdit
from reconciler.model.resources import Kind
from reconciler.plan.changes import Action, Reason
from reconciler.views.elements import Markup, element, joined
from reconciler.views.plan_text import HIDDEN_CHANGE, edit_name, is_hidden_change, shown_value
from reconciler.views.sentences import counted, kind_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.edits import Edit
    from reconciler.plan.changes import Change

_LOOKS = {
    Action.CREATE: ("+", "gain", "add"),
    Action.INVITE: ("+", "gain", "add"),
    Action.UPDATE: ("~", "other", "change"),
    Action.ROTATE: ("~", "other", "change"),
    Action.DELETE: ("−", "loss", "remove"),  # noqa: RUF001 - a minus as wide as the plus
}


def change_item(change: Change, declaration: str, *, unfolded: bool) -> Markup:
    """Return a change that unfolds, or is ``unfolded``, where there is something below its heading."""
    sign, look, sort = _LOOKS[change.action]
    place = change.place or f"not in {declaration}"
    rows = list(_rows(change))
    parts = [
        element("span", sign, class_="sign", aria_hidden="true"),
        element("span", change.action.value, class_="badge"),
        element("span", kind_name(change.kind), class_="unseen"),
        element("span", change.title, class_="title"),
        element("span", place, class_="place"),
    ]
    if not rows:
        return element("div", *parts, class_=f"change flat {look}", data_item=sort)
    table = element("table", element("tbody", *rows), class_="edits")
    return element("details", element("summary", *parts), table, class_=f"change {look}", data_item=sort, open=unfolded)


def _rows(change: Change) -> Iterator[Markup]:
    for edit in change.edits:
        yield element("tr", element("th", edit_name(edit), scope="row"), element("td", _values(edit)))
    if change.action is Action.ROTATE:
        ending = "has expired" if change.reason is Reason.EXPIRED else "works until its own end"
        yield _row("key", f"a new one is created and delivered; the old one {ending}")
    if change.action is Action.DELETE and change.reason is Reason.EXPIRED:
        yield _row("key", "it was replaced, and has expired")
    if change.credentials_lost:
        yield _row("credentials", element("del", f"{counted(change.credentials_lost, 'credential')} will stop working"))
    if change.kind is Kind.MEMBER and change.invitation:
        yield _row("invitation", "not accepted yet")


def _row(name: str, content: str) -> Markup:
    return element("tr", element("th", name, scope="row"), element("td", content))


def _values(edit: Edit) -> Markup:
    match edit:
        case SetEdit():
            return joined(
                [*(element("ins", name) for name in edit.added), *(element("del", name) for name in edit.removed)]
            )
        case TextEdit():
            return joined(["written differently" if edit.readable else "replaced; the live text cannot be read"])
        case DocumentEdit(secret=True):
            return joined([_secret(edit)])
        case DocumentEdit() if is_hidden_change(edit):
            return joined([HIDDEN_CHANGE])
        case FieldEdit() | DocumentEdit():
            before, after = shown_value(edit, edit.before), shown_value(edit, edit.after)
            gone = [] if before is None else [element("del", before)]
            return joined([*gone, *([] if after is None else [element("ins", after)])])


def _secret(edit: DocumentEdit) -> str:
    if edit.before is None and edit.after is not None:
        return element("ins", "a secret")
    return element("del", "a secret") if edit.after is None and edit.before is not None else "the secret changes"
