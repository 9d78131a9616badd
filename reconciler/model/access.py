"""What an access rule is about: entities and permissions (``docs/explanation/clearml-api.md, Access rules``)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from reconciler.frozen import Frozen

ALL: Final = "*"
"""Stands for all entities of a type, in place of an id."""


class EntityType(StrEnum):
    """What access can be given to."""

    PROJECT = "project"
    TASK = "task"
    MODEL = "model"
    QUEUE = "queue"
    DATASET = "dataset"
    DATAVIEW = "dataview"
    ROUTE = "route"
    APP = "app"
    APP_CATEGORY = "app_category"


NAMED_BY_ID: Final = frozenset({EntityType.APP, EntityType.APP_CATEGORY})
"""The types whose ids people write themselves: an application's ``app_id``, the text of a category."""


class Permission(StrEnum):
    """What a rule gives; ``read_write`` includes ``read``."""

    READ = "read"
    READ_WRITE = "read_write"


class Entity(Frozen):
    """What a rule gives access to.

    A declared entity has an id, or a name that a look-up leads to an id; a live one has the server's id, and the name
    where the server tells it. The id ``*`` stands for all of the type. Neither an id nor a name: the top level of
    projects, which only a live rule can be about.
    """

    type: EntityType
    id: str | None = None
    name: str | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from others: type and id, or the name where only that is known; a name is no part of an id."""
        if self.id is not None:
            return self.type.value, self.id
        return (self.type.value, "named", self.name) if self.name is not None else (self.type.value,)

    @property
    def by_name(self) -> bool:
        """Whether its id has to be looked up."""
        return self.id is None and self.name is not None

    @property
    def title(self) -> str:
        """The entity as people write it."""
        noun = self.type.value.replace("_", " ")
        if self.id == ALL:
            return f"{noun} {ALL}"
        if self.name is not None:
            return f"{noun} {self.name}"
        return f"{noun} with id {self.id}" if self.id is not None else f"top level of {noun}s"


class Candidates(Frozen):
    """What a look-up of an entity's name found: the ids of all that bear exactly this name.

    ``near`` holds names that are much like it, where there is none.
    """

    ids: tuple[str, ...]
    near: tuple[str, ...] = ()
