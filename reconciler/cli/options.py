"""Options that several commands share, and how they become one value."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.commands.connection import Connection
from reconciler.errors import UsageError
from reconciler.model.secret import Secret
from reconciler.plan.allowance import Allowance
from reconciler.plan.changes import NEVER_LIFTED, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.cli.console import Console
    from reconciler.frozen import Frozen

Returned = TypeVar("Returned")
Command = TypeVar("Command", bound="Callable[..., object]")


def gather(name: str, kind: type[Frozen]) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Pass those options of a command that are fields of ``kind`` on as one value of it, by this name."""

    def decorate(command: Callable[..., Returned]) -> Callable[..., Returned]:
        @functools.wraps(command)
        def wrapper(*arguments: object, **values: object) -> Returned:
            own = {field: values.pop(field) for field in kind.__struct_fields__ if field in values}
            return command(*arguments, **{name: kind(**own)}, **values)

        return wrapper

    return decorate


def stacked(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return one decorator that does what all of these do, the last one first, as if they stood below each other."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _secret(_: click.Context, __: click.Parameter, value: str | None) -> Secret | None:
    return Secret(value) if value is not None else None


def _allowances(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> frozenset[Allowance]:
    try:
        return frozenset(map(Allowance.read, value))
    except ValueError as error:
        raise click.BadParameter(f"{error}; the guards that can be lifted are {', '.join(_LIFTABLE)}") from None


connection_options = stacked(
    click.option("--server", metavar="URL", help="API server; sandbox:FILE runs the embedded server in this process."),
    click.option("--access-key", metavar="KEY", help="Access key (or CLEARML_API_ACCESS_KEY, or clearml.conf)."),
    click.option(
        "--secret-key",
        metavar="KEY",
        callback=_secret,
        help="Secret key (or CLEARML_API_SECRET_KEY, or clearml.conf).",
    ),
    click.option("--allow-http", is_flag=True, help="Allow http:// to another machine: keys travel unprotected."),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 64),
        default=16,
        show_default=True,
        help="Maximum number of concurrent calls.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 3600),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Maximum time to wait for one answer.",
    ),
    gather("connection", Connection),
)
"""The options that name a server and sign in; they become one ``connection``."""

declaration_argument = click.argument(
    "file", metavar="[FILE]", type=click.Path(path_type=Path), default=Path("workspace.yaml"), required=False
)

record_option = click.option(
    "--record",
    envvar="RECONCILER_RECORD",
    metavar="PATH|URL",
    help="Where the record of runs and the lock are: a file, or s3://, gs:// or az://; none keeps none. "
    "[env: RECONCILER_RECORD; default: a file in .reconciler beside the declaration]",
)

_LIFTABLE = [guard.value for guard in Guard if guard not in NEVER_LIFTED]

allow_option = click.option(
    "--allow",
    "allowed",
    multiple=True,
    callback=_allowances,
    metavar="GUARD[=KIND[:NAME]]",
    help=f"Lift one guard on purpose, everywhere or for a kind or resource (max-removals=group:operators): "
    f"{', '.join(_LIFTABLE)}. May be given more than once; there is no --force.",
)


def format_choice(forms: Iterable[str], sentence: str) -> Callable[[Command], Command]:
    """Return the option that chooses the form of a result; text is the usual one."""
    choice = click.Choice([str(form) for form in forms])
    return click.option("--format", "output_format", type=choice, default="text", show_default=True, help=sentence)


format_option = format_choice(("text", "json"), "Form of the result on stdout.")

exact_option = click.option(
    "--exact-documents", is_flag=True, help="Treat vault documents that differ only in their text as different."
)


def refuse_to_reveal(console: Console, *, elsewhere: bool = False) -> None:
    """Raise :class:`UsageError` unless secrets would be shown in a terminal, as text, and nowhere ``elsewhere``."""
    if elsewhere or not console.terminal:
        raise UsageError(
            "--reveal shows secrets only in a terminal, never in a file or a pipe",
            hint="leave --reveal out: everything but the secret values is shown",
        )


def complete_principal(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Complete the e-mail of a member or the name of a service account in the declaration of this folder."""
    from reconciler.declaration.declared_names import declared_principals

    return [name for name in declared_principals(Path("workspace.yaml")) if name.startswith(begun)]
