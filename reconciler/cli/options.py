"""Options that several commands share."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from reconciler.frozen import Frozen
from reconciler.model.secret import Secret
from reconciler.plan.changes import NEVER_LIFTED, Guard

if TYPE_CHECKING:
    from collections.abc import Callable

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class Connection(Frozen):
    """What the user said about the server and how to talk to it."""

    server: str | None
    access_key: str | None
    secret_key: Secret | None
    allow_http: bool
    concurrency: int
    timeout: float


def connection_options(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Add the options that name a server and sign in, and pass them on as one ``connection``."""

    @click.option("--server", metavar="URL", help="API server; sandbox:FILE runs the embedded server in this process.")
    @click.option("--access-key", metavar="KEY", help="Access key (or CLEARML_API_ACCESS_KEY, or clearml.conf).")
    @click.option("--secret-key", metavar="KEY", help="Secret key (or CLEARML_API_SECRET_KEY, or clearml.conf).")
    @click.option("--allow-http", is_flag=True, help="Allow http:// to another machine: keys travel unprotected.")
    @click.option(
        "--concurrency", type=click.IntRange(1, 64), default=16, show_default=True, help="Most calls at once."
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(0.1, 3600),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Longest wait for one answer.",
    )
    @functools.wraps(command)
    def wrapper(
        *arguments: object,
        server: str | None,
        access_key: str | None,
        secret_key: str | None,
        allow_http: bool,
        concurrency: int,
        timeout: float,
        **others: object,
    ) -> Returned:
        secret = Secret(secret_key) if secret_key is not None else None
        connection = Connection(server, access_key, secret, allow_http, concurrency, timeout)
        return command(*arguments, connection=connection, **others)

    return wrapper


declaration_argument = click.argument(
    "file", metavar="[FILE]", type=click.Path(path_type=Path), default=Path("workspace.yaml"), required=False
)

_LIFTABLE = [guard.value for guard in Guard if guard not in NEVER_LIFTED]

allow_option = click.option(
    "--allow",
    "allowed",
    type=click.Choice(_LIFTABLE),
    multiple=True,
    metavar="GUARD",
    help=f"Lift one guard on purpose: {', '.join(_LIFTABLE)}. May be given more than once; there is no --force.",
)

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the result on stdout.",
)

exact_option = click.option(
    "--exact-documents", is_flag=True, help="Count vault documents that differ in their text alone as different too."
)
