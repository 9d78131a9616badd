"""Operations on groups.

The API replaces the whole list of a group's members at each write. So every write reads the group first and changes
only what the plan says: whoever came in meanwhile, and users that are neither members nor service accounts, stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply.run import moved
from reconciler.apply.settle import confirmed, repeated
from reconciler.model.resources import Address, Group, Kind

if TYPE_CHECKING:
    from reconciler.apply.run import Run
    from reconciler.clearml.messages import GroupMessage
    from reconciler.plan.operations import Operation


async def create(run: Run, operation: Operation) -> None:
    """Create a group with its members, under the id that was chosen for it, so that a repeat changes nothing."""
    group = run.wanted(operation, Group)
    group_id = run.chosen[operation.identity]
    users = sorted(run.id_of(address) for address in operation.people)
    await repeated(
        lambda: run.writer.create_group(group_id, name=group.name, description=group.description or "", users=users)
    )
    run.ids[operation.change.address] = group_id


async def update(run: Run, operation: Operation) -> None:
    """Set a group's name and description, and let people join."""
    wanted = run.wanted(operation, Group)
    now = await _current(run, operation)
    joining = {run.id_of(address) for address in operation.people}
    description = (now.description or "") if wanted.description is None else wanted.description
    await _write(run, now, now.name or wanted.name if now.builtin else wanted.name, description, now.user_ids | joining)


async def remove_people(run: Run, operation: Operation) -> None:
    """Take people out of a group; everybody else in it stays."""
    now = await _current(run, operation)
    leaving = {run.ids[address] for address in operation.people if address in run.ids}
    if leaving & now.user_ids:
        await _write(run, now, now.name or "", now.description or "", now.user_ids - leaving)


async def remove(run: Run, operation: Operation) -> None:
    """Remove a group, if its members are still those that the plan shows."""
    before = run.existing(operation, Group)
    group_id = run.id_of(operation.change.address)
    now = await run.reader.group(group_id)
    if now is None:
        return
    _check_whole(run, operation, now)
    if not now.user_ids <= _ids(run, before, operation):
        raise moved(operation, "got other members")

    async def is_gone() -> bool:
        return await run.reader.group(group_id) is None

    await confirmed(lambda: run.writer.delete_group(group_id), is_gone)


def _ids(run: Run, group: Group, operation: Operation) -> frozenset[str]:
    people = [Address(Kind.MEMBER, (name,)) for name in group.members or ()]
    people += [Address(Kind.SERVICE_ACCOUNT, (name,)) for name in group.service_accounts or ()]
    strangers = run.live.strangers.get(operation.change.address, frozenset())
    return strangers | {run.ids[address] for address in people if address in run.ids}


async def _current(run: Run, operation: Operation) -> GroupMessage:
    group = await run.reader.group(run.id_of(operation.change.address))
    if group is None:
        raise moved(operation, "was removed")
    _check_whole(run, operation, group)
    return group


def _check_whole(run: Run, operation: Operation, group: GroupMessage) -> None:
    """Make sure that all of a group was told: a write replaces all of it. No users are told of an empty group."""
    told = group.users is not None or not _ids(run, run.existing(operation, Group), operation)
    if group.unread or group.name is None or not told:
        raise moved(operation, "can no longer be read as a whole")
    if not group.takes_members:
        raise moved(operation, "cannot be changed any more")


async def _write(run: Run, group: GroupMessage, name: str, description: str, users: frozenset[str] | set[str]) -> None:
    await repeated(lambda: run.writer.update_group(group.id, name=name, description=description, users=sorted(users)))
