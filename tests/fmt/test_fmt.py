"""``reconciler fmt``: one style, the same meaning, every comment."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.declaration.fmt.canonical import canonical
from reconciler.declaration.fmt.printer import Printer
from reconciler.declaration.source import read_yaml
from reconciler.errors import SourceError
from reconciler.yaml.comments import comments
from reconciler.yaml.nodes import read_nodes
from reconciler.yaml.values import same_values
from tests.adopt.yaml_texts import Writer, random_text
from tests.fmt.odd_texts import ODD, emitted, mutated
from tests.support.project import EXAMPLES, Project


def said(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return sorted(comment.text for comment in comments(text, read_nodes(text)))


def assert_formatted(text: str) -> None:
    formatted = canonical(text, "x")
    assert same_values(read_yaml(formatted, "x").root, read_yaml(text, "x").root)
    assert said(formatted) == said(text)
    assert canonical(formatted, "x") == formatted


def assert_formatted_if_valid(text: str) -> None:
    try:
        read_yaml(text, "x")
    except SourceError:
        return
    assert_formatted(text)


@pytest.mark.parametrize("text", ODD.values(), ids=list(ODD))
def test_an_odd_file_keeps_its_meaning_and_its_comments(text: str) -> None:
    assert_formatted(text)


EVERY_TEXT = [*ODD.values(), *(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*/**/*.yaml")))]


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_a_file_with_something_in_another_place_keeps_its_meaning_and_its_comments(seed: int) -> None:
    choose = random.Random(seed)
    text = choose.choice(EVERY_TEXT) if choose.random() < 0.7 else random_text(seed)[0]
    assert_formatted_if_valid(mutated(text, choose))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_what_another_library_writes_keeps_its_meaning_and_its_comments(seed: int) -> None:
    assert_formatted_if_valid(emitted(random.Random(seed)))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_meaning_and_comments_stay_and_a_second_run_changes_nothing(seed: int) -> None:
    text, values, written = random_text(seed)
    formatted = canonical(text, "x")
    assert same_values(read_yaml(formatted, "x").root, values)
    assert said(formatted) == sorted(written)
    assert canonical(formatted, "x") == formatted


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(item, order)) for key, item in value.items()]
        return dict(order.sample(items, len(items)))
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/**/*.yaml")), ids=lambda path: path.name)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_files_written_in_any_order_and_style_become_one_text(path: Path, seed: int) -> None:
    root = read_yaml(path.read_text(encoding="utf-8"), "x").root
    if not {"members", "groups", "service_accounts"} & root.keys():
        return
    writer = Writer(seed)
    text = writer.mapping(shuffled(root, writer.random), 0)
    formatted = canonical(text, "x")
    assert same_values(read_yaml(formatted, "x").root, root)
    assert said(formatted) == sorted(writer.comments)


BEFORE = """\
# yaml-language-server: $schema=x

# The head.
members:   # everybody
# the first
- {  role: admin,email: root@acme.io}   # root
-   email: 'ada@acme.io'   # ada
    # her role
    role: "user"
# of the workspace
workspace: {server: 'https://api.clear.ml', name: acme}
version: 1


groups:
    -   members: [ root@acme.io,   # one
          ada@acme.io ]
        description: >-
            Folded
            text


        name: it's

    - name: 'say "hi"'
      members:
      - root@acme.io
vaults:
- data: |  # inline
    a: 1

      b: 2
  group: it's
  name: v
"""
AFTER = """\
# yaml-language-server: $schema=x

# The head.
version: 1
# of the workspace
workspace: {name: acme, server: "https://api.clear.ml"}

members:   # everybody
  # the first
  - {email: root@acme.io, role: admin}   # root
  - email: "ada@acme.io"   # ada
    # her role
    role: "user"

groups:
  - name: it's
    description: >-
      Folded
      text
    members:
      - root@acme.io   # one
      - ada@acme.io

  - name: 'say "hi"'
    members:
      - root@acme.io

vaults:
  - name: v
    group: it's
    data: |  # inline
      a: 1

        b: 2
