"""Random HOCON documents from a grammar, the same for the same seed: what people write, what breaks, what is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_WORDS = ["a", "b", "c", "d", "x", "y", "s3", "key-1", "_u", "region", "é", "sdk", "10", "A"]
_QUOTED_KEYS = ['"q"', '"q"', '"a.b"', '"with space"', '"1"', '"$x"', '"é"', '"x\\"y"', '"a:b"', '"c d"']
_ODD_KEYS = ['""', "a b", "a/b", "1.5", "true", "null", "include", "a..b", ".a", "a.", "-"]
_PLAIN = ["eu-west-1", "x", "hello world", "s3://bucket/path", "a:b", "1.2.3", "C:/temp", "it's", "yes", "on", "a/b//c"]
_NUMBERS = [
    "0",
    "1",
    "-5",
    "010",
    "1.5",
    ".5",
    "1e3",
    "1E-2",
    "+7",
    "1.",
    "0x1f",
    "12345678901234567890",
    "1_000",
    "1.10",
]
_DURATIONS = ["5 minutes", "10s", "3 d", "1 week", "2 months", "7 ms", "1 y", "15 nanoseconds", "9h", "5 m x", "4 us"]
_TEXTS = [
    '"text"',
    '""',
    '"a.b"',
    '"with \\"quotes\\""',
    '"\\n\\t\\\\"',
    '"\\u0041"',
    '"#no"',
    '"${a}"',
    '"tab\there"',
    '" "',
]
_TRIPLE = ['"""multi"""', '"""two\nlines"""', '"""a"b""c"""', '"""x""""', '""""""']
_ODD = [
    "@",
    "*x",
    "`a`",
    "a\\b",
    "x=y",
    "a + b",
    "'single'",
    "<<",
    "a & b",
    "!x",
    "?",
    "^",
    "\\",
    "$a",
    "${",
    "${}",
    "]",
]
_COMMENTS = ["# c", "// c", "#", "//", '# "${a}', "# ["]
_SPACES = [""] * 15 + [" "]
_BREAKS = ["{", "}", "[", "]", '"', '"""', ",", "=", ":", "${", "}", "\\", "+=", "#", "\n", "\t", "\r\n", " ", "&", "@"]


class Grammar:
    """Makes documents; ``random`` decides everything."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._paths: list[str] = []

    def document(self) -> str:
        """Return one document, sometimes broken on purpose."""
        self._paths = []
        text = self._members(self._random.randint(1, 4), 0)
        chance = self._random.random()
        if chance < 0.12:
            text = "{" + self._blank() + text + self._blank() + "}"
        elif chance < 0.14:
            text = f"[{self._value(1)}, {self._value(1)}]"
        if self._random.random() < 0.5:
            text += self._random.choice(["\n", "\n\n", "\n# end\n", " ", ",", "\n,"])
        if self._random.random() < 0.06:
            text = self._broken(text)
        return text

    def _one(self, items: list[str]) -> str:
        return self._random.choice(items)

    def _blank(self) -> str:
        return self._one(["", " ", "\n", "\n  ", "\t", " # c\n"])

    def _members(self, count: int, level: int) -> str:
        separators = ["\n", "\n", "\n", "\n", ", ", ",\n", "\n\n", " # c\n", " // c\n", "\r\n", " , # c\n", "\n,\n"]
        pieces = []
        for index in range(count):
            pieces.append(self._member(level))
            if index < count - 1:
                pieces.append(self._one(separators))
        return "".join(pieces)

    def _member(self, level: int) -> str:
        if self._random.random() < 0.015:
            return self._include()
        key = self._key()
        self._paths.append(key)
        if self._random.random() < 0.15 and level < 3:
            return f"{key}{self._one([' ', '', '  '])}{self._object(level)}"
        sign = self._one([" = ", ": ", "=", ":", " : "]) if self._random.random() < 0.95 else " += "
        if self._random.random() < 0.02:
            sign += "\n"
        return f"{key}{sign}{self._value(level)}"

    def _include(self) -> str:
        what = [
            '"no.conf"',
            '"no.conf"',
            'file("no.conf")',
            'file("no.conf")',
            'url("http://127.0.0.1:9/x")',
            'required(file("no.conf"))',
            '"http://127.0.0.1:9/"',
        ]
        return f"include {self._one(what)}"

    def _key(self) -> str:
        chance = self._random.random()
        if chance < 0.22 and self._paths:
            return self._one(self._paths)  # said before
        if chance < 0.27:
            return self._one(_QUOTED_KEYS)
        if chance < 0.28:
            return self._one(_ODD_KEYS)
        parts = [self._one(_WORDS) for _ in range(self._one_of_levels())]
        if self._random.random() < 0.03:
            parts.append(self._one(_QUOTED_KEYS))
        return ".".join(parts)

    def _one_of_levels(self) -> int:
        return self._random.choice([1, 1, 1, 1, 2, 2, 3])

    def _value(self, level: int) -> str:
        chance = self._random.random()
        if chance < 0.24:
            return self._concatenation(level)
        if chance < 0.38 and level < 3:
            return self._object(level)
        if chance < 0.52 and level < 3:
            return self._list(level)
        return self._simple()

    def _simple(self) -> str:
        kinds = [
            _PLAIN,
            _PLAIN,
            _NUMBERS,
            _TEXTS,
            _TEXTS,
            ["true", "false", "null", "NULL", "True"],
            _DURATIONS,
            _TRIPLE,
        ]
        if self._random.random() < 0.01:
            return self._one(_ODD)
        return self._one(self._random.choice(kinds))

    def _object(self, level: int) -> str:
        count = self._random.randint(0, 2)
        inner = self._blank() + self._members(count, level + 1) + self._blank() if count else ""
        return "{" + inner + "}"

    def _list(self, level: int) -> str:
        items = [self._value(level + 1) for _ in range(self._random.randint(0, 3))]
        return (
            "["
            + self._one([", ", ",", "\n", ",\n"]).join(items)
            + (self._one(["", "", ",", "\n"]) if items else "")
            + "]"
        )

    def _substitution(self) -> str:
        known = bool(self._paths) and self._random.random() < 0.8
        name = (
            self._one(self._paths)
            if known
            else self._one(["a", "b", "HOME", "a.b", "x.y", "b.c", "a.0", "missing", "sdk"])
        )
        if self._random.random() < 0.05:
            name += self._one([".x", ".a", ".b", ".region", ".0", '."q"'])
        return (
            "${"
            + ("?" if self._random.random() < (0.3 if known else 0.8) else "")
            + self._one(_SPACES)
            + name
            + self._one(_SPACES)
            + "}"
        )

    def _concatenation(self, level: int) -> str:
        pieces = []
        for _ in range(self._random.choice([1, 1, 1, 2, 2, 3])):
            chance = self._random.random()
            if chance < 0.55:
                pieces.append(self._substitution())
            elif chance < 0.58 and level < 3:
                pieces.append(self._object(level))
            elif chance < 0.62 and level < 3:
                pieces.append(self._list(level))
            else:
                pieces.append(self._simple())
        return self._one(["", " ", "/", "  "]).join(pieces)

    def _broken(self, text: str) -> str:
        at = self._random.randint(0, len(text))
        if self._random.random() < 0.5:
            return text[:at] + self._one(_BREAKS) + text[at:]
        return text[:at] + text[at + self._random.randint(1, 4) :]
