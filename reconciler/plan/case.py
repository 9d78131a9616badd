"""What the guards judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from reconciler.frozen import Frozen
from reconciler.plan.changes import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.model.desired import Policy
    from reconciler.model.live import Live
    from reconciler.model.resources import Address, Kind
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.changes import Change
    from reconciler.plan.impact.report import Impact
    from reconciler.plan.policy.outcome import Broken


class Case(Frozen):
    """What is judged: the changes, the live workspace, what it will be, the limits, and who gains what.

    ``now``, the server's time, judges which keys still work (``None``: all of them may). ``broken`` are the
    organization's own rules that it breaks, ``replaced`` what is another one than was last applied. ``renames`` lead
    from addresses to those of before, ``identities`` are the server ids of what was last applied, and ``emptied`` the
    vaults that keep nothing of what is in them. ``last_policy`` is the one that was applied last, if that is known.
    """

    changes: Sequence[Change]
    live: Live
    desired: Snapshot
    policy: Policy
    impact: Impact
    now: datetime | None
    broken: Sequence[Broken] = ()
    replaced: Sequence[Address] = ()
    renames: Mapping[Address, Address] = field(default_factory=dict)
    identities: Mapping[Address, str] = field(default_factory=dict)
    emptied: frozenset[Address] = frozenset()
    last_policy: Policy | None = None

    def deleted(self, kind: Kind) -> list[Change]:
        """Return the removals of one kind."""
        return [change for change in self.changes if change.kind is kind and change.action is Action.DELETE]
