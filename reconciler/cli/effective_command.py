"""``reconciler effective``: somebody's merged client configuration. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.declared import Declared, load_declared, noting
from reconciler.cli.lenient import with_available_secrets
from reconciler.cli.options import connection_options
from reconciler.cli.waiting import wait_for
from reconciler.effective.configuration import Configuration, configure
from reconciler.effective.reach import find_principal
from reconciler.effective.sources import Discretion, read_base
from reconciler.errors import ExitCode, UsageError
from reconciler.model.resources import OwnerKind, Vault
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold, harmless
from reconciler.vaults.errors import DocumentError
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.tree import Path as KeyPath
from reconciler.vaults.tree import parse_path
from reconciler.views.effective import (
    difference_json,
    effective_document,
    note_lines,
    render_difference,
    render_effective,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.clearml.messages import VaultMessage
    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.cli.session import Target
    from reconciler.effective.merge import Source
    from reconciler.effective.reach import Principal
    from reconciler.model.resources import Address

_MAXIMUM_BASE = 4 * 1024 * 1024
_ORGANIZATION = "organization"
"""The scope of vaults that reach everyone without a group (``docs/explanation/clearml-api.md, Vaults``)."""


@click.command("effective")
@click.option("--base", type=click.Path(path_type=Path), metavar="FILE", help="The clearml.conf below the vaults.")
@click.option("--live", is_flag=True, help="Show what the workspace has, not what the declaration asks for.")
@click.option("--diff", is_flag=True, help="Show what differs between the workspace and the declaration.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "hocon", "json", "yaml"]),
    default="text",
    show_default=True,
    help="Form of the result; all but text give the merged document alone.",
)
@click.option("--path", "within", metavar="PATH", help="Only what is at or below a path, such as sdk.aws.")
@click.option("--reveal", is_flag=True, help="Show secret values; only in a terminal.")
@click.option("--without-secrets", is_flag=True, help="Do not even look for the declared secrets.")
@connection_options
@click.argument("who")
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path), default=Path("workspace.yaml"))
@click.pass_obj
def command(
    console: Console,
    who: str,
    file: Path,
    *,
    connection: Connection,
    base: Path | None,
    live: bool,
    diff: bool,
    output_format: str,
    within: str | None,
    reveal: bool,
    without_secrets: bool,
) -> int:
    """Show the merged client configuration of WHO, a member's e-mail or a service account's name.

    Each value comes with the vault, file and line that says it. FILE (workspace.yaml by default) is enough: only
    --live and --diff need a server, and nothing needs a secret. Secret values are hidden.
    """
    if live and diff:
        raise UsageError("--diff compares with the live workspace already; leave --live out")
    if diff and output_format not in {"text", "json"}:
        raise UsageError("--diff can be shown as text or json")
    if reveal and not console.terminal:
        raise UsageError(
            "--reveal shows secrets only in a terminal, never in a file or a pipe",
            hint="leave --reveal out: everything but the secret values is shown",
        )
    path = _path(within)
    with DocumentParser() as parser:
        declared = None
        if file.exists() or not (live and connection.server):
            declared = load_declared(file, parser, console, without_secrets=True)
        job = _Job(console, connection, parser, declared, without_secrets=without_secrets, reveal=reveal)
        job.lay_over(base)
        if diff:
            return job.show_difference(who, path, output_format)
        return job.show(who, path, within, output_format, live=live)


@dataclass(slots=True)
class _Job:
    console: Console
    connection: Connection
    parser: DocumentParser
    declared: Declared | None
    without_secrets: bool
    reveal: bool
    _base: Source | None = None
    _desired: Snapshot | None = None

    def lay_over(self, path: Path | None) -> None:
        """Take a file as the base of everything."""
        if path is None:
            return
        shown = path.as_posix()
        try:
            with path.open("rb") as stream:
                text = stream.read(_MAXIMUM_BASE).decode("utf-8")
            self._base = read_base(shown, text, self.parser, self._discretion())
        except OSError as error:
            raise UsageError(f"{harmless(shown)} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{harmless(shown)} is not UTF-8 text") from None
        except DocumentError as error:
            line = f":{error.line}" if error.line else ""
            raise UsageError(f"{harmless(shown)}{line}: {error.message}", hint=error.hint) from None

    def show(self, who: str, path: KeyPath, within: str | None, output_format: str, *, live: bool) -> int:
        """Show the configuration that is declared, or that is live."""
        if live:
            found, server = self._live(who)
            where = f"as it is on {server}"
        else:
            found = self._declared_configuration(who)
            where = f"as declared in {self.declared.shown if self.declared else ''}"
        values = found.within(path)
        if output_format == "text":
            self._print(render_effective(found, values, where, self.console.output, path=within))
        else:
            for line in note_lines(found, self.console.diagnostics):
                self.console.note(line)
            self._print(effective_document(values, output_format))
        return ExitCode.DONE

    def show_difference(self, who: str, path: KeyPath, output_format: str) -> int:
        """Show what differs between the live and the declared configuration."""
        from reconciler.effective.difference import difference

        desired = self._declared_configuration(who)
        live = self._live(who, missing=desired.principal)[0]
        found = difference(live.within(path), desired.within(path))
        if output_format == "json":
            self._print(difference_json(found))
        else:
            self._print(render_difference(found, desired.principal.title, self.console.output))
        return ExitCode.DONE

    def _print(self, text: str) -> None:
        if self.reveal:
            self.console.revealed(text)
        else:
            self.console.result(text)

    def _snapshot(self) -> Snapshot:
        if self._desired is None:
            if self.declared is None:
                self._desired = Snapshot()
            elif self.without_secrets:
                self._desired = self.declared.desired.snapshot
            else:
                resolver = noting(self.console.secrets, self.declared.declaration.folder)
                self._desired = with_available_secrets(self.declared, resolver)
        return self._desired

    def _discretion(self) -> Discretion:
        self._snapshot()
        return Discretion(self.console.secrets.redactor(), self.reveal)

    def _declared_configuration(self, who: str) -> Configuration:
        snapshot = self._snapshot()
        principal = find_principal(who, snapshot)
        return configure(principal, snapshot, self.parser, self._discretion(), base=self._base)

    def _live(self, who: str, *, missing: Principal | None = None) -> tuple[Configuration, str]:
        """Return the live configuration and the server's name; ``missing`` is who may not be there yet."""
        from reconciler.cli.session import find_target

        target = find_target(self.connection, self.declared.server if self.declared else None)
        snapshot = self._read(who, target)
        if missing is not None and missing.address not in snapshot:
            self.console.note(f"{harmless(missing.title)} is not in the workspace yet.")
            return configure(missing, Snapshot(), self.parser, self._discretion(), base=self._base), target.name
        found = configure(
            find_principal(who, snapshot),
            snapshot,
            self.parser,
            self._discretion(),
            base=self._base,
            references=self._references(),
        )
        return found, target.name

    def _read(self, who: str, target: Target) -> Snapshot:
        from reconciler.clearml.read import read_live
        from reconciler.clearml.reader import Reader
        from reconciler.cli.progress import working
        from reconciler.cli.session import open_reader

        async def read() -> Snapshot:
            async with open_reader(target, self.connection, self.console) as transport:
                reader = Reader(transport)
                live = await read_live(reader, accounts=(), vaults_of={fold(who)})
                return Snapshot.of((*live.snapshot, *_organization_wide(await reader.organization_vaults())))

        with working(self.console, "Reading the workspace"):
            return wait_for(read())

    def _references(self) -> dict[Address, frozenset[KeyPath]]:
        """Return where the declared vaults hold secrets: what is live at these places is hidden as well."""
        from reconciler.vaults.references import template_tree

        return {
            address: frozenset(template_tree(vault.document, self.parser).references)
            for address, vault in self._snapshot().vaults.items()
            if vault.document.secrets
        }


def _organization_wide(messages: Iterable[VaultMessage]) -> Iterator[Vault]:
    """Return the vaults of the whole organization, which belong to no group, as what they are: vaults for everyone."""
    from msgspec.structs import replace

    from reconciler.clearml.assemble import vault_of

    for message in messages:
        if message.scope == _ORGANIZATION:
            vault = vault_of(message, OwnerKind.GROUP, "Users")
            yield replace(vault, name=f"{vault.name} (whole organization)")


def _path(text: str | None) -> KeyPath:
    try:
        return parse_path(text) if text else ()
    except ValueError as error:
        raise UsageError(f"{harmless(text or '')} is {error}") from None
