"""Asks rules: of every declared resource, and of every gain of a plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.errors import InvalidDeclarationError, Problem
from reconciler.frozen import Frozen
from reconciler.model.policy import RuleSubject
from reconciler.plan.policy.expressions import EvaluationError, Program, activation, check
from reconciler.plan.policy.subjects import DeclaredResources, Seen, gains

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.placed_text import PlacedText
    from reconciler.model.policy import Rule
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.impact.report import Impact
    from reconciler.plan.policy.fields import Value

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
"""What stands for a value in a message."""

_MOST_NAMES = 10


class Violation(Frozen):
    """A rule that is broken, by what; ``message`` is the rule's, filled in."""

    rule: Rule
    seen: Seen
    message: str


def declared_violations(rules: Sequence[Rule], snapshot: Snapshot) -> list[Violation]:
    """Ask every rule on resources of what is declared.

    Raises :class:`InvalidDeclarationError` where an expression has no result.
    """
    subjects = DeclaredResources(snapshot)
    by_subject: dict[RuleSubject, list[Rule]] = {}
    for rule in rules:
        if rule.subject is not RuleSubject.GAIN:
            by_subject.setdefault(rule.subject, []).append(rule)
    found = [violation for subject, its in by_subject.items() for violation in _ask(its, subjects.of(subject))]
    order = {rule.id: position for position, rule in enumerate(rules)}
    return sorted(found, key=lambda violation: order[violation.rule.id])


def gain_violations(rules: Sequence[Rule], impact: Impact) -> list[Violation]:
    """Ask every rule on gains of what a plan gives somebody.

    Raises :class:`InvalidDeclarationError` where an expression has no result.
    """
    wanted = [rule for rule in rules if rule.subject is RuleSubject.GAIN]
    return list(_ask(wanted, gains(impact))) if wanted else []


def _ask(rules: Sequence[Rule], subjects: Iterable[Seen]) -> Iterator[Violation]:
    programs = [
        (rule, _program(rule, rule.when) if rule.when else None, _program(rule, rule.require)) for rule in rules
    ]
    for seen in subjects:
        values = activation(rules[0].subject, seen.values)
        for rule, when, require in programs:
            asked = when is None or _holds(when, values, rule.when or rule.require, seen)
            if asked and not _holds(require, values, rule.require, seen):
                yield Violation(rule, seen, filled(rule.message, seen.title, seen.values))


def _program(rule: Rule, expression: PlacedText) -> Program:
    program = check(expression, rule.subject)
    if not isinstance(program, Program):
        raise InvalidDeclarationError(program)
    return program


def _holds(program: Program, values: object, expression: PlacedText, seen: Seen) -> bool:
    try:
        return program.holds(values)
    except EvaluationError as error:
        message = f"has no result for {seen.kind.value.replace('_', ' ')} {seen.title}: {error}"
        raise InvalidDeclarationError([Problem("policy-evaluation", message, expression.place())]) from None


def filled(message: str, title: str, values: dict[str, Value]) -> str:
    """Return a message with the values that its placeholders stand for."""

    def value(match: re.Match[str]) -> str:
        found = title if match.group(1) == "title" else values.get(match.group(1), match.group())
        if isinstance(found, bool):
            return "yes" if found else "no"
        if isinstance(found, list):
            rest = len(found) - _MOST_NAMES
            return ", ".join(found[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
        return str(found)

    return PLACEHOLDER.sub(value, message)
