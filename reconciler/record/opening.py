"""From the address of a record to the place where it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from reconciler.errors import UsageError
from reconciler.model.text import harmless
from reconciler.record.local import LocalFile

if TYPE_CHECKING:
    from reconciler.record.places import Place
    from reconciler.world import World

OBJECT_STORES = frozenset({"s3", "gs", "az", "memory"})


class OpenObject(Protocol):
    """Opens an object store."""

    def __call__(self, scheme: str, bucket: str, name: str) -> Place:
        """Return the place of one object; raises :class:`UsageError` for an address that cannot be one."""


def open_place(where: str, *, base: Path, suffix: str = "", world: World, open_object: OpenObject) -> Place:
    """Return the place of a path or URL (``s3://``, ``gs://``, ``az://``, ``file://``), with a suffix to its name.

    A relative path starts at ``base``. Raises :class:`UsageError` for an address that cannot be one.
    """
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