"""


def test_the_style() -> None:
    assert canonical(BEFORE, "x") == AFTER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{version: 1, members: []}", "version: 1\n\nmembers: []\n"),
        ("---\nversion: 1\n", "---\nversion: 1\n"),
        ("version: 1\r\nmembers: [ ]\r\n", "version: 1\r\n\r\nmembers: []\r\n"),
        ("members: &m\n- &a {email: x}\ngroups: [*a]\n", "members: &m\n  - &a {email: x}\n\ngroups: [*a]\n"),
        ("groups:\n- description: |2\n     x\n    y\n  name: a\n", None),
        ("groups:\n- description: |+\n    x\n\n  name: a\n", 'groups:\n  - name: a\n    description: "x\\n\\n"\n'),
        ("manage:\n  groups:\n  members: all\n", "manage:\n  members: all\n  groups:\n"),
        ("# only\nversion: 1\n# the end", "# only\nversion: 1\n# the end\n"),
        ("vaults:\n- - a\n  - {b: 1}\n", "vaults:\n  - - a\n    - {b: 1}\n"),
        ('a: "x \\u00e9"\nb: "two\n  lines"\n', 'a: "x \\u00e9"\nb: "two lines"\n'),
        (
            f"members:\n- {{email: {'x' * 60}, name: {'y' * 60}}}\n",
            f"members:\n  - email: {'x' * 60}\n    name: {'y' * 60}\n",
        ),
    ],
)
def test_unusual_files(before: str, after: str | None) -> None:
    formatted = canonical(before, "x")
    assert canonical(formatted, "x") == formatted
    if after is not None:
        assert formatted == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("vaults: []\ngroups: []\n# end\n", "groups: []\n# end\n\nvaults: []\n"),
        ("vaults: []\ngroups: []\n\n# end\n", "groups: []\n\nvaults: []\n\n# end\n"),
        ("vaults: []\ngroups:\n  - a\n# - b\n", "groups:\n  - a\n# - b\n\nvaults: []\n"),
        ("policy: {}\nversion: 1\n# of it\n", "version: 1\n# of it\n\npolicy: {}\n"),
        ("version: 1\n# of it\n\nmembers: []\n", "version: 1\n# of it\n\nmembers: []\n"),
        ("members: []\n  # - a\ngroups: []\n", "members: []\n  # - a\n\ngroups: []\n"),
        ("members:\n      # far\n- a\n", "members:\n  # far\n  - a\n"),
        ("members: [\n  # nobody\n]\n", "members: []\n  # nobody\n"),
        ("a:\n  # why\n  b\n", "# why\na: b\n"),
        ("a: &x\n  # why\n  b\nc: *x\n", "# why\na: &x b\nc: *x\n"),
        ("version: 1\n... # c\n# d\n", "version: 1\n... # c\n# d\n"),
        ("--- {version: 1}\n", "---\nversion: 1\n"),
        ("a: 1\rb: 2\r", "a: 1\nb: 2\n"),
        ("a: &x b\n*x : 1\n", "a: &x b\n*x : 1\n"),
        ("&k a: b\nc: *k\n", "&k a: b\nc: *k\n"),
        ("a: !!str\nb: [!!str , -]\n", 'a: ""\nb: ["", "-"]\n'),
        ("!!str :\n  - a\n", '"":\n  - a\n'),
        ("a: {! : b}\n", 'a: {"": b}\n'),
    ],
)
def test_each_thing_stays_at_what_it_stood_at(before: str, after: str) -> None:
    assert canonical(before, "x") == after
    assert canonical(after, "x") == after


@pytest.mark.parametrize(
    ("block", "after"),
    [
        ("|\n    one\n    two \n", "|\n  one\n  two \n"),
        ("|\n    one\n    two", "|-\n  one\n  two\n"),
        ("|+\n    one\n    two\n", "|\n  one\n  two\n"),
        ("|+\n    one\n    two\n\n\n", "|+\n  one\n  two\n\n\n"),
        (">+\n    one\n    two\n\n\n", ">+\n  one\n  two\n\n\n"),
        (">-\n    one\n    two\n\n\n", ">-\n  one\n  two\n"),
        (">2\n    one\n  two\n", ">2\n    one\n  two\n"),
        ("|1\n   one\n two\n", "|2\n    one\n  two\n"),
        ("|\n    one\n       \n", "|\n  one\n     \n"),
        ("|\n", '""\n'),
        ("|+\n\n", '"\\n"\n'),
    ],
)
def test_a_block_stays_the_string_that_it_is(block: str, after: str) -> None:
    assert canonical(f"a: {block}", "x") == f"a: {after}"
    inner = block.replace("\n", "\n    ").rstrip(" ")
    assert_formatted(f"b:\n  - c: 1\n    a: {inner}")


def test_what_the_printer_gets_wrong_is_left_and_said_with_its_place(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No text is known that the printer gets wrong; so it is made to."""
    right = Printer._key
    monkeypatch.setattr(Printer, "_key", lambda self, node: right(self, node).replace("description", "name"))
    project.declare("groups:\n- name: a\n- name: b\n  description: c\n")
    before = (project.folder / "workspace.yaml").read_text()
    result = project.run("fmt")
    assert result.code == 3
    assert "workspace.yaml:6:1: this cannot be written in the canonical style: it could not be read" in result.stderr
    assert (project.folder / "workspace.yaml").read_text() == before


