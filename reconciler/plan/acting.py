"""What a plan changes of all that acts: programs, sources of secrets, deliveries and the policy.

It is compared with what was last applied, by the record. A review has to see it as it sees access: whoever changes a
program or a limit changes what the next plan may do (``docs/explanation/decisions.md, 16``).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from reconciler.frozen import Published
from reconciler.model.acting import SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.acting import Acting, ActingPolicy, ActingRule

_PROGRAM = "runs"
_VERBS = {SourceKind.VARIABLE: "variable", SourceKind.FILE: "file", SourceKind.COMMAND: _PROGRAM}


class ActingChange(Published, kw_only=True):
    """One thing that will act, or judge, otherwise than when the declaration was last applied."""

    what: Annotated[str, Meta(description="What it is: a secret, a delivery, a limit, a protected resource, a rule.")]
    before: Annotated[str | None, Meta(description="How it was when last applied; null: it was not there.")] = None
    after: Annotated[str | None, Meta(description="How it will be; null: it is gone.")] = None


def acting_changes(before: Acting, after: Acting) -> tuple[ActingChange, ...]:
    """Return what differs of all that acts, programs with their arguments, in a stable order."""
    old, new = dict(_statements(before)), dict(_statements(after))
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        ActingChange(what=name, before=old.get(name), after=new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def _statements(acting: Acting) -> Iterator[tuple[str, str]]:
    for source in acting.sources:
        yield f"secret {source.name}", f"{_VERBS[source.source]} {shlex.join(source.arguments)}"
    for delivery in acting.deliveries:
        words = shlex.join(delivery.arguments)
        how = f"{_PROGRAM} {words}" if delivery.delivery.value == "command" else f"{delivery.delivery.value} {words}"
        yield f"delivery of {delivery.account} / {delivery.label}", how
    yield from _policy(acting.policy)


def _policy(policy: ActingPolicy) -> Iterator[tuple[str, str]]:
    yield "policy.min_admins", str(policy.min_admins)
    yield "policy.max_removals", policy.max_removals
    yield "policy.max_write_gains", str(policy.max_write_gains)
    yield "policy.domains", ", ".join(policy.domains) or "any"
    if policy.allowed_sources:
        yield "policy.sources", ", ".join(policy.allowed_sources)
    for one in policy.protected:
        yield f"policy.protect {one.kind.value.replace('_', ' ')} {'/'.join(one.key[-2:])}", "protected"
    for rule in policy.rules:
        yield f"policy.rules {rule.id}", _rule(rule)


def _rule(rule: ActingRule) -> str:
    when = f" when {rule.when}" if rule.when is not None else ""
    return f"{rule.severity.value}: {rule.subject.value}{when} require {rule.require}"
