"""Whether a live text is exactly a declared one, also where the run has no value for some of its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.secret import Secret
from reconciler.vaults.references import LITERAL, is_template, mark

if TYPE_CHECKING:
    from reconciler.model.resources import Document
    from reconciler.vaults.parse import DocumentParser


def same_text_as(before: Document, source: str, after: Document, parser: DocumentParser) -> bool:
    """Return whether the live text is the declared one, with anything in the places of secrets without a value."""
    live = before.text.reveal()
    if not is_template(after) or LITERAL not in source:
        return live == source
    if all(value is not None for _, value in after.secrets):
        from reconciler.vaults.render import render

        return render(after, parser) == Secret(live)
    marked = mark(after, parser)
    used = marked.used()
    pieces = [""]
    end = 0
    for index, occurrence in enumerate(marked.occurrences):
        pieces[-1] += source[end : occurrence.start]
        end = occurrence.end
        if index not in used:
            pieces[-1] += source[occurrence.start : end]
        elif occurrence.name:
            pieces.append("")
        else:
            pieces[-1] += LITERAL
    pieces[-1] += source[end:]
    return _fits(live, [piece.strip('"') if len(pieces) > 1 else piece for piece in pieces])


def _fits(text: str, pieces: list[str]) -> bool:
    """Return whether a text is the pieces in order with anything between them."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for piece in middle:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return at <= len(text) - len(last)
