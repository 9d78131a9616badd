"""Which lines of a declaration's files a diff may show: those of vault documents by what is known of their values.

A line of a document is shown if reviewers have it already (it is in the file as git has it), or if every value on it
may be shown (:mod:`reconciler.vaults.showing`) and it holds no comment, which only the server would know.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from reconciler.model.secret import UNSHOWN
from reconciler.model.text import harmless
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.looks import looks_like_secret
from reconciler.vaults.places import line_of, value_lines
from reconciler.vaults.references import template_tree
from reconciler.vaults.showing import Origin, Showing, showings
from reconciler.vaults.tree import leaves, lookup, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.model.resources import Document, Vault
    from reconciler.model.snapshot import Snapshot
    from reconciler.vaults.parse import DocumentParser

_COMMENT = re.compile(r"#|(?:^|\s)//")
_NO_VALUE = re.compile(r"[\s{}\[\],]*")
_REFERENCE = re.compile(r"@\{[^{}\n]*\}")


def hidden_lines(
    declared: Snapshot, reviewed: Snapshot, files: Mapping[str, Sequence[str]], parser: DocumentParser
) -> dict[str, frozenset[int]]:
    """Return, by file, the lines of vault documents that may not be shown, counted from 1; ``files`` are all lines.

    What is the same in a ``reviewed`` document of the same vault may be shown.
    """
    found: dict[str, set[int]] = {}
    for address, vault in declared.vaults.items():
        document = vault.document
        lines = files.get(document.file or "")
        if document.file is None or lines is None:
            continue
        known = reviewed.vaults.get(address)
        before = known.document if known is not None and known.document.reviewed else None
        found.setdefault(document.file, set()).update(_hidden(vault, before, lines, parser))
    return {file: frozenset(numbers) for file, numbers in found.items()}


def _hidden(vault: Vault, known: Document | None, lines: Sequence[str], parser: DocumentParser) -> Iterator[int]:
    document = vault.document
    text = document.text.reveal().removesuffix("\n").split("\n")
    there = lines[document.line - 1 : document.line - 1 + len(text)]
    if [line.strip() for line in there] != [line.strip() for line in text]:
        # A text in quotes or folded: which of its lines is where is not worked out.
        yield from range(document.line, len(lines) + 1)
        return
    familiar = frozenset(known.text.reveal().split("\n")) if known is not None else frozenset()
    try:
        fit = _fit_by_line(vault, known, parser)
    except DocumentError:
        fit = {}
    start = 0
    for number, line in enumerate(text, document.line):
        start = number if number in fit else start
        if not _may_be_shown(line, familiar, fit.get(start)):
            yield number


def _may_be_shown(line: str, familiar: Collection[str], fit: bool | None) -> bool:
    """Return whether a line may be shown; ``fit`` says whether the values on it may, ``None`` that it has none."""
    if _NO_VALUE.fullmatch(line):
        return True
    if _COMMENT.search(line) and (line not in familiar or looks_like_secret(line)):
        return False
    return line in familiar if fit is None else fit


def _fit_by_line(vault: Vault, known: Document | None, parser: DocumentParser) -> dict[int, bool]:
    """Return, for each line on which keys are set, whether all values there may be shown."""
    document = vault.document
    template = template_tree(document, parser)
    before = None if known is None else template_tree(known, parser).tree
    literals = frozenset(
        path for path, node in leaves(template.tree) if before is not None and lookup(before, path) == node
    )
    found = showings(template.tree, Origin(vault.target, literals=literals, visible=document.visible))
    places = value_lines(document)
    fit = dict.fromkeys(places.values(), True)
    for path, node in leaves(template.tree):
        line = line_of(places, path)
        if line is None:
            raise DocumentError("a value of this document has no line")
        is_reference = path in template.references and not any(_REFERENCE.sub("", text) for text in texts(node))
        fit[line] = fit[line] and (is_reference or found[path] is Showing.SHOWN)
    return fit


def diff_text(
    texts: Mapping[Path, str], before: Mapping[str, Collection[int]], after: Mapping[str, Collection[int]]
) -> str:
    """Return what would change in files as a unified diff, harmless in a terminal.

    ``before`` and ``after`` are the lines, by file, that are not shown of what is there and of the new texts.
    """
    lines: list[str] = []
    for path, text in sorted(texts.items()):
        name = path.as_posix()
        old, new = file_lines(path), text_lines(text)
        changes = list(_changes((old, _masked(old, before.get(name, ()))), (new, _masked(new, after.get(name, ())))))
        if changes:
            lines += [f"--- {name if path.exists() else '/dev/null'}", f"+++ {name}", *changes]
    return "".join("\t".join(map(harmless, line.split("\t"))) + "\n" for line in lines)


def file_lines(path: Path) -> list[str]:
    """Return the lines of a file; none if it is not there."""
    return text_lines(path.read_text(encoding="utf-8-sig")) if path.exists() else []


def text_lines(text: str) -> list[str]:
    """Return the lines of a file's text."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _masked(lines: Sequence[str], hidden: Collection[int]) -> list[str]:
    return [
        f"{line[: len(line) - len(line.lstrip())]}{UNSHOWN}" if number in hidden else line
        for number, line in enumerate(lines, 1)
    ]


_Side = tuple[list[str], list[str]]
"""The lines of a file, and the same as they are shown."""


def _changes(before: _Side, after: _Side) -> Iterator[str]:
    """Compare the lines, and yield those that are shown."""
    for group in SequenceMatcher(None, before[0], after[0], autojunk=False).get_grouped_opcodes(3):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
        for kind, old_start, old_end, new_start, new_end in group:
            if kind == "equal":
                yield from (f" {line}" for line in before[1][old_start:old_end])
                continue
            yield from (f"-{line}" for line in before[1][old_start:old_end])
            yield from (f"+{line}" for line in after[1][new_start:new_end])


def _range(start: int, stop: int) -> str:
    length = stop - start
    beginning = start + 1 if length else start
    return str(beginning) if length == 1 else f"{beginning},{length}"
