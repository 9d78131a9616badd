"""Secrets put into a text, so that the text means exactly the template with the values in its leaves.

How a value must be spelled depends on what surrounds it. The spelling is a guess from the text, and the proof is a
second parse: if the trees are not equal, other spellings are tried, one reference at a time; if none is right, that is
an error which names the secret. An unproven text is never returned.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING

from reconciler.errors import SecretUnavailableError
from reconciler.model.resources import DocumentFormat
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError, position
from reconciler.vaults.references import LITERAL, Marked, fill, is_template, mark, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.resources import Document
    from reconciler.vaults.parse import DocumentParser

_LEXEME = re.compile(r'"""[\s\S]*?"*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|(?<![^\s,{}\[\]=:])//[^\n]*')
# Without quotes only what no reader takes for anything but a text: no number, no truth value of any YAML, no comment.
_BARE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]|/(?!/)){7,}")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class _Around(Enum):
    """What surrounds a reference in the text."""

    COMMENT = auto()
    DOUBLE = auto()
    SINGLE = auto()
    TRIPLE = auto()
    BLOCK = auto()
    INSIDE_PLAIN = auto()
    ALONE = auto()


def render(document: Document, parser: DocumentParser) -> Secret:
    """Return a document's text with the values of its secrets in it.

    Raises :class:`SecretUnavailableError` if a value was not resolved in this run, and :class:`DocumentError` if a
    value has no safe spelling where the template wants it; neither shows a value.
    """
    source = document.text.reveal()
    if not is_template(document) or LITERAL not in source:
        return document.text
    marked = mark(document, parser)
    values = _values(marked, document)
    around = _surroundings(marked, document.format)
    words = [
        _spell(marked, index, values[index], around[index], bare=document.format is not DocumentFormat.JSON)
        if around[index] is not _Around.COMMENT
        else source[occurrence.start : occurrence.end]
        for index, occurrence in enumerate(marked.occurrences)
    ]
    if not _proved(marked, words, values, document.format, parser):
        words = _search(marked, words, values, around, document.format, parser)
    return Secret(replace(source, marked.occurrences, words))


def _values(marked: Marked, document: Document) -> dict[int, str]:
    known = dict(document.secrets)
    used = marked.used()
    values = {}
    for index, occurrence in enumerate(marked.occurrences):
        secret = known.get(occurrence.name) if occurrence.name else Secret(LITERAL)
        if secret is None and index in used:
            raise SecretUnavailableError(f"the secret {occurrence.name} was not resolved in this run")
        values[index] = secret.reveal() if secret is not None else ""
    return values


def _surroundings(marked: Marked, document_format: DocumentFormat) -> dict[int, _Around]:
    if document_format is DocumentFormat.YAML:
        return _yaml_surroundings(marked)
    found = dict.fromkeys(range(len(marked.occurrences)), _Around.ALONE)
    for match in _LEXEME.finditer(marked.text):
        kind = _Around.DOUBLE
        if match.group()[0] != '"':
            kind = _Around.COMMENT
        elif match.group().startswith('"""'):
            kind = _Around.TRIPLE
        elif document_format is DocumentFormat.JSON and marked.word.fullmatch(match.group()[1:-1]):
            index = int(marked.word.fullmatch(match.group()[1:-1]).group(1))  # type: ignore[union-attr]
            occurrence = marked.occurrences[index]
            quoted = marked.source[occurrence.start - 1 : occurrence.start] == '"'
            kind = _Around.DOUBLE if quoted else _Around.ALONE
        for word in marked.word.finditer(match.group()):
            found[int(word.group(1))] = kind
    return found


def _yaml_surroundings(marked: Marked) -> dict[int, _Around]:
    from reconciler.vaults.yaml_reader import events

    styles = {'"': _Around.DOUBLE, "'": _Around.SINGLE, "|": _Around.BLOCK, ">": _Around.BLOCK}
    found = dict.fromkeys(range(len(marked.occurrences)), _Around.COMMENT)
    for event in events(marked.text):
        value = getattr(event, "value", None)
        if isinstance(value, str):
            plain = _Around.ALONE if marked.word.fullmatch(value) else _Around.INSIDE_PLAIN
            for word in marked.word.finditer(value):
                found[int(word.group(1))] = styles.get(event.style, plain)
    return found


def _spell(marked: Marked, index: int, value: str, around: _Around, *, bare: bool) -> str:
    return next(_spellings(marked, index, value, around, bare=bare))


def _spellings(marked: Marked, index: int, value: str, around: _Around, *, bare: bool) -> Iterator[str]:
    """Iterate over ways to write a value, the likeliest first."""
    escaped = re.sub(r'[\\"\n\r\t]', lambda match: _ESCAPES[match.group()], value)
    indent = _indent(marked.source, marked.occurrences[index].start)
    if around is _Around.BLOCK:
        yield value.replace("\n", "\n" + indent)
    elif around is _Around.SINGLE:
        yield value.replace("'", "''").replace("\n", "\n\n" + indent)
    elif around is _Around.ALONE:
        if bare and _BARE.fullmatch(value):
            yield value
        yield f'"{escaped}"'
    elif around is _Around.DOUBLE:
        yield escaped
    elif around is _Around.TRIPLE:
        yield value
        # Leaves the multi-line text, puts a quoted one in between, and goes on with another multi-line text.
        yield f'""" "{escaped}""""'
    yield value


def _indent(source: str, offset: int) -> str:
    line = source[source.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip(" "))]


def _proved(
    marked: Marked,
    words: list[str],
    values: Mapping[int, str],
    document_format: DocumentFormat,
    parser: DocumentParser,
    *,
    only: int | None = None,
) -> bool:
    """Return whether the text with these words means the template with these values."""

    def expected(index: int) -> str:
        if only is not None and index != only:
            return f"{marked.word.pattern.split('(')[0]}{index}E"
        return values[index]

    try:
        tree = parser.parse(document_format, replace(marked.source, marked.occurrences, words))
    except DocumentError:
        return False
    return tree == fill(marked, expected)


def _search(
    marked: Marked,
    words: list[str],
    values: Mapping[int, str],
    around: Mapping[int, _Around],
    document_format: DocumentFormat,
    parser: DocumentParser,
) -> list[str]:
    """Find a spelling for each reference alone, the others being harmless words meanwhile."""
    prefix = marked.word.pattern.split("(")[0]
    alone = document_format is DocumentFormat.JSON
    neutral = [
        word
        if around[index] is _Around.COMMENT
        else f'"{prefix}{index}E"'
        if alone and around[index] is _Around.ALONE
        else f"{prefix}{index}E"
        for index, word in enumerate(words)
    ]
    chosen = list(words)
    for index in range(len(marked.occurrences)):
        if around[index] is _Around.COMMENT:
            continue
        for spelling in _spellings(marked, index, values[index], around[index], bare=not alone):
            trial = [*neutral[:index], spelling, *neutral[index + 1 :]]
            if _proved(marked, trial, values, document_format, parser, only=index):
                chosen[index] = spelling
                break
        else:
            raise _no_spelling(marked, index)
    if not _proved(marked, chosen, values, document_format, parser):
        raise DocumentError("the values of this document's secrets cannot be written safely together")
    return chosen


def _no_spelling(marked: Marked, index: int) -> DocumentError:
    occurrence = marked.occurrences[index]
    what = f"the value of the secret {occurrence.name}" if occurrence.name else "this escaped @{"
    return DocumentError(
        f"{what} cannot be written safely here",
        *position(marked.source, occurrence.start),
        hint="put the string in double quotes; control characters and empty strings in lists cannot be written",
    )
