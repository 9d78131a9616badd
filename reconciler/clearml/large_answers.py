"""The answers that grow with the workspace, users and groups with everyone in them, decoded straight into values.

Tens of thousands of objects would each be a mapping first and a :class:`~reconciler.clearml.wire.Node` then. An answer
that does not fit is read that way after all, which says what is wrong, and where.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from reconciler.clearml.records import USERS_GROUP_ID, GroupRecord, UserRecord
from reconciler.clearml.wire import moment
from reconciler.frozen import Frozen
from reconciler.model.resources import Role  # noqa: TC001 - msgspec asks what it is

_Identifier = Annotated[str, Meta(min_length=1)]


class _User(Frozen, gc=False):
    id: _Identifier
    name: str | None = None
    email: str | None = None
    role: Role | None = None
    read_only: bool | None = None
    support: bool | None = None
    sec_groups: tuple[str, ...] | None = None
    created: str | None = None


class UsersAnswer(Frozen):
    """The data of ``users.get_all_ex``."""

    users: tuple[_User, ...]

    def records(self) -> list[UserRecord]:
        """Return what :meth:`UserRecord.of` makes of each."""
        return [
            UserRecord(
                id=user.id,
                name=user.name,
                email=user.email,
                role=user.role if user.email is not None else None,
                fixed=bool(user.read_only or user.support),
                groups=user.sec_groups,
                created=moment(user.created) if user.created else None,
            )
            for user in self.users
        ]


class _Member(Frozen, gc=False):
    id: _Identifier


class _Group(Frozen):
    id: _Identifier
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
