"""Plain columns: as wide as their widest cell, two blanks apart, nothing at the end of a line."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line per row. All rows have the same number of cells, already harmless."""
    widths = [max(width(row[index]) for row in rows) for index in range(len(rows[0]))]
    return ["  ".join(padded(cell, places) for cell, places in zip(row, widths, strict=True)).rstrip() for row in rows]


def padded(cell: str, places: int) -> str:
    """Return a cell with blanks after it until it takes so many places, or as it is if it takes more."""
    return cell + " " * (places - width(cell))


def width(text: str) -> int:
    """Return how many places a text takes in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
