"""A live document as the declaration would write it: known secrets as the references they are, new ones taken out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import Document
from reconciler.model.secret import Secret
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.extract import extract_secrets
from reconciler.vaults.references import bind, find_references, template_tree
from reconciler.vaults.tree import Path, Scalar, Tree, leaves, lookup, texts, transform

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reconciler.vaults.parse import DocumentParser

_MOST_PLACES = 50
_LONG = 8
"""From so many characters on, a secret's value is recognized wherever it stands, not only at its own path."""


class Referring(Frozen):
    """A document with references: which known names are in it, and what is new.

    ``changed`` are the known names whose value is another one live. ``rewritten``: comments in it were lost.
    """

    text: str
    kept: frozenset[str]
    new: Mapping[str, Secret]
    changed: frozenset[str]
    rewritten: bool


def refer(
    live: Document, declared: Document, target: str, prefix: str, taken: Collection[str], parser: DocumentParser
) -> Referring:
    """Write a live document with references; raises :class:`DocumentError` if that cannot be done safely.

    ``declared`` is what the file says so far; names in ``taken`` are not used for new secrets.
    """
    tree = parser.parse(live.format, live.text.reveal())
    known = _known(tree, declared, parser)
    work = _Words(live, tree, parser, known)
    longest_first = sorted(known.values.items(), key=lambda item: -len(item[1]))
    for everywhere in (False, True):
        for name, value in longest_first:
            work.put(name, value, everywhere=everywhere)
    extracted = extract_secrets(Document(live.format, Secret(work.text)), target, prefix, parser)
    text, new = _named(extracted.text, extracted.names, work, {*known.values, *taken})
    text = work.restored(text)
    values = new | {name: Secret(value) for name, value in known.values.items()}
    written = Document(live.format, Secret(text), tuple(values.items()), "live")
    _prove(written, tree, declared, parser)
    kept = {reference.name for reference in find_references(text)} & set(known.values)
    gone = sorted(known.paths.keys() - kept)
    if gone and _may_have_moved(written, tree, declared, parser):
        raise DocumentError(f"the secret {gone[0]} is not where it was, and may be in it under another name")
    return Referring(text, frozenset(kept), new, known.changed & kept, extracted.rewritten)


@dataclass(slots=True)
class _Known:
    """What each known name stands for in the live document, and at which paths it stood in the declared one."""

    values: dict[str, str] = field(default_factory=dict)
    paths: dict[str, set[Path]] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()


def _known(tree: Tree, declared: Document, parser: DocumentParser) -> _Known:
    known = _Known()
    values = {name: secret.reveal() for name, secret in declared.secrets if secret is not None}
    template = template_tree(declared, parser)
    for path, names in template.references.items():
        for name in names:
            known.paths.setdefault(name, set()).add(path)
        written, there = lookup(template.tree, path), lookup(tree, path)
        if isinstance(written, Scalar) and isinstance(there, Scalar) and isinstance(there.value, str):
            for name, value in _read_off(str(written.value), there.value, values):
                known.values.setdefault(name, value)
    known.changed = frozenset(name for name, value in known.values.items() if name in values and values[name] != value)
    for name, value in values.items():
        if len(value) >= _LONG:
            known.values.setdefault(name, value)
    return known


