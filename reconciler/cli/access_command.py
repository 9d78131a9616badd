"""``reconciler access``: who has what and why. Its connection, if it needs one, cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.declared import Declared, load_declared
from reconciler.cli.options import connection_options
from reconciler.cli.waiting import wait_for
from reconciler.effective.reach import find_principal
from reconciler.errors import ExitCode, UsageError
from reconciler.frozen import Frozen
from reconciler.model.desired import Management
from reconciler.model.resources import Kind
from reconciler.model.text import fold
from reconciler.plan.access_facts import AccessReport
from reconciler.plan.access_names import find_entity, found_entity, parse_entity
from reconciler.plan.access_report import AccessBook
from reconciler.plan.impact.content import counting
from reconciler.vaults.parse import DocumentParser
from reconciler.views.access import access_csv, access_json, render_access

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.cli.session import Target
    from reconciler.model.access import Entity
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.snapshot import Snapshot

_SAID = (Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP, Kind.VAULT, Kind.ACCESS_RULE)
_FORMS = "reconciler access WHO [FILE], reconciler access --entity TYPE:NAME [FILE], or reconciler access --all [FILE]"


@click.command("access")
@click.option("--entity", "entity_text", metavar="TYPE:NAME", help="Show who reaches an entity, like project:Vision.")
@click.option("--all", "everybody", is_flag=True, help="Show everybody, for an audit.")
@click.option("--live", is_flag=True, help="Show what the workspace has, not what the declaration asks for.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="Form of the result; csv has one row per fact.",
)
@connection_options
@click.argument("names", metavar="[WHO] [FILE]", nargs=-1)
@click.pass_obj
def command(
    console: Console,
    names: tuple[str, ...],
    *,
    connection: Connection,
    entity_text: str | None,
    everybody: bool,
    live: bool,
    output_format: str,
) -> int:
    """Show what WHO has and why, or with --entity who reaches an entity and how.

    WHO is a member's e-mail or a service account's name. FILE (workspace.yaml by default) is enough: no server and no
    secret is needed, unless --live asks for one. Of vaults the values and secrets are counted, and never shown.
    """
    who, file = _who_and_file(names, alone=entity_text is not None or everybody)
    if entity_text is not None and everybody:
        raise UsageError("--entity and --all are two questions", hint=_FORMS)
    entity = parse_entity(entity_text) if entity_text is not None else None
    with DocumentParser() as parser:
        declared = None
        if file.exists() or not (live and connection.server):
            declared = load_declared(file, parser, console, without_secrets=True)
        job = _Job(console, connection, parser, declared, _Question(who, entity))
        report, where = job.live() if live else job.declared_only()
        if output_format == "csv":
            console.result(access_csv(report))
        elif output_format == "json":
            console.result(access_json(report, where, live=live))
        else:
            console.result(render_access(report, where, console.output))
    return ExitCode.DONE


def _who_and_file(names: tuple[str, ...], *, alone: bool) -> tuple[str | None, Path]:
    """Tell the two arguments apart: somebody comes first, unless an option asks for something else."""
    if len(names) > (1 if alone else 2):
        raise UsageError("these are too many arguments", hint=_FORMS)
    if alone:
        return None, Path(names[0]) if names else Path("workspace.yaml")
    if not names:
        raise UsageError("nobody is named", hint=_FORMS)
    return names[0], Path(names[1]) if len(names) > 1 else Path("workspace.yaml")


class _Question(Frozen):
    """Who is asked about, or which entity; neither means everybody."""

    who: str | None
    entity: Entity | None


class _Job(Frozen):
    console: Console
    connection: Connection
    parser: DocumentParser
    declared: Declared | None
    question: _Question

    def declared_only(self) -> tuple[AccessReport, str]:
        """Answer from the declaration alone."""
        if self.declared is None:
            raise UsageError("there is no declaration")
        desired = self.declared.desired
        book = AccessBook(desired.snapshot, counting(self.parser))
        wanted = self.question.entity
        entity = None if wanted is None else find_entity(wanted, book.entities)
        report = self._report(book, desired.snapshot, entity, _not_said(desired))
        return report, f"as declared in {self.declared.shown}"

    def live(self) -> tuple[AccessReport, str]:
        """Answer from the workspace."""
        from reconciler.cli.session import find_target

        target = find_target(self.connection, self.declared.server if self.declared else None)
        live = self._read(target)
        book = AccessBook(live.snapshot, counting(self.parser), live.credentials)
        wanted = self.question.entity
        entity = None if wanted is None else found_entity(wanted, live.entities.get(wanted), book.entities)
        return self._report(book, live.snapshot, entity, ()), f"as it is on {target.name}"

    def _report(
        self, book: AccessBook, snapshot: Snapshot, entity: Entity | None, not_said: tuple[Kind, ...]
    ) -> AccessReport:
        if entity is not None:
            return AccessReport(entity.title, book.of_entity(entity), about_entity=True, not_said=not_said)
        if self.question.who is None:
            facts = (fact for who in book.principals for fact in book.of_principal(who, closed=False))
            return AccessReport(None, tuple(facts), not_said=not_said)
        try:
            principal = find_principal(self.question.who, snapshot)
        except UsageError as error:
            if self.question.who.endswith((".yaml", ".yml")):
                raise UsageError(error.message, hint=f"FILE comes last: {_FORMS}") from None
            raise
        return AccessReport(principal.title, book.of_principal(principal.address), not_said=not_said)

    def _read(self, target: Target) -> Live:
        from reconciler.clearml.read import read_live
        from reconciler.clearml.reader import Reader
        from reconciler.cli.progress import working
        from reconciler.cli.session import open_reader

        who, entity = self.question.who, self.question.entity
        accounts = () if entity is not None else None if who is None else {fold(who)}

        async def read() -> Live:
            async with open_reader(target, self.connection, self.console) as transport:
                return await read_live(
                    Reader(transport), accounts=accounts, entities=() if entity is None else {entity}
                )

        with working(self.console, "Reading the workspace"):
            return wait_for(read())


def _not_said(desired: Desired) -> tuple[Kind, ...]:
    """Return the kinds of which the workspace may have more than the declaration says."""
    return tuple(kind for kind in _SAID if desired.scope.management(kind) is not Management.ALL)
