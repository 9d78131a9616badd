"""What `effective`, `validate`, `plan` and `apply` say of documents that clients read otherwise than one expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.project import Project

ONE_VAULT = """\
service_accounts:
  - name: agent
    vault:
      file: v.conf
"""
GROUP_VAULT = """\
manage: {vaults: declared, groups: declared, service_accounts: declared}
service_accounts:
  - {name: bot}
groups:
  - {name: ml, service_accounts: [bot]}
vaults:
  - {name: v, group: ml, file: v.conf}
"""


def declare(project: Project, text: str, file: str = ONE_VAULT) -> Project:
    project.declare(file)
    project.write_file("v.conf", text)
    project.commit()
    return project


@pytest.mark.parametrize(
    ("text", "clients"),
    [
        pytest.param(
            "b: dev\nroot: r\nout: s3://${b}/${root}/m\nout: s3://fixed/${root}",
            {"b": "dev", "root": "r", "out": "s3://dev/r/m"},
            id="an override with fewer substitutions is not taken",
        ),
        pytest.param(
            "base { region: eu, verify: false }\nprof = ${base}\nprof.region = us",
            {"base": {"region": "eu", "verify": False}, "prof": {"region": "us"}},
            id="a dotted key that extends a substitution loses it",
        ),
        pytest.param("v = null\nw.x = ${v}\ny = 1", {"v": None, "w": {}, "y": 1}, id="null through a substitution"),
        pytest.param(
            "server { name: a }\nconn = ${server}\nhost = ${conn.name}",
            {"server": {"name": "a"}, "conn": {"name": "a"}, "host": "a"},
            id="a path through a substitution",
        ),
        pytest.param("l = [1, 2]\nl = ${l} [3]\nl = ${l} [4]", {"l": [1, 2, 3, 4]}, id="several self-references"),
        pytest.param("a {x: 1}\nb = ${a} {y: 2}", {"a": {"x": 1}, "b": {"x": 1, "y": 2}}, id="an object extended"),
        pytest.param("c = [{x: 1}, 2]\nd = ${c}", {"c": [{"x": 1}, 2], "d": [{"x": 1}, 2]}, id="a list taken over"),
        pytest.param('a = x "y"  \nb = 1', {"a": "x y", "b": 1}, id="blanks after a quoted last part"),
    ],
)
def test_effective_shows_what_clients_get(project: Project, text: str, clients: dict[str, Any]) -> None:
    result = declare(project, text).run("effective", "agent", "--format", "json", "--strict")
    assert (result.code, result.json) == (0, clients), result
    assert project.run("validate").code == 0


@pytest.mark.parametrize(
    ("text", "environment"),
    [("x = ${ a }\na = 2", " a "), ("x = ${MISSING}\na = 2", "MISSING"), ("a = 2, b { c = ${q.d} }", "q.d")],
)
def test_a_vault_that_clients_drop_is_named_in_every_format(project: Project, text: str, environment: str) -> None:
    declare(project, text)
    for form in ("text", "json", "yaml", "hocon"):
        result = project.run("effective", "agent", "--format", form)
        assert result.code == 0
        assert f"applies only to clients that define {environment.strip()}" in result.output.replace("  ", " ")
        if form == "json":
            assert result.json == {}
            assert "Error:    vault agent" in result.stderr
    assert project.run("effective", "agent", "--strict").code == 2
    validated = project.run("validate")
    assert validated.code == 0
    assert "clients look for" in validated.stdout


def test_an_optional_path_through_a_number_drops_the_vault(project: Project) -> None:
    result = declare(project, "a = 1\nb = ${?a.c}\nd = 2").run("effective", "agent", "--format", "json", "--strict")
    assert (result.code, result.json) == (2, {})
    assert "clients drop it: values in it cannot be put together" in result.stderr


def test_what_depends_on_the_environment_is_shown_as_both_cases(project: Project) -> None:
    declare(project, "a = 1\na = ${?LEVEL}\nb = x-${?LEVEL}-y\nc = ${?OTHER}")
    result = project.run("effective", "agent", "--format", "json", "--strict")
    assert (result.code, result.json) == (0, {"a": 1, "b": "x--y"})
    notes = " ".join(result.stderr.split())
    assert "with LEVEL, OTHER in a client's environment, vault agent gives it" in notes
    assert "a ${LEVEL} instead of 1" in notes
    assert 'b x-${LEVEL}-y instead of "x--y"' in notes
    assert "c ${OTHER}" in notes


def test_the_parser_that_was_asked_is_named(project: Project) -> None:
    declare(project, "a = ${b}, b = 1")
    for form in ("text", "json"):
        output = project.run("effective", "agent", "--format", form).output
        assert "as clearml 2.1.12 and clearml-agent 3.0.3 read it, with their parser (pyhocon 0.3.54)" in output


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a { b: 1 }\na { b: [1] }", 3, "refused by reconciler: the object that ends here sets a key twice"),
        ("a.b += [3]", 0, "clients drop the whole vault"),
        ("a {c += y}\na: ${?z}", 0, "clients may never finish reading this"),
        ("t = 5 minutes\n", 0, "t: clients turn a duration at the end"),
        ("v = null\nw = ${v}", 0, "w: clients have no such key"),
        ("b: dev\no: ${b}/${b}/m\no: fixed/${b}", 0, "o: clients keep an earlier value of this key"),
    ],
)
def test_validate_says_whether_it_is_refused_or_dropped(project: Project, text: str, code: int, message: str) -> None:
    result = declare(project, text).run("validate")
    assert result.code == code
    assert message in " ".join(result.output.split())


@pytest.fixture
def live(project: Project) -> Project:
    """A group with a vault, applied."""
    declare(project, "first = 1\n", GROUP_VAULT)
    result = project.apply()
    assert result.code == 0, result
    return project


def set_live(project: Project, text: str) -> None:
    project.sandbox.set_vault("v", "ml", text)


def test_a_live_vault_that_only_this_project_refuses_is_shown_as_clients_take_it(live: Project) -> None:
    set_live(live, "proxy { opts: {verify: true} }\nproxy { opts: null }\nproxy { opts: {timeout: 9} }\n")
    result = live.run("effective", "bot", "--live", "--format", "json", "--strict")
    assert (result.code, result.json) == (0, {"proxy": {"opts": {"timeout": 9}}})
    shown = live.run("effective", "bot", "--live").stdout
    assert "clients drop it" not in shown
    assert "proxy.opts.timeout" in shown


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        pytest.param("retry.after: 5 minutes\n", "retry.after: 5 minutes\n# end\n", "retry.after", id="a duration"),
        pytest.param("x = ${ a }\na = 2", "x = ${a}\na = 2", "x", id="blanks in a substitution"),
        pytest.param(
            'b = "r"\no: ${b}/${b}/m\no: x/${b}', 'b = "r"\no: x/${b}', "o", id="an override with fewer substitutions"
        ),
    ],
)
def test_a_repair_of_what_clients_read_is_a_change(live: Project, before: str, after: str, path: str) -> None:
    set_live(live, before)
    live.write_file("v.conf", after)
    planned = live.run("plan", "--detailed-exitcode", "--format", "json")
    assert planned.code == 2, planned
    edits = {edit["path"]: edit for change in planned.json["changes"] for edit in change["edits"]}
    assert path in edits
    assert live.apply().code == 0
    assert live.run("plan", "--detailed-exitcode").code == 0


def test_the_same_json_that_clients_read_differently_is_a_change(live: Project) -> None:
    live.declare(GROUP_VAULT.replace("v.conf", "v.json"))
    set_live(live, json.dumps({"a": "\u00e9", "b": 1}))
    live.sandbox.call("users.get_organization_vaults")
    live.write_file("v.json", '{"a": "é", "b": 1}')
    planned = live.run("plan", "--detailed-exitcode")
    assert planned.code == 2, planned
    assert "a " in planned.stdout


def test_text_alone_is_still_no_difference(live: Project) -> None:
    set_live(live, "b = 1 # c\na { c = ${b} }")
    live.write_file("v.conf", "a.c = ${b}\n\nb: 1\n")
    assert live.run("plan", "--detailed-exitcode").code == 0


def test_a_plan_shows_what_changes_through_substitutions(live: Project) -> None:
    set_live(live, "a: X\nb: ${a}\nc { d: ${b}/${a} }\ne: 1")
    live.write_file("v.conf", "a: Y\nb: ${a}\nc { d: ${b}/${a} }\ne: 1")
    live.commit()
    planned = live.run("plan", "--format", "json")
    edits = [edit for change in planned.json["changes"] for edit in change["edits"]]
    assert [(edit["path"], edit["before"], edit["after"], edit["cause"]) for edit in edits] == [
        ("a", "(hidden)", '"Y"', "written"),
        ("b", "(hidden)", '"Y"', "substitution"),
        ("c.d", "(hidden)", '"Y/Y"', "substitution"),
    ]
    assert "b (through a substitution)" in live.run("plan").stdout


def test_a_secret_that_a_substitution_carries_is_hidden_in_a_plan(live: Project) -> None:
    set_live(live, "sdk.aws.s3.secret: old-secret-value\ncopy: x-${sdk.aws.s3.secret}")
    live.write_file("v.conf", "sdk.aws.s3.secret: new-secret-value\ncopy: x-${sdk.aws.s3.secret}")
    for form in ("text", "json", "markdown"):
        output = live.run("plan", "--format", form).output
        assert "copy" in output
        assert "old-secret-value" not in output
        assert "new-secret-value" not in output


def test_what_clients_misread_in_yaml_is_no_path_and_no_value_of_a_plan(live: Project) -> None:
    """There secrets land under innocent keys, or are keys themselves."""
    text = "sdk:\n  aws:\n    s3:\n      secret: s3cr3t-canary\n      region: eu\n"
    live.sandbox.set_vault("v", "ml", text, format="yaml")
    live.declare(GROUP_VAULT.replace("v.conf", "v.yaml"))
    live.write_file("v.yaml", text)
    for form in ("text", "json", "markdown", "html"):
        planned = live.run("plan", "--format", form)
        assert planned.code == 0, planned
        assert "s3cr3t-canary" not in planned.output
    edits = [edit for change in live.run("plan", "--format", "json").json["changes"] for edit in change["edits"]]
    paths = {edit["path"] for edit in edits if edit["type"] == "document"}
    assert paths == {"sdk.aws.s3.secret", "sdk.aws.s3.region"}
    assert all(edit["secret"] for edit in edits if edit["type"] == "document")
