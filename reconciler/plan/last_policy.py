"""The policy that was applied last judges a plan too, beside the one that the declaration has now.

Otherwise one review could drop ``protect`` or raise a limit, and use that at once: what only the last policy refuses
is the guard ``policy-loosened`` (``docs/explanation/decisions.md, 12``). The organization's own rules of then are not
asked again; a plan shows that they change (:mod:`reconciler.plan.acting`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.model.desired import Limit, Policy
from reconciler.model.resources import Address
from reconciler.plan.changes import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.acting import ActingPolicy
    from reconciler.plan.changes import Refusal

_LIMIT = re.compile(r"(?:(?P<count>\d+)|(?P<share>\d[\d.]*) %)(?:, at least (?P<least>\d+))?")


def last_policy(acted: ActingPolicy) -> Policy:
    """Return a policy as the record has it, without the organization's own rules."""
    return Policy(
        min_admins=acted.min_admins,
        max_removals=_limit(acted.max_removals),
        max_write_gains=acted.max_write_gains,
        domains=frozenset(acted.domains),
        protected=frozenset(Address(one.kind, one.key) for one in acted.protected),
    )


def only_refused_before(then: Iterable[Refusal], now: Iterable[Refusal]) -> Iterator[Refusal]:
    """Return what the last policy refuses and the new one does not, as refusals of a guard of their own."""
    told = {(refusal.guard, refusal.kind, refusal.subject) for refusal in now}
    for refusal in then:
        if (refusal.guard, refusal.kind, refusal.subject) not in told:
            yield replace(refusal, guard=Guard.POLICY_LOOSENED, rule=refusal.guard.value)


def _limit(text: str) -> Limit:
    found = _LIMIT.fullmatch(text)
    if found is None:
        return Limit(count=0)
    count, share, least = found["count"], found["share"], found["least"]
    at_least = None if least is None else int(least)
    if count is not None:
        return Limit(count=int(count), at_least=at_least)
    return Limit(share=float(share) / 100, at_least=at_least)
