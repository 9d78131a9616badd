"""From a policy file to rules whose expressions were checked, or to every problem that it has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from reconciler.declaration.context import shown
from reconciler.declaration.models_policy import PolicyFile, RuleEntry
from reconciler.declaration.validation import null_problems, value_problem
from reconciler.errors import Place, Problem
from reconciler.model.policy import Rule
from reconciler.plan.policy.evaluate import PLACEHOLDER
from reconciler.plan.policy.expressions import LibraryMissingError, Program, check
from reconciler.plan.policy.fields import FIELDS
from reconciler.yaml.tree import placed_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.yaml.tree import YamlTree


def read_rules(tree: YamlTree, asked_for: Place) -> tuple[tuple[Rule, ...], list[Problem]]:
    """Return the rules of a policy file, and everything that is wrong with it.

    ``asked_for`` is where the declaration names the file.
    """
    problems = list(null_problems(tree))
    nulls = {problem.place for problem in problems}
    try:
        file = PolicyFile.model_validate(tree.root)
    except ValidationError as error:
        found = [(value_problem(PolicyFile, tree, one["loc"], one), one) for one in error.errors(include_url=False)]
        problems += [problem for problem, one in found if one["input"] is not None or problem.place not in nulls]
        return (), problems
    rules = tuple(_rule(tree, index, entry) for index, entry in enumerate(file.rules))
    try:
        problems += _problems(tree, rules)
    except LibraryMissingError:
        message = "the library that evaluates rules is not installed"
        problems.append(Problem("policy-library", message, asked_for, "pip install 'clearml-reconciler[policy]'"))
    return rules, problems


def _rule(tree: YamlTree, index: int, entry: RuleEntry) -> Rule:
    return Rule(
        id=entry.id,
        subject=entry.on,
        require=placed_text(tree, ("rules", index, "require"), entry.require),
        message=entry.message,
        place=tree.place(("rules", index)),
        when=None if entry.when is None else placed_text(tree, ("rules", index, "when"), entry.when),
        description=entry.description or "",
        severity=entry.severity,
    )


def _problems(tree: YamlTree, rules: tuple[Rule, ...]) -> Iterator[Problem]:
    first: dict[str, Place] = {}
    for index, rule in enumerate(rules):
        place = tree.place(("rules", index, "id"))
        if first.setdefault(rule.id, place) is not place:
            yield Problem("policy-duplicate", f"the rule {shown(rule.id)} is already at {first[rule.id]}", place)
        for field, expression in (("when", rule.when), ("require", rule.require)):
            found = check(expression, rule.subject) if expression is not None else ()
            if not isinstance(found, Program):
                start = tree.place(("rules", index, field))
                for problem in found:
                    yield _placed(problem, f"`{field}` of rule {rule.id}", tree, start)
        yield from _placeholders(tree, index, rule)


def _placed(problem: Problem, what: str, tree: YamlTree, start: Place) -> Problem:
    """Name the expression; point at its start where lines were folded or characters escaped, so that none fits."""
    place = problem.place or start
    line = tree.line(place.line)
    exact = line is not None and place.column <= len(line) + 1
    return Problem(problem.rule, f"{what}: {problem.message}", place if exact else start, problem.hint)


def _placeholders(tree: YamlTree, index: int, rule: Rule) -> Iterator[Problem]:
    known = ["title", *FIELDS[rule.subject]]
    for name in dict.fromkeys(PLACEHOLDER.findall(rule.message)):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {{{near[0]}}}?" if near else f"known are {', '.join(sorted(known))}"
            message = f"`message` of rule {rule.id}: a {rule.subject.value.replace('_', ' ')} has no field `{name}`"
            yield Problem("policy-field", message, tree.place(("rules", index, "message")), hint)
