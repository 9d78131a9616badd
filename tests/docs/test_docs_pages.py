"""Pages lead somewhere, their declarations are valid, and the README stays short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from docs.generated import expanded
from tests.support.pages import parts
from tests.support.project import EXAMPLES, Project

ROOT = EXAMPLES.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md")), *sorted(EXAMPLES.rglob("*.md"))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def text(page: Path) -> str:
    return expanded(page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    headings = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings)


def links(page: Path) -> Iterator[str]:
    prose = re.sub(r"^```.*?^```$", "", text(page), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" not in link:
            target = (page.parent / path).resolve() if path else page
            assert target.is_file(), link
            assert target.is_relative_to(ROOT), link
            assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "index.md")}
    assert {page for page in DOCS.rglob("*.md") if page.name != "index.md"} <= listed


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_module_that_it_names_exists(page: Path) -> None:
    for module in re.findall(r"`(reconciler/[\w/]+\.py)`", text(page)):
        assert (ROOT / module).is_file(), module


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_declaration_is_valid(page: Path, project: Project) -> None:
    for part in parts(page.read_text(encoding="utf-8")):
        if part.text.startswith("version: 1\nworkspace:"):
            (project.folder / "workspace.yaml").write_text(part.text, encoding="utf-8")
            result = project.run("validate")
            assert (result.code, result.stdout) == (0, ""), result


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_other_yaml_can_be_read(page: Path) -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```$", text(page), re.DOTALL | re.MULTILINE):
        content = YAML(typ="safe", pure=True).load(block)
        for job in content.get("jobs", {}).values() if isinstance(content, dict) else ():
            assert all({"uses", "run"} & step.keys() for step in job["steps"])


class TestTheReadme:
    def test_has_at_most_150_lines(self) -> None:
        assert len(README.read_text(encoding="utf-8").splitlines()) <= 150

    def test_declares_every_kind_once_in_25_lines(self) -> None:
        (block,) = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        schema = json.loads((ROOT / "schemas" / "included.schema.json").read_text(encoding="utf-8"))
        declared = YAML(typ="safe", pure=True).load(block)
        assert declared.keys() >= schema["properties"].keys()
        assert declared["service_accounts"][0]["credentials"]
        assert len(block.splitlines()) <= 25
