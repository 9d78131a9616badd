"""The record as commands read it that only look: what cannot be trusted is said, and then not used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.record_places import places_for, workspace_of
from reconciler.errors import RecordError
from reconciler.frozen import Frozen
from reconciler.record.store import RecordStore

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.declared import Declared
    from reconciler.cli.session import Target
    from reconciler.record.document import Record


class Recorded(Frozen):
    """What is known of past runs: ``record`` is ``None`` without one, ``store`` also where it cannot be trusted."""

    record: Record | None = None
    store: RecordStore | None = None
    trouble: RecordError | None = None


async def trusted_record(where: str | None, console: Console, declared: Declared, target: Target) -> Recorded:
    """Read the record; one that is damaged, altered, another workspace's or out of reach is a warning, and not used.

    Raises :class:`reconciler.errors.UsageError` for a place that cannot be one.
    """
    workspace = workspace_of(declared.declaration, target)
    places = places_for(where, declared.declaration.folder, workspace)
    if places is None:
        return Recorded()
    store = RecordStore(places.record, workspace)
    try:
        return Recorded(await store.load(), store)
    except RecordError as error:
        console.note(
            f"{console.diagnostics.change('Warning:')} {error.message}; it is not used, so nobody can tell what was "
            "applied last"
        )
        return Recorded(trouble=error)
