"""All users, page by page, or an error: the server tells no total, so completeness is checked against another list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.clearml.reader import PAGE_SIZE
from reconciler.clearml.tasks import together
from reconciler.errors import IncompleteReadError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection

    from reconciler.clearml.decode import Unread
    from reconciler.clearml.messages import UserMessage, UsersAnswer
    from reconciler.clearml.reader import Reader

_MOST_PAGES = 20_000


class Users(Frozen):
    """Every user once, and the entries that could not be read as one."""

    told: tuple[UserMessage, ...]
    unread: tuple[Unread, ...] = ()


async def read_users(reader: Reader, expected: Awaitable[frozenset[str]]) -> Users:
    """Read every user once.

    ``expected`` tells the ids that must turn up (from the built-in group Users), so that pages can be fetched at once
    and a short page in the middle, or a server whose pages are smaller than asked, is not taken for the end. A page
    that repeats a user is fine (someone joined meanwhile); one that brings nothing new is a server that does not page.
    Whether all of them did turn up is for :mod:`reconciler.clearml.consistency` to say.
    """
    first = await reader.users_page(0)
    if first.users is None:
        raise IncompleteReadError(f"users.get_all_ex: {first.why('users') or 'users is missing'}")
    wanted = await expected
    found = _Pages()
    size = found.take(first)
    last = size
    if size:
        count = min(-(-len(wanted) // size), _MOST_PAGES)
        for page in await together(reader.users_page(number) for number in range(1, count)):
            last = found.take(page)
        number = max(count, 1)
        while last and (last == PAGE_SIZE or not wanted <= found.ids):
            last = found.take(await reader.users_page(number))
            number += 1
    return Users(tuple(found.users.values()), tuple(found.unread))


async def read_some_users(reader: Reader, ids: Collection[str]) -> Users:
    """Read the users with these ids; one who is not there (any more) is left out."""
    ordered = sorted(ids)
    parts = [ordered[start : start + PAGE_SIZE] for start in range(0, len(ordered), PAGE_SIZE)]
    pages = await together(reader.users_with(part) for part in parts)
    return Users(
        tuple(user for page in pages for user in page.users or ()),
        tuple(item for page in pages for item in page.unread),
    )


@dataclass(slots=True)
class _Pages:
    """What the pages so far hold; ``ids`` are those of all entries, of the unread ones too."""

    users: dict[str, UserMessage] = field(default_factory=dict)
    unread: dict[Unread, None] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def take(self, page: UsersAnswer) -> int:
        """Take a page, and return how many entries it has; one that brings nothing new is a server without pages."""
        users = page.users or ()
        before = len(self.ids), len(self.unread)
        self.users.update((user.id, user) for user in users)
        self.unread.update(dict.fromkeys(page.unread))
        self.ids.update(user.id for user in users)
        self.ids.update(item.id for item in page.unread if item.id is not None)
        count = len(users) + len(page.unread)
        if count and before == (len(self.ids), len(self.unread)):
            raise IncompleteReadError("users.get_all_ex: the server answers the same page again and again")
        return count
