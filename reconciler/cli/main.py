"""The ``reconciler`` command: finds the subcommand, and turns errors into text on stderr and an exit code."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from keyword import iskeyword
from typing import TYPE_CHECKING

import click
from click.shell_completion import shell_complete

from reconciler import __version__
from reconciler.cli.console import Console
from reconciler.cli.invocation import Invocation
from reconciler.cli.stderr import drop, open_closed_streams
from reconciler.errors import ExitCode, InvalidDeclarationError, ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.commands.session import Session

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
COMPLETION = "_RECONCILER_COMPLETE"
RARELY = 1_000_000
"""After how many new values that may be part of a cycle the garbage collector looks for cycles."""

COMMANDS = {
    "validate": "Check the declaration, without a server.",
    "plan": "Show what an apply would change.",
    "show": "Show a saved plan again, in any form.",
    "apply": "Apply a saved plan, or make one and ask for confirmation.",
    "drift": "Report whether the workspace is what the declaration says.",
    "adopt": "Write what is live back into the declaration's files.",
    "fmt": "Format the declaration's files in the canonical style.",
    "effective": "Show somebody's merged client configuration, and where it comes from.",
    "access": "Show who has what and why, or who reaches an entity and how.",
    "history": "Show what was applied, when, by which user and from which commit.",
    "unlock": "Break the lock of a dead run.",
    "import": "Write a declaration from a live workspace.",
    "credentials": "List the access keys of service accounts.",
    "sandbox": "Run the embedded ClearML-compatible server.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are used: start-up time is a feature."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command and return it."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"reconciler.cli.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, or say which one was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, 1)
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]}?", ctx) from None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; whichever part of it finds the declaration invalid, every problem is shown on stderr."""
        try:
            return super().invoke(ctx)
        except InvalidDeclarationError as error:
            from reconciler.views.problems import render_problems

            console: Console = ctx.obj.console
            excerpts = error.excerpts if console.animated else {}
            console.note(render_problems(error.problems, console.diagnostics, excerpts.get).rstrip("\n"))
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 internal error, 2 differences, 3 invalid declaration, 4 refused by a guard, "
    "5 stale plan, 6 partly done, 7 server, 64 wrong usage, 130 interrupted.",
)
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Color in the output.")
@click.option("--debug", is_flag=True, envvar="RECONCILER_DEBUG", help="Show every API call, and tracebacks of errors.")
@click.pass_context
def cli(context: click.Context, color: str, *, debug: bool) -> None:
    """Manage a ClearML workspace as code: members, service accounts, groups, vaults and access rules."""
    del context, color, debug  # read by :func:`run`, which needs them for errors too


def run(arguments: Sequence[str], *, session: Session | None = None) -> int:
    """Run the command line and return its exit code; prints errors (with ``--debug`` whole tracebacks), raises none.

    ``session`` replaces what this process reaches the world through; what it reports goes to the console all the same.
    """
    environment = os.environ if session is None else session.environment
    secrets = None if session is None else session.secrets
    console = Console.detect("auto", environment, debug=False, secrets=secrets)
    try:
        with cli.make_context("reconciler", list(arguments)) as context:
            color, debug = context.params["color"], context.params["debug"]
            console = Console.detect(color, environment, debug=debug, secrets=console.secrets)
            context.obj = Invocation(console, session)
            code = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        console.note("Stopped.")
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        return _usage_error(console, error)
    except ReconcilerError as error:
        _trace(console)
        console.error(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone, as with `| head`; there is nobody left to read it.
        drop(sys.stdout)
        return ExitCode.INTERNAL_ERROR
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            return _defect(console, error)
        console.error(f"the output cannot be written: {error.strerror}", "reconciler history shows what an apply did")
        drop(sys.stdout)
        return ExitCode.INTERNAL_ERROR
    except Exception as error:  # noqa: BLE001 - the last place that can report it
        return _defect(console, error)
    return code if isinstance(code, int) else ExitCode.DONE


def _usage_error(console: Console, error: click.ClickException) -> ExitCode:
    message = error.format_message()
    misplaced = "give it before the command: reconciler --debug plan" if "'--debug'" in message else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        console.note(message)
    else:
        console.error(message, misplaced)
    return ExitCode.USAGE


def _defect(console: Console, error: Exception) -> ExitCode:
    _trace(console)
    console.error(
        f"internal error: {type(error).__name__}",
        "this is a defect of reconciler; run again with --debug and report what it prints",
    )
    return ExitCode.INTERNAL_ERROR


def _trace(console: Console) -> None:
    """Show the traceback of the error at hand, where debugging; known secrets are masked in it, as everywhere."""
    if console.debug:
        import traceback

        console.note(traceback.format_exc().rstrip("\n"))


def main() -> None:
    """Run the command line as a program.

    It makes hundreds of thousands of values and hardly a cycle, and ends: a garbage collector that looks at them time
    and again, and several times more at the end, takes a tenth of the time.
    """
    open_closed_streams()
    gc.set_threshold(RARELY)
    if asked := os.environ.get(COMPLETION):
        sys.exit(shell_complete(cli, {}, "reconciler", COMPLETION, asked))
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)
