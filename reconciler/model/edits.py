"""What changes within one resource, as data: what a plan shows of it, and what a comparison of documents finds.

It is written as JSON, as a part of plans and of drift reports.
"""

from __future__ import annotations

from enum import StrEnum

from reconciler.frozen import Published


class FieldEdit(Published, kw_only=True, tag_field="type", tag="field"):
    """One field with one value: what it is and what it will be (``null``: absent)."""

    field: str
    before: str | bool | None
    after: str | bool | None


class SetEdit(Published, kw_only=True, tag_field="type", tag="set"):
    """A field that is a set: who joins and who leaves, each sorted."""

    field: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


class EditCause(StrEnum):
    """Why a path of a vault document changes."""

    WRITTEN = "written"
    """The document says something else there."""
    SUBSTITUTION = "substitution"
    """Only clients get something else, through a substitution."""
    CLIENTS = "clients"
    """The document says the same, and clients read it differently."""


class DocumentEdit(Published, kw_only=True, tag_field="type", tag="document"):
    """One path of a vault document; ``null`` where a side has none, and ``(secret)`` in place of a ``secret`` value."""

    path: str
    before: str | None
    after: str | None
    secret: bool = False
    cause: EditCause = EditCause.WRITTEN


class TextEdit(Published, kw_only=True, tag_field="type", tag="text"):
    """The text of a vault document changes as a whole: its meaning stays, or one side cannot be read."""

    readable: bool


Edit = FieldEdit | SetEdit | DocumentEdit | TextEdit
