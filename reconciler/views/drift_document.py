"""The JSON form of a drift report."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from reconciler.drift.report import Attention, Finding, Memory
from reconciler.frozen import Published
from reconciler.model.resources import Kind
from reconciler.model.unreadable import Unreadable
from reconciler.plan.changes import Change, LeftAlone, Waiting, Warned
from reconciler.plan.document import Totals


class DriftReport(Published, kw_only=True):
    """What differs between the live workspace and the declaration, told as the changes that would undo it.

    What has to wait, credentials that are due, what is left alone and what deserves attention is no drift.
    """

    format: Literal["clearml-reconciler/drift/1"] = "clearml-reconciler/drift/1"
    in_sync: Annotated[
        bool, Meta(description="Whether nothing differs or is in doubt; what waits for an invitation is no difference.")
    ]
    workspace: str
    server: str
    declaration: Annotated[str, Meta(description="The declaration's path, as it was given.")]
    without_secrets: Annotated[bool, Meta(description="Made without secret values, which were not compared.")]
    totals: Totals
    changes: tuple[Change, ...]
    waiting: tuple[Waiting, ...]
    left_alone: tuple[LeftAlone, ...]
    text_only: Annotated[tuple[str, ...], Meta(description="Vaults that differ in text but not in meaning.")]
    warnings: tuple[Warned, ...]
    unreadable: Annotated[
        tuple[Unreadable, ...], Meta(description="What could not be read, of the kinds that the declaration manages.")
    ]
    compared: Annotated[dict[Kind, int], Meta(description="How many resources of each kind were compared.")]
    secrets_left_out: int
    memory: Annotated[Memory, Meta(description="Whether a record of what was last applied shows which side moved.")]
    findings: Annotated[tuple[Finding, ...], Meta(description="The drift of each resource, and which side moved.")]
    due: Annotated[tuple[Change, ...], Meta(description="Credentials that the next apply replaces.")]
    agreeing: Annotated[tuple[str, ...], Meta(description="What left the record on both sides in the same way.")]
    attention: Annotated[tuple[Attention, ...], Meta(description="What deserves a look.")]
