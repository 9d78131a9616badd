"""Operations on access rules.

The API replaces a whole rule at each write. So every write reads the rule first and changes only what the plan says:
whoever came in meanwhile, and users and groups that the plan does not know, stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.apply.run import moved
from reconciler.apply.settle import confirmed, repeated
from reconciler.clearml.assemble import rule_of
from reconciler.frozen import Frozen
from reconciler.model.resources import AccessRule, Address, Kind
from reconciler.plan.access_rules import GRANTEES
from reconciler.plan.operations import all_at_once, people_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.apply.run import Run
    from reconciler.clearml.messages import RuleMessage
    from reconciler.plan.operations import Operation


async def create(run: Run, operation: Operation) -> None:
    """Create a rule under the id that was chosen for it, so that a repeat or a late one makes no second."""
    wanted = run.wanted(operation, AccessRule)
    users, groups = _ids(run, operation.people)
    rule_id = run.chosen[operation.identity]
    await repeated(lambda: run.writer.create_rule(rule_id, wanted, users, groups))
    run.ids[operation.change.address] = rule_id


async def update(run: Run, operation: Operation) -> None:
    """Set what changes of a rule, and let people have it.

    Where its permission or its entity changes, those who lose it are taken out by the same call: nobody has, not even
    for a moment, what they have neither before nor afterwards.
    """
    wanted, change = run.wanted(operation, AccessRule), operation.change
    now = await _current(run, operation)
    if operation.removal:
        _check_unmoved(run, operation, now)
    joining, leaving = people_of(change)
    users, groups = _joined(run, now.message, joining)
    if all_at_once(change):
        gone_users, gone_groups = _known_ids(run, leaving)
        users, groups = users - gone_users, groups - gone_groups
    rule = replace(
        wanted,
        description=now.rule.description if wanted.description is None else wanted.description,
        entity=now.rule.entity if change.edited("resource") is None else wanted.entity,
        permission=now.rule.permission if change.edited("permission") is None else wanted.permission,
    )
    await repeated(lambda: run.writer.update_rule(now.message.id, rule, users, groups))


async def remove_people(run: Run, operation: Operation) -> None:
    """Take members, service accounts and groups out of a rule; all else in it stays."""
    now = await _current(run, operation)
    message = now.message
    users, groups = _known_ids(run, operation.people)
    if users & message.user_ids or groups & message.group_ids:
        await repeated(
            lambda: run.writer.update_rule(message.id, now.rule, message.user_ids - users, message.group_ids - groups)
        )


async def remove(run: Run, operation: Operation) -> None:
    """Remove a rule, if it still says what the plan shows."""
    before = run.existing(operation, AccessRule)
    rule_id = run.id_of(operation.change.address)
    now = await _read(run, operation)
    if now is None:
        return
    _check_unmoved(run, operation, now)
    people = [Address(kind, (name,)) for field, kind in GRANTEES.items() for name in getattr(before, field)]
    users, groups = _known_ids(run, people)
    expected = users | groups | run.live.strangers.get(operation.change.address, frozenset())
    if not now.message.user_ids | now.message.group_ids <= expected:
        raise moved(operation, "got others in it")

    async def is_gone() -> bool:
        return await run.reader.access_rule(rule_id) is None

    await confirmed(lambda: run.writer.delete_rule(rule_id), is_gone)


class _Current(Frozen):
    """A rule as it is now."""

    message: RuleMessage
    rule: AccessRule


async def _current(run: Run, operation: Operation) -> _Current:
    """Return a rule all of which could be read: a write replaces all of it."""
    now = await _read(run, operation)
    if now is None:
        raise moved(operation, "was removed")
    if now.message.users is None or now.message.groups is None:
        raise moved(operation, "can no longer be read as a whole")
    return now


async def _read(run: Run, operation: Operation) -> _Current | None:
    """Return a rule as it is now; a list that the server leaves out counts as empty, which is enough to remove it."""
    message = await run.reader.access_rule(run.id_of(operation.change.address))
    if message is None:
        return None
    rule = rule_of(message)
    if rule is None or message.unread:
        raise moved(operation, "can no longer be read as a whole")
    return _Current(message, rule)


def _check_unmoved(run: Run, operation: Operation, now: _Current) -> None:
    before = run.existing(operation, AccessRule)
    if now.rule.entity.identity != before.entity.identity or now.rule.permission is not before.permission:
        raise moved(operation, "was changed")


def _joined(run: Run, now: RuleMessage, joining: Iterable[Address]) -> tuple[frozenset[str], frozenset[str]]:
    users, groups = _ids(run, joining)
    return now.user_ids | users, now.group_ids | groups


def _ids(run: Run, people: Iterable[Address]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids of users and of groups, all of which must exist by now."""
    ids = {address: run.id_of(address) for address in people}
    return _split(ids)


def _known_ids(run: Run, people: Iterable[Address]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids of users and of groups that there are; who has none is in no rule."""
    return _split({address: run.ids[address] for address in people if address in run.ids})


def _split(ids: dict[Address, str]) -> tuple[frozenset[str], frozenset[str]]:
    groups = frozenset(identifier for address, identifier in ids.items() if address.kind is Kind.GROUP)
    return frozenset(ids.values()) - groups, groups
