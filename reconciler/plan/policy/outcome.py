"""What broken rules mean: refusals and warnings of a plan, and problems of a declaration."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.errors import Problem, Severity
from reconciler.frozen import Frozen
from reconciler.plan.changes import Guard, Refusal, Warned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.errors import Place
    from reconciler.model.desired import Desired
    from reconciler.model.policy import Rule
    from reconciler.plan.impact.report import Impact
    from reconciler.plan.policy.evaluate import Violation

_MOST = 50
"""The most findings of one rule that a plan tells one by one; the rest are counted."""


class Broken(Frozen):
    """A violation, and where the declaration says what it is about, if it does."""

    violation: Violation
    place: Place | None

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return self.violation.rule


def broken_rules(desired: Desired, impact: Impact | None = None) -> tuple[Broken, ...]:
    """Ask the declaration's rules: of what is declared and, with an impact, of what a plan gives.

    Raises :class:`reconciler.errors.InvalidDeclarationError` where an expression has no result.
    """
    rules = desired.policy.rules
    if not rules:
        return ()
    from reconciler.plan.policy.evaluate import declared_violations, gain_violations

    found = declared_violations(rules, desired.snapshot)
    if impact is not None:
        found += gain_violations(rules, impact)
    return tuple(
        Broken(violation, desired.places.get(violation.seen.address) if violation.seen.address is not None else None)
        for violation in found
    )


def policy_refusals(broken: Sequence[Broken]) -> Iterator[Refusal]:
    """Return the refusals for broken rules whose severity is error."""
    by_rule: dict[str, list[Broken]] = defaultdict(list)
    for one in broken:
        if one.rule.severity is Severity.ERROR:
            by_rule[one.rule.id].append(one)
    for found in by_rule.values():
        for one in found[:_MOST]:
            yield _refusal(one, (one.violation.seen.title,), one.violation.message)
        rest = found[_MOST:]
        if rest:
            titles = tuple(one.violation.seen.title for one in rest)
            yield _refusal(rest[0], titles, f"and {len(rest)} more: {rest[0].violation.message}")


def _refusal(broken: Broken, names: tuple[str, ...], message: str) -> Refusal:
    return Refusal(
        guard=Guard.POLICY,
        kind=broken.violation.seen.kind,
        subject=names[0],
        names=names,
        count=len(names),
        rule=broken.rule.id,
        rule_place=_at(broken.rule.place),
        message=message,
        place=_at(broken.place) if broken.place is not None else None,
    )


def policy_warnings(broken: Sequence[Broken]) -> Iterator[Warned]:
    """Return the warnings for broken rules whose severity is warning."""
    for one in broken:
        if one.rule.severity is Severity.WARNING:
            seen = one.violation.seen
            yield Warned(kind=seen.kind, title=seen.title, rule=rule_name(one.rule), message=one.violation.message)


def policy_problems(broken: Sequence[Broken]) -> Iterator[Problem]:
    """Return broken rules as problems of the declaration, each at the entry that breaks it."""
    for one in broken:
        rule = one.rule
        hint = f"rule {rule.id}, {_at(rule.place)}"
        yield Problem(rule_name(rule), one.violation.message, one.place or rule.place, hint, rule.severity)


def rule_name(rule: Rule) -> str:
    """Return a rule's name among all others that problems are told by."""
    return f"policy/{rule.id}"


def _at(place: Place) -> str:
    return place.line_text
