"""Loads a declaration for a command, and prints its warnings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.views.problems import render_problems

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.known_secrets import KnownSecrets
    from reconciler.declaration.declaration import Declaration
    from reconciler.declaration.models import SecretSource
    from reconciler.declaration.resolve import Bindings
    from reconciler.declaration.secrets import SecretResolver
    from reconciler.model.desired import Desired
    from reconciler.model.secret import Secret
    from reconciler.vaults.parse import DocumentParser


@dataclass(slots=True)
class Declared:
    """A declaration that was loaded, with the secrets that it uses, and the path to show for it."""

    declaration: Declaration
    shown: str
    bindings: Bindings
    _desired: Desired | None = None

    @property
    def server(self) -> str:
        """The address of the server that it is for."""
        return self.declaration.top.workspace.server

    @property
    def desired(self) -> Desired:
        """What it asks for, worked out when it is first wanted."""
        if self._desired is None:
            from reconciler.declaration.resolve import desired_of

            self._desired = desired_of(self.declaration, self.bindings)
        return self._desired

    def without_entries(self) -> Desired:
        """Return what it asks for and forget the entries and values that were read, as nothing else needs them.

        They take more memory than anything else while the workspace is read.
        """
        desired = self.desired
        self.declaration = self.declaration.without_entries()
        return desired


def load_declared(file: Path, parser: DocumentParser, console: Console, *, without_secrets: bool = False) -> Declared:
    """Load and check a declaration and read its secrets; its warnings go to stderr.

    Raises :class:`reconciler.errors.InvalidDeclarationError` and :class:`reconciler.errors.SecretUnavailableError`.
    """
    from reconciler.declaration.load import load
    from reconciler.declaration.resolve import bind

    declaration = load(file, documents=parser)
    if declaration.warnings:
        console.note(render_problems(declaration.warnings, console.diagnostics).rstrip("\n"))
    resolver = None if without_secrets else noting(console.secrets, declaration.folder)
    return Declared(declaration, file.as_posix(), bind(declaration, secrets=resolver))


def noting(known: KnownSecrets, folder: Path) -> SecretResolver:
    """Return a resolver that tells ``known`` of every secret that it reads."""
    from reconciler.declaration.secrets import SecretResolver

    class Noting(SecretResolver):
        def resolve(self, name: str, source: SecretSource) -> Secret:
            secret = super().resolve(name, source)
            known.add(secret)
            return secret

    return Noting(os.environ, folder)
