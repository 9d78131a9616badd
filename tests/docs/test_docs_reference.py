"""Every option, field, guard, exit code and policy field is in a page of the reference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest

import reconciler.commands
from docs.generated import expanded
from reconciler.cli.main import cli
from reconciler.errors import ExitCode
from reconciler.model.policy import RuleSubject
from reconciler.plan.changes import NEVER_LIFTED, Guard
from reconciler.plan.policy.fields import FIELDS
from tests.support.project import EXAMPLES

ROOT = EXAMPLES.parent
REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return expanded((REFERENCE / f"{name}.md").read_text(encoding="utf-8"))


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


def options(command: click.Command) -> Iterator[str]:
    for option in command.get_params(click.Context(command)):
        if isinstance(option, click.Option):
            yield from option.opts


@pytest.mark.parametrize(("name", "command"), list(commands(cli)))
def test_every_option_of_every_command_is_there(name: str, command: click.Command) -> None:
    section = page("commands").partition(f"## `reconciler {name}`\n")[2].partition("\n## ")[0]
    for option in options(command):
        assert re.search(rf"^\| [^|]*`{option}`", section, re.MULTILINE), option
    for argument in command.params:
        if isinstance(argument, click.Argument):
            assert (argument.metavar or argument.human_readable_name) in section


def test_every_option_before_the_command_is_there() -> None:
    section = page("commands").partition("## Options before the command\n")[2].partition("\n## ")[0]
    for option in options(cli):
        assert f"`{option}`" in section


@pytest.mark.parametrize(("schema", "name"), [("workspace", "file"), ("policy", "policy")])
def test_every_field_of_every_model_is_there(schema: str, name: str) -> None:
    content: dict[str, Any] = json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    models = [content, *content["$defs"].values()]
    fields = [field for model in models for field in model.get("properties", ())]
    rows = [row.split(" | ") for row in page(name).splitlines() if row.startswith("| `")]
    for field in set(fields):
        whole = [row for row in rows if row[0] == f"| `{field}`" and len(row) >= 4 and row[1] and row[-1] != "|"]
        assert len(whole) >= fields.count(field), field


@pytest.mark.parametrize("schema", ["plan", "drift"])
def test_every_part_of_a_json_document_is_there(schema: str) -> None:
    content: dict[str, Any] = json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    for name, part in content["$defs"].items():
        section = page("json").partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        for field in part.get("properties", part.get("enum", ())):
            assert f"`{field}`" in section, (name, field)


def test_every_guard_is_there_with_how_to_go_on() -> None:
    for guard in Guard:
        (row,) = re.findall(rf"^\| `{guard.value}` \|.*$", page("guards"), re.MULTILINE)
        assert ("cannot be lifted" in row) if guard in NEVER_LIFTED else (f"`--allow {guard.value}`" in row)


def test_every_exit_code_is_there() -> None:
    assert re.findall(r"^\| (\d+) \|", page("exit-codes"), re.MULTILINE) == [str(code.value) for code in ExitCode]


@pytest.mark.parametrize("subject", list(RuleSubject))
def test_every_field_that_a_rule_may_ask_about_is_there(subject: RuleSubject) -> None:
    for name, field in FIELDS[subject].items():
        assert f"| `{subject.value}.{name}` | {field.type.value} | " in page("policy")


def test_everything_in_the_python_api_is_there() -> None:
    for name in chain.from_iterable(reconciler.commands._MODULES.values()):
        assert re.search(rf"^(class|def|async def) {name}\b", page("python-api"), re.MULTILINE), name


def test_no_page_or_example_names_an_option_that_is_not_there() -> None:
    known = {option for _, command in commands(cli) for option in options(command)} | set(options(cli))
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.parent.name in {"reference", "how-to", "tutorial"}]
    for path in [*pages, ROOT / "README.md"]:
        for line in code(path):
            if re.search(r"\breconciler\b", line):
                assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)) <= known, (path.name, line)


def code(path: Path) -> Iterator[str]:
    """Yield the lines of code of a page: in blocks, and between backticks."""
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```.*?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield from (line for line in block.splitlines() if line.startswith(("$ ", "      - run", "    - reconciler")))
    yield from re.findall(r"`([^`\n]+)`", text)
