"""The impact of a plan in words: the sentences that all views share, and how the text view shows them."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.text import harmless
from reconciler.plan.impact.report import Aspect, Effect, Headline, HeadlineType, Weight
from reconciler.views.effect_words import effect_words, headline_words
from reconciler.views.sentences import counted, kind_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.plan.impact.report import Impact
    from reconciler.views.palette import Palette

_ORDER = {weight: position for position, weight in enumerate(Weight)}
_ASPECTS = {aspect: position for position, aspect in enumerate(Aspect)}
_WIDTH = max(len(weight.value) for weight in Weight)
_SHOWN = 5


class Direction(StrEnum):
    """Whether somebody has more afterwards, less, or something else."""

    GAIN = "gain"
    LOSS = "loss"
    OTHER = "other"


SIGNS = {Direction.GAIN: "+", Direction.LOSS: "-", Direction.OTHER: "~"}


class Statement(Frozen):
    """One thing that happens, to all of ``subjects`` alike; a headline has none.

    ``invited`` ones have not accepted their invitations: the rest comes about once they have.
    """

    said: Effect | Headline
    subjects: tuple[str, ...] = ()
    invited: bool = False

    @property
    def weight(self) -> Weight:
        """How closely a reviewer has to look."""
        return self.said.weight

    @property
    def count(self) -> int:
        """How many things are stated: one per subject."""
        return max(1, len(self.subjects))

    @property
    def direction(self) -> Direction:
        """Whether it gives or takes."""
        if isinstance(self.said, Effect):
            if self.said.is_gain:
                return Direction.GAIN
            return Direction.OTHER if self.said.after == "replaced" else Direction.LOSS
        if self.said.type is HeadlineType.OPENS_TO_EVERYONE:
            return Direction.GAIN
        if self.said.type is HeadlineType.VAULT_CHANGES:
            return {"create": Direction.GAIN, "delete": Direction.LOSS}.get(self.said.level or "", Direction.OTHER)
        return Direction.LOSS


def statements(impact: Impact) -> tuple[Statement, ...]:
    """Return all that an impact says, heaviest first; the same effect on several is one statement about all of them."""
    together: dict[tuple[Effect, bool], list[str]] = defaultdict(list)
    for principal in impact.principals:
        for effect in principal.effects:
            together[effect, principal.invitation].append(principal.title)
    about = [Statement(effect, tuple(titles), invited) for (effect, invited), titles in together.items()]
    about.sort(key=_order)
    headlines = [Statement(line) for line in impact.headlines if line.type is not HeadlineType.NO_EFFECT]
    return tuple(sorted([*headlines, *about], key=lambda statement: _ORDER[statement.weight]))


def _order(statement: Statement) -> tuple[int, str, str]:
    aspect = statement.said.aspect if isinstance(statement.said, Effect) else Aspect.WORKSPACE
    return _ASPECTS[aspect], statement.said.subject, statement.subjects[0]


def of_weight(stated: Sequence[Statement], weight: Weight) -> list[Statement]:
    """Return the statements of one weight."""
    return [statement for statement in stated if statement.weight is weight]


def without_effect(impact: Impact) -> tuple[str, ...]:
    """Return the resources that change without any effect on access, by kind and title."""
    return tuple(
        f"{kind_name(line.kind)} {line.subject}" for line in impact.headlines if line.type is HeadlineType.NO_EFFECT
    )


def sentence(statement: Statement, show: Callable[[str], str] = harmless, shown: int | None = None) -> str:
    """Return a statement in words, without an end stop; ``show`` makes names fit for where they will stand.

    ``shown`` is the most subjects to name, where not all are to be.
    """
    if isinstance(statement.said, Headline):
        return headline_words(statement.said, show)
    who = _people(statement.subjects, show, shown)
    plural = len(statement.subjects) > 1
    words = f"{who} {effect_words(statement.said, show, plural=plural, invited=statement.invited)}"
    later = statement.invited and statement.said.aspect is not Aspect.WORKSPACE
    return f"{words}, at the first apply after the invitation is accepted" if later else words


def _people(names: Sequence[str], show: Callable[[str], str], shown: int | None) -> str:
    kept = [show(name) for name in (names if shown is None else names[:shown])]
    more = len(names) - len(kept)
    if more:
        return f"{', '.join(kept)} and {more} more"
    return " and ".join(filter(None, (", ".join(kept[:-1]), kept[-1])))


def counts(stated: Sequence[Statement]) -> str:
    """Say how much there is of each weight, such as ``1 critical, 12 routine``; nothing for an empty impact."""
    totals = {weight: sum(statement.count for statement in of_weight(stated, weight)) for weight in Weight}
    return ", ".join(f"{count} {weight.value}" for weight, count in totals.items() if count)


def impact_lines(impact: Impact, palette: Palette, *, full: bool) -> Iterator[str]:
    """Return the impact for a terminal: how much of it there is, then what is critical and sensitive.

    With ``full`` also what is routine, everybody by name, and what has no effect on access.
    """
    stated, idle = statements(impact), without_effect(impact)
    if not stated:
        if idle:
            yield "Impact: none; nobody gains or loses access."
        return
    unshown = not full and (idle or any(statement.weight is Weight.ROUTINE for statement in stated))
    rest = f"; {counted(len(idle), 'change')} without effect on access" if idle else ""
    hint = palette.quiet("   (--impact full shows all)") if unshown else ""
    yield f"{palette.strong('Impact:')} {counts(stated)}{rest}{hint}"
    for statement in stated:
        if full or statement.weight is not Weight.ROUTINE:
            shown = None if full or statement.weight is Weight.CRITICAL else _SHOWN
            yield f"  {_label(statement.weight, palette)}  {_signed(statement, shown, palette)}"
    for title in idle if full else ():
        yield f"  {palette.quiet('none'.ljust(_WIDTH))}  {harmless(title)} has no effect on access"


def _label(weight: Weight, palette: Palette) -> str:
    styles = {Weight.CRITICAL: palette.error, Weight.SENSITIVE: palette.change, Weight.ROUTINE: palette.quiet}
    return styles[weight](weight.value.ljust(_WIDTH))


def _signed(statement: Statement, shown: int | None, palette: Palette) -> str:
    styles = {Direction.GAIN: palette.add, Direction.LOSS: palette.remove, Direction.OTHER: palette.change}
    style = styles[statement.direction]
    return f"{style(SIGNS[statement.direction])} {sentence(statement, shown=shown)}"
