"""What a declaration asks for: a snapshot, and what belongs beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.errors import Place
    from reconciler.model.acting import Acting
    from reconciler.model.policy import Rule
    from reconciler.model.resources import Address, Kind
    from reconciler.model.snapshot import Snapshot


class Management(StrEnum):
    """How much of a kind the declaration speaks for.

    ``ALL``: the file is the whole truth. ``DECLARED``: what the file does not name is left alone. ``NONE``: no file
    mentions the kind, so nothing of it is touched.
    """

    ALL = "all"
    DECLARED = "declared"
    NONE = "none"


class Scope(Frozen):
    """What the declaration speaks for.

    ``credentials_of`` and ``vaults_of`` hold the folded names of the service accounts whose credentials list, or own
    vault, is declared (an empty list, or ``vault: null``, counts as declared).
    """

    kinds: Mapping[Kind, Management]
    credentials_of: frozenset[str] = frozenset()
    vaults_of: frozenset[str] = frozenset()

    def management(self, kind: Kind) -> Management:
        """Return how a kind is managed."""
        return self.kinds.get(kind, Management.NONE)


@dataclass(frozen=True, slots=True)
class Limit:
    """The most removals that pass unasked: an absolute ``count``, or a ``share`` between 0 and 1.

    A share would refuse every single removal from a small set, so ``at_least`` so many pass (``None``: what is usual
    for what is removed). A share of 0 lets none pass.
    """

    count: int | None = None
    share: float | None = None
    at_least: int | None = None

    def allows(self, removed: int, total: int, floor: int = 0) -> bool:
        """Return whether removing so many of so many is within the limit; ``floor`` many are in any case."""
        if self.count is not None:
            return removed <= self.count
        return removed <= floor or (total > 0 and removed / total <= (self.share or 0.0))

    def floor(self, usual: int) -> int:
        """Return how many removals pass however small the set is, where so many usually do."""
        if self.count is not None or not self.share:
            return 0
        return usual if self.at_least is None else self.at_least

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{(self.share or 0.0) * 100:g} %"


class Policy(Frozen):
    """The limits that guard a plan; ``protected`` resources are never removed or demoted.

    ``domains`` are those that people may come from (empty: any); ``max_write_gains`` is how many may come to write to
    something at once. ``rules`` are the organization's own. ``unreadable`` is what nobody minds that it cannot be
    read, by folded names or ids.
    """

    min_admins: int = 2
    max_removals: Limit = Limit(share=0.2)
    protected: frozenset[Address] = frozenset()
    domains: frozenset[str] = frozenset()
    max_write_gains: int = 25
    rules: tuple[Rule, ...] = ()
    unreadable: frozenset[tuple[Kind, str]] = frozenset()


class Desired(Frozen):
    """A declaration, resolved: what it asks for, which part of the workspace it manages, and where each thing is said.

    ``renames`` leads from an address to the one it had before. ``places`` leads from an address, or from an address
    and a field, to its place in the files. ``acting`` is what it makes act.
    """

    workspace: str
    server: str
    snapshot: Snapshot
    scope: Scope
    policy: Policy
    renames: Mapping[Address, Address]
    places: Mapping[Address, Place]
    without_secrets: bool = False
    acting: Acting | None = None
