"""What all list calls share: pages, order, and which fields to answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.sandbox.choices import MAXIMUM_PAGE
from reconciler.sandbox.errors import ApiError, Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.sandbox.call import Json
    from reconciler.sandbox.fields import Fields


def window(fields: Fields) -> tuple[int, int]:
    """Return limit and offset. A page is silently cut to 500, and the offset counts in pages so cut.

    Text in place of a number crashes the real server (500/0), so here too.
    """
    for name in ("page", "page_size"):
        if isinstance(fields.raw(name), str):
            raise TypeError(f"{name} is text, not a number")
    page = fields.integer("page", 0) or 0
    size = min(fields.integer("page_size", 1) or MAXIMUM_PAGE, MAXIMUM_PAGE)
    return size, page * size


def ordering(fields: Fields, allowed: Collection[str], *, tie: str) -> str:
    """Return the text after ``ORDER BY``: the fields that were asked for, ``tie`` last; an unknown one is 400/14."""
    terms: dict[str, str] = {}
    for field in fields.filter_texts("order_by") or []:
        name = field.lstrip("+-")
        if name not in allowed:
            raise ApiError(Fault.INVALID_FIELDS, f"cannot order by {field}")
        # Only the first mention counts; one more would keep SQLite from using an index.
        terms.setdefault(name, f"{name} DESC" if field.startswith("-") else name)
    terms.setdefault(tie, tie)
    return ", ".join(terms.values())


def pattern(fields: Fields, name: str) -> str | None:
    """Return a regular expression, or ``None``; one that does not compile is 400/21, a number crashes the server."""
    if isinstance(fields.raw(name), int):
        raise TypeError(f"{name} is a number, not text")
    value = fields.text(name)
    if value is not None:
        try:
            re.compile(value)
        except (re.error, RecursionError, OverflowError) as error:
            raise ApiError(Fault.BAD_PATTERN, f"{name}: {error}") from error
    return value


def project(rows: Iterable[Json], fields: Fields, known: Collection[str]) -> list[Json]:
    """Keep of each row what ``only_fields`` asks for, and its id; all of it if nothing is asked for.

    ``known`` are the fields that rows can have: any other one is 400/14. A name after ``-`` is left out instead.
    """
    only = fields.filter_texts("only_fields")
    if not only:
        return list(rows)
    names = {name: name.lstrip("-").partition(".")[0] for name in only}
    for asked, name in names.items():
        if name not in known:
            raise ApiError(Fault.INVALID_FIELDS, f"unknown field {asked}")
    left_out = {name for asked, name in names.items() if asked.startswith("-")}
    kept = {"id", *names.values()} - left_out if len(left_out) < len(names) else set(known) - left_out
    return [{name: value for name, value in row.items() if name in kept} for row in rows]
