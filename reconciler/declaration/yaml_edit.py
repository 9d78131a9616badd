"""Changes a YAML text so that it means something else, and touches no line that need not change.

The new meaning is given as plain values, made by changing :func:`plain_copy` of the old one in place: which list entry
became which is known by that, and so a comment stays with its entry whatever happens to the entry's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.declaration.yaml_change import CannotEditError, Change, applied
from reconciler.declaration.yaml_nodes import MappingNode, Node, SequenceNode, read_nodes
from reconciler.declaration.yaml_values import plain_copy, same_values

__all__ = ["CannotEditError", "EditableYaml"]


@dataclass(slots=True)
class EditableYaml:
    """A YAML text and a copy of its values to be changed in place."""

    text: str
    root: Node
    values: Any
    origins: dict[int, Node] = field(default_factory=dict)
    _copies: list[Any] = field(default_factory=list)

    @staticmethod
    def read(text: str) -> EditableYaml:
        """Read a text that :func:`reconciler.declaration.yaml_reader.read_yaml` accepts."""
        root = read_nodes(text)
        editable = EditableYaml(text, root, None)
        editable.values = editable._copy(root, root)
        return editable

    def _copy(self, node: Node, value_of: Node) -> Any:
        if isinstance(value_of, MappingNode):
            pairs = zip(value_of.keys, value_of.values, strict=True)
            copy: Any = {key.value: self._copy(value, value) for key, value in pairs}
        elif isinstance(value_of, SequenceNode):
            copy = [self._copy(item, item) for item in value_of.items]
        else:
            copy = plain_copy(value_of.value)
        if isinstance(copy, dict | list):
            self.origins[id(copy)] = node
            self._copies.append(copy)  # kept alive, so that nothing new gets its id
        return copy

    def edited(self) -> str:
        """Return the text with the changed values. Raises :class:`CannotEditError`."""
        change = Change(self.text, self.origins)
        change.node(self.root, self.values, flow=False)
        text = applied(self.text, change.edits)
        if not same_values(read_nodes(text).value, self.values):
            raise CannotEditError("it shares text with others (an anchor), or is written in an unusual way")
        return text
