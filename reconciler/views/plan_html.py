"""A plan as one HTML file that needs nothing else: no network, no build, no libraries.

The page forbids itself everything but its own style and script, which it names by their digests; so a name that were to
become markup could still run nothing.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.plan.impact.report import Weight
from reconciler.views.elements import Markup, element, joined, text
from reconciler.views.html_changes import change_item
from reconciler.views.html_graph import graph_section
from reconciler.views.impact_text import SIGNS, of_weight, sentence, statements, without_effect
from reconciler.views.marking import marked, pieces
from reconciler.views.plan_text import verdict
from reconciler.views.rename_question import rename_question
from reconciler.views.sentences import (
    acting_sentence,
    counted,
    kind_name,
    left_alone_sentence,
    refusal_remedy,
    refusal_sentence,
    unreadable_sentence,
    waiting_sentence,
    warning_subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.plan.changes import Refusal
    from reconciler.plan.document import Plan
    from reconciler.views.impact_text import Statement

_FILTERS = ("critical", "sensitive", "routine", "add", "change", "remove")
_UNFOLDED = 40
"""The most changes that are shown unfolded at once."""


def render_html(plan: Plan) -> str:
    """Return the page."""
    return page(f"Plan for {plan.workspace}", list(_body(plan)))


def page(title: str, parts: Sequence[Markup]) -> str:
    """Return a page with this title and these parts of its body."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(style)),
    )
    body = element("body", *parts, element("script", Markup(script)))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _asset(name: str) -> str:
    return "\n" + (files("reconciler.views") / "assets" / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _body(plan: Plan) -> Iterator[Markup]:
    stated = statements(plan.impact)
    yield element("a", "Skip to the plan", href="#plan", class_="skip")
    where = f"{plan.declaration} compared with {plan.server}"
    heading = (element("h1", f"Plan for {plan.workspace}"), element("p", where, class_="soft"))
    yield element("header", element("div", element("div", *heading, class_="titles"), _themes()))
    parts = [_totals(plan, stated), _verdict(plan), _tools(), _impact(plan, stated)]
    parts += [graph_section(plan), _changes(plan), _notes(plan)]
    yield element("main", *parts, id="plan")
    yield element("footer", element("p", f"{plan.format} · {plan.digest}", class_="mono"))


def _themes() -> Markup:
    choices = [
        element(
            "label",
            element("input", type="radio", name="theme", value=value, checked=value == "auto"),
            element("span", value.capitalize()),
            class_="chip choice",
        )
        for value in ("auto", "light", "dark")
    ]
    return element("fieldset", element("legend", "Theme"), *choices, class_="theme")


def _totals(plan: Plan, stated: Sequence[Statement]) -> Markup:
    totals = [
        (plan.totals.add, "to add", "gain"),
        (plan.totals.change, "to change", "other"),
        (plan.totals.remove, "to remove", "loss"),
    ]
    styles = {Weight.CRITICAL: "loss", Weight.SENSITIVE: "other", Weight.ROUTINE: ""}
    for weight in Weight:
        count = sum(statement.count for statement in of_weight(stated, weight))
        totals.append((count, f"{weight.value} impact", styles[weight]))
    cells = [
        element("li", element("b", str(count)), element("span", words), class_=style if count else "none")
        for count, words, style in totals
    ]
    return element("ul", *cells, class_="totals", aria_label="Totals")


def words(said: str) -> Markup:
    """Return a sentence whose names stand out."""
    return Markup(pieces(said, lambda name: element("b", name, class_="name"), text))


def _verdict(plan: Plan) -> Markup:
    if not plan.refused:
        return element("section", element("p", verdict(plan), class_="verdict"), aria_label="Verdict")
    title = element("h2", "Refused: nothing of this plan can be applied", id="refused")
    return element(
        "section",
        title,
        element("ul", *(_refusal(refusal) for refusal in plan.refused)),
        element("p", verdict(plan), class_="verdict"),
        class_="refused",
        aria_labelledby="refused",
    )


def _refusal(refusal: Refusal) -> Markup:
    remedy = refusal_remedy(refusal)
    return element("li", words(refusal_sentence(refusal, marked)), " ", element("code", remedy))


def _tools() -> Markup:
    chips = [
        element(
            "label",
            element("input", type="checkbox", data_filter=name, checked=True),
            element("span", name.capitalize()),
            class_="chip",
        )
        for name in _FILTERS
    ]
    box = element(
        "input", type="search", id="search", placeholder="Search impact and changes  ( / )", aria_label="Search"
    )
    return element(
        "div",
        box,
        element("fieldset", element("legend", "Show"), *chips),
        element("button", "Clear", type="button", id="clear"),
        element("span", id="shown", class_="soft", role="status"),
        class_="tools",
        role="search",
    )


def _impact(plan: Plan, stated: Sequence[Statement]) -> Markup:
    parts: list[Markup] = []
    for weight in Weight:
        found = of_weight(stated, weight)
        if found:
            badge = element("span", str(sum(statement.count for statement in found)), class_=f"badge {weight.value}")
            items = element("ul", *map(_statement, found), class_="items")
            parts.append(element("div", element("h3", weight.value, " ", badge), items, data_group=True))
    idle = without_effect(plan.impact)
    if idle:
        items = element("ul", *(_idle(title) for title in idle), class_="items")
        parts.append(element("div", element("h3", "No effect on access"), items, data_group=True))
    if not parts:
        parts.append(element("p", "Nobody gains or loses access."))
    return _part("Impact: who gains and who loses what", "impact", joined(parts))


def _statement(statement: Statement) -> Markup:
    sign = SIGNS[statement.direction]
    return element(
        "li",
        element("span", "−" if sign == "-" else sign, class_="sign", aria_hidden="true"),  # noqa: RUF001
        element("span", words(sentence(statement, marked))),
        class_=statement.direction.value,
        data_item=statement.weight.value,
    )


def _idle(title: str) -> Markup:
    return element("li", element("span", "·", aria_hidden="true"), element("span", title), data_item="routine")


def _part(title: str, name: str, content: Markup, *beside: Markup) -> Markup:
    heading = element("h2", title, id=name)
    bar = element("div", heading, *beside, class_="bar") if beside else heading
    nothing = element("p", "Nothing matches the search and the filters.", class_="nothing", hidden=True)
    return element("section", bar, content, nothing, aria_labelledby=name, data_part=True)


def _changes(plan: Plan) -> Markup:
    groups, unfolded = [], len(plan.changes) <= _UNFOLDED
    for kind, changes in groupby(plan.changes, key=lambda change: change.kind):
        items = [change_item(change, plan.declaration, unfolded=unfolded) for change in changes]
        badge = element("span", str(len(items)), class_="badge")
        groups.append(element("div", element("h3", kind_name(kind), "s ", badge), *items, data_group=True))
    content = joined(groups) if groups else element("p", verdict(plan))
    return _part("Changes", "changes", content, element("button", "Expand all", type="button", id="toggle"))


def _notes(plan: Plan) -> Markup:
    notes = list(_note_items(plan))
    if not notes:
        return Markup("")
    items = (element("li", element("b", f"{label}: "), content) for label, content in notes)
    heading = element("h2", "Beside the changes", id="notes")
    return element("section", heading, element("ul", *items, class_="notes"), aria_labelledby="notes")


def _note_items(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.without_secrets:
        left_out = counted(plan.secrets_left_out, "secret value")
        yield "Secrets", f"{left_out} not compared; this plan cannot be applied"
    if plan.waiting:
        yield "Waiting", words(waiting_sentence(plan.waiting, marked))
    for refusal in plan.refusals:
        if refusal.allowed:
            yield "Allowed on purpose", words(refusal_sentence(refusal, marked))
    for unread in plan.unreadable:
        yield "Not readable, left alone", words(unreadable_sentence(unread, marked))
    yield from (("Will act", words(acting_sentence(acting, marked))) for acting in plan.acting)
    for warning in plan.warnings:
        yield "Warning", joined([words(warning_subject(warning, marked)), warning.message])
    for rename in plan.possible_renames:
        yield "Renamed?", words(rename_question(rename, marked))
    for item in plan.left_alone:
        yield "Left alone", left_alone_sentence(item)
    if plan.text_only:
        yield "Written differently with the same meaning", ", ".join(plan.text_only)
