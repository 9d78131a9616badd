"""The C parser's events as values that are made in C, which saves a third of what it takes to read a file.

For each event the parser calls the class of that name in its own module. Those of ruamel are made by three
constructors of Python, one within the other, and cost more than libyaml's work does.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
from ruamel.yaml import YAML, events

if TYPE_CHECKING:
    from collections.abc import Iterator


def new_parser(text: str) -> Any:
    """Return ruamel's C parser over a text (a test makes sure that it is the C one)."""
    return YAML(typ="safe").Parser(text)


_NAMES: Final = vars(sys.modules[type(new_parser("")).__module__])
"""The names of the parser's module."""


class _Node(msgspec.Struct, gc=False):
    anchor: str | None
    ctag: Any
    implicit: Any
    """Of a scalar two truth values, of which the first says that it is plain."""

    @property
    def tag(self) -> str | None:
        return None if self.ctag is None else str(self.ctag)


class _Scalar(_Node, gc=False):
    value: str
    start_mark: Any = None
    end_mark: Any = None
    style: str | None = None


class _MappingStart(_Node, gc=False):
    start_mark: Any = None
    end_mark: Any = None
    flow_style: bool | None = None


class _SequenceStart(_MappingStart, gc=False):
    pass


class _MappingEnd(msgspec.Struct, gc=False):
    start_mark: Any = None
    end_mark: Any = None


class _SequenceEnd(_MappingEnd, gc=False):
    pass


_LIGHT: Final[dict[str, type]] = {
    "ScalarEvent": _Scalar,
    "MappingStartEvent": _MappingStart,
    "MappingEndEvent": _MappingEnd,
    "SequenceStartEvent": _SequenceStart,
    "SequenceEndEvent": _SequenceEnd,
}


@contextmanager
def light_events() -> Iterator[None]:
    """Let the C parser make the events of this module; whoever parses with it meanwhile gets them too."""
    own = {name: _NAMES[name] for name in _LIGHT if name in _NAMES}
    _NAMES.update(_LIGHT)
    try:
        yield
    finally:
        _NAMES.update(own)


def _chosen() -> dict[str, type]:
    """Return the classes by which events are told apart: ruamel's, should a parser of the future make its own."""
    with light_events():
        parser = new_parser("[]")
        kinds = [type(parser.get_event()) for _ in range(4)]
    return _LIGHT if kinds[2:] == [_SequenceStart, _SequenceEnd] else {name: getattr(events, name) for name in _LIGHT}


_CHOSEN: Final = _chosen()
Scalar: Final[Any] = _CHOSEN["ScalarEvent"]
MappingStart: Final[Any] = _CHOSEN["MappingStartEvent"]
MappingEnd: Final[Any] = _CHOSEN["MappingEndEvent"]
SequenceStart: Final[Any] = _CHOSEN["SequenceStartEvent"]
SequenceEnd: Final[Any] = _CHOSEN["SequenceEndEvent"]
