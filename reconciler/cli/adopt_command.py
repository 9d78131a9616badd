"""``reconciler adopt``: write what is live back into the declaration's files. Its connection cannot write to it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.clearml.entities import look_up
from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.cli.adopt_keys import Selection, key_of, parse_arguments, select
from reconciler.cli.declared import Declared, load_declared, noting
from reconciler.cli.lenient import with_available_secrets
from reconciler.cli.options import connection_options
from reconciler.cli.planning import terms_for
from reconciler.cli.progress import working
from reconciler.cli.session import find_target, open_reader
from reconciler.cli.staging import diff_text, staged, written_secrets
from reconciler.cli.waiting import wait_for
from reconciler.cli.write_all import write_all
from reconciler.declaration.adopt.run import Adopted, Adoption
from reconciler.declaration.export_access import named_entities
from reconciler.declaration.resolve import bind
from reconciler.errors import ExitCode, InvalidDeclarationError
from reconciler.frozen import Frozen
from reconciler.model.resources import Address, Kind
from reconciler.model.text import fold, harmless
from reconciler.plan.make import Prepared, make_plan
from reconciler.vaults.parse import DocumentParser
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.options import Connection
    from reconciler.cli.session import Target
    from reconciler.declaration.models import SecretSource
    from reconciler.declaration.secrets import SecretResolver
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.secret import Secret
    from reconciler.plan.make import Terms


@click.command("adopt")
@click.option("--diff", "only_diff", is_flag=True, help="Show what would change as a unified diff, and write nothing.")
@connection_options
@click.argument("arguments", metavar="[KEY]... [FILE]", nargs=-1)
@click.pass_obj
def command(console: Console, arguments: tuple[str, ...], *, connection: Connection, only_diff: bool) -> int:
    """Write what is live back into FILE (workspace.yaml by default) and the files that it includes.

    A KEY is a kind and a name: member:bob@acme.io, group:researchers, vault:researchers/s3-defaults,
    service_account:agent, credential:agent/ci, access_rule:vision-rw. Without one, everything that drifts is adopted.

    Exit code 0 if all of that was adopted, 2 if some of it was left, with the reason.
    """
    keys, file = parse_arguments(arguments)
    with DocumentParser() as parser:
        run = _prepared(console, file, connection, parser)
        selection = select(keys, run.prepared, run.declared.desired)
        for note in selection.notes:
            console.note(f"Note: {note}")
        adopted = run.adoption.run(selection.changes, selection.undeclared)
        left = dict(adopted.left)
        if adopted.texts:
            left |= run.still_different(console, adopted, selection)
            if not only_diff:
                write_all(adopted.texts)
        if only_diff:
            console.secrets.add(*written_secrets(run.declared.desired.snapshot, run.adoption.parser))
            console.result(diff_text(adopted.texts))
    _report(console, run, adopted, left, only_diff=only_diff)
    return ExitCode.DIFFERENCES if left else ExitCode.DONE


class _Run(Frozen):
    """A declaration and the workspace, compared."""

    declared: Declared
    prepared: Prepared
    raw: Live
    terms: Terms
    adoption: Adoption
    resolver: SecretResolver
    parser: DocumentParser

    def still_different(self, console: Console, adopted: Adopted, selection: Selection) -> dict[Address, str]:
        """Compare what the files would say with the workspace; raises ``InvalidDeclarationError``."""
        declared = self.declared.declaration
        with _told_if_invalid(console), staged(declared, adopted.texts, self.parser) as declaration:
            changed = Declared(declaration, self.declared.shown, bind(declaration, secrets=None))
            known = _Known(self.resolver, adopted.secrets)
            desired = replace(changed.desired, snapshot=with_available_secrets(changed, known))
            changes = make_plan(desired, self.raw, self.terms).plan.changes
        done = set(adopted.done)
        found = [change.address for change in changes if change.address in done or not selection.chosen]
        return {address: "it still differs" for address in found if address not in adopted.left}


@contextmanager
def _told_if_invalid(console: Console) -> Iterator[None]:
    try:
        yield
    except InvalidDeclarationError:
        console.note("Nothing was written: the declaration would not be valid.")
        raise


def _prepared(console: Console, file: Path, connection: Connection, parser: DocumentParser) -> _Run:
    declared = load_declared(file, parser, console, without_secrets=True)
    target = find_target(connection, declared.server)
    resolver = noting(console.secrets, declared.declaration.folder)
    snapshot = with_available_secrets(declared, resolver)
    desired = replace(declared.desired, snapshot=snapshot, without_secrets=False)
    terms = terms_for(console, declared, target, parser)
    with working(console, "Reading the workspace"):
        raw = wait_for(_read(console, target, connection, desired))
    prepared = make_plan(_recognizing_renames(desired, raw, terms), raw, terms)
    live = replace(prepared.live, entities=raw.entities)
    adoption = Adoption(declared.declaration, snapshot, live, parser)
    with_secrets = Declared(declared.declaration, declared.shown, declared.bindings, desired)
    return _Run(with_secrets, prepared, raw, terms, adoption, resolver, parser)


async def _read(console: Console, target: Target, connection: Connection, desired: Desired) -> Live:
    async with open_reader(target, connection, console) as transport:
        reader = Reader(transport)
        live = await read_live(reader)
        declared = {rule.entity for rule in desired.snapshot.access_rules.values()}
        return replace(live, entities=await look_up(reader, named_entities(live) | declared))


def _recognizing_renames(desired: Desired, live: Live, terms: Terms) -> Desired:
    """Take what looks like a rename in the workspace for one: an entry keeps its place and its comments."""
    renames = dict(desired.renames)
    for rename in make_plan(desired, live, terms).plan.possible_renames:
        owner = (Kind.GROUP.value, fold(rename.owner)) if rename.owner is not None else ()
        renames[Address(rename.kind, (*owner, fold(rename.new)))] = Address(rename.kind, (*owner, fold(rename.old)))
    return replace(desired, renames=renames)


class _Known:
    """Knows the new secrets, which no source gives yet, and asks the declared sources for the others."""

    def __init__(self, resolver: SecretResolver, secrets: Mapping[str, Secret]) -> None:
        self._resolver = resolver
        self._secrets = secrets

    def resolve(self, name: str, source: SecretSource) -> Secret:
        """Return a secret; raises :class:`reconciler.errors.SecretUnavailableError`."""
        if source.env is not None and source.env in self._secrets:
            return self._secrets[source.env]
        return self._resolver.resolve(name, source)


def _report(console: Console, run: _Run, adopted: Adopted, left: Mapping[Address, str], *, only_diff: bool) -> None:
    live, declared = run.prepared.live.snapshot, run.declared.desired.snapshot
    done = [address for address in adopted.done if address not in left]
    if not only_diff:
        console.result("".join(f"adopted  {harmless(key_of(address, live, declared))}\n" for address in done))
    for note in dict.fromkeys(adopted.notes):
        console.note(f"Note: {note}")
    for address, reason in left.items():
        console.note(console.diagnostics.change(f"Left: {harmless(key_of(address, live, declared))}: {reason}"))
    if adopted.secrets:
        names = ", ".join(sorted(adopted.secrets))
        console.note(f"Secret values are not written. Set these environment variables for plan and apply: {names}")
    files = counted(len(adopted.texts), "file")
    if not adopted.texts:
        console.note("Nothing to adopt." if not left else "Nothing was changed.")
    else:
        console.note(f"{files} would change; nothing was written." if only_diff else f"{files} changed.")
