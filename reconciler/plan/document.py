"""The plan as one document: saved, read back with suspicion, and rendered by the views."""

from __future__ import annotations

import hashlib
import json
from itertools import chain, repeat
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_jsonable_python

from reconciler.errors import PlanFileError
from reconciler.model.resources import Kind
from reconciler.model.text import json_document
from reconciler.plan.changes import Action, Change, LeftAlone, Refusal, Waiting, Warned
from reconciler.plan.impact.report import Impact
from reconciler.plan.possible_renames import PossibleRename

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "clearml-reconciler/plan/1"

_AT_ONCE = 500
_compact = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
MAXIMUM_BYTES = 256 * 1024 * 1024


class Totals(BaseModel):
    """How much a plan adds, changes and removes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add: int
    change: int
    remove: int


class Plan(BaseModel):
    """Changes in display order (kind, action, key) and all that a reviewer needs beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["clearml-reconciler/plan/1"] = "clearml-reconciler/plan/1"
    workspace: str
    server: str
    declaration: str = Field(description="The declaration's path, as it was given.")
    declaration_digest: str = Field(description="Digest of what the declaration asks for, whatever its order.")
    key_id: str | None = Field(default=None, description="Which key the document digests were made with.")
    without_secrets: bool = Field(default=False, description="Made without secret values; it cannot be applied.")
    exact_documents: bool = Field(default=False, description="Documents are compared as text, not only by meaning.")
    totals: Totals
    changes: tuple[Change, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    text_only: tuple[str, ...] = Field(default=(), description="Vaults whose text differs but not its meaning.")
    impact: Impact = Field(default=Impact(), description="Who gains and who loses what.")
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Warned, ...] = ()
    possible_renames: tuple[PossibleRename, ...] = Field(
        default=(), description="Removals and creations that look like renames, to be asked about."
    )
    compared: dict[Kind, int] = Field(
        default_factory=dict, description="How many resources of each kind were compared."
    )
    secrets_left_out: int = 0
    digest: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do; waiting items do not count (design decision 2)."""
        return not self.changes

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The refusals that nobody has allowed."""
        return tuple(refusal for refusal in self.refusals if not refusal.allowed)

    def sealed(self) -> Plan:
        """Return this plan with its digest filled in."""
        return self.model_copy(update={"digest": _digest(self)})

    def to_json(self) -> str:
        """Return the plan as stable JSON, ending in a newline."""
        return json_document(self.model_dump(mode="json"))


def totals_of(changes: tuple[Change, ...]) -> Totals:
    """Count changes by what they do."""
    add = sum(change.action in (Action.CREATE, Action.INVITE) for change in changes)
    remove = sum(change.action is Action.DELETE for change in changes)
    return Totals(add=add, change=len(changes) - add - remove, remove=remove)


def _digest(plan: Plan) -> str:
    """Return the digest of the plan as compact JSON with sorted keys, itself left out."""
    digest = hashlib.sha256()
    for piece in _canonical(plan, without="digest"):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return f"sha256:{digest.hexdigest()}"


def _canonical(model: BaseModel, without: str | None = None) -> Iterator[str]:
    """Write a model piece by piece: a plan of everything, dumped at once, would stand in memory twice."""
    names = sorted(name for name in type(model).model_fields if name != without)
    for name, begin in zip(names, chain("{", repeat(",")), strict=False):
        yield f'{begin}"{name}":'
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _canonical(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for start in range(0, len(value), _AT_ONCE):
                yield ("," if start else "[") + _compact(to_jsonable_python(value[start : start + _AT_ONCE]))[1:-1]
            yield "]"
        else:
            yield _compact(model.model_dump(mode="json", include={name})[name])
    yield "}"


def looks_like_plan(text: str) -> bool:
    """Tell whether a text is meant to be a saved plan rather than a declaration."""
    return text.lstrip()[:1] == "{" and '"format": "clearml-reconciler/plan' in text[:400]


def read_plan(text: str, name: str) -> Plan:
    """Read a saved plan.

    Raises :class:`PlanFileError` if it is no plan, has another version, or was altered after it was made.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise PlanFileError(f"{name}: not a saved plan: it is not JSON", hint="make a new plan") from error
    version = raw.get("format") if isinstance(raw, dict) else None
    if version != FORMAT:
        raise PlanFileError(
            f"{name}: not a plan that this version can read (it wants {FORMAT})",
            hint="make a new plan with this version",
        )
    try:
        plan = Plan.model_validate_json(text)
    except ValidationError as error:
        raise PlanFileError(f"{name}: the saved plan is damaged ({error.error_count()} fields do not fit)") from error
    if plan.digest != _digest(plan):
        raise PlanFileError(f"{name}: the saved plan was altered after it was made", hint="make a new plan")
    return plan
