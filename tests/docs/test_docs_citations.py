"""Comments, docstrings and pages cite pages of docs/ that exist, with the sections that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("reconciler", "tests", "benchmarks", "examples", "docs", "schemas", ".github", ".ci")
ENDINGS = {".py", ".md", ".yaml", ".yml", ".sh", ".conf", ".toml", ".txt"}
CITATION = re.compile(r"\bdocs/[\w/-]+\.md")
SECTION = re.compile(r"(?:`*,?(?: section)?\s+(?:(?P<number>\d+)|\"(?P<quoted>[^\"]+)\"))|(?:,\s+(?P<heading>[^`]+?)`)")
ELSEWHERE = re.compile(
    r"design decision|\bdesign\.md|\(sections? \d|``(?:clearml-api|clearml-wire|vaults|decisions|architecture)\.md|\.\./shared"
)
THIS = Path(__file__)


def files() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in ENDINGS and path.is_file())
    yield from (path for path in ROOT.iterdir() if path.suffix in ENDINGS and path.is_file())


def line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


@cache
def headings(page: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^#+ (.+?) *$", page.read_text(encoding="utf-8"), re.MULTILINE))


def has_section(page: Path, section: re.Match[str]) -> bool:
    if section["number"]:
        return any(heading.startswith(f"{section['number']}. ") for heading in headings(page))
    return " ".join((section["heading"] or section["quoted"]).split()) in headings(page)


def dangling(text: str) -> Iterator[str]:
    for citation in CITATION.finditer(text):
        page = ROOT / citation[0]
        section = SECTION.match(text, citation.end())
        if not page.is_file():
            yield f"line {line(text, citation.start())}: there is no {citation[0]}"
        elif section and not has_section(page, section):
            yield f"line {line(text, citation.start())}: {citation[0]} has no section{section[0]}"


def test_every_page_that_is_cited_exists_and_has_the_section() -> None:
    found = {path: list(dangling(path.read_text(encoding="utf-8"))) for path in files() if path != THIS}
    assert {str(path.relative_to(ROOT)): problems for path, problems in found.items() if problems} == {}


def test_nothing_cites_a_page_that_is_not_in_the_repository() -> None:
    found = []
    for path in files():
        if path != THIS:
            text = path.read_text(encoding="utf-8")
            found += [
                f"{path.relative_to(ROOT)}:{line(text, old.start())}: {old[0]}" for old in ELSEWHERE.finditer(text)
            ]
    assert found == [], "cite ``docs/explanation/PAGE.md, SECTION`` (of decisions.md the number)"


@pytest.mark.parametrize(
    ("comment", "problems"),
    [
        ("``docs/explanation/decisions.md, 7``", 0),
        ("``docs/explanation/decisions.md``, 7", 0),
        ("``docs/explanation/decisions.md``, and ``more``", 0),
        ("``docs/explanation/clearml-api.md, Access\n    rules``", 0),
        ('``docs/explanation/clearml-api.md``, section "Groups"', 0),
        ("``docs/explanation/decisions.md, 99``", 1),
        ("``docs/explanation/clearml-api.md, Queues``", 1),
        ("``docs/explanation/no-such-page.md``", 1),
    ],
)
def test_it_sees_a_page_and_a_section_that_are_not_there(comment: str, problems: int) -> None:
    assert len(list(dangling(f'"""Say it ({comment})."""'))) == problems


def test_decisions_are_numbered_without_a_gap() -> None:
    page = (ROOT / "docs" / "explanation" / "decisions.md").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", page, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
