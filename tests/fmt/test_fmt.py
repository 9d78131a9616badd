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

from reconciler.declaration.fmt.canonical import CannotFormatError, canonical
from reconciler.declaration.source import read_yaml
from reconciler.yaml.comments import comments
from reconciler.yaml.nodes import read_nodes
from reconciler.yaml.values import same_values
from tests.adopt.yaml_texts import Writer, random_text
from tests.support.project import EXAMPLES, Project


def said(text: str) -> list[str]:
    return sorted(comment.text for comment in comments(text, read_nodes(text)))


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


@pytest.mark.parametrize("text", ["!!str :\n  - a\n", "a: {! : b}\n"])
def test_a_file_that_cannot_be_formatted_is_left(text: str) -> None:
    with pytest.raises(CannotFormatError, match="written in a way that this version does not know"):
        canonical(text, "x")


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