def _read_off(written: str, there: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Read the values of references off a live text; where several follow one another, known ones lead."""
    pattern, names, end = "", [], 0
    for reference in find_references(written):
        pattern += re.escape(written[end : reference.start])
        end = reference.end
        is_known = reference.name in values and values[reference.name] in there
        pattern += f"({re.escape(values[reference.name])})" if is_known else "(.+?)"
        names.append(reference.name)
    match = re.fullmatch(pattern + re.escape(written[end:]), there, re.DOTALL)
    if match is not None:
        yield from zip(names, match.groups(), strict=True)


class _Words:
    """The live text with words in the places of known values; each step is proved by parsing."""

    def __init__(self, live: Document, tree: Tree, parser: DocumentParser, known: _Known) -> None:
        self.text = live.text.reveal()
        self._live = live
        self._tree = tree
        self._parser = parser
        self._known = known
        self._prefix = next(f"Qk{number}KEPT" for number in range(10**6) if f"Qk{number}KEPT" not in self.text)
        self.names: dict[str, str] = {}

    def put(self, name: str, value: str, *, everywhere: bool) -> None:
        """Put a name's word where its value stands: at the name's own paths, or, if it is long, everywhere."""
        if everywhere and len(value) < _LONG:
            return
        word = next((word for word, other in self.names.items() if other == name), f"{self._prefix}{len(self.names)}E")
        self.names[word] = name
        for spelling in dict.fromkeys((value, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(value)[1:-1])):
            at = 0
            for _ in range(_MOST_PLACES):
                at = self.text.find(spelling, at) if spelling else -1
                if at < 0:
                    break
                changed = self.text[:at] + word + self.text[at + len(spelling) :]
                if self._fits(changed, word, everywhere=everywhere):
                    self.text, at = changed, at + len(word)
                else:
                    at += 1

    def _fits(self, text: str, word: str, *, everywhere: bool) -> bool:
        try:
            tree = self._parser.parse(self._live.format, text)
        except DocumentError:
            return False
        if self._meaning(tree) != self._tree:
            return False
        if everywhere:
            return True
        paths = {path for path, node in leaves(tree) if any(word in found for found in texts(node))}
        return paths != set() and paths <= self._known.paths.get(self.names[word], set())

    def _meaning(self, tree: Tree) -> Tree:
        def value(_: Path, node: Tree) -> Tree:
            if not (isinstance(node, Scalar) and isinstance(node.value, str)):
                return node
            text = node.value
            for word, name in self.names.items():
                text = text.replace(word, self._known.values[name])
            return Scalar(text)

        return transform(tree, value)

    def restored(self, text: str) -> str:
        """Return a text with references in the places of words."""
        for word, name in self.names.items():
            text = text.replace(word, f"@{{{name}}}")
        return text


def _named(
    text: str, extracted: Mapping[str, Secret], work: _Words, taken: Collection[str]
) -> tuple[str, dict[str, Secret]]:
    """Tell known secrets among those that were taken out, and give the new ones names that are free."""
    new: dict[str, Secret] = {}
    for name, secret in extracted.items():
        value = secret.reveal()
        if any(word in value for word in work.names):
            if re.search(r'["\'\\\n]', value):
                raise DocumentError("a secret in it is joined with text that cannot be written safely")
            text = text.replace(f"@{{{name}}}", value)
            continue
        free, number = name, 2
        while free in taken or free in new:
            free, number = f"{name}_{number}", number + 1
        text = text.replace(f"@{{{name}}}", f"@{{{free}}}")
        new[free] = secret
    return text, new


def _may_have_moved(written: Document, tree: Tree, declared: Document, parser: DocumentParser) -> bool:
    """Return whether a live document has a text of its own where the declared one has nothing.

    A secret that left its place may be that text: this run may have no value for it, or another one.
    """
    before, references = template_tree(declared, parser).tree, bind(written, parser).references
    return any(
        any(texts(node)) and path not in references and lookup(before, path) is None for path, node in leaves(tree)
    )


def _prove(written: Document, tree: Tree, declared: Document, parser: DocumentParser) -> None:
    """Make sure that a text with references means the live document, and holds no secret."""
    if bind(written, parser).tree != tree:
        raise DocumentError("its references cannot be written so that it means the same")
    text = written.text.reveal()
    secrets = [secret for _, secret in (*written.secrets, *declared.secrets) if secret is not None]
    if any(len(secret.reveal()) >= _LONG and secret.reveal() in text for secret in secrets):
        raise DocumentError("a secret is in it where a reference cannot be")
