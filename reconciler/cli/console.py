"""The two streams: results on stdout, progress and diagnostics on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from reconciler.cli.stderr import STDERR, drop
from reconciler.commands.known_secrets import KnownSecrets
from reconciler.views.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Mapping


class Console(NamedTuple):
    """Where a command prints; the only place that knows about terminals.

    Whatever it prints, the ``secrets`` that this run knows are masked in it.
    """

    output: Palette
    diagnostics: Palette
    interactive: bool
    animated: bool
    debug: bool
    terminal: bool
    secrets: KnownSecrets

    @staticmethod
    def detect(color: str, environ: Mapping[str, str], *, debug: bool, secrets: KnownSecrets | None = None) -> Console:
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
            terminal=sys.stdout.isatty(),
            secrets=KnownSecrets() if secrets is None else secrets,
        )

    def result(self, text: str) -> None:
        """Print a result, which brings its own line ends, on stdout.

        Whoever read it may have gone, as with ``| head``: that changes nothing of what a command does, and so nothing
        of its exit code.
        """
        try:
            click.echo(self.secrets.mask_result(text), nl=False, color=True)
        except BrokenPipeError:
            drop(sys.stdout)

    def revealed(self, text: str) -> None:
        """Print a result that somebody asked for with its secrets; only ever in a terminal."""
        click.echo(text, nl=False, color=True)

    def note(self, text: str) -> None:
        """Print a line of progress or advice on stderr; if nobody can read it, work goes on all the same."""
        click.echo(self.secrets.mask(text), file=STDERR, color=True)

    def error(self, message: str, hint: str | None = None) -> None:
        """Print an error, and what to do about it, on stderr."""
        self.note(f"{self.diagnostics.error('Error:')} {message}")
        if hint:
            self.note(f"  {hint}")
