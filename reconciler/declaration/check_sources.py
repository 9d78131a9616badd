"""Which sources a declared secret may have: not what this program signs in with, and no file outside the folder.

A pull request that turns a secret's source into ``CLEARML_API_SECRET_KEY``, or into a file of the machine that applies
it, would have the value written into a vault that its author can read. ``policy.sources`` names what is allowed anyway.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.child_environment import OWN_KEYS
from reconciler.declaration.context import shown
from reconciler.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.declaration.context import Context
    from reconciler.declaration.models import SecretSource

_OWN_PREFIX = "RECONCILER_"
HINT = "allow it on purpose under `policy.sources`"


def check_sources(context: Context) -> Iterator[Problem]:
    """Return a problem for every secret of a vault that comes from where it may not."""
    declaration = context.declaration
    allowed = declaration.top.policy.sources
    for vault in declaration.owned_vaults():
        for name, source in vault.entry.item.secrets.items():
            why = forbidden(source, declaration.folder, allowed)
            if why is not None:
                place = vault.entry.place("secrets", name)
                yield Problem("secret-source", f"the secret {shown(name)} {why}", place, HINT)


def forbidden(source: SecretSource, folder: Path, allowed: Sequence[str]) -> str | None:
    """Say why a secret may not come from a source; ``None`` if it may."""
    if source.env is not None:
        own = source.env in OWN_KEYS or source.env.startswith(_OWN_PREFIX)
        return (
            None if not own or _allows(allowed, source.env) else f"comes from {source.env}, a variable of this program"
        )
    if source.file is None or _allows(allowed, source.file):
        return None
    inside = _within(os.path.realpath(folder / source.file), os.path.realpath(folder))
    return None if inside else f"comes from {shown(source.file)}, a file outside the declaration's folder"


def _allows(allowed: Sequence[str], source: str) -> bool:
    """Return whether a pattern allows a source; ``..`` in a path is never matched by a wildcard."""
    return any(
        source == pattern or (fnmatchcase(source, pattern) and ".." not in source.split("/")) for pattern in allowed
    )


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
