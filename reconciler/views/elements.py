"""HTML and SVG elements as text; whatever is not already an element is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = frozenset({"meta", "input", "br", "link"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Return an element with these children.

    In names of attributes ``_`` stands for ``-``, and one at the end for nothing. ``True`` writes the name alone,
    ``False`` and ``None`` leave the attribute out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    end = "" if tag in _VOID else f"{joined(children)}</{tag}>"
    return Markup(f"<{tag}{written}>{end}")


def joined(parts: Iterable[str]) -> Markup:
    """Return parts one after the other, each escaped unless it is markup."""
    return Markup("".join(part if isinstance(part, Markup) else text(part) for part in parts))


def text(foreign: str) -> Markup:
    """Return foreign text, harmless and escaped."""
    return Markup(escape(harmless(foreign)))


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(harmless(str(value)))}"'
