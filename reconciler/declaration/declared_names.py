"""The names of people and service accounts in a declaration, as far as it can be read: for a shell to complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.declaration.source import read_source, read_yaml
from reconciler.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMED_BY = {"members": "email", "service_accounts": "name"}


def declared_principals(path: Path) -> list[str]:
    """Return the e-mails and account names of a declaration and of what it includes; what cannot be read has none."""
    top = _mapping(path)
    patterns = top.get("include")
    names = set(_principals(top))
    for pattern in patterns if isinstance(patterns, list) else ():
        try:
            included = sorted(path.parent.glob(str(pattern)))
        except (ValueError, NotImplementedError, OSError):
            continue
        for file in included:
            names.update(_principals(_mapping(file)))
    return sorted(names)


def _principals(content: dict[str, object]) -> Iterator[str]:
    for part, field in _NAMED_BY.items():
        entries = content.get(part)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get(field), str):
                yield entry[field]


def _mapping(path: Path) -> dict[str, object]:
    try:
        root = read_yaml(read_source(path, path.name), path.name).root
    except SourceError:
        return {}
    return root if isinstance(root, dict) else {}
