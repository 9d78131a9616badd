"""References to secrets in documents: ``@{NAME}``, with ``@@{`` for a literal ``@{``.

Every reference is replaced by a unique word before parsing and found again in the tree. So a reference means the same
in all formats, quoted or not, and a value is never parsed: it cannot break or inject anything. A reference in a
comment is no reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import DocumentFormat
from reconciler.vaults.errors import DocumentError, position
from reconciler.vaults.tree import Expression, Path, Scalar, Substitution, Tree, children, leaves, texts, transform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.model.resources import Document
    from reconciler.vaults.parse import DocumentParser

_OCCURRENCE = re.compile(r"@@\{|@\{([^{}\n]*)\}|@\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_JSON_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')
LITERAL = "@{"
ESCAPED = "@@{"


class Reference(Frozen):
    """One place in a text that refers to a secret; ``start`` and ``end`` are offsets, line and column count from 1."""

    name: str
    start: int
    end: int
    line: int
    column: int


class Template(Frozen):
    """A document's tree with ``@{NAME}`` where values go, and which leaves those are, with the names in them."""

    tree: Tree
    references: Mapping[Path, tuple[str, ...]]


class Bound(Frozen):
    """A document's tree with the values in it; ``unbound`` leaves still hold ``@{NAME}``: the run has no value.

    ``references`` are the leaves that hold a secret's value, or would.
    """

    tree: Tree
    references: frozenset[Path]
    unbound: frozenset[Path]


class Occurrence(Frozen):
    """A reference (``name``), an escaped literal (``""``), or a malformed reference (``None``) in a template."""

    name: str | None
    start: int
    end: int


class Marked(Frozen):
    """A template whose occurrences were replaced by unique words, parsed."""

    source: str
    text: str
    tree: Tree
    occurrences: tuple[Occurrence, ...]
    word: re.Pattern[str]

    def used(self) -> frozenset[int]:
        """Return which occurrences reached the tree: those in comments did not, nor those that were overridden."""
        return frozenset(index for _, index in places(self))


def is_template(document: Document) -> bool:
    """Return whether ``@{NAME}`` is a reference: in declared documents it is, in live ones it is just text."""
    return document.file is not None or bool(document.secrets)


def find_references(text: str) -> tuple[Reference, ...]:
    """Return every well-formed reference in a declared text, in order, comments included."""
    return tuple(
        Reference(found.name, found.start, found.end, *position(text, found.start))
        for found in occurrences(text)
        if found.name
    )


def occurrences(text: str) -> Iterator[Occurrence]:
    """Iterate over all that a template may mean by ``@{``."""
    if LITERAL not in text:
        return
    for match in _OCCURRENCE.finditer(text):
        name = match.group(1)
        well_formed = "" if match.group() == ESCAPED else name if name and _NAME.fullmatch(name) else None
        yield Occurrence(well_formed, match.start(), match.end())


def template_tree(document: Document, parser: DocumentParser) -> Template:
    """Parse a document with its references left in place; raises :class:`DocumentError`."""
    if not is_template(document) or not _has_occurrences(document):
        return Template(parser.parse(document.format, document.text.reveal()), {})
    marked = mark(document, parser)
    names: dict[Path, list[str]] = {}

    def restore(index: int) -> str:
        name = marked.occurrences[index].name
        return f"@{{{name}}}" if name else LITERAL

    for path, index in places(marked):
        if name := marked.occurrences[index].name:
            names.setdefault(path, []).append(name)
    return Template(fill(marked, restore), {path: tuple(found) for path, found in names.items()})


def bind(document: Document, parser: DocumentParser) -> Bound:
    """Parse a document and put the secrets' values into its tree; raises :class:`DocumentError`.

    No text is made: a value ends up in the tree exactly as it is, whatever characters it holds.
    """
    if not is_template(document) or not _has_occurrences(document):
        return Bound(parser.parse(document.format, document.text.reveal()), frozenset(), frozenset())
    marked = mark(document, parser)
    values = dict(document.secrets)
    references: set[Path] = set()
    unbound: set[Path] = set()
    for path, index in places(marked):
        if name := marked.occurrences[index].name:
            references.add(path)
            if values.get(name) is None:
                unbound.add(path)

    def value(index: int) -> str:
        name = marked.occurrences[index].name
        secret = values.get(name) if name else None
        return secret.reveal() if secret is not None else f"@{{{name}}}" if name else LITERAL

    return Bound(fill(marked, value), frozenset(references), frozenset(unbound))


