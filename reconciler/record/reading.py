"""Reads what stands at a record's place, with suspicion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.errors import RecordError
from reconciler.model.text import harmless
from reconciler.record.first_format import FIRST_FORMAT, read_first_format
from reconciler.record.parts import FORMAT, REMEDY, Head, read_head

if TYPE_CHECKING:
    from reconciler.record.document import Record, Workspace

_FAMILY = "clearml-reconciler/record/"


def read_document(content: bytes, place: str, workspace: Workspace | None) -> Head | Record:
    """Read a record's own document: a head, or a whole record of the first format.

    ``place`` is what to call where it was found. Raises :class:`RecordError` if it is incomplete, altered, of another
    version, or (where ``workspace`` is given) about another workspace.
    """
    shown = harmless(place)
    raw = _loaded(content, shown)
    found = read_first_format(raw, shown) if raw["format"] == FIRST_FORMAT else read_head(raw, shown)
    if workspace is not None and found.workspace != workspace:
        raise RecordError(
            f"the record {shown} is about another workspace ({_named(found.workspace)}, this is {_named(workspace)})",
            hint="it is left as it is; choose another with --record",
        )
    return found


def _loaded(content: bytes, shown: str) -> dict[str, Any]:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raise RecordError(f"the record {shown} is damaged: it is not complete JSON", hint=REMEDY) from None
    version = raw.get("format") if isinstance(raw, dict) else None
    if version in (FORMAT, FIRST_FORMAT):
        return raw  # type: ignore[no-any-return]
    if isinstance(version, str) and version.startswith(_FAMILY):
        message = f"the record {shown} was written by another version ({harmless(version[:80])}); this reads {FORMAT}"
        raise RecordError(message, hint="use the version that wrote it, or choose another place with --record")
    raise RecordError(f"{shown} is not a record of this program", hint=REMEDY)


def _named(workspace: Workspace) -> str:
    return f"{harmless(workspace.name)} on {harmless(workspace.server)}"
