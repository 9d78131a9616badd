"""The model of an access rule: which entity, which permission, for whom."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from reconciler.declaration.models_base import Strict
from reconciler.declaration.values import EntityReference
from reconciler.model.access import EntityType, Permission

_BY_NAME = 'A name, "*" for all of them, or {id: …} with the server\'s id.'


class ResourceSection(Strict):
    """What an access rule is about: exactly one type of entity, and which one."""

    project: EntityReference | None = Field(
        None, description=f"The project, by its whole path. Its contents inherit the access. {_BY_NAME}"
    )
    task: EntityReference | None = Field(None, description=f"The task. {_BY_NAME}")
    model: EntityReference | None = Field(None, description=f"The model. {_BY_NAME}")
    queue: EntityReference | None = Field(None, description=f"The queue. {_BY_NAME}")
    dataset: EntityReference | None = Field(None, description=f"The data set. {_BY_NAME}")
    dataview: EntityReference | None = Field(None, description=f"The dataview. {_BY_NAME}")
    route: EntityReference | None = Field(None, description=f"The route. {_BY_NAME}")
    app: EntityReference | None = Field(None, description='The application, by its app_id, or "*" for all of them.')
    app_category: EntityReference | None = Field(
        None, description='The category of applications, by its text, or "*" for all of them.'
    )

    @model_validator(mode="after")
    def _has_one_entity(self) -> Self:
        if sum(getattr(self, entity_type.value) is not None for entity_type in EntityType) != 1:
            types = ", ".join(f"`{entity_type.value}`" for entity_type in EntityType)
            raise ValueError(f"`resource` needs exactly one of {types}")
        return self

    @property
    def type(self) -> EntityType:
        """The type of the entity that is named."""
        return next(entity_type for entity_type in EntityType if getattr(self, entity_type.value) is not None)

    @property
    def reference(self) -> EntityReference:
        """Which entity of its type is named."""
        reference: EntityReference = getattr(self, self.type.value)
        return reference


class AccessRuleEntry(Strict):
    """Who may read, or read and change, what."""

    name: str = Field(description="The rule's name: its identity.", examples=["vision-rw"])
    was: str | None = Field(None, description="The former name: it is renamed in place, never created again.")
    description: str | None = Field(None, description="What the rule is for. Left out: not managed.")
    resource: ResourceSection = Field(description="What it gives access to.", examples=[{"project": "Vision"}])
    permission: Annotated[Permission, Field(strict=False)] = Field(description="What it gives: read or read_write.")
    members: list[str] = Field([], description="E-mails of the members who have it. Left out: none.")
    service_accounts: list[str] = Field([], description="Names of the service accounts that have it. Left out: none.")
    groups: list[str] = Field(
        [], description="Names of the groups that have it, the built-in ones too. Left out: none."
    )
