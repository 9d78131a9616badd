"""Declared secrets, read from where they are when a run needs them.

An error names the secret and its source and never a value: not what a command printed, not what a file held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from reconciler.child_environment import OWN_KEYS, child_environment, is_own_key
from reconciler.errors import SecretUnavailableError
from reconciler.frozen import Frozen
from reconciler.model.secret import Secret
from reconciler.model.text import harmless
from reconciler.world import ProgramTimeoutError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.declaration.models import SecretSource
    from reconciler.world import RunProgram

COMMAND_TIMEOUT: Final = 30.0
"""How long a command that prints a secret may take (seconds)."""

MAXIMUM_SECRET_BYTES: Final = 64 * 1024
"""The longest secret (bytes)."""


class SecretSources(Frozen):
    """Where secrets are looked for: variables, files, and commands that start in a folder if something runs them."""

    environment: Mapping[str, str]
    folder: Path
    run_program: RunProgram | None


class SecretProvider(Protocol):
    """Gives secrets by name and source."""

    def resolve(self, name: str, source: SecretSource) -> Secret:
        """Return a secret; raises :class:`reconciler.errors.SecretUnavailableError`."""


class SecretResolver:
    """Reads secrets from the environment, from files and from commands, each source at most once.

    One newline at the end of a file or of a command's output does not count.
    """

    def __init__(self, sources: SecretSources) -> None:
        self._sources = sources
        self._known: dict[tuple[str, ...], Secret | _Failure] = {}

    @property
    def found(self) -> tuple[Secret, ...]:
        """Every secret that was read by now."""
        return tuple(secret for secret in self._known.values() if isinstance(secret, Secret))

    def resolve(self, name: str, source: SecretSource) -> Secret:
        """Return the secret; a source that failed once is not asked again.

        Raises :class:`reconciler.errors.SecretUnavailableError`, also if the secret is empty.
        """
        key = _identity(source)
        if key not in self._known:
            try:
                self._known[key] = _read(source, self._sources)
            except _Failure as failure:
                self._known[key] = failure
        found = self._known[key]
        if isinstance(found, _Failure):
            raise _unavailable(name, found)
        return found


class _Failure(Exception):  # noqa: N818  (never leaves this module)
    """Why a source gives nothing: a text without any value."""


def _unavailable(name: str, failure: _Failure) -> SecretUnavailableError:
    hint = "provide it, or compare without secrets (plan and drift: --without-secrets)"
    return SecretUnavailableError(f"the secret {harmless(name)} is unavailable: {failure}", hint=hint)


def _read(source: SecretSource, sources: SecretSources) -> Secret:
    if source.env is not None:
        where = f"the environment variable {harmless(source.env)}"
        value = sources.environment.get(source.env)
        if value is None:
            raise _Failure(f"{where} is not set")
    elif source.file is not None:
        where = f"the file {harmless(source.file)}"
        value = _decoded(where, _file_bytes(where, sources.folder / source.file))
    else:
        command = source.command or []
        where = f"the command {harmless(command[0])}"
        value = _decoded(where, _command_bytes(where, command, sources))
    if not value:
        raise _Failure(f"{where} gives an empty string")
    allowed = source.env is not None and (source.env in OWN_KEYS or source.env.startswith("RECONCILER_"))
    if not allowed and is_own_key(value, sources.environment):
        raise _Failure(f"{where} gives a key that this program signs in with")
    return Secret(value)


def _identity(source: SecretSource) -> tuple[str, ...]:
    if source.env is not None:
        return ("env", source.env)
    return ("file", source.file) if source.file is not None else ("command", *(source.command or ()))


def _file_bytes(where: str, path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAXIMUM_SECRET_BYTES + 2)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its path cannot be used"
        raise _Failure(f"{where} cannot be read: {reason}") from None


def _command_bytes(where: str, command: list[str], sources: SecretSources) -> bytes:
    if sources.run_program is None:
        raise _Failure(f"{where} is not run here")
    try:
        done = sources.run_program(
            command,
            folder=sources.folder,
            environment=child_environment(sources.environment),
            seconds=COMMAND_TIMEOUT,
            group=True,
        )
    except ProgramTimeoutError:
        raise _Failure(f"{where} took longer than {COMMAND_TIMEOUT:g} seconds") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be run"
        raise _Failure(f"{where} cannot be run: {reason}") from None
    if done.code != 0:
        raise _Failure(f"{where} failed with exit code {done.code}")
    return done.output


def _decoded(where: str, data: bytes) -> str:
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    if len(data) > MAXIMUM_SECRET_BYTES:
        raise _Failure(f"{where} gives more than {MAXIMUM_SECRET_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _Failure(f"{where} does not give UTF-8 text") from None
