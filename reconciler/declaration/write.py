"""Writes plain values as a declaration that people like to read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ruamel.yaml.comments import CommentedMap

_IN_ONE_LINE = frozenset({"workspace", "manage", "policy"})
_LONGEST_LINE = 110


def declaration_text(content: Mapping[str, object]) -> str:
    """Return a declaration as YAML: one line for each small entry, a blank line before each section."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    yaml.allow_unicode = True
    stream = io.StringIO()
    for position, (key, value) in enumerate(content.items()):
        if position > 1:
            stream.write("\n")
        yaml.dump({key: _styled(key, value)}, stream)
    return stream.getvalue()


def _styled(key: str, value: object) -> object:
    if key in _IN_ONE_LINE and isinstance(value, dict):
        return _flow(value)
    if isinstance(value, list):
        return [_entry(item) for item in value]
    return value


def _entry(item: object) -> object:
    """Write an entry in one line if it is short and flat."""
    if isinstance(item, dict) and len(repr(item)) < _LONGEST_LINE:
        return _flow(item) if not any(isinstance(value, list | dict) for value in item.values()) else item
    return item


def _flow(item: Mapping[str, object]) -> CommentedMap:
    from ruamel.yaml.comments import CommentedMap

    mapping = CommentedMap(item)
    mapping.fa.set_flow_style()
    return mapping
