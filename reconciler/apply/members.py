"""Operations on members. A removal looks at the person once more, just before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply.run import moved
from reconciler.apply.settle import confirmed, repeated
from reconciler.model.resources import Member, Role
from reconciler.model.text import fold

if TYPE_CHECKING:
    from reconciler.apply.run import Run
    from reconciler.plan.operations import Operation


async def invite(run: Run, operation: Operation) -> None:
    """Invite a person, who joins with the declared role on first sign-in."""
    member = run.wanted(operation, Member)
    await confirmed(
        lambda: run.writer.invite(member.email, member.role or Role.USER), lambda: _is_invited(run, member.email)
    )


async def cancel_invitation(run: Run, operation: Operation) -> None:
    """Take an invitation back, unless it was accepted meanwhile."""
    email = run.existing(operation, Member).email
    if not await _is_invited(run, email):
        raise moved(operation, "accepted the invitation")

    async def is_gone() -> bool:
        return not await _is_invited(run, email)

    await confirmed(lambda: run.writer.cancel_invitation(email), is_gone)


async def _is_invited(run: Run, email: str) -> bool:
    entries = await run.reader.listed_entries()
    return any(entry.invited is not None and fold(entry.invited) == fold(email) for entry in entries)


async def set_role(run: Run, operation: Operation) -> None:
    """Give a member another role."""
    role = run.wanted(operation, Member).role or Role.USER
    if operation.removal:
        await _check_unmoved(run, operation)
    await repeated(lambda: run.writer.set_role(run.id_of(operation.change.address), role))


async def set_name(run: Run, operation: Operation) -> None:
    """Give a member the declared display name."""
    name = run.wanted(operation, Member).name or ""
    await repeated(lambda: run.writer.rename_user(run.id_of(operation.change.address), name))


async def remove(run: Run, operation: Operation) -> None:
    """Remove a member; the server revokes their credentials and keeps their tasks.

    Source: ``docs/explanation/clearml-api.md, Members``.
    """
    user_id = run.id_of(operation.change.address)
    if not await _check_unmoved(run, operation):
        return

    async def is_gone() -> bool:
        user = await run.reader.user(user_id)
        return user is None or user.removed

    await confirmed(lambda: run.writer.delete_user(user_id), is_gone)


async def _check_unmoved(run: Run, operation: Operation) -> bool:
    """Look at the member again; return whether it still exists, and raise if it is not who was planned for."""
    before = run.existing(operation, Member)
    now = await run.reader.user(run.id_of(operation.change.address))
    if now is None or now.removed:
        return False
    if now.email is None or fold(now.email) != fold(before.email) or now.known_role is not before.role:
        raise moved(operation, "was changed")
    return True
