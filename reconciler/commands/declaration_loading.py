"""What a declaration asks for, as commands load it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.declaration.load import load
from reconciler.declaration.resolve import bind, desired_of
from reconciler.declaration.secrets import SecretResolver, SecretSources
from reconciler.frozen import Frozen
from reconciler.record.git import repositories

if TYPE_CHECKING:
    from reconciler.commands.session import Session
    from reconciler.declaration.declaration import Declaration
    from reconciler.model.desired import Desired
    from reconciler.vaults.parse import DocumentParser


class SecretUse(Enum):
    """Which of the secrets that documents use are read.

    ``NEEDED``: all of them, and one that is unavailable is an error. ``AVAILABLE``: those that their sources give; the
    others stay unknown. ``WITHOUT_COMMANDS``: the same, and no command is run. ``NONE``: no source is asked.
    """

    NEEDED = "needed"
    AVAILABLE = "available"
    WITHOUT_COMMANDS = "without commands"
    NONE = "none"


class LoadedDeclaration(Frozen):
    """What a declaration asks for, the path to show for it, and which files say so.

    The entries that were read are given up: at tens of thousands of members they take more memory than anything else.
    """

    desired: Desired
    shown: str
    folder: Path
    files: tuple[str, ...]

    @property
    def server(self) -> str:
        """The address of the server that it is for."""
        return self.desired.server


def load_declared(
    session: Session, file: Path, parser: DocumentParser, use: SecretUse = SecretUse.NEEDED
) -> LoadedDeclaration:
    """Load and check a declaration and read its secrets; its warnings are reported.

    Raises :class:`reconciler.errors.InvalidDeclarationError` and :class:`reconciler.errors.SecretUnavailableError`.
    """
    declaration = read_declaration(session, file, parser)
    commands = use is not SecretUse.WITHOUT_COMMANDS
    resolver = None if use is SecretUse.NONE else secret_resolver(session, declaration, commands=commands)
    try:
        bindings = bind(declaration, secrets=resolver, all_needed=use is SecretUse.NEEDED)
    finally:
        session.secrets.add(*(resolver.found if resolver else ()))
    desired = desired_of(declaration, bindings, reviewed_files(session, declaration))
    return LoadedDeclaration(desired, file.as_posix(), declaration.folder, declaration.files)


def reviewed_files(session: Session, declaration: Declaration) -> frozenset[str]:
    """Return the files with vault documents that git has as they are: reviewers could read what is in them.

    A file that CI decrypted or wrote in place is none, nor is one that was not committed yet.
    """
    names = {document.file for document in declaration.documents.values()}
    if not names:
        return frozenset()
    world = session.world
    repository = next(repositories(declaration.folder, session.environment, world.run_program), None)
    if repository is None:
        return frozenset()
    paths = {Path(name).absolute(): name for name in names}
    return frozenset(paths[path] for path in repository.as_committed(paths))


def read_declaration(session: Session, file: Path, parser: DocumentParser) -> Declaration:
    """Load and check the files of a declaration; its warnings are reported.

    Raises :class:`reconciler.errors.InvalidDeclarationError`.
    """
    declaration = load(session.folder / file, documents=parser)
    if declaration.warnings:
        session.reporter.problems(declaration.warnings)
    return declaration


def secret_resolver(session: Session, declaration: Declaration, *, commands: bool = True) -> SecretResolver:
    """Return what reads the secrets of a declaration; whoever uses it adds what it found to the session's.

    Without ``commands`` no program is run.
    """
    run_program = session.world.run_program if commands else None
    sources = SecretSources(session.environment, declaration.folder, run_program)
    return SecretResolver(sources)
