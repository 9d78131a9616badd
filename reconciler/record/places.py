"""Where a record can be kept, and what every such place can do: read, and write only what nobody else has changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from reconciler.world import World

MAXIMUM_BYTES = 64 * 1024 * 1024
OBJECT_STORES = frozenset({"s3", "gs", "az", "memory"})


class ChangedError(Exception):
    """Somebody else wrote to the place since it was read."""


class Found(Frozen):
    """What a place held, and the version of it to name when it is replaced."""

    content: bytes
    version: str


class Place(Protocol):
    """One document in a file or an object store. Failures are :class:`reconciler.errors.RecordError`."""

    @property
    def shown(self) -> str:
        """What to call it, fit to be printed."""

    async def read(self) -> Found | None:
        """Return what is there, or ``None``."""

    async def write(self, content: bytes, expected: str | None, *, held: bool = False) -> str:
        """Replace that version (``None``: nothing may be there) and return the new one.

        ``held``: the system shall know, as far as it can, that this process lives as long as it does not
        :meth:`remove` it. Raises :class:`ChangedError`; then nothing was written.
        """

    async def remove(self, expected: str) -> None:
        """Remove that version, or leave it without content. Raises :class:`ChangedError`."""

    async def is_orphaned(self) -> bool:
        """Tell whether the process that holds it is certainly gone."""


class OpenObject(Protocol):
    """Opens an object store."""

    def __call__(self, scheme: str, bucket: str, name: str) -> Place:
        """Return the place of one object; raises :class:`UsageError` for an address that cannot be one."""


def open_place(where: str, *, base: Path, suffix: str = "", world: World, open_object: OpenObject) -> Place:
    """Return the place of a path or URL (``s3://``, ``gs://``, ``az://``, ``file://``), with a suffix to its name.

    A relative path starts at ``base``. Raises :class:`UsageError` for an address that cannot be one.
    """
    from reconciler.record.local import LocalFile

    if "://" not in where:
        path = Path(where).expanduser()
        return LocalFile(_suffixed(base / path, suffix), world)
    parts = urlsplit(where)
    shown = harmless(where)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "the address of a record holds no credentials and no parameters",
            hint="give them as the store's own environment variables",
        )
    if parts.scheme == "file" and not parts.netloc and parts.path.strip("/"):
        return LocalFile(_suffixed(Path(unquote(parts.path)), suffix), world)
    name = parts.path.strip("/")
    if parts.scheme not in OBJECT_STORES or not parts.netloc or not name:
        raise UsageError(
            f"a record cannot be kept at {shown}", hint="a file, or for example s3://bucket/folder/record.json"
        )
    return open_object(parts.scheme, parts.netloc, name + suffix)


def _suffixed(path: Path, suffix: str) -> Path:
    if not path.name:
        raise UsageError(f"a record needs the name of a file, not {harmless(str(path))}")
    return path.with_name(path.name + suffix)