class TestTheCommand:
    def write(self, project: Project) -> None:
        project.write_file("workspace.yaml", BEFORE.replace("version: 1", "version: 1\ninclude: [teams/*.yaml]"))
        project.write_file("teams/a.yaml", "groups:\n- name: a\n")

    def test_it_formats_the_files_and_what_they_include(self, project: Project) -> None:
        self.write(project)
        checked = project.run("fmt", "--check")
        assert checked.code == 2
        assert "would change  teams/a.yaml" in checked.stderr
        assert (project.folder / "teams/a.yaml").read_text() == "groups:\n- name: a\n"
        result = project.run("fmt")
        assert (result.code, result.stdout) == (0, ""), result
        assert (project.folder / "teams/a.yaml").read_text() == "groups:\n  - name: a\n"
        assert project.run("fmt", "--check").code == 0

    def test_a_diff_writes_nothing(self, project: Project) -> None:
        self.write(project)
        result = project.run("fmt", "--diff")
        assert result.code == 0
        assert (
            "--- teams/a.yaml\n+++ teams/a.yaml\n@@ -1,2 +1,2 @@\n groups:\n-- name: a\n+  - name: a\n" in result.stdout
        )
        assert (project.folder / "teams/a.yaml").read_text() == "groups:\n- name: a\n"
        assert project.run("fmt", "--diff", "--check").code == 2

    def test_a_file_that_is_no_yaml_stops_it(self, project: Project) -> None:
        self.write(project)
        project.write_file("teams/b.yaml", "groups: [\n")
        result = project.run("fmt")
        assert result.code == 3
        assert "teams/b.yaml:2:1" in result.stderr
        assert (project.folder / "teams/a.yaml").read_text() == "groups:\n- name: a\n"

    def test_mode_and_byte_order_mark_stay(self, project: Project) -> None:
        path = project.folder / "workspace.yaml"
        path.write_bytes(b"\xef\xbb\xbfgroups:\n- name: a\n")
        path.chmod(0o600)
        assert project.run("fmt").code == 0
        assert path.read_bytes() == b"\xef\xbb\xbfgroups:\n  - name: a\n"
        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("name", ["small-team", "large-organization"])
    def test_the_examples_are_formatted(self, project: Project, name: str) -> None:
        shutil.copytree(EXAMPLES / name, project.folder / name)
        result = project.run("fmt", "--check", "--diff", f"{name}/workspace.yaml")
        assert result.code == 0, result


def test_what_import_writes_is_formatted(project: Project) -> None:
    project.declare(
        dedent(
            """
            members: [{email: root@acme.io, role: admin}]
            groups: [{name: "a: #b", members: [root@acme.io]}]
            vaults: [{name: v, group: "a: #b", data: "a: 1"}]
            """
        )
    )
    project.converge()
    assert project.run("import", "--server", project.sandbox.server, "--out", "imported").code == 0
    result = project.run("fmt", "--check", "--diff", "imported/workspace.yaml")
    assert result.code == 0, result
