"""Declared secrets, read from where they are when a run needs them.

An error names the secret and its source and never a value: not what a command printed, not what a file held.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Final

from reconciler.errors import SecretUnavailableError
from reconciler.model.secret import Secret
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.declaration.models import SecretSource

COMMAND_TIMEOUT: Final = 30.0
"""How long a command that prints a secret may take (seconds)."""

MAXIMUM_SECRET_BYTES: Final = 64 * 1024
"""The longest secret (bytes)."""


class SecretResolver:
    """Reads secrets from the environment, from files and from commands, each source at most once."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._known: dict[tuple[str, ...], Secret | _Failure] = {}

    def resolve(self, name: str, source: SecretSource) -> Secret:
        """Return the secret; a source that failed once is not asked again. Raises ``SecretUnavailableError``."""
        key = _identity(source)
        if key not in self._known:
            try:
                self._known[key] = _read(source, self._environ, self._folder)
            except _Failure as failure:
                self._known[key] = failure
        found = self._known[key]
        if isinstance(found, _Failure):
            raise _unavailable(name, found)
        return found


def resolve_secret(source: SecretSource, *, name: str, environ: Mapping[str, str], folder: Path) -> Secret:
    """Read a secret from its source; relative files and commands start from ``folder``.

    One newline at the end of a file or of a command's output does not count. Raises
    :class:`reconciler.errors.SecretUnavailableError`, also if the secret is empty.
    """
    try:
        return _read(source, environ, folder)
    except _Failure as failure:
        raise _unavailable(name, failure) from None


class _Failure(Exception):  # noqa: N818  (never leaves this module)
    """Why a source gives nothing: a text without any value."""


def _unavailable(name: str, failure: _Failure) -> SecretUnavailableError:
    hint = "provide it; plan and drift can do without (--without-secrets)"
    return SecretUnavailableError(f"the secret {harmless(name)} cannot be had: {failure}", hint=hint)


def _read(source: SecretSource, environ: Mapping[str, str], folder: Path) -> Secret:
    if source.env is not None:
        where = f"the environment variable {harmless(source.env)}"
        value = environ.get(source.env)
        if value is None:
            raise _Failure(f"{where} is not set")
    elif source.file is not None:
        where = f"the file {harmless(source.file)}"
        value = _decoded(where, _file_bytes(where, folder / source.file))
    else:
        command = source.command or []
        where = f"the command {harmless(command[0])}"
        value = _decoded(where, _command_bytes(where, command, environ, folder))
    if not value:
        raise _Failure(f"{where} gives an empty text")
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


def _command_bytes(where: str, command: list[str], environ: Mapping[str, str], folder: Path) -> bytes:
    try:
        process = subprocess.Popen(  # noqa: S603  (the declaration names the program; no shell is involved)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be run"
        raise _Failure(f"{where} cannot be run: {reason}") from None
    try:
        output, _ = process.communicate(timeout=COMMAND_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise _Failure(f"{where} took longer than {COMMAND_TIMEOUT:g} seconds") from None
    finally:
        _end(process)
    if process.returncode != 0:
        raise _Failure(f"{where} failed with exit code {process.returncode}")
    return output


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that did not end by itself, with everything that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _decoded(where: str, data: bytes) -> str:
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    if len(data) > MAXIMUM_SECRET_BYTES:
        raise _Failure(f"{where} gives more than {MAXIMUM_SECRET_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _Failure(f"{where} gives no UTF-8 text") from None
