"""``reconciler sandbox``: the embedded ClearML-compatible server, on a port or played with by hand."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.sandbox_wire import as_usage_errors, open_store
from reconciler.errors import ExitCode, UsageError
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.cli.invocation import Invocation
    from reconciler.sandbox.serve import Running

_COLLECTED_AFTER = 50_000
"""A server does not end soon, so that the cycles in what it made must not be left lying about, as others do."""

_database_option = click.option(
    "--db",
    "database",
    type=click.Path(path_type=Path),
    default=Path("sandbox.db"),
    show_default=True,
    metavar="FILE",
    help="The sandbox's file; created if it does not exist.",
)


@click.group("sandbox")
def command() -> None:
    """Try things out on an embedded ClearML-compatible server.

    It keeps a whole workspace in one SQLite file. Give --server sandbox:FILE to any command to use it without a port.
    """


@command.command("serve")
@_database_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8008, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--admin-email", default="root@acme.io", show_default=True, help="The first admin of a new sandbox.")
@click.option("--admin-key", metavar="KEY", help="The first admin's access key, for scripts.")
@click.option("--admin-secret", metavar="KEY", help="The first admin's secret key, for scripts.")
@click.option(
    "--seed",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML with the members, projects, queues and so on to start with.",
)
@click.pass_obj
def serve(
    invocation: Invocation,
    database: Path,
    host: str,
    *,
    port: int,
    admin_email: str,
    admin_key: str | None,
    admin_secret: str | None,
    seed: Path | None,
) -> int:
    """Serve the sandbox over HTTP until interrupted. A new one prints its first admin's credentials, once."""
    from reconciler.declaration.values_file import read_values
    from reconciler.sandbox.seed import Seed, plant
    from reconciler.sandbox.serve import listen
    from reconciler.sandbox.serve import serve as run

    console = invocation.console
    # First of all: a new sandbox's keys are printed once, and listening must not fail afterwards.
    with _listening_on(host, port):
        listen(host, port).close()
    gc.set_threshold(_COLLECTED_AFTER)
    wanted = None if seed is None else read_values(Seed, seed)
    with open_store(database, admin_email=admin_email, admin_key=admin_key, admin_secret=admin_secret) as store:
        if wanted is not None:
            console.note(f"Created from {harmless(str(seed))}: {plant(store, wanted)}.")

        def missing(endpoint: str) -> None:
            console.note(f"A client asked for {harmless(endpoint)}, which the sandbox does not have.")

        def ready(running: Running) -> None:
            if store.bootstrap is not None:
                console.result(
                    f"export CLEARML_API_HOST={running.url}\n"
                    f"export CLEARML_API_ACCESS_KEY={store.bootstrap.access_key}\n"
                    f"export CLEARML_API_SECRET_KEY={store.bootstrap.secret_key}\n"
                )
            sys.stdout.flush()
            console.note(f"The sandbox listens on {running.url} (Ctrl-C stops it).")
            if store.bootstrap is None:
                console.note("It existed already; its first admin's keys were printed when it was created.")

        with _listening_on(host, port):
            run(store, host, port, on_ready=ready, on_missing=missing)
    return ExitCode.DONE


@contextmanager
def _listening_on(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot listen on {harmless(host)}:{port}: {error.strerror}") from error


@command.command("accept")
@_database_option
@click.option("--name", metavar="NAME", help="The name that the person signs up with.")
@click.argument("email")
@click.pass_obj
def accept(invocation: Invocation, database: Path, email: str, name: str | None) -> int:
    """Simulate the first sign-in of an invited person, who then becomes a member."""
    from reconciler.sandbox.whitelist import accept_invitation

    if not database.exists():
        raise UsageError(f"there is no sandbox {harmless(str(database))}")
    with open_store(database) as store, as_usage_errors():
        accept_invitation(store, email, name)
    invocation.console.note(f"{harmless(email)} has signed in for the first time.")
    return ExitCode.DONE
