"""Colors for terminals, in one place; without color every function returns its text unchanged."""

from __future__ import annotations

from typing import NamedTuple

import click


class Palette(NamedTuple):
    """Styles text by meaning; ``enabled`` is decided once, by whoever knows the stream."""

    enabled: bool = False

    def add(self, text: str) -> str:
        """Style what is added."""
        return self._style(text, "green")

    def change(self, text: str) -> str:
        """Style what changes."""
        return self._style(text, "yellow")

    def remove(self, text: str) -> str:
        """Style what is removed."""
        return self._style(text, "red")

    def error(self, text: str) -> str:
        """Style what stops a run."""
        return click.style(text, fg="red", bold=True) if self.enabled else text

    def strong(self, text: str) -> str:
        """Style what should be seen first."""
        return click.style(text, bold=True) if self.enabled else text

    def quiet(self, text: str) -> str:
        """Style what may be passed over."""
        return click.style(text, dim=True) if self.enabled else text

    def _style(self, text: str, color: str) -> str:
        return click.style(text, fg=color) if self.enabled else text
