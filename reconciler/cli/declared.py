"""Loads a declaration for a command, and prints its warnings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.views.problems import render_problems

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.known_secrets import KnownSecrets
    from reconciler.declaration.declaration import Declaration
    from reconciler.declaration.models import SecretSource
    from reconciler.declaration.secrets import SecretResolver
    from reconciler.model.desired import Desired
    from reconciler.model.secret import Secret
    from reconciler.vaults.parse import DocumentParser


class Declared(Frozen):
    """A declaration that was loaded and resolved, and the path to show for it."""

    declaration: Declaration
    desired: Desired
    shown: str

    def light(self) -> Declared:
        """Return the same without the entries and values that were read, once nothing but ``desired`` is needed.

        They take more memory than anything else while the workspace is read.
        """
        return replace(self, declaration=self.declaration.without_entries())


def load_declared(file: Path, parser: DocumentParser, console: Console, *, without_secrets: bool = False) -> Declared:
    """Load, check and resolve a declaration; its warnings go to stderr.

    Raises :class:`reconciler.errors.InvalidDeclarationError` and :class:`reconciler.errors.SecretUnavailableError`.
    """
    from reconciler.declaration.load import load
    from reconciler.declaration.resolve import resolve

    declaration = load(file, documents=parser)
    if declaration.warnings:
        console.note(render_problems(declaration.warnings, console.diagnostics).rstrip("\n"))
    secrets = None if without_secrets else noting(console.secrets, declaration.folder)
    return Declared(declaration, resolve(declaration, secrets=secrets), file.as_posix())


def noting(known: KnownSecrets, folder: Path) -> SecretResolver:
    """Return a resolver that tells ``known`` of every secret that it reads."""
    from reconciler.declaration.secrets import SecretResolver

    class Noting(SecretResolver):
        def resolve(self, name: str, source: SecretSource) -> Secret:
            secret = super().resolve(name, source)
            known.add(secret)
            return secret

    return Noting(os.environ, folder)
