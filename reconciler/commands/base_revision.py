"""The declaration as a commit has it, as the third side of a comparison: what was applied then."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.commands.declaration_loading import secret_resolver
from reconciler.declaration.load import load
from reconciler.declaration.resolve import bind, desired_of
from reconciler.declaration.source import read_yaml
from reconciler.errors import InvalidDeclarationError, SourceError, UsageError
from reconciler.model.live import Live
from reconciler.model.resources import Document, Vault
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import harmless
from reconciler.plan.access_rules import with_entity_ids
from reconciler.plan.documents import DocumentComparison
from reconciler.record.document import Record, Workspace
from reconciler.record.git import repositories
from reconciler.record.merge import Sight, spoken_for, with_sight
from reconciler.vaults.portable import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.commands.session import Session
    from reconciler.declaration.declaration import Declaration
    from reconciler.model.desired import Desired
    from reconciler.model.resources import Resource
    from reconciler.plan.make import Terms
    from reconciler.record.git import Committed, Repository
    from reconciler.vaults.parse import DocumentParser

_MOST_FILES = 2000
_YAML = frozenset({".yaml", ".yml"})


def record_of_revision(session: Session, revision: str, declaration: Declaration, live: Live, terms: Terms) -> Record:
    """Return what a record would hold if the declaration of a commit had been applied and nothing else happened.

    Raises :class:`UsageError` if there is no such commit, or no valid declaration in it.
    """
    desired = with_entity_ids(_desired_at(session, revision, declaration, terms.parser), live)
    then = Snapshot.of(_as_stored(resource, terms.parser) for resource in desired.snapshot)
    sight = Sight(
        live=Live(snapshot=then, ids={}, caller=live.caller),
        declared=desired.snapshot,
        remaining=(),
        touched=(),
        documents=DocumentComparison(terms.parser, terms.key),
        seen=terms.now or session.world.clock.now(),
        managed=spoken_for(desired.scope),
    )
    return with_sight(Record(workspace=Workspace(name=desired.workspace, server=terms.server)), sight)


def _as_stored(resource: Resource, parser: DocumentParser) -> Resource:
    """Return a resource as the server had it then: a vault's document with its secrets, where they are known."""
    if not isinstance(resource, Vault) or any(value is None for _, value in resource.document.secrets):
        return resource
    return replace(resource, document=Document(resource.format, stored_text(resource, parser)))


def _desired_at(session: Session, revision: str, declaration: Declaration, parser: DocumentParser) -> Desired:
    """Return what the declaration asked for in a commit; no program of it is run for a secret."""
    top = Path(declaration.top_file).name
    files = _files(session, revision, declaration.folder, top)
    with tempfile.TemporaryDirectory(prefix="reconciler-") as name:
        folder = Path(name)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        try:
            then = load(folder / top, documents=parser)
        except InvalidDeclarationError as error:
            first = error.problems[0]
            where = "" if first.place is None else f"{Path(first.place.file).name}:{first.place.line}: "
            message = f"the declaration at {harmless(revision)} is not valid: {where}{first.message}"
            raise UsageError(message, hint="name a commit that was applied") from None
        resolver = secret_resolver(session, declaration, commands=False)
        try:
            return desired_of(then, bind(then, secrets=resolver, all_needed=False))
        finally:
            session.secrets.add(*resolver.found)


def _files(session: Session, revision: str, folder: Path, top: str) -> Mapping[PurePosixPath, bytes]:
    """Return the files that a commit has for the declaration: YAML, and what that names."""
    absolute = folder.resolve()
    repository = next(repositories(absolute, session.environment, session.world.run_program), None)
    if repository is None:
        raise UsageError(f"{folder} is in no git repository, so that --base has no meaning")
    commit = repository.commit(revision)
    committed = None if commit is None else repository.files_below(commit, absolute)
    if committed is None:
        raise UsageError(f"git knows no commit {harmless(revision)}", hint="in CI, fetch the whole history")
    if PurePosixPath(top) not in committed:
        raise UsageError(f"{top} is not in the commit {harmless(revision)}")
    found = _contents(repository, committed, {path for path in committed if path.suffix.lower() in _YAML})
    named = {name for content in found.values() for name in _named(content)} & set(committed)
    return found | _contents(repository, committed, named - set(found))


def _contents(
    repository: Repository, committed: Mapping[PurePosixPath, Committed], paths: set[PurePosixPath]
) -> dict[PurePosixPath, bytes]:
    if len(paths) > _MOST_FILES:
        raise UsageError(f"more than {_MOST_FILES} YAML files are beside the declaration")
    found = ((path, repository.content(committed[path])) for path in sorted(paths))
    return {path: content for path, content in found if content is not None}


def _named(content: bytes) -> Iterator[PurePosixPath]:
    """Iterate over the files that a YAML file names: documents of vaults and rules of the organization's own."""
    try:
        root = read_yaml(content.decode("utf-8-sig"), "file").root
    except (SourceError, UnicodeDecodeError):
        return
    yield from _files_in(root)


def _files_in(value: Any) -> Iterator[PurePosixPath]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("file", "rules") and isinstance(inner, str):
                yield PurePosixPath(inner)
            yield from _files_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _files_in(inner)
