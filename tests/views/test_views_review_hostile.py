"""Names that try to become something else in the forms in which plans are reviewed."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from reconciler.errors import Place, Problem
from reconciler.model.access import Entity, EntityType
from reconciler.model.resources import Group, Member, ServiceAccount
from reconciler.plan.changes import Guard, Refusal, Warned
from reconciler.plan.document import Plan
from reconciler.plan.impact.report import HeadlineType
from reconciler.vaults.parse import DocumentParser
from reconciler.views.markdown import code, prose
from reconciler.views.palette import Palette
from reconciler.views.plan_github import render_github
from reconciler.views.plan_html import render_html
from reconciler.views.plan_markdown import render_markdown
from reconciler.views.plan_text import render_plan
from reconciler.views.sarif import plan_sarif, problems_sarif
from tests.build import admin, desired, group, live, planned, rule, vault
from tests.views.test_views_hostile import NAMES as TERMINAL_NAMES
from tests.views.test_views_hostile import UNSAFE

NAMES = [
    *TERMINAL_NAMES,
    "@everyone please",
    "see #123 and GH-7",
    "https://evil.example/x",
    "www.evil.example",
    "[click](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "</details></code><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "\"' onmouseover='alert(1)",
    "&lt;b&gt;",
    "`code` ``` fence",
    "```\n</details>\n# heading",
    "> [!NOTE] quote",
    "| a | b |",
    "*bold* _it_ ~~no~~ $x$ :tada:",
    "+ member  forged@acme.io",
    "::error::owned",
    "  ::add-mask::x",
    "##[error]owned",
    "%0A::error::owned",
    "a,b:c%",
    "{0} {{x}} \\[y](z)",
    "\ue000forged\ue001",
    " ",
    "`",
]


@pytest.fixture(params=NAMES, ids=ascii)
def name(request: pytest.FixtureRequest) -> str:
    text: str = request.param
    return text


@pytest.fixture
def plan(name: str, parser: DocumentParser) -> Plan:
    root, entity = admin("root@acme.io"), Entity(EntityType.PROJECT, "an-id", name)
    existing = live(
        root,
        Member("ada@acme.io", name=name),
        ServiceAccount(name),
        group(name, "ada@acme.io", accounts=[name], description=name),
        vault(name, name, json.dumps({name: name, "secret": name})),
        rule("kept", groups=[name]),
        Group("Users", builtin=True, assignable=False),
        rule("open", groups=["Users"], entity=entity),
    )
    wanted = desired(
        root, admin("ada@acme.io"), group("kept", "ada@acme.io"), rule(f"{name}2", "ada@acme.io", entity=entity)
    )
    made = planned(wanted, existing, parser).plan
    warning = Warned(kind=made.changes[0].kind, title=name, rule="rule", message=f"about {name}")
    refusal = Refusal(
        guard=Guard.MAX_REMOVALS, kind=made.changes[0].kind, names=(name,), count=1, total=1, limit="20 %"
    )
    hostile = {"workspace": name, "server": name, "declaration": name, "warnings": (warning,)}
    return replace(made, **hostile, refusals=(*made.refusals, refusal), text_only=(name,))


class Page(HTMLParser):
    """Collects elements and attributes as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(key for key, _ in attrs)


def test_no_control_character_is_in_any_form(plan: Plan) -> None:
    forms = (render_markdown(plan), render_html(plan), render_github(plan), plan_sarif(plan))
    for text in (*forms, render_plan(plan, Palette(), full_impact=True)):
        assert not UNSAFE.search(text)
        assert "\ue000" not in text
        text.encode("utf-8")


def test_html_has_no_more_elements_than_without_it(plan: Plan, review: Plan) -> None:
    page, usual = Page(render_html(plan)), Page(render_html(review))
    assert page.tags <= usual.tags | {"button"}
    assert page.attributes <= usual.attributes
    assert render_html(plan).count("<script>") == 1


def test_html_forbids_itself_everything_else(plan: Plan) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', render_html(plan))
    assert policy is not None
    assert "unsafe" not in policy[1]
    assert policy[1].startswith("default-src &#x27;none&#x27;; style-src &#x27;sha256-")


def spans_removed(text: str) -> str:
    """Return Markdown without what stands in code spans, by CommonMark's rule."""
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)


def test_in_markdown_a_name_is_only_ever_code(plan: Plan) -> None:
    text = render_markdown(plan)
    fence = re.search(r"^(`{3,})diff\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    assert fence is not None
    assert all(line[:1] in "+-!" for line in fence[2].splitlines())
    assert not re.search(rf"^ {{0,3}}`{{{len(fence[1])},}}\s*$", fence[2], re.MULTILINE)
    first, *rest = text.replace(fence[0], "").splitlines()
    assert re.fullmatch(r"<!-- clearml-reconciler: [\w.%~/-]* [\w.%~/-]* -->", first)
    assert "-->" not in first[:-3]
    for line in rest:
        left = spans_removed(line).replace("> [!CAUTION]", "").replace("> [!WARNING]", "")
        left = re.sub(r"</?(details|summary)>", "", left)
        assert not re.search(r"[<>@\[\]`|_~$\\]|://|www\.|#\d|^#{4}", left.removeprefix("> ").removeprefix(">")), line


def test_an_annotation_stays_one_line(plan: Plan, name: str) -> None:
    for line in render_github(plan).splitlines():
        assert re.fullmatch(r"::(error|warning|notice) (file=[^:,]*,line=\d+,)?title=[^:,]*::.*", line)
    for line in render_plan(plan, Palette(), full_impact=True).splitlines():
        assert not line.lstrip().startswith(("::", "##["))


def test_sarif_stays_sarif_and_has_no_links(plan: Plan, name: str) -> None:
    problems = problems_sarif([Problem("rule", name, Place(name, 2, 3), name)], name)
    for log in (json.loads(plan_sarif(plan)), json.loads(problems)):
        for result in log["runs"][0]["results"]:
            assert not re.search(r"(?<!\\)(\\\\)*\[", result["message"]["text"])
            assert not re.search(r"(?<!\{)(\{\{)*\{\d", result["message"]["text"])
            for location in result.get("locations", ()):
                assert re.fullmatch(r"[!-~]+", location["physicalLocation"]["artifactLocation"]["uri"])


def test_code_is_closed_by_its_own_fence_only(name: str) -> None:
    span = code(name)
    assert spans_removed(span) == ""
    assert "\n" not in span


def test_prose_keeps_plain_words() -> None:
    words = "2 of 8 members is 25 %, the limit is 20 %: don't (yet)."
    assert prose(words) == words
    assert prose("see #1 by @ada") == "see `#1` by `@ada`"


def test_the_plan_is_hostile_everywhere(plan: Plan, name: str) -> None:
    """The fixture has the name in every place that counts."""
    assert {warning.title for warning in plan.warnings} == {name}
    assert any(name in principal.title for principal in plan.impact.principals)
    closed = [line.subject for line in plan.impact.headlines if line.type is HeadlineType.CLOSES_TO_EVERYONE]
    assert closed == [f"project {name}"]
