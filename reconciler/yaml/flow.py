"""Changes within brackets and braces: items leave with one comma, come with one, and comments stay."""

from __future__ import annotations

import re

from reconciler.frozen import Frozen
from reconciler.yaml.nodes import line_end, line_start

TextEdit = tuple[int, int, str]
_COMMA = re.compile(r"\s*,")


class FlowChange(Frozen):
    """A collection in brackets: the ``outer`` span with the brackets, and the ``spans`` of its items."""

    text: str
    outer: tuple[int, int]
    spans: list[tuple[int, int]]

    def edits(self, gone: list[int], added: list[tuple[int | None, str]]) -> list[TextEdit] | None:
        """Return the edits that remove items by index and add texts after others; ``None`` if a comment is in the way.

        An addition comes after the item of the given index, or first.
        """
        if self._one_item_a_line():
            return [*map(self._without_line, gone), *self._new_lines(added)]
        touched = set(gone) | {after for after, _ in added if after is not None}
        if any(self._commented(index) for index in touched) or (self._has_comment() and len(gone) == len(self.spans)):
            return None
        kept = [index for index in range(len(self.spans)) if index not in gone]
        if not kept:
            inside = ", ".join(text for _, text in added)
            return [(self.outer[0] + 1, self.outer[1] - 1, inside)]
        return [*self._removals(gone, kept), *self._additions(added, kept)]

    def _removals(self, gone: list[int], kept: list[int]) -> list[TextEdit]:
        first = kept[0]
        return [
            (self.spans[index - 1][1], self.spans[index][1], "")
            if index > first
            else (self.spans[index][0], self.spans[index + 1][0], "")
            for index in gone
        ]

    def _additions(self, added: list[tuple[int | None, str]], kept: list[int]) -> list[TextEdit]:
        first = self.spans[kept[0]][0]
        return [
            (first, first, f"{text}, ") if after is None else (self.spans[after][1], self.spans[after][1], f", {text}")
            for after, text in added
        ]

    def _has_comment(self) -> bool:
        return any(self._commented(index) for index in range(len(self.spans)))

    def _commented(self, index: int) -> bool:
        """Return whether a comment stands between an item and its neighbors."""
        before = self.spans[index - 1][1] if index else self.outer[0]
        after = self.spans[index + 1][0] if index + 1 < len(self.spans) else self.outer[1]
        start, end = self.spans[index]
        return "#" in self.text[before:start] + self.text[end:after]

    def _one_item_a_line(self) -> bool:
        """Return whether each item has its lines for itself, comma and comment included."""
        return bool(self.spans) and all(self._has_own_lines(span) for span in self.spans)

    def _has_own_lines(self, span: tuple[int, int]) -> bool:
        start, end = span
        before = self.text[line_start(self.text, start) : start]
        after = self.text[end : line_end(self.text, end)].strip().removeprefix(",").strip()
        return not before.strip() and (not after or after.startswith("#")) and line_end(self.text, end) < self.outer[1]

    def _without_line(self, index: int) -> TextEdit:
        start, end = self.spans[index]
        return line_start(self.text, start), line_end(self.text, end) + 1, ""

    def _new_lines(self, added: list[tuple[int | None, str]]) -> list[TextEdit]:
        edits: list[TextEdit] = []
        separated: set[int] = set()
        for after, text in added:
            near = self.spans[after if after is not None else 0]
            pad = self.text[line_start(self.text, near[0]) : near[0]]
            if after is None:
                begin = line_start(self.text, near[0])
                edits.append((begin, begin, f"{pad}{text},\n"))
                continue
            has_comma = _COMMA.match(self.text, near[1]) is not None
            if not has_comma and after not in separated:
                edits.append((near[1], near[1], ","))
                separated.add(after)
            end = line_end(self.text, near[1])
            edits.append((end, end, f"\n{pad}{text},"))
        return edits
