"""Vault documents in YAML: what they mean by YAML 1.2's core schema, and errors that quote nothing of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import SourceError
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.limits import MAXIMUM_DEPTH, MAXIMUM_NODES, too_deep
from reconciler.vaults.tree import from_plain
from reconciler.yaml import events as yaml_events
from reconciler.yaml.reader import Policy, Rule, read
from reconciler.yaml.values import Oddity, ScalarError, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.vaults.tree import Tree

_POLICY: Final = Policy(
    depth=MAXIMUM_DEPTH - 1,
    nodes=2 * MAXIMUM_NODES,
    aliased=MAXIMUM_NODES,
    longest_number=4000,
    refused=frozenset({Oddity.NOT_FINITE, Oddity.TOO_LONG}),
    core_tags=True,
    directives=False,
)
"""A leading zero is taken as clients take it: ``010`` is ten."""

_TOO_MANY: Final = "the document holds too many values, or its aliases expand to too many"
_SENTENCES: Final[dict[str, str]] = {
    Rule.SYNTAX: "this is not valid YAML",
    Rule.DIRECTIVE: "directives are not allowed",
    Rule.SEVERAL_DOCUMENTS: "a vault holds one document; here a second one begins",
    Rule.TAG: "tags are not allowed here",
    Rule.ALIAS: "an alias refers to an anchor that is not complete before it",
    Rule.ALIAS_LIMIT: _TOO_MANY,
    Rule.TOO_MANY: _TOO_MANY,
    Rule.NUMBER: "this number is not finite or too long",
    Rule.KEY: "this key is not a string; put it in quotes",
    Rule.MERGE_KEY: "merge keys (<<) are not part of YAML 1.2; write the values out",
    Rule.DUPLICATE_KEY: "the same key occurs twice in one mapping",
}
"""What is said instead of the reader's sentences, which quote the text."""


def parse_yaml(text: str) -> Tree:
    """Parse one YAML document; raises :class:`DocumentError` with line and column."""
    try:
        return from_plain(read(text, "", _POLICY).root)
    except SourceError as error:
        raise _document_error(error) from None


def events(text: str) -> Iterator[Any]:
    """Iterate over the parser's events; raises :class:`DocumentError`."""
    try:
        return iter(yaml_events.events(text, ""))
    except SourceError as error:
        raise _document_error(error) from None


def leading_zeros(text: str) -> tuple[int, ...]:
    """Return the lines with an unquoted number that begins with a zero; YAML 1.1 readers take ``010`` for eight."""
    found = []
    for event in events(text):
        if getattr(event, "value", None) and event.style in {None, ""}:
            try:
                plain_value(event.value, frozenset({Oddity.LEADING_ZERO}), longest=4000)
            except ScalarError as error:
                if error.oddity is Oddity.LEADING_ZERO:
                    found.append(event.start_mark.line + 1)
    return tuple(found)


def _document_error(error: SourceError) -> DocumentError:
    place = error.problem.place
    where = (place.line, place.column) if place is not None else (None, None)
    if error.problem.rule == Rule.TOO_DEEP:
        return too_deep(*where)
    return DocumentError(_SENTENCES[error.problem.rule], *where)
