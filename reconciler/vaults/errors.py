"""What can be wrong with a vault document."""

from __future__ import annotations

from reconciler.errors import ExitCode, ReconcilerError


class DocumentError(ReconcilerError):
    """A document cannot be read, or cannot be written safely.

    ``line`` and ``column`` count from 1 within the document, and are ``None`` where no single place is to blame. The
    message never quotes the document: it may hold secrets.
    """

    exit_code = ExitCode.INVALID_DECLARATION

    def __init__(
        self, message: str, line: int | None = None, column: int | None = None, *, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        return f"line {self.line}, column {self.column or 1}: {self.message}"


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, counted from 1, of an offset in a text."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
