"""Which entities are left out of lists unless somebody asks for hidden ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAG = "hidden"


def is_hidden(name: str, system_tags: Sequence[str] = ()) -> bool:
    """Return whether an entity is hidden: by its tag, or by a part of its name, as in ``Vision/.datasets/cats``."""
    return _TAG in system_tags or any(part.startswith(".") for part in name.split("/"))
