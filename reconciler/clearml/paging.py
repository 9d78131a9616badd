"""All users, page by page, or an error: the server tells no total, so completeness is checked against another list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.clearml.reader import PAGE_SIZE
from reconciler.clearml.tasks import together
from reconciler.errors import IncompleteReadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection

    from reconciler.clearml.messages import UserMessage
    from reconciler.clearml.reader import Reader

_MOST_PAGES = 20_000


async def read_users(reader: Reader, expected: Awaitable[frozenset[str]]) -> list[UserMessage]:
    """Read every user once.

    ``expected`` tells the ids that must turn up (from the built-in group Users), so that pages can be fetched at once
    and a short page in the middle, or a server whose pages are smaller than asked, is not taken for the end. A page
    that repeats a user is fine (someone joined meanwhile); one that brings nothing new is a server that does not page.
    Whether all of them did turn up is for :mod:`reconciler.clearml.consistency` to say.
    """
    first = await reader.users_page(0)
    wanted = await expected
    users = {user.id: user for user in first}
    size = len(first)
    last = first
    if size:
        count = min(-(-len(wanted) // size), _MOST_PAGES)
        for page in await together(reader.users_page(number) for number in range(1, count)):
            _take(users, page)
            last = page
        number = max(count, 1)
        while last and (len(last) == PAGE_SIZE or not wanted <= users.keys()):
            last = await reader.users_page(number)
            _take(users, last)
            number += 1
    return list(users.values())


async def read_some_users(reader: Reader, ids: Collection[str]) -> list[UserMessage]:
    """Read the users with these ids; one who is not there (any more) is left out."""
    ordered = sorted(ids)
    parts = (ordered[start : start + PAGE_SIZE] for start in range(0, len(ordered), PAGE_SIZE))
    return [user for part in await together(reader.users(part) for part in parts) for user in part]


def _take(users: dict[str, UserMessage], page: tuple[UserMessage, ...]) -> None:
    before = len(users)
    users.update((user.id, user) for user in page)
    if page and len(users) == before:
        raise IncompleteReadError("users.get_all_ex: the server answers the same page again and again")
