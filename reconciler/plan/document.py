"""The plan as one document: saved, read back with suspicion, and rendered by the views."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, field
from msgspec.structs import replace

from reconciler.errors import PlanFileError
from reconciler.frozen import Published
from reconciler.model.resources import Kind
from reconciler.model.text import canonical_json, harmless, json_document
from reconciler.model.unreadable import Unreadable
from reconciler.plan.acting import ActingChange
from reconciler.plan.changes import Action, Change, LeftAlone, Refusal, Waiting, Warned
from reconciler.plan.impact.report import Impact
from reconciler.plan.possible_renames import PossibleRename

if TYPE_CHECKING:
    from reconciler.plan.fingerprints import DigestKey

FORMAT = "clearml-reconciler/plan/1"
_PURPOSE = "plan"

MAXIMUM_BYTES = 256 * 1024 * 1024


class Totals(Published, kw_only=True):
    """How much a plan adds, changes and removes."""

    add: int
    change: int
    remove: int


class Plan(Published, kw_only=True):
    """Changes in display order (kind, action, key) and all that a reviewer needs beside them."""

    format: Literal["clearml-reconciler/plan/1"] = "clearml-reconciler/plan/1"
    workspace: str
    server: str
    declaration: Annotated[str, Meta(description="The declaration's path, as it was given.")]
    declaration_digest: Annotated[str, Meta(description="Digest of what the declaration asks for, whatever its order.")]
    key_id: Annotated[str | None, Meta(description="Which key the document digests were made with.")] = None
    without_secrets: Annotated[bool, Meta(description="Made without secret values; it cannot be applied.")] = False
    exact_documents: Annotated[bool, Meta(description="Documents are compared as text, not only by meaning.")] = False
    totals: Totals
    changes: tuple[Change, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    text_only: Annotated[tuple[str, ...], Meta(description="Vaults that differ in text but not in meaning.")] = ()
    impact: Annotated[Impact, Meta(description="Who gains and who loses what.")] = Impact()
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Warned, ...] = ()
    unreadable: Annotated[
        tuple[Unreadable, ...],
        Meta(description="What could not be read, of the kinds that the declaration manages: it is left alone."),
    ] = ()
    acting: Annotated[
        tuple[ActingChange, ...],
        Meta(description="What will act or judge otherwise than when last applied; needs a record."),
    ] = ()
    possible_renames: Annotated[
        tuple[PossibleRename, ...],
        Meta(description="Removals and creations that look like renames, to be asked about."),
    ] = ()
    compared: Annotated[dict[Kind, int], Meta(description="How many resources of each kind were compared.")] = field(
        default_factory=dict
    )
    secrets_left_out: int = 0
    selection: Annotated[
        tuple[str, ...], Meta(description="The keys or globs that the plan was limited to; empty: everything declared.")
    ] = ()
    digest: str = ""
    seal: Annotated[
        str, Meta(description="HMAC of the digest, under RECONCILER_KEY or a key derived from the API secret.")
    ] = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do; waiting items do not count (``docs/explanation/decisions.md, 2``)."""
        return not self.changes

    @property
    def doubts(self) -> tuple[Unreadable, ...]:
        """What could not be read and that nobody has accepted."""
        return tuple(item for item in self.unreadable if not item.accepted)

    @property
    def in_sync(self) -> bool:
        """Whether nothing is to be changed, and nothing is in doubt."""
        return self.is_empty and not self.doubts

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The refusals that nobody has allowed."""
        return tuple(refusal for refusal in self.refusals if not refusal.allowed)

    def sealed(self, key: DigestKey) -> Plan:
        """Return this plan with its digest, and the seal by which a run with the same key knows it."""
        digest = _digest(self)
        return replace(self, digest=digest, seal=key.seal(_PURPOSE, digest.encode()))

    def to_json(self) -> str:
        """Return the plan as stable JSON, ending in a newline."""
        return json_document(self.plain())


def totals_of(changes: tuple[Change, ...]) -> Totals:
    """Count changes by what they do."""
    add = sum(change.action in (Action.CREATE, Action.INVITE) for change in changes)
    remove = sum(change.action is Action.DELETE for change in changes)
    return Totals(add=add, change=len(changes) - add - remove, remove=remove)


def _digest(plan: Plan) -> str:
    """Return the digest of the plan as compact JSON with sorted keys, itself and the seal left out."""
    content = plan.plain()
    del content["digest"], content["seal"]
    return f"sha256:{hashlib.sha256(canonical_json(content)).hexdigest()}"


def looks_like_plan(text: str) -> bool:
    """Return whether a text is meant to be a saved plan rather than a declaration."""
    return text.lstrip()[:1] == "{" and '"format": "clearml-reconciler/plan' in text[:400]


def check_seal(plan: Plan, key: DigestKey, name: str) -> None:
    """Make sure that a plan was made with the key of this run: without it nobody can make or change one.

    Raises :class:`PlanFileError`.
    """
    if key.seals(plan.seal, _PURPOSE, plan.digest.encode("utf-8", "surrogatepass")):
        return
    if plan.key_id == key.key_id:
        raise PlanFileError(f"{name}: the saved plan was altered after it was made", hint="make a new plan")
    raise PlanFileError(
        f"{name}: nothing shows that this is the plan that was reviewed: it was made with another key",
        hint="make a new plan; with the same RECONCILER_KEY (or the same API secret) in both runs it can be applied",
    )


def read_plan(text: str, name: str) -> Plan:
    """Read a saved plan; whoever means to apply it checks its seal (:func:`check_seal`) too.

    Raises :class:`PlanFileError` if it is no plan, has another version, or was altered after it was made.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"{name}: not a saved plan: it is not JSON", hint="make a new plan") from error
    version = raw.get("format") if isinstance(raw, dict) else None
    if version != FORMAT:
        raise PlanFileError(
            f"{name}: not a plan that this version can read (it wants {FORMAT})",
            hint="make a new plan with this version",
        )
    try:
        plan = msgspec.convert(raw, Plan)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # the latter for half a surrogate pair in a key
        raise PlanFileError(
            f"{name}: the saved plan is damaged: {harmless(str(error))}", hint="make a new plan"
        ) from error
    if plan.digest != _digest(plan):
        raise PlanFileError(f"{name}: the saved plan was altered after it was made", hint="make a new plan")
    return plan
