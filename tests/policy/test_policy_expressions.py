"""Expressions: what is checked before anything is evaluated, where errors are told, and what evaluation cannot do."""

from __future__ import annotations

import pytest

from reconciler.errors import Problem
from reconciler.model.placed_text import PlacedText
from reconciler.model.policy import RuleSubject
from reconciler.plan.policy.expressions import LONGEST, EvaluationError, Program, activation, check
from reconciler.plan.policy.fields import FIELDS, FieldType, Value

MEMBER: dict[str, Value] = {
    "email": "ada@acme.io",
    "domain": "acme.io",
    "name": "Ada",
    "role": "admin",
    "admin": True,
    "groups": ["finance", "ops"],
}
GROUP: dict[str, Value] = {"name": "ops", "description": "Runs it. owner: ada@acme.io", "members": ["ada@acme.io"]}


def holds(text: str, subject: RuleSubject = RuleSubject.MEMBER, values: dict[str, Value] | None = None) -> bool:
    program = check(PlacedText(text, "policy.yaml"), subject)
    assert isinstance(program, Program), program
    return program.holds(activation(subject, MEMBER if values is None else values))


def problems(text: str, subject: RuleSubject = RuleSubject.MEMBER) -> list[Problem]:
    found = check(PlacedText(text, "policy.yaml", line=7, indent=4, first_column=10), subject)
    assert isinstance(found, list), text
    return found


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('member.email.endsWith("@acme.io")', True),
        ('member.domain == "acme.io" && member.admin', True),
        ('member.role in ["user", "consumer"]', False),
        ('member.groups.all(group, group != "hr")', True),
        ('member.groups.exists(group, group == "hr")', False),
        ('"finance" in member.groups', True),
        ("size(member.groups) <= 1", False),
        ('member.email.matches("^[a-z]+@acme[.]io$")', True),
        ('member.admin ? member.name != "" : true', True),
        ('!(member.admin && "ops" in member.groups)', False),
    ],
)
def test_what_people_write_is_understood(text: str, result: bool) -> None:
    assert holds(text) is result


def test_an_owner_in_a_description_is_found() -> None:
    convention = r'group.description.matches("owner: [^ ]+@acme[.]io")'
    assert holds(convention, RuleSubject.GROUP, GROUP)
    assert not holds(convention, RuleSubject.GROUP, GROUP | {"description": "Runs it"})


@pytest.mark.parametrize(
    ("text", "rule", "line", "column", "message", "hint"),
    [
        ("member.emial == 'x'", "policy-field", 7, 18, "a member has no field `emial`", "member.email"),
        ("membr.email == 'x'", "policy-field", 7, 11, "`membr.email` is not defined", "member.admin"),
        ("member == 'x'", "policy-field", 7, 11, "`member` cannot be used as a whole", "admin, domain"),
        ("true &&\n  member.nam == ''", "policy-field", 8, 14, "no field `nam`", "member.name"),
        ("member.email > 3", "policy-expression", 7, 24, "`>` cannot take a string and a whole number", None),
        (
            "member.email.endsWith(1)",
            "policy-expression",
            7,
            32,
            "`endsWith` cannot take a string and a whole number",
            None,
        ),
        ("member.email.endWith('x')", "policy-field", 7, 31, "`endWith` is not defined", None),
        ("member.email.size.x == 1", "policy-expression", 7, None, "has no fields", None),
        ("member.groups == 'x'", "policy-expression", 7, 25, "`==` cannot take a list and a string", None),
        ("member.email", "policy-expression", 7, 11, "must be true or false, and is a string", "compare"),
        ("has(member.name)", "policy-expression", 7, 11, "must be true or false", "compare"),
        ("member.email = 'x'", "policy-expression", 7, 24, "is not valid here", None),
        ("member.admin and true", "policy-expression", 7, 24, "mismatched input 'and'", None),
        ("member.groups.all(g, g.x == 1)", "policy-expression", 7, 33, "has no fields", None),
        ("(", "policy-expression", 7, None, "is not valid here", None),
        ("'x", "policy-expression", 7, 11, "is not valid here", None),
    ],
)
def test_errors_are_told_at_their_place(
    text: str, rule: str, line: int, column: int | None, message: str, hint: str | None
) -> None:
    problem = problems(text)[0]
    assert problem.place is not None
    assert (problem.rule, problem.place.line) == (rule, line)
    assert column is None or problem.place.column == column, problem
    assert message in problem.message
    assert hint is None or hint in (problem.hint or "")


def test_several_errors_are_all_told() -> None:
    assert [problem.message for problem in problems("member.a == member.b")] == [
        "a member has no field `a`",
        "a member has no field `b`",
    ]


@pytest.mark.parametrize("text", ["1 / 0 == 1", "member.groups[7] == ''", "int(member.name) > 1", "'a'.matches('(')"])
def test_what_has_no_result_is_neither_true_nor_false(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"^[^\[\]_]+"):
        holds(text)


class TestSafety:
    @pytest.mark.parametrize(
        "text",
        [
            "member.email.__class__ == ''",
            "member.__class__ == ''",
            "__import__('os').system('true')",
            "open('/etc/passwd') != ''",
            "member.email.format([1]) == ''",
        ],
    )
    def test_nothing_of_python_is_within_reach(self, text: str) -> None:
        assert problems(text)

    def test_nested_loops_end_at_a_budget(self) -> None:
        ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(x, "
        with pytest.raises(EvaluationError, match="budget"):
            holds(ten * 6 + "x > 0" + ")" * 6)

    def test_a_list_of_nine_thousand_is_within_the_budget(self) -> None:
        values = GROUP | {"members": [f"user{number}@acme.io" for number in range(9000)]}
        assert holds('group.members.all(m, m.endsWith("@acme.io"))', RuleSubject.GROUP, values)

    def test_deep_nesting_is_refused(self) -> None:
        assert problems("(" * 1000 + "true" + ")" * 1000)

    def test_a_long_expression_is_refused(self) -> None:
        assert "longer than" in problems("true" + " || true" * LONGEST)[0].message

    def test_a_regular_expression_takes_linear_time(self) -> None:
        assert not holds('member.name.matches("^(a+)+$")', values=MEMBER | {"name": "a" * 50_000 + "b"})


@pytest.mark.parametrize("subject", list(RuleSubject))
def test_every_field_of_every_subject_can_be_used(subject: RuleSubject) -> None:
    samples = {FieldType.TEXT: "!= ''", FieldType.NUMBER: ">= 0", FieldType.FLAG: "|| true", FieldType.TEXTS: "== []"}
    for name, field in FIELDS[subject].items():
        found = check(PlacedText(f"{subject.value}.{name} {samples[field.type]}", "f"), subject)
        assert isinstance(found, Program), found
