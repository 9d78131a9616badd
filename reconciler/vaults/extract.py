"""Turns a live document into a declared one: secrets become references, everything else stays as it was written."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError
from reconciler.frozen import Frozen
from reconciler.model.resources import Document, DocumentFormat
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.portable import write_portable_json
from reconciler.vaults.references import ESCAPED, LITERAL, bind, mark, occurrences, template_tree
from reconciler.vaults.render import render
from reconciler.vaults.showing import Origin, Showing, showings, shown_path
from reconciler.vaults.tree import Path, Scalar, Tree, leaves, transform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.vaults.parse import DocumentParser

_Edit = tuple[int, int, str]
_MOST_PLACES = 50
_SHORTEST_COPY = 12
"""From so many characters on, an equal text elsewhere in the document is no accident but the same secret."""


class Extracted(Frozen):
    """A template and the values that it refers to.

    ``exact``: rendering gives the live text, byte for byte; otherwise it gives its meaning. ``rewritten``: the author's
    text could not be kept, and comments in it are lost. ``left`` are secret places whose value is no text (a number,
    an expression): a reference cannot stand for it, so it is still in the template. ``unknown`` are the places in the
    template with strings that nobody knows to be harmless.
    """

    text: str
    names: Mapping[str, Secret]
    exact: bool = True
    rewritten: bool = False
    left: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def extract_secrets(
    document: Document, target: str, prefix: str, parser: DocumentParser, *, hide_unknown: bool = False
) -> Extracted:
    """Replace each secret value of a live document by ``@{NAME}``; raises :class:`DocumentError`.

    With ``hide_unknown`` also each string that nobody knows to be harmless
    (:mod:`reconciler.vaults.showing`).
    Names are made of the prefix (the vault's name) and the path. What cannot be proved by parsing and rendering is not
    done in the author's text: the tree is written anew instead.
    """
    tree = parser.parse(document.format, document.text.reveal())
    found = showings(tree, Origin(target=target))
    unfit = {Showing.SECRET, Showing.HIDDEN} if hide_unknown else {Showing.SECRET}
    hidden = {path: node for path, node in leaves(tree) if found[path] in unfit}
    wanted = {
        path: node.value
        for path, node in hidden.items()
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value
    }
    known = {value for value in wanted.values() if len(value) >= _SHORTEST_COPY}
    wanted = {
        path: node.value
        for path, node in leaves(tree)
        if isinstance(node, Scalar) and isinstance(node.value, str) and (path in wanted or node.value in known)
    }
    left = tuple(
        shown_path(path)
        for path, node in hidden.items()
        if path not in wanted and not (isinstance(node, Scalar) and isinstance(node.value, bool | str | None))
    )
    unknown = tuple(
        shown_path(path) for path, showing in found.items() if showing is Showing.HIDDEN and path not in wanted
    )
    names = _names(prefix, wanted)
    values = {names[path]: Secret(value) for path, value in wanted.items()}
    attempt = _Attempt(document, tree, wanted, names, values, parser)
    text, exact = attempt.in_text()
    if text is not None:
        return Extracted(text, values, exact=exact, left=left, unknown=unknown)
    return Extracted(attempt.anew(), values, exact=False, rewritten=True, left=left, unknown=unknown)


def _names(prefix: str, wanted: Mapping[Path, str]) -> dict[Path, str]:
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in wanted:
        words = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(map(str, (prefix, *path)))).strip("_").upper()
        base = name = f"V_{words}" if not words or words[0].isdigit() else words
        number = 2
        while name in taken:
            name = f"{base}_{number}"
            number += 1
        taken.add(name)
        names[path] = name
    return names


class _Attempt:
    """The search for a template that provably means the live document."""

    def __init__(
        self,
        document: Document,
        tree: Tree,
        wanted: Mapping[Path, str],
        names: Mapping[Path, str],
        values: dict[str, Secret],
        parser: DocumentParser,
    ) -> None:
        self._document = document
        self._source = document.text.reveal()
        self._tree = tree
        self._wanted = wanted
        self._names = names
        self._values = values
        self._parser = parser

    def in_text(self) -> tuple[str | None, bool]:
        """Replace the values in the author's text; returns it and whether it renders to exactly the live text."""
        escapes = self._escapes()
        if not self._wanted and not escapes:
            return self._source, True
        edits: list[_Edit] = list(escapes)
        for path in self._wanted:
            edit = self._place(path, edits)
            if edit is None:
                return None, False
            edits.append(edit)
        text = self._without_copies(_applied(self._source, edits))
        exact = self._renders(text)
        return (text, True) if exact else (text, False) if self._means(text, frozenset(self._wanted)) else (None, False)

    def _without_copies(self, text: str) -> str:
        """Replace copies of the values in comments by references, which mean nothing there."""
        for path, value in self._wanted.items():
            if len(value) < _SHORTEST_COPY:
                continue
            places = [match.start() for match in re.finditer(re.escape(value), text)][-_MOST_PLACES:]
            for place in reversed(places):
                changed = f"{text[:place]}@{{{self._names[path]}}}{text[place + len(value) :]}"
                if self._means(changed, frozenset(self._wanted)):
                    text = changed
        return text

    def anew(self) -> str:
        """Write the tree with references in it as portable JSON, which is valid in all three formats."""
        # A word in the value's place, then the reference in the word's: a literal @{ elsewhere is escaped between.
        self._values.update({self._names[path]: Secret(value) for path, value in self._wanted.items()})
        words = {path: f"Qx{index}EXTRACTED" for index, path in enumerate(self._wanted)}
        text = write_portable_json(
            transform(self._tree, lambda path, node: Scalar(words[path]) if path in words else node)
        ).replace(LITERAL, ESCAPED)
        for path, word in words.items():
            text = text.replace(f'"{word}"', f'"@{{{self._names[path]}}}"')
        if not self._means(text, frozenset(self._wanted)):
            raise DocumentError("the secrets in this document cannot be separated from the rest of it")
        return text

    def _escapes(self) -> list[_Edit]:
        """Return the edits that keep a literal ``@{`` literal; in comments it needs none."""
        if LITERAL not in self._source:
            return []
        places = [match.start() for match in re.finditer(re.escape(LITERAL), self._source)]
        escaped = _applied(self._source, [(place, place + 2, ESCAPED) for place in places])
        used = mark(self._template(escaped), self._parser).used()
        kept = [index for index, found in enumerate(occurrences(escaped)) if found.name == "" and index in used]
        return [(places[index], places[index] + 2, ESCAPED) for index in kept if index < len(places)]

    def _place(self, path: Path, edits: list[_Edit]) -> _Edit | None:
        """Find where the text spells this value; proved by parsing the template with all edits so far."""
        done = frozenset(other for other in self._wanted if any(f"@{{{self._names[other]}}}" in e[2] for e in edits))
        name = self._names[path]
        for start, end, value in self._candidates(self._wanted[path]):
            self._values[name] = Secret(value)
            free = [edit for edit in edits if not (start <= edit[0] and edit[1] <= end and edit[2] == ESCAPED)]
            if any(start < other[1] and other[0] < end for other in free):
                continue
            edit = (start, end, f"@{{{name}}}")
            if self._means(_applied(self._source, [*free, edit]), done | {path}):
                edits[:] = free
                return edit
        self._values[name] = Secret(self._wanted[path])
        return None

    def _candidates(self, value: str) -> Iterator[tuple[int, int, str]]:
        """Iterate over places that may spell the value, with what the secret then is."""
        spellings = [value, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(value)[1:-1]]
        spellings += [value.replace("'", "''"), value.replace("\n", "\\n").replace('"', '\\"')]
        for spelling in dict.fromkeys(spellings):
            found = re.finditer(f"(?={re.escape(spelling)})", self._source)
            for match in itertools.islice(found, _MOST_PLACES):
                yield match.start(), match.start() + len(spelling), value
        # A YAML block: indented lines, whose last line end belongs to the block and not to the secret.
        if "\n" in value and self._document.format is DocumentFormat.YAML:
            lines = value.rstrip("\n").split("\n")
            pattern = lines[0] and r"\n *".join(map(re.escape, lines))
            for match in itertools.islice(re.finditer(pattern, self._source) if pattern else (), _MOST_PLACES):
                yield match.start(), match.end(), value.rstrip("\n")

    def _template(self, text: str) -> Document:
        return Document(self._document.format, Secret(text), tuple(self._values.items()), self._document.file or "live")

    def _means(self, text: str, paths: frozenset[Path]) -> bool:
        """Return whether a template has whole-value references at exactly these paths, and the live meaning."""
        document = self._template(text)
        try:
            template = template_tree(document, self._parser)
            if template.references != {path: (self._names[path],) for path in paths}:
                return False
            return bind(document, self._parser).tree == self._tree
        except DocumentError:
            return False

    def _renders(self, text: str) -> bool:
        try:
            rendered = render(self._template(text), self._parser)
        except ReconcilerError:
            return False
        return rendered == self._document.text and self._means(text, frozenset(self._wanted))


def _applied(source: str, edits: list[_Edit]) -> str:
    pieces = []
    end = 0
    for start, stop, text in sorted(edits):
        pieces += [source[end:start], text]
        end = stop
    return "".join(pieces) + source[end:]
