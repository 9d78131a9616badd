"""What users read is plain, modern, technical English: no word of this list is in a message, a help text or a page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.project import EXAMPLES

ROOT = EXAMPLES.parent
SOURCES = sorted(path for path in (ROOT / "reconciler").rglob("*.py") if "sandbox" not in path.parts)
"""All modules but the sandbox: what it answers is the text of a server."""

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted(EXAMPLES.rglob("*.md"))]

INSTEAD = {
    r"tells?|told|telling": "reports, shows, says",
    r"whose|whom": "another sentence",
    r"shall": "must",
    r"of which( one)?": "another sentence",
    r"points? at|pointed at": "reports, refers to",
    r"(cannot|can) be had": "is unavailable",
    r"(would|may|might|will) come to": "gains",
    r"made again|made anew|anew": "again",
    r"blanks?": "space, empty",
    r"nobody can tell": "is not known",
    r"the least|the fewest": "the minimum",
    r"unasked": "without confirmation",
    r"spoken for|speaks? for": "manages, declares",
    r"without a word|a word on": "without an error",
    r"takes? (it|them|(the|this) \w+|`\w+`) away": "removes",
    r"heeds?": "respects",
    r"torn": "damaged",
    r"(what|which|every|any) sort|sorts? of": "kind, type",
    r"at hand": "available",
    r"on the way": "in between, in transit",
    r"mend(s|ed|ing)?": "fix",
    r"has (not )?got": "has",
    r"(is|are) there and": "exists",
    r"behind (the|its) back": "by hand",
    r"a text|texts|empty text": "string",
    r"stands? (here|there|inside|between)": "is",
}
"""Words that the project does not use for its users, and what it says instead."""

WORDS = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b", re.IGNORECASE)


class Shown(NamedTuple):
    """A string that a user may see."""

    line: int
    text: str


def shown(path: Path) -> Iterator[Shown]:
    """Yield every string of a module that is no docstring, and the docstrings of commands, which are their help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = set(docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in silent:
            yield Shown(node.lineno, node.value)


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        decorators = " ".join(ast.unparse(one) for one in getattr(node, "decorator_list", ()))
        if "command" not in decorators and not isinstance(node, ast.Lambda | ast.IfExp):
            for statement in getattr(node, "body", ()):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    yield statement.value


def found(text: str) -> list[str]:
    return [word[0] for word in WORDS.finditer(text)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_has_a_word_of_the_list(path: Path) -> None:
    assert [(string.line, words) for string in shown(path) if (words := found(string.text))] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_has_a_word_of_the_list(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [(number, words) for number, line in enumerate(lines, 1) if (words := found(line))] == []


def test_it_reads_messages_and_help_but_no_other_docstring(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""A docstring may tell."""\n\n\n@click.command()\ndef plan():\n    """Tell it."""\n\n\n'
        'def other():\n    """Tell it."""\n    raise Error(f"nobody told {who}")\n',
        encoding="utf-8",
    )
    assert [word for string in shown(module) for word in found(string.text)] == ["Tell", "told"]
