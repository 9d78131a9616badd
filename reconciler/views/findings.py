"""What tools that show findings beside files show of a plan: refusals, critical impact and warnings, with places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Place
from reconciler.frozen import Frozen
from reconciler.model.edits import FieldEdit
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.plan.impact.report import Headline, Weight
from reconciler.views.impact_text import of_weight, sentence, statements
from reconciler.views.sentences import (
    acting_sentence,
    refusal_remedy,
    refusal_sentence,
    unreadable_sentence,
    warning_subject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.errors import Problem
    from reconciler.plan.changes import Change, Refusal
    from reconciler.plan.document import Plan
    from reconciler.views.impact_text import Statement

CRITICAL_IMPACT = "critical-impact"
UNREADABLE = "unreadable"
ACTING = "will-act"


class Finding(Frozen):
    """One thing to show at a place: by which rule, how grave (``error`` or ``warning``), and in what words.

    ``allowed`` says how it was allowed on purpose, where it was.
    """

    rule: str
    level: str
    message: str
    place: Place | None
    allowed: str | None = None


def problem_findings(problems: Iterable[Problem]) -> Iterator[Finding]:
    """Return the problems of a declaration as findings."""
    for problem in problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        yield Finding(problem.rule, problem.severity.value, problem.message + hint, problem.place)


def plan_findings(plan: Plan) -> Iterator[Finding]:
    """Return what stops a plan, what is critical in it, and its warnings, in this order."""
    places = _Places(plan)
    for refusal in plan.refusals:
        remedy = refusal_remedy(refusal)
        yield Finding(
            rule=refusal.guard.value,
            level="error",
            message=f"{refusal_sentence(refusal)} ({remedy})",
            place=places.of_refusal(refusal),
            allowed=remedy if refusal.allowed else None,
        )
    for statement in of_weight(statements(plan.impact), Weight.CRITICAL):
        yield Finding(CRITICAL_IMPACT, "warning", sentence(statement), places.of_statement(statement))
    for item in plan.doubts:
        yield Finding(UNREADABLE, "warning", unreadable_sentence(item, str), places.of(item.title, item.kind))
    for acting in plan.acting:
        yield Finding(ACTING, "warning", f"Will act: {acting_sentence(acting, str)}", places.beginning)
    for warning in plan.warnings:
        message = f"{warning_subject(warning, str)}{warning.message}"
        yield Finding(warning.rule, "warning", message, places.of(warning.title, warning.kind))


class _Places:
    """Where the declaration asks for what changes; what it no longer mentions is at its beginning."""

    def __init__(self, plan: Plan) -> None:
        self.beginning = Place(plan.declaration)
        self._by_title: dict[tuple[Kind, str], Place] = {}
        self._by_entity: dict[str, Place] = {}
        for change in plan.changes:
            place = _place(change)
            if place is not None:
                self._by_title[change.kind, fold(change.title)] = place
                for edit in change.edits:
                    if change.kind is Kind.ACCESS_RULE and isinstance(edit, FieldEdit) and edit.field == "resource":
                        self._by_entity.setdefault(str(edit.after), place)

    def of(self, title: str, *kinds: Kind) -> Place:
        """Return the place of the first resource of this title among these kinds."""
        found = (self._by_title.get((kind, fold(title))) for kind in kinds)
        return next(filter(None, found), self.beginning)

    def of_refusal(self, refusal: Refusal) -> Place:
        """Return the place of the first resource that a refusal is about."""
        if refusal.place is not None and (place := _place_of(refusal.place)) is not None:
            return place
        titles = [*refusal.names, *([refusal.subject] if refusal.subject else [])]
        kinds = (refusal.kind, Kind.GROUP, Kind.ACCESS_RULE)
        found = (place for title in titles if (place := self._entity_or(title, *kinds)) is not self.beginning)
        return next(found, self.beginning)

    def of_statement(self, statement: Statement) -> Place:
        """Return the place of what a statement is about: a rule of an entity, or the first of its subjects."""
        said = statement.said
        if isinstance(said, Headline):
            return self._entity_or(said.subject, said.kind)
        return self.of(statement.subjects[0], Kind.MEMBER, Kind.SERVICE_ACCOUNT)

    def _entity_or(self, title: str, *kinds: Kind) -> Place:
        return self._by_entity.get(title) or self.of(title, *kinds)


def _place(change: Change) -> Place | None:
    return _place_of(change.place or "")


def _place_of(text: str) -> Place | None:
    file, _, line = text.rpartition(":")
    return Place(file, int(line)) if file and line.isdecimal() else None