def mark(document: Document, parser: DocumentParser) -> Marked:
    """Replace the occurrences by words, parse, and check that each stands where a value can go."""
    source = document.text.reveal()
    found = tuple(occurrences(source))
    prefix = _unused_prefix(source)
    inside = _json_texts(source) if document.format is DocumentFormat.JSON else None
    words = []
    for index, occurrence in enumerate(found):
        word = f"{prefix}{index}E"
        bare = inside is not None and not any(start < occurrence.start < end for start, end in inside)
        words.append(f'"{word}"' if bare else word)
    text = replace(source, found, words)
    try:
        tree = parser.parse(document.format, text)
    except DocumentError as error:
        raise _original_place(error, text, source, found, words) from None
    marked = Marked(source, text, tree, found, re.compile(rf"{prefix}(\d+)E"))
    _check(marked, document)
    return marked


def replace(source: str, found: tuple[Occurrence, ...], words: list[str]) -> str:
    """Return the source with each occurrence replaced."""
    pieces = []
    end = 0
    for occurrence, word in zip(found, words, strict=True):
        pieces += [source[end : occurrence.start], word]
        end = occurrence.end
    return "".join(pieces) + source[end:]


def fill(marked: Marked, value: Callable[[int], str]) -> Tree:
    """Return the tree with each word replaced by what ``value`` gives for its occurrence."""

    def text(found: str) -> str:
        return marked.word.sub(lambda match: value(int(match.group(1))), found)

    def leaf(_: Path, node: Tree) -> Tree:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return Scalar(text(node.value))
        if isinstance(node, Expression):
            parts = tuple(part if isinstance(part, Substitution) else transform(part, leaf) for part in node.parts)
            return Expression(parts, None if node.earlier is None else transform(node.earlier, leaf))
        return node

    return transform(marked.tree, leaf)


def _has_occurrences(document: Document) -> bool:
    return LITERAL in document.text.reveal()


def places(marked: Marked) -> Iterator[tuple[Path, int]]:
    """Iterate over the leaves that hold words, with the occurrences in them."""
    for path, node in leaves(marked.tree):
        for text in texts(node):
            for match in marked.word.finditer(text):
                yield path, int(match.group(1))


def _check(marked: Marked, document: Document) -> None:
    """Refuse references in keys, malformed ones, and names that the declaration does not give."""
    nodes: list[Tree] = [marked.tree]
    while nodes:
        node = nodes.pop()
        for key, value in children(node):
            if isinstance(key, str) and (match := marked.word.search(key)):
                raise _error(marked, int(match.group(1)), "a secret cannot be part of a key")
            nodes.append(value)
    declared = {name for name, _ in document.secrets}
    for index in sorted(marked.used()):
        name = marked.occurrences[index].name
        if name is None:
            raise _error(
                marked, index, "this is not a reference to a secret", hint="write @{NAME}, or @@{ for a plain @{"
            )
        if name and name not in declared:
            raise _error(marked, index, f"the secret {name} is not among this vault's secrets")


def _error(marked: Marked, index: int, message: str, *, hint: str | None = None) -> DocumentError:
    return DocumentError(message, *position(marked.source, marked.occurrences[index].start), hint=hint)


def _unused_prefix(source: str) -> str:
    """Return the start of a word that the source does not hold; the same for the same source, so that caches work."""
    number = 0
    while (prefix := f"Qx{number}REFERENCE") in source:
        number += 1
    return f"{prefix}N"


def _json_texts(source: str) -> list[tuple[int, int]]:
    return [match.span() for match in _JSON_TEXT.finditer(source)]


def _original_place(
    error: DocumentError, text: str, source: str, found: tuple[Occurrence, ...], words: list[str]
) -> DocumentError:
    """Return the error with its place in the source instead of the text that was parsed."""
    if error.line is None:
        return error.at(None, None)
    lines = text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: error.line - 1]) + (error.column or 1) - 1
    shift = 0
    for occurrence, word in zip(found, words, strict=True):
        if occurrence.start + shift >= offset:
            break
        if occurrence.start + shift + len(word) > offset:
            return error.at(*position(source, occurrence.start))
        shift += len(word) - (occurrence.end - occurrence.start)
    return error.at(*position(source, offset - shift))
