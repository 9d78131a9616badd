"""Reads a record of the first format, ``clearml-reconciler/record/1``, as one of this one.

The first format held digests where this one holds fields, made with keys of another kind. They do not count any more:
the runs, the server's ids and what people were told are kept, and the next apply writes down the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from reconciler.errors import RecordError
from reconciler.frozen import Moment, Published
from reconciler.model.resources import Kind
from reconciler.model.text import harmless
from reconciler.record.document import Applied, Record, Reported, RunEntry, Workspace
from reconciler.record.parts import REMEDY, checksum

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_FORMAT: Final = "clearml-reconciler/record/1"


class _Resource(Published, kw_only=True, forbid_unknown_fields=False):
    """What of a resource means the same in both formats."""

    kind: Kind
    key: tuple[str, ...]
    server_id: str | None = None
    seen: Moment


class _Record(Published, kw_only=True, forbid_unknown_fields=False):
    workspace: Workspace
    runs: tuple[RunEntry, ...]
    resources: tuple[_Resource, ...]
    told: tuple[Reported, ...]
    managed: tuple[str, ...]


def read_first_format(raw: Mapping[str, Any], shown: str) -> Record:
    """Read a record of the first format; raises :class:`RecordError` if it is incomplete or was altered."""
    if raw.get("checksum") != checksum(raw):
        raise RecordError(f"the record {shown} is damaged or was altered: its checksum does not match", hint=REMEDY)
    try:
        old = msgspec.convert(raw, _Record)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise RecordError(f"the record {shown} is damaged: {harmless(str(error))}", hint=REMEDY) from None
    return Record(
        workspace=old.workspace,
        runs=old.runs,
        resources=tuple(
            Applied(kind=item.kind, key=item.key, server_id=item.server_id, seen=item.seen) for item in old.resources
        ),
        reported=old.told,
        managed=old.managed,
    )
