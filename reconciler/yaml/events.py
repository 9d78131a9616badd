"""The events of a YAML text, from ruamel's C parser, and its errors as sentences with a place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.errors import Place, SourceError
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AliasEvent",
    "DocumentStartEvent",
    "MappingEndEvent",
    "MappingStartEvent",
    "NextEvent",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "events",
    "parsed",
]

NextEvent = "Callable[[], Any]"
"""Returns the next event of a text."""

SYNTAX: Final = "yaml-syntax"
"""The rule of a problem with a text that is not YAML."""

_HINTS: Final = {
    "found character that cannot start any token": "quote the string, or indent with spaces instead of tabs",
    "mapping values are not allowed in this context": "check the indentation, or quote a string that contains `: `",
}
_UNEXPECTED_COLON: Final = "found unexpected ':'"
_INNER_COLON: Final = re.compile(r"""(?<=[^\s"'\[\]{},]):(?=[^\s\[\]{},])""")
"""A colon within a word."""

_PRIVATE_USE: Final = range(0xE000, 0xF8FF)

Built = TypeVar("Built")


def parsed(text: str, file: str, build: Callable[[Callable[[], Any]], Built]) -> Built:
    """Return what ``build`` makes of the events of a text, which it gets from the function that it is given.

    libyaml as ruamel brings it does not know that YAML 1.2 allows ``{server: https://acme.io}``. Where it stumbles over
    that, ``build`` is called again for the text with another character in place of each colon within a word; the
    events have the colons. Raises :class:`SourceError` for a text that is not YAML.
    """
    try:
        try:
            return build(_next_event(text))
        except MarkedYAMLError as error:
            if error.problem != _UNEXPECTED_COLON:
                raise
        return build(_with_inner_colons(text))
    except MarkedYAMLError as error:
        _refuse_syntax(error, file)
    except (YAMLError, UnicodeEncodeError) as error:
        raise SourceError(SYNTAX, "this is not YAML", Place(file)) from error


def events(text: str, file: str) -> list[Any]:
    """Return all events of a text. Raises :class:`SourceError`."""
    return parsed(text, file, _all)


def _all(following: Callable[[], Any]) -> list[Any]:
    found = [following()]
    while type(found[-1]) is not StreamEndEvent:
        found.append(following())
    return found


def _next_event(text: str) -> Callable[[], Any]:
    following: Callable[[], Any] = YAML(typ="safe").Parser(text).get_event
    return following


def _with_inner_colons(text: str) -> Callable[[], Any]:
    stand_in = next(char for code in _PRIVATE_USE if (char := chr(code)) not in text)
    following = _next_event(_INNER_COLON.sub(stand_in, text))

    def restored() -> Any:
        event = following()
        if type(event) is ScalarEvent:
            event.value = event.value.replace(stand_in, ":")
        return event

    return restored


def _refuse_syntax(error: MarkedYAMLError, file: str) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    problem = str(error.problem or "it cannot be parsed")
    context = f" ({error.context})" if error.context else ""
    message = f"not valid YAML: {harmless(problem)}{harmless(context)}"
    raise SourceError(SYNTAX, message, place, hint=_HINTS.get(problem)) from None
