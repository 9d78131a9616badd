"""Expressions of rules: checked against the fields of their subject, then evaluated on plain values.

The language is the Common Expression Language (https://cel.dev), by Google's own implementation: it has no loops but
over lists that are there, no functions with effects and no way into Python; its evaluation is bounded by a budget of
steps, its regular expressions are RE2's. Every field is a variable of its own with a declared type, so that unknown
fields and wrong types are found before anything is evaluated. The library is imported only when there is a rule.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reconciler.errors import Problem
from reconciler.plan.policy.fields import FIELDS, FieldType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.placed_text import PlacedText
    from reconciler.model.policy import RuleSubject
    from reconciler.plan.policy.fields import Value

LONGEST = 4000
"""The most characters that an expression may have."""

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?=\n | \[[A-Z_]+\]$|\nERROR: |$)", re.DOTALL)
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_TYPES = {"string": "a string", "int": "a whole number", "bool": "true or false", "double": "a fraction"}
_OPERATORS = {"_&&_": "&&", "_||_": "||", "_?_:_": "? :", "_[_]": "[ ]", "@in": "in", "!_": "!", "-_": "-"}


class LibraryMissingError(Exception):
    """The library that evaluates expressions is not installed."""


class EvaluationError(Exception):
    """An expression has no result for the values at hand; the text says why."""


class Program:
    """A checked expression, ready to be evaluated."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def holds(self, activation: Any) -> bool:
        """Return whether the expression is true. Raises :class:`EvaluationError`."""
        try:
            result = self._compiled.eval(activation).value()
        except RuntimeError as error:
            raise EvaluationError(_STATUS.sub("", str(error))) from None
        if not isinstance(result, bool):
            raise EvaluationError(_STATUS.sub("", str(result)))
        return result


def check(expression: PlacedText, subject: RuleSubject) -> Program | list[Problem]:
    """Check the syntax, the fields and the types of an expression; return what to evaluate, or every problem.

    Raises :class:`LibraryMissingError`.
    """
    if len(expression.text) > LONGEST:
        return [Problem("policy-expression", f"is longer than {LONGEST} characters", expression.place())]
    environment = _environment(subject)
    try:
        compiled = environment.compile(expression.text)
    except RuntimeError as error:
        return list(_problems(str(error), expression, subject))
    if compiled.return_type() != _library().Type.BOOL:
        kind = compiled.return_type().name().lower()
        message = f"must be true or false, and is {_TYPES.get(kind, kind)}"
        return [Problem("policy-expression", message, expression.place(), "compare it with something")]
    return Program(compiled)


def activation(subject: RuleSubject, values: Mapping[str, Value]) -> Any:
    """Return the values of one subject in the form that programs take."""
    return _environment(subject).Activation({f"{subject.value}.{name}": value for name, value in values.items()})


def _library() -> Any:
    try:
        from cel_expr_python import cel
    except ImportError as error:
        raise LibraryMissingError from error
    return cel


@lru_cache
def _environment(subject: RuleSubject) -> Any:
    cel = _library()
    types = {
        FieldType.TEXT: cel.Type.STRING,
        FieldType.NUMBER: cel.Type.INT,
        FieldType.FLAG: cel.Type.BOOL,
        FieldType.TEXTS: cel.Type.List(cel.Type.STRING),
    }
    return cel.NewEnv(variables={f"{subject.value}.{name}": types[it.type] for name, it in FIELDS[subject].items()})


def _problems(text: str, expression: PlacedText, subject: RuleSubject) -> Iterator[Problem]:
    found = _ERROR.findall(text)
    if not found:
        yield Problem("policy-expression", f"cannot be used: {_STATUS.sub('', text)}", expression.place())
    for line, column, message in found:
        place = expression.place(int(line), int(column))
        if undeclared := _UNDECLARED.search(message):
            yield _undeclared(undeclared.group(1), expression, int(line), int(column), subject)
        elif overload := _OVERLOAD.search(message):
            yield Problem("policy-expression", _no_overload(*overload.groups()), place)
        elif "operand of a select operation" in message:
            yield Problem("policy-expression", "this has no fields", place)
        elif message.startswith("Syntax error: "):
            detail = message.removeprefix("Syntax error: ").partition(" expecting ")[0]
            yield Problem("policy-expression", f"is not valid here: {detail}", place)
        else:
            yield Problem("policy-expression", f"is not right: {message}", place)


def _undeclared(name: str, expression: PlacedText, line: int, column: int, subject: RuleSubject) -> Problem:
    """Say which field or function there is not; the library refers to the last dot of a name."""
    head, dot, field = name.rpartition(".")
    fields = sorted(FIELDS[subject])
    if dot and head == subject.value:
        near = difflib.get_close_matches(field, fields, n=1)
        hint = f"did you mean `{subject.value}.{near[0]}`?" if near else f"its fields are {', '.join(fields)}"
        message = f"a {subject.value.replace('_', ' ')} has no field `{field}`"
        return Problem("policy-field", message, expression.place(line, column + 1), hint)
    place = expression.place(line, max(1, column - len(head)) if dot else column)
    if name == subject.value:
        hint = f"ask for one of its fields: {', '.join(fields)}"
        return Problem("policy-field", f"`{name}` cannot be used as a whole", place, hint)
    seen = subject.value.replace("_", " ")
    hint = f"this rule is evaluated for each {seen}: write {subject.value}.{fields[0]} and so on"
    return Problem("policy-field", f"`{name}` is not defined here", place, hint)


def _no_overload(function: str, types: str) -> str:
    operator = _OPERATORS.get(function, function.strip("_"))
    shown = " and ".join(
        _TYPES.get(one.strip(), one.strip().replace("list(string)", "a list")) for one in types.split(", ")
    )
    return f"`{operator}` cannot take {shown}"
