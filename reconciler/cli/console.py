"""The two streams: results on stdout, progress and diagnostics on stderr."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from reconciler.cli.edges import Edges
from reconciler.views.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Console:
    """Where a command prints; the only place that knows about terminals."""

    output: Palette
    diagnostics: Palette
    interactive: bool
    animated: bool
    debug: bool
    edges: Edges = field(default_factory=Edges)

    @staticmethod
    def detect(color: str, environ: Mapping[str, str], *, debug: bool, edges: Edges | None = None) -> Console:
        """Look at the streams and the environment (``NO_COLOR``, ``TERM``); ``color`` overrules them."""
        plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"

        def colored(is_terminal: bool) -> Palette:
            return Palette(color == "always" or (color == "auto" and is_terminal and not plain))

        errors = sys.stderr.isatty()
        return Console(
            output=colored(sys.stdout.isatty()),
            diagnostics=colored(errors),
            interactive=sys.stdin is not None and sys.stdin.isatty() and errors,
            animated=errors and environ.get("TERM") != "dumb",
            debug=debug,
            edges=edges or Edges(),
        )

    def result(self, text: str) -> None:
        """Print a result, which brings its own line ends, on stdout."""
        click.echo(text, nl=False, color=True)

    def note(self, text: str) -> None:
        """Print a line of progress or advice on stderr."""
        click.echo(text, err=True, color=True)

    def error(self, message: str, hint: str | None = None) -> None:
        """Print an error, and what to do about it, on stderr."""
        self.note(f"{self.diagnostics.error('Error:')} {message}")
        if hint:
            self.note(f"  {hint}")
