"""Limits and forms that more than one call checks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.sandbox.clock import stamp
from reconciler.sandbox.errors import ApiError, Fault

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(?:\.[^@\s,;.]+)*")


def valid_email(email: str) -> bool:
    """Return whether a text has the form of an e-mail address."""
    return _EMAIL.fullmatch(email) is not None


def require_room_for_members(call: Call, wanted: int) -> None:
    """Refuse (400/16) what would make more members, pending ones included, than the workspace may have."""
    limit = call.settings.maximum_members
    if limit is None:
        return
    count = call.db.execute(
        "SELECT (SELECT count(*) FROM users WHERE kind = 'person')"
        " + (SELECT count(*) FROM invitations WHERE user IS NULL)"
    ).fetchone()[0]
    if count + wanted > limit:
        raise ApiError(
            Fault.BAD_VALUE, f"the workspace has {count} of at most {limit} members; {wanted} more were asked for"
        )


def credential_end(call: Call, name: str) -> str | None:
    """Return when a new credential ends, from the lifetime in field ``name`` or the workspace's default.

    ``None`` is never. The workspace's maximum binds those who are not admins: a longer lifetime is refused (400/16).
    """
    settings = call.settings
    maximum = None if call.caller.is_admin else settings.max_expiration_sec
    seconds = call.fields.integer(name, 1)
    if seconds is None:
        seconds = settings.default_expiration_sec or maximum
    elif maximum is not None and seconds > maximum:
        raise ApiError(Fault.BAD_VALUE, f"{name} is above the maximum of {maximum} seconds")
    if seconds is None:
        return None
    try:
        return stamp(call.store.now() + timedelta(seconds=seconds))
    except OverflowError as error:
        raise ApiError(Fault.BAD_VALUE, f"{name} is too far in the future") from error
