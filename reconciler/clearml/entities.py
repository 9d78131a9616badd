"""From the names of entities to their ids: what access rules are about is known to the server by id only.

Which calls find which type: projects, tasks, models and datasets have a published ``get_all_ex``, queues and dataviews
``get_all`` only, and routes ``routers.get_routes`` (``docs/explanation/clearml-api.md, Access rules``). Applications
and categories are known by the texts that people write.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.clearml.reader import LookUp
from reconciler.clearml.tasks import together
from reconciler.model.access import Candidates, Entity, EntityType
from reconciler.model.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.clearml.reader import Reader


_HIDDEN = {"search_hidden": True}
"""What is hidden is left out unless it is asked for: ``Vision/.datasets/cats``, say."""

_OURS = {"allow_public": False}
"""Without it, what other companies have made public is found too."""

LOOK_UPS: Final = {
    EntityType.PROJECT: LookUp("projects.get_all_ex", "projects", _HIDDEN | _OURS),
    EntityType.QUEUE: LookUp("queues.get_all", "queues", _HIDDEN),
    EntityType.TASK: LookUp("tasks.get_all_ex", "tasks", _HIDDEN | _OURS | {"include_hidden_projects": True}),
    EntityType.MODEL: LookUp("models.get_all_ex", "models", _OURS),
    EntityType.DATASET: LookUp("datasets.get_all_ex", "datasets", _OURS),
    EntityType.DATAVIEW: LookUp("dataviews.get_all", "dataviews", {}),
    EntityType.ROUTE: LookUp("routers.get_routes", "routes", {}),
}
"""How the names of each type are looked up; the types that are not in it have no names.

What each call takes: ``docs/explanation/clearml-api.md, Access rules``.
"""

_NEAR = 3


async def look_up(reader: Reader, wanted: Iterable[Entity]) -> dict[Entity, Candidates]:
    """Find the entities that are known by name: one call for each of them, one more for a name that nothing has."""
    named = sorted({entity for entity in wanted if entity.by_name and entity.type in LOOK_UPS}, key=_order)
    found = await together(_candidates(reader, entity) for entity in named)
    return dict(zip(named, found, strict=True))


def _order(entity: Entity) -> tuple[str, ...]:
    return entity.identity


async def _candidates(reader: Reader, entity: Entity) -> Candidates:
    """Look for exactly this name. A server may match without regard to case, so the answer is compared again."""
    call, name = LOOK_UPS[entity.type], entity.name or ""
    answered = await reader.entities(call, f"^{re.escape(name)}$")
    ids = tuple(sorted(found.id for found in answered if found.name == name))
    if ids:
        return Candidates(ids)
    listed = await reader.entities(call, None)
    others = {found.name or "" for found in (*answered, *listed)}
    by_fold = {fold(other): other for other in sorted(others)}
    import difflib

    near = difflib.get_close_matches(fold(name), by_fold, n=_NEAR, cutoff=0.6)
    return Candidates((), tuple(by_fold[match] for match in near))
