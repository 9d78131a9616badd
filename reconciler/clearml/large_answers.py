"""The answers that grow with the workspace, users and groups with everyone in them, decoded straight into values.

Tens of thousands of objects would each be a mapping first and a :class:`~reconciler.clearml.wire.Node` then. An answer
that does not fit is read that way after all, which says what is wrong, and where.
"""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.clearml.records import USERS_GROUP_ID, GroupRecord, Identifier, UserRecord
from reconciler.frozen import Frozen


class UsersAnswer(Frozen):
    """The data of ``users.get_all_ex``."""

    users: tuple[UserRecord, ...]

    def records(self) -> list[UserRecord]:
        """Return what :meth:`UserRecord.of` makes of each."""
        return [replace(user, role=None) if user.email is None and user.role else user for user in self.users]


class _Member(Frozen, gc=False):
    id: Identifier


class _Group(Frozen):
    id: Identifier
    name: str
    users: tuple[_Member, ...]
    description: str | None = None
    system: bool | None = None
    assignable: bool | None = None


class GroupsAnswer(Frozen):
    """The data of ``permissions.get_user_groups``."""

    groups: tuple[_Group, ...]

    def records(self) -> list[GroupRecord]:
        """Return what :meth:`GroupRecord.of` makes of each."""
        return [
            GroupRecord(
                id=group.id,
                name=group.name,
                description=group.description or "",
                users=frozenset([user.id for user in group.users]),
                builtin=bool(group.system) or group.id == USERS_GROUP_ID,
                assignable=group.assignable is not False,
            )
            for group in self.groups
        ]
