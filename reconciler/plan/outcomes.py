"""What happened, as opposed to what was planned."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.resources import Address
    from reconciler.plan.changes import Change
    from reconciler.plan.document import Plan
    from reconciler.plan.operations import Operation


class Outcome(StrEnum):
    """The end of an operation or change, from best to worst."""

    APPLIED = "applied"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"


_SEVERITY = {outcome: position for position, outcome in enumerate(Outcome)}


class Result(Frozen):
    """How one operation ended; ``message`` says why it failed, was skipped, or is unknown.

    ``trace`` is the traceback of a defect of ours, for whoever debugs it.
    """

    operation: Operation
    outcome: Outcome
    message: str = ""
    trace: str = ""


class Report(Frozen):
    """How a whole run ended: one result for each operation, in their order."""

    results: tuple[Result, ...]
    interrupted: bool = False

    @staticmethod
    def of(results: Iterable[Result], operations: Sequence[Operation], *, interrupted: bool) -> Report:
        """Put results in the order of the operations, whatever order they ended in."""
        position = {operation.identity: index for index, operation in enumerate(operations)}
        return Report(
            tuple(sorted(results, key=lambda result: position[result.operation.identity])), interrupted=interrupted
        )

    def of_changes(self) -> dict[Address, Outcome]:
        """Return one outcome per change: the worst of its operations."""
        outcomes: dict[Address, Outcome] = {}
        for result in self.results:
            address = result.operation.change.address
            known = outcomes.get(address, Outcome.APPLIED)
            outcomes[address] = max(known, result.outcome, key=_SEVERITY.__getitem__)
        return outcomes

    def changes(self, outcome: Outcome) -> tuple[Change, ...]:
        """Return the changes that ended so, in plan order."""
        ended = self.of_changes()
        changes = {result.operation.change.address: result.operation.change for result in self.results}
        return tuple(change for address, change in changes.items() if ended[address] is outcome)

    @property
    def is_complete(self) -> bool:
        """Whether every operation was applied."""
        return all(result.outcome is Outcome.APPLIED for result in self.results)

    @property
    def has_failures(self) -> bool:
        """Whether an operation failed, or nobody knows how it ended."""
        return any(result.outcome in (Outcome.FAILED, Outcome.UNKNOWN) for result in self.results)


class Left(Frozen):
    """What a last reading of the workspace found still to be done.

    ``planned``: changes of the plan that was carried out; ``None`` if nobody can tell. ``others``: differences that the
    plan did not have, such as those that came up after it was saved. ``waiting``: what has to wait for people.
    ``unreadable``: what could not be read and that nobody has accepted.
    """

    planned: int | None = 0
    others: int = 0
    waiting: int = 0
    unreadable: int = 0

    @staticmethod
    def of(carried_out: Plan, now: Plan | None) -> Left:
        """Compare a plan that was carried out with the one that could be made afterwards."""
        if now is None:
            return Left(planned=None)
        addresses = {change.address for change in carried_out.changes}
        planned = sum(change.address in addresses for change in now.changes)
        return Left(planned, len(now.changes) - planned, len(now.waiting), len(now.doubts))
