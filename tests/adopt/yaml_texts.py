"""Generated YAML texts of every style, with comments everywhere, and changes to what they mean."""

from __future__ import annotations

import random
from typing import Any

from reconciler.yaml.text import scalar_text

WORDS = [
    "ada@acme.io",
    "no",
    "1e3",
    "x: y",
    "# not a comment",
    "a, b",
    "it's",
    'say "hi"',
    "null",
    "",
    "é ü",
    "plain",
    "*",
    "20%",
]
SCALARS: list[Any] = [*WORDS, 3, True, False, None, 1.5]


class Writer:
    """Writes random values in random styles, and remembers the comments that it wrote."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.comments: list[str] = []

    def comment(self) -> str:
        text = f"# comment {len(self.comments)} {{x}}: 'y'"
        self.comments.append(text)
        return text

    def trailing(self) -> str:
        return f"  {self.comment()}" if self.random.random() < 0.25 else ""

    def leading(self, indent: int) -> str:
        lines = ["" for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        lines += [" " * indent + self.comment() for _ in range(self.random.choice([0, 0, 1, 2]))]
        return "".join(f"{line}\n" for line in lines)

    def scalar(self, value: Any, *, flow: bool) -> str:
        return scalar_text(value, self.random.choice(["", '"', "'"]), flow=flow)

    def flow(self, value: Any, indent: int) -> str:
        choose = self.random
        if isinstance(value, dict):
            parts = [f"{scalar_text(key)}: {self.flow(item, indent)}" for key, item in value.items()]
            return "{" + choose.choice(["", " "]) + ", ".join(parts) + choose.choice(["", " "]) + "}"
        if isinstance(value, list):
            parts = [self.flow(item, indent) for item in value]
            if parts and choose.random() < 0.3:
                pad = "\n" + " " * (indent + 2)
                body = "".join(f"{pad}{part},{self.trailing()}" for part in parts)
                return f"[{body}\n{' ' * indent}]"
            return "[" + ", ".join(parts) + "]"
        return self.scalar(value, flow=True)

    def mapping(self, value: dict[str, Any], indent: int, *, compact: bool = False) -> str:
        """Write a mapping in lines; ``compact``: its first key stands right behind a dash."""
        text = ""
        for position, (key, item) in enumerate(value.items()):
            first = compact and position == 0
            head = "" if first else self.leading(indent) + " " * indent
            text += f"{head}{scalar_text(key)}:{self.value(item, indent)}"
        return text

    def value(self, item: Any, indent: int) -> str:
        """Write what comes after a key, line end included."""
        choose = self.random
        if isinstance(item, dict) and item and choose.random() < 0.6:
            inner = indent + choose.choice([2, 4])
            return f"{self.trailing()}\n{self.mapping(item, inner)}"
        if isinstance(item, list) and item and choose.random() < 0.6:
            inner = indent + choose.choice([0, 2])
            return f"{self.trailing()}\n{self.sequence(item, inner)}"
        if isinstance(item, str) and "\n" in item:
            body = item.removesuffix("\n").split("\n")
            lines = "".join(f"{' ' * (indent + 2)}{line}\n" for line in body)
            return f" |{'' if item.endswith(chr(10)) else '-'}{self.trailing()}\n{lines}"
        if isinstance(item, dict | list):
            return f" {self.flow(item, indent)}{self.trailing()}\n"
        return f" {self.scalar(item, flow=False)}{self.trailing()}\n"

    def sequence(self, value: list[Any], indent: int) -> str:
        text = ""
        for item in value:
            text += self.leading(indent)
            if isinstance(item, dict) and item and self.random.random() < 0.6:
                width = self.random.choice([2, 2, 4])
                text += " " * indent + "-" + " " * (width - 1) + self.mapping(item, indent + width, compact=True)
            elif isinstance(item, dict | list):
                text += f"{' ' * indent}- {self.flow(item, indent)}{self.trailing()}\n"
            else:
                text += f"{' ' * indent}- {self.scalar(item, flow=False)}{self.trailing()}\n"
        return text


def random_entry(choose: random.Random, number: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": f"entry {number}"}
    for key in choose.sample(["role", "members", "nested", "text", "deep"], choose.randint(0, 4)):
        entry[key] = random_value(choose, key)
    return entry


def random_value(choose: random.Random, key: str) -> Any:
    if key == "members":
        return choose.sample(WORDS, choose.randint(0, 4))
    if key == "nested":
        return {name: choose.choice(SCALARS) for name in choose.sample("abcd", choose.randint(0, 3))}
    if key == "text":
        return choose.choice(["one\ntwo\n", "a\n\n  b: 'c' # d", "single"])
    if key == "deep":
        return [{"label": f"l{index}", "x": choose.choice(SCALARS)} for index in range(choose.randint(0, 3))]
    return choose.choice(SCALARS)


def random_text(seed: int) -> tuple[str, dict[str, Any], list[str]]:
    """Return a text, what it means, and the comments in it."""
    writer = Writer(seed)
    choose = writer.random
    values = {
        kind: [random_entry(choose, number) for number in range(choose.randint(0, 5))]
        for kind in ("members", "groups", "vaults")
    }
    return writer.mapping(values, 0), values, writer.comments


def change_at_random(values: dict[str, list[dict[str, Any]]], choose: random.Random, *, removals: bool = True) -> None:
    """Change plain values in place: fields set, added and taken away, entries added and removed."""
    for entries in values.values():
        for entry in list(entries):
            if removals and choose.random() < 0.2:
                entries[:] = [other for other in entries if other is not entry]
            elif choose.random() < 0.4:
                _change_entry(entry, choose, removals=removals)
        if choose.random() < 0.4:
            entries.insert(choose.randint(0, len(entries)), random_entry(choose, choose.randint(100, 999)))


def _change_entry(entry: dict[str, Any], choose: random.Random, *, removals: bool) -> None:
    key = choose.choice(["name", "role", "members", "nested", "text", "deep"])
    if key == "text" and key in entry:
        entry[key] = random_value(choose, key)
    elif key == "members" and isinstance(entry.get(key), list):
        names = entry[key]
        names.insert(choose.randint(0, len(names)), f"new-{choose.randint(0, 99)}")
        if removals and choose.random() < 0.5:
            names.pop(choose.randrange(len(names)))
    elif key in entry and key not in ("name", "role") and removals and choose.random() < 0.3:
        del entry[key]
    elif key == "role" or key not in entry:
        entry[key] = random_value(choose, key)
    elif key == "name":
        entry[key] = f"renamed {choose.randint(0, 99)}"
