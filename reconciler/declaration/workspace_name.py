"""The name of the workspace in a declaration that may be invalid, so that a failure says what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.declaration.source import MAXIMUM_FILE_BYTES
from reconciler.errors import SourceError
from reconciler.yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    parsed,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WANTED = ["workspace", "name"]
_ITEM = "[]"
"""Stands for a key within a list."""


def workspace_name(path: Path) -> str | None:
    """Return the name that the declaration gives its workspace, if it stands before the first error of its syntax."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAXIMUM_FILE_BYTES).decode("utf-8", "replace")
        return parsed(text, path.name, _name) or None
    except (OSError, ValueError, SourceError):
        return None


def _name(following: Callable[[], Any]) -> str | None:
    """Return the scalar at ``workspace.name``; nothing after it is looked at."""
    keys: list[str | None] = []  # of each open mapping the key whose value comes next, if it has been read
    while type(event := following()) is not StreamEndEvent:
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            keys.append(None if isinstance(event, MappingStartEvent) else _ITEM)
            continue
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            keys.pop()
        elif isinstance(event, ScalarEvent) and keys and keys[-1] is None:
            keys[-1] = event.value
            continue
        elif isinstance(event, ScalarEvent) and keys == _WANTED:
            return str(event.value)
        if keys and keys[-1] != _ITEM:
            keys[-1] = None
    return None
