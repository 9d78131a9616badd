"""Colors for terminals, in one place; without color every function returns its text unchanged."""

from __future__ import annotations

from typing import Final, NamedTuple

_RED: Final = 31
_GREEN: Final = 32
_YELLOW: Final = 33
_BOLD: Final = 1
_DIM: Final = 2


class Palette(NamedTuple):
    """Styles text by meaning; ``enabled`` is decided once, by whoever knows the stream."""

    enabled: bool = False

    def add(self, text: str) -> str:
        """Style what is added."""
        return self._style(text, _GREEN)

    def change(self, text: str) -> str:
        """Style what changes."""
        return self._style(text, _YELLOW)

    def remove(self, text: str) -> str:
        """Style what is removed."""
        return self._style(text, _RED)

    def error(self, text: str) -> str:
        """Style what stops a run."""
        return self._style(text, _RED, _BOLD)

    def strong(self, text: str) -> str:
        """Style what should be seen first."""
        return self._style(text, _BOLD)

    def quiet(self, text: str) -> str:
        """Style what may be passed over."""
        return self._style(text, _DIM)

    def _style(self, text: str, *codes: int) -> str:
        """Put ANSI codes (SGR) around a text."""
        return "".join(f"\033[{code}m" for code in codes) + text + "\033[0m" if self.enabled else text
