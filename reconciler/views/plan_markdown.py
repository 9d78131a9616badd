"""A plan as Markdown for a comment on a pull request, or a step summary: what matters open, the rest folded.

The text is cut to a limit by leaving whole lines out, what matters least first, so that no fence, tag or character is
ever broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.plan.impact.report import Weight
from reconciler.views.change_diff import diff_lines
from reconciler.views.impact_text import Statement, counts, of_weight, sentence, statements, without_effect
from reconciler.views.markdown import code, fence_for, marker, prose
from reconciler.views.marking import marked, pieces
from reconciler.views.rename_question import rename_question
from reconciler.views.sections import Section, fit
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
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.plan.changes import Refusal
    from reconciler.plan.document import Plan

COMMENT_LIMIT = 65_000
"""Leaves room below GitHub's 65 536 characters for what a workflow adds of its own."""

SUMMARY_LIMIT = 240_000
"""A step summary holds 1 MiB; a character takes four bytes at most."""

_SHOWN = 20


def render_markdown(plan: Plan, *, limit: int = COMMENT_LIMIT, whole: str = "the output of `reconciler plan`") -> str:
    """Return a plan as Markdown of ``limit`` characters at most; ``whole`` says, as Markdown, where all of it is."""
    stated = statements(plan.impact)
    head = list(_head(plan, stated))
    return fit(head, list(_sections(plan, stated)), limit, whole)


def _head(plan: Plan, stated: Sequence[Statement]) -> Iterator[str]:
    yield marker(plan.workspace, plan.declaration)
    yield f"### Plan for {code(plan.workspace)}: {_totals(plan)}"
    yield ""
    yield f"{code(plan.declaration)} compared with {code(plan.server)}. Nothing has been changed yet."
    if plan.doubts:
        yield f"**Not all could be read**: {counted(len(plan.doubts), 'thing')} that nobody has accepted; see below."
    if plan.is_empty and plan.doubts:
        return
    if plan.is_empty:
        compared = ", ".join(counted(count, kind_name(kind)) for kind, count in plan.compared.items()) or "nothing"
        yield f"**In sync**: {compared} compared."
        return
    impact = counts(stated) or "nobody gains or loses access"
    yield f"**Impact**: {impact}."


def _totals(plan: Plan) -> str:
    if plan.is_empty:
        return "nothing to change"
    totals = plan.totals
    text = f"{totals.add} to add, {totals.change} to change, {totals.remove} to remove"
    return f"{text} (refused)" if plan.refused else text


def _sections(plan: Plan, stated: Sequence[Statement]) -> Iterator[Section]:
    critical, sensitive, routine = (list(_stated(of_weight(stated, weight))) for weight in Weight)
    changes = [line for change in plan.changes for line in diff_lines(change, plan.declaration)]
    notes, allowed = list(_notes(plan)), [refusal for refusal in plan.refusals if refusal.allowed]
    idle = [f"- {code(title)}" for title in without_effect(plan.impact)]
    yield _alert("CAUTION", "Refused: nothing of this plan can be applied.", _refusals(plan.refused), rank=0)
    acting = [f"- {_text(acting_sentence(change, marked))}" for change in plan.acting]
    yield _alert("WARNING", "Will act otherwise than when last applied", acting, rank=1)
    yield _alert("WARNING", "Critical impact", critical, rank=1)
    yield _folded(f"Not readable, left alone ({len(plan.unreadable)})", list(_unreadable(plan)), rank=2)
    yield _folded(f"Sensitive impact ({_count(stated, Weight.SENSITIVE)})", sensitive, rank=3)
    yield _folded(f"Changes ({len(plan.changes)})", changes, rank=4, fenced=True)
    yield _folded(f"Waiting, warnings, left alone ({len(notes)})", notes, rank=2)
    yield _folded(f"Allowed on purpose ({len(allowed)})", list(_refusals(allowed)), rank=2)
    yield _folded(f"Routine impact ({_count(stated, Weight.ROUTINE)})", routine, rank=5)
    yield _folded(f"Without effect on access ({len(idle)})", idle, rank=5)


def _count(stated: Sequence[Statement], weight: Weight) -> int:
    return sum(statement.count for statement in of_weight(stated, weight))


def _alert(kind: str, title: str, lines: Iterable[str], *, rank: int) -> Section:
    """Return lines in one of GitHub's alerts, which is always open; elsewhere it is a quotation."""
    quoted = tuple(f"> {line}" for line in lines)
    return Section(rank, ("", f"> [!{kind}]", f"> **{title}**", ">"), quoted, ())


def _folded(title: str, lines: Sequence[str], *, rank: int, fenced: bool = False) -> Section:
    fence = fence_for(lines)
    opening, closing = ((f"{fence}diff",), (fence,)) if fenced else ((), ())
    before = ("", f"<details><summary>{title}</summary>", "", *opening)
    return Section(rank, before, tuple(lines), (*closing, "", "</details>"))


def _text(words: str) -> str:
    return pieces(words, code, prose)


def _stated(stated: Sequence[Statement]) -> Iterator[str]:
    for statement in stated:
        yield f"- {_text(sentence(statement, marked, _SHOWN))}"


def _refusals(refusals: Iterable[Refusal]) -> Iterator[str]:
    for refusal in refusals:
        remedy = refusal_remedy(refusal)
        yield f"- {_text(refusal_sentence(refusal, marked))} ({code(remedy) if refusal.liftable else prose(remedy)})"


def _unreadable(plan: Plan) -> Iterator[str]:
    for item in plan.unreadable:
        yield f"- {_text(unreadable_sentence(item, marked))}"


def _notes(plan: Plan) -> Iterator[str]:
    if plan.without_secrets:
        left_out = counted(plan.secrets_left_out, "secret value")
        yield f"- **Secrets**: {left_out} not compared; this plan cannot be applied"
    if plan.waiting:
        yield f"- **Waiting**: {_text(waiting_sentence(plan.waiting, marked))}"
    for warning in plan.warnings:
        yield f"- **Warning**: {_text(warning_subject(warning, marked))}{prose(warning.message)}"
    for rename in plan.possible_renames:
        yield f"- **Renamed?** {_text(rename_question(rename, marked))}"
    for item in plan.left_alone:
        yield f"- **Left alone**: {_text(left_alone_sentence(item))}"
    if plan.text_only:
        vaults = ", ".join(code(title) for title in plan.text_only[:_SHOWN])
        more = f" and {len(plan.text_only) - _SHOWN} more" if len(plan.text_only) > _SHOWN else ""
        yield f"- **Text only**: written differently with the same meaning: {vaults}{more}"
