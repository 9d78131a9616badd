"""The forms in which a plan is reviewed: golden files, and what each of them promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from reconciler.model.resources import Kind
from reconciler.plan.access.index import SERVER_DEFAULT
from reconciler.plan.changes import Action, Change, Reason
from reconciler.plan.document import Plan, totals_of
from reconciler.plan.impact.report import Aspect, Effect, Headline, HeadlineType, Impact, PrincipalImpact, Weight
from reconciler.vaults.parse import DocumentParser
from reconciler.views.drift import drift_json
from reconciler.views.impact_text import impact_lines, sentence, statements
from reconciler.views.markdown import size
from reconciler.views.palette import Palette
from reconciler.views.plan_github import render_github
from reconciler.views.plan_html import render_html
from reconciler.views.plan_markdown import COMMENT_LIMIT, SUMMARY_LIMIT, render_markdown
from reconciler.views.plan_text import render_plan
from reconciler.views.sarif import plan_sarif
from reconciler.views.schema import FILE_NAMES, drift_schema, plan_schema, schema_text
from tests.build import admin, desired, group, live, planned

Golden = Callable[[str, str], None]
PLAIN = Palette()
SCHEMAS = Path(__file__).parents[2] / "schemas"
FORMS: dict[str, Callable[[Plan], str]] = {
    "review.txt": lambda plan: render_plan(plan, PLAIN),
    "review-full.txt": lambda plan: render_plan(plan, PLAIN, full_impact=True),
    "review.ansi": lambda plan: render_plan(plan, Palette(enabled=True)),
    "review.md": render_markdown,
    "review-cut.md": lambda plan: render_markdown(plan, limit=2500),
    "review.html": render_html,
    "review.github": render_github,
    "review.sarif": plan_sarif,
}


@pytest.mark.parametrize("name", FORMS)
def test_a_review(name: str, review: Plan, golden: Golden) -> None:
    golden(name, FORMS[name](review))


def effect(aspect: Aspect, subject: str, before: str | None, after: str | None, *via: str, **others: int) -> Effect:
    return Effect(aspect=aspect, subject=subject, before=before, after=after, via=via, weight=Weight.ROUTINE, **others)


SENTENCES = [
    (effect(Aspect.WORKSPACE, "workspace", None, "user"), "is invited to the workspace as user"),
    (effect(Aspect.WORKSPACE, "workspace", None, "service account"), "is a new service account"),
    (effect(Aspect.WORKSPACE, "workspace", "admin", None), "is removed from the workspace (admin)"),
    (effect(Aspect.ROLE, "role", "user", "admin"), "becomes an admin"),
    (effect(Aspect.ROLE, "role", "admin", "user"), "is no longer an admin"),
    (effect(Aspect.ROLE, "role", "consumer", "user"), "changes role from consumer to user"),
    (effect(Aspect.ADMIN, "admin", None, "yes"), "becomes an admin"),
    (
        effect(Aspect.IMPERSONATION, "impersonation", "yes", None),
        "may no longer run tasks as their owners (impersonation)",
    ),
    (effect(Aspect.CREDENTIAL, "ci", None, "works"), "gets credential ci"),
    (effect(Aspect.CREDENTIAL, "ci", "works", "replaced"), "gets a new key for credential ci"),
    (effect(Aspect.CREDENTIAL, "ci", "works", None), "loses credential ci, which stops working"),
    (effect(Aspect.GROUP, "ops", None, "member"), "joins group ops"),
    (effect(Aspect.GROUP, "ops", "member", None), "leaves group ops"),
    (effect(Aspect.ACCESS, "project V", None, "read", "r"), "can now read project V, through rule r"),
    (
        effect(Aspect.ACCESS, "project V", "read", "read_write", "r", "g"),
        "can now write to project V, through rule r and group g",
    ),
    (effect(Aspect.ACCESS, "project V", "read_write", "read", "r"), "can only read project V now, through rule r"),
    (
        effect(Aspect.ACCESS, "project V", "read_write", None, "r"),
        "can no longer read or write project V, through rule r",
    ),
    (
        effect(Aspect.ACCESS, "project V", "read_write", "read", *SERVER_DEFAULT),
        "can only read project V now, by the server's default rules",
    ),
    (
        effect(Aspect.ACCESS, "model M", "read", None, "r", at_least=True),
        "can no longer read model M, through rule r, unless something that holds it gives more",
    ),
    (
        effect(Aspect.VAULT, "s3", None, "reached", "g", paths=5, secrets=2),
        "gets vault s3 (5 values, 2 secrets) through group g",
    ),
    (effect(Aspect.VAULT, "own", "reached", None, paths=1), "loses vault own (1 value)"),
]


@pytest.mark.parametrize(("said", "words"), SENTENCES, ids=[words for _, words in SENTENCES])
def test_what_an_effect_says(said: Effect, words: str) -> None:
    one = PrincipalImpact(kind=Kind.MEMBER, title="ada", weight=said.weight, effects=(said,))
    assert sentence(statements(Impact(principals=(one,)))[0]) == f"ada {words}"


def headline(sort: HeadlineType, subject: str, **others: object) -> Headline:
    kind = others.pop("kind", Kind.ACCESS_RULE)
    return Headline(type=sort, kind=kind, subject=subject, weight=Weight.CRITICAL, **others)  # type: ignore[arg-type]


HEADLINES = [
    (headline(HeadlineType.OPENS_TO_EVERYONE, "project V", level="read"), "everyone can now read project V"),
    (headline(HeadlineType.OPENS_TO_EVERYONE, "project V", level="read_write"), "everyone can now write to project V"),
    (headline(HeadlineType.CLOSES_TO_EVERYONE, "project V"), "project V closes to everyone"),
    (headline(HeadlineType.CLOSES_TO_EVERYONE, "project V", names=("a", "b")), "project V closes to everyone but a, b"),
    (headline(HeadlineType.CLOSES_TO_EVERYONE, "project V", level="read"), "everyone can only read project V now"),
    (
        headline(HeadlineType.LAST_OF_ITS_KIND, "group", kind=Kind.GROUP, count=3),
        "no group is left: all 3 groups are removed",
    ),
    (headline(HeadlineType.EMPTIED_GROUP, "Queue admins", count=2), "nobody is left in group Queue admins"),
    (headline(HeadlineType.CREDENTIALS_DESTROYED, "bot", count=1), "1 credential of bot stops working"),
    (
        headline(HeadlineType.VAULT_CHANGES, "v → g", level="create", count=1),
        "new vault v → g reaches 1 person or account",
    ),
    (
        headline(HeadlineType.VAULT_CHANGES, "v → g", level="update", count=2, names=("a.b",)),
        "vault v → g changes for 2 people and accounts: a.b",
    ),
]


@pytest.mark.parametrize(("said", "words"), HEADLINES, ids=[words for _, words in HEADLINES])
def test_what_a_headline_says(said: Headline, words: str) -> None:
    assert sentence(statements(Impact(headlines=(said,)))[0]) == words


def test_the_same_effect_on_several_is_said_once() -> None:
    joins = effect(Aspect.GROUP, "ops", None, "member")
    people = [PrincipalImpact(kind=Kind.MEMBER, title=f"p{n}", weight=joins.weight, effects=(joins,)) for n in range(9)]
    impact = Impact(principals=tuple(people))
    said = list(impact_lines(impact, PLAIN, full=True))
    assert said == ["Impact: 9 routine", "  routine    + p0, p1, p2, p3, p4, p5, p6, p7 and p8 join group ops"]
    assert list(impact_lines(impact, PLAIN, full=False)) == ["Impact: 9 routine   (--impact full shows all)"]


def test_a_change_without_effect_is_said_to_have_none(parser: DocumentParser) -> None:
    root = admin("root@acme.io")
    changed = planned(desired(root, group("g", description="new")), live(root, group("g", description="old")), parser)
    assert "Impact: none; nobody gains or loses access.\n" in render_plan(changed.plan, PLAIN)
    assert "- `group g`\n" in render_markdown(changed.plan)


ACCENTED = "e\u0301"


def large_plan(plan: Plan, count: int) -> Plan:
    changes = tuple(
        Change(
            action=Action.INVITE,
            kind=Kind.MEMBER,
            key=(f"p{n}@acme.io",),
            title=ACCENTED * 30 + f"{n}@acme.io",
            reason=Reason.DECLARED,
            place=f"workspace.yaml:{n}",
        )
        for n in range(count)
    )
    return replace(plan, changes=changes, totals=totals_of(changes))


@pytest.mark.parametrize("limit", [1200, 1800, 2500, 5000, 20_000, COMMENT_LIMIT, SUMMARY_LIMIT])
def test_markdown_is_cut_without_breaking(limit: int, review: Plan) -> None:
    text = render_markdown(large_plan(review, 5000), limit=limit, whole="the log")
    assert size(text) <= limit
    assert text.startswith("<!-- clearml-reconciler: acme-ml workspace.yaml -->\n### Plan for `acme-ml`: 5000 to add")
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0
    assert "e…" not in text
    assert text.rstrip().endswith("left out. The whole plan is in the log.")
    assert "> **Refused: nothing of this plan can be applied.**" in text


def test_what_fits_is_not_cut(review: Plan) -> None:
    assert "Cut to fit" not in render_markdown(review)


def test_the_same_workspace_has_the_same_marker(review: Plan) -> None:
    strange = replace(review, workspace="a--> <b>\n-")
    first, *_ = render_markdown(strange).splitlines()
    assert first == "<!-- clearml-reconciler: a%2D%2D%3E%20%3Cb%3E%5Cn- workspace.yaml -->"


def test_annotations_stand_where_the_declaration_asks_for_it(review: Plan) -> None:
    lines = render_github(review).splitlines()
    assert any(line.startswith("::error file=workspace.yaml,line=11,title=new-admin::") for line in lines)
    assert any(line.startswith("::error file=teams/ml.yaml,line=22,title=empty-group::") for line in lines)
    assert lines[-1].startswith("::notice title=plan::Plan: ")


def test_the_published_schemas_are_fresh() -> None:
    for name, schema in (("plan", plan_schema()), ("drift", drift_schema())):
        published = (SCHEMAS / FILE_NAMES[name]).read_text(encoding="utf-8")
        assert published == schema_text(schema), "python -m reconciler.views.schema schemas"


@pytest.mark.parametrize("schema", [plan_schema(), drift_schema()], ids=["plan", "drift"])
def test_the_schemas_are_schemas_and_explain_every_field(schema: dict[str, object]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    parts = {"top": schema, **schema["$defs"]}  # type: ignore[dict-item]
    for title, part in parts.items():
        assert part["description"], title  # type: ignore[index]
        for name, field in part.get("properties", {}).items():  # type: ignore[attr-defined]
            assert field.get("description"), f"{title}.{name}"


def test_what_is_written_fits_the_schemas(review: Plan) -> None:
    for plan in (review, large_plan(review, 3), replace(review, changes=())):
        jsonschema.validate(json.loads(plan.to_json()), plan_schema())
        jsonschema.validate(json.loads(drift_json(plan)), drift_schema())
