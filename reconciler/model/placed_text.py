"""A string that stands in a file: a document, or an expression of a rule."""

from __future__ import annotations

from reconciler.errors import Place
from reconciler.frozen import Frozen


class PlacedText(Frozen):
    """A string, and where it begins in its file, so that what is said of its lines and columns leads into the file.

    ``indent`` is how many characters stand before each line of it, ``first_column`` how many before its first one.
    """

    text: str
    file: str
    line: int = 1
    indent: int = 0
    first_column: int = 0

    def place(self, line: int = 1, column: int = 1) -> Place:
        """Return the place in the file of a line and column in the string, both counted from 1."""
        before = self.first_column if line == 1 else self.indent
        return Place(self.file, self.line + line - 1, before + column)
