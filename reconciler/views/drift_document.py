"""The JSON form of a drift report."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.drift.report import Attention, Finding, Memory
from reconciler.model.resources import Kind
from reconciler.plan.changes import Change, LeftAlone, Waiting, Warned
from reconciler.plan.document import Totals


class DriftReport(BaseModel):
    """What differs between the live workspace and the declaration, told as the changes that would undo it.

    What has to wait, credentials that are due, what is left alone and what deserves attention is no drift.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["clearml-reconciler/drift/1"] = "clearml-reconciler/drift/1"
    in_sync: bool = Field(description="Whether nothing differs; what waits for an invitation is no difference.")
    workspace: str
    server: str
    declaration: str = Field(description="The declaration's path, as it was given.")
    without_secrets: bool = Field(description="Made without secret values, which were not compared.")
    totals: Totals
    changes: tuple[Change, ...]
    waiting: tuple[Waiting, ...]
    left_alone: tuple[LeftAlone, ...]
    text_only: tuple[str, ...] = Field(description="Vaults whose text differs but not its meaning.")
    warnings: tuple[Warned, ...]
    compared: dict[Kind, int] = Field(description="How many resources of each kind were compared.")
    secrets_left_out: int
    memory: Memory = Field(description="Whether a record of what was last applied tells which side moved.")
    findings: tuple[Finding, ...] = Field(description="The drift of each resource, and which side moved.")
    due: tuple[Change, ...] = Field(description="Credentials that the next apply replaces.")
    agreeing: tuple[str, ...] = Field(description="What left the record on both sides in the same way.")
    attention: tuple[Attention, ...] = Field(description="What deserves a look.")
