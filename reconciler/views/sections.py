"""A document of sections that is cut to a limit: by whole lines, from the least important section first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.views.markdown import size
from reconciler.views.sentences import counted

if TYPE_CHECKING:
    from collections.abc import Sequence


class Section(Frozen):
    """Lines between what opens and what closes them; a lower ``rank`` is more important."""

    rank: int
    before: tuple[str, ...]
    lines: tuple[str, ...]
    after: tuple[str, ...]


def fit(head: Sequence[str], sections: Sequence[Section], limit: int, whole: str) -> str:
    """Return head and sections in their order, in ``limit`` characters or less, and ``whole`` where they are cut.

    The head is always there, an empty section never. Once one has to be cut, what matters less than it is left out.
    """
    filled = [section for section in sections if section.lines]
    complete = _text([*head, *(line for section in filled for line in _all(section, len(section.lines)))])
    if size(complete) <= limit:
        return complete
    total = sum(len(section.lines) for section in filled)
    left = limit - size(_text([*head, *_note(total, whole)]))
    kept: dict[int, int] = {}
    for position, section in sorted(enumerate(filled), key=lambda item: item[1].rank):
        kept[position], used = _room(section, left)
        left = left - used if kept[position] == len(section.lines) else 0
    lines = list(head)
    for position, section in enumerate(filled):
        if kept[position]:
            lines += _all(section, kept[position])
    return _text([*lines, *_note(total - sum(kept.values()), whole)])


def _room(section: Section, left: int) -> tuple[int, int]:
    """Return how many lines of a section fit, and how many characters it then takes."""
    used = size(_text([*section.before, *section.after]))
    count = 0
    for line in section.lines:
        more = size(line) + 1
        if used + more > left:
            break
        used, count = used + more, count + 1
    return (count, used) if count else (0, 0)


def _all(section: Section, count: int) -> list[str]:
    return [*section.before, *section.lines[:count], *section.after]


def _note(left_out: int, whole: str) -> list[str]:
    return ["", f"**Cut to fit**: {counted(left_out, 'line')} left out. The whole plan is in {whole}."]


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
