"""What can be wrong with a vault document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ExitCode, Place, ReconcilerError

if TYPE_CHECKING:
    from reconciler.model.resources import Document


class DocumentError(ReconcilerError):
    """A document cannot be read, or cannot be written safely.

    ``line`` and ``column`` count from 1 within the document, and are ``None`` where no single place is to blame. The
    message never quotes the document: it may hold secrets. ``dropped``: clients drop such a document; otherwise it is
    this project that refuses it, whatever clients make of it.
    """

    exit_code = ExitCode.INVALID_DECLARATION

    def __init__(
        self,
        message: str,
        line: int | None = None,
        column: int | None = None,
        *,
        hint: str | None = None,
        dropped: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column
        self.dropped = dropped

    @property
    def verdict(self) -> str:
        """The message, after who it is that does not take the document."""
        return f"{'clients drop it' if self.dropped else 'refused by reconciler'}: {self.message}"

    def at(self, line: int | None, column: int | None) -> DocumentError:
        """Return a fresh copy with another place; an exception that is raised twice grows its traceback."""
        return DocumentError(self.message, line, column, hint=self.hint, dropped=self.dropped)

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        return f"line {self.line}, column {self.column or 1}: {self.message}"


def place_in_file(document: Document, error: DocumentError) -> Place | None:
    """Return where in the user's files an error is; ``None`` for a document that comes from no file."""
    if document.file is None:
        return None
    return Place(document.file, document.line + (error.line or 1) - 1, error.column or 1)


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, counted from 1, of an offset in a text."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
