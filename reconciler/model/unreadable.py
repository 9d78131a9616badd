"""What a server told of in a way that nobody can be sure about (``docs/explanation/decisions.md, 9``).

It is left alone: never compared, never changed, never removed. Of a kind that a declaration manages it is a difference
until the declaration accepts it by name (``policy.unreadable``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from reconciler.frozen import Frozen, Published
from reconciler.model.resources import Address, Kind


class Matters(StrEnum):
    """When something that a server leaves out makes a difference."""

    ALWAYS = "always"
    IF_DIFFERENT = "if-different"
    """What is left out counts as empty, and is doubtful only if something would be written or removed for it."""
    IF_REPLACED = "if-replaced"
    """What is left out counts as empty, and is doubtful only if a write would replace it: to remove it is enough."""
    IF_DECLARED = "if-declared"
    """It is what nothing declared can be told as, so that nobody doubts it of anything else."""
    IF_UNDECLARED = "if-undeclared"
    """It decides whether something is the server's own, which nobody doubts of what is declared."""


class Unreadable(Published, kw_only=True):
    """A live resource, or one field of it, that could not be read; or a declared resource that may be such a one."""

    kind: Kind
    key: Annotated[tuple[str, ...], Meta(description="As much of the key as is known, from its beginning.")]
    title: Annotated[str, Meta(description="What it is known by: its name, otherwise its id.")]
    id: Annotated[str | None, Meta(description="The server's id, where it could be read.")] = None
    field: Annotated[str | None, Meta(description="The field that could not be read; null: the whole resource.")] = None
    reason: Annotated[str, Meta(description="What the server answered, and what was expected.")]
    matters: Annotated[Matters, Meta(description="When it makes a difference.")] = Matters.ALWAYS
    by_server: Annotated[bool, Meta(description="One of the server's own, which no declaration manages.")] = False
    declared: Annotated[
        bool, Meta(description="A declared resource that is not created, since it may be one that cannot be read.")
    ] = False
    accepted: Annotated[bool, Meta(description="The declaration accepts it by name.")] = False

    @property
    def address(self) -> Address:
        """The identity of the resource, as far as it is known."""
        return Address(self.kind, self.key)

    def may_be(self, address: Address) -> bool:
        """Return whether a resource that is missing from the workspace may be this one."""
        return (
            self.field is None
            and not (self.by_server or self.declared)
            and address.kind is self.kind
            and address.key[: len(self.key)] == self.key
        )


class Lost(Frozen):
    """A list that was not read, or not as a whole: nothing may follow from it. ``kind`` is what it lists."""

    kind: Kind
    reason: str
    hint: str | None = None
