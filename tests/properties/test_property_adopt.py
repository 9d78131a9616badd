"""Whatever was done by hand: after adopting everything there is no drift, and no comment is lost that need not be."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from property_profiles import PROFILE
from workspaces import Team, as_declaration, as_state, declared_teams, secrets_of

from reconciler.declaration.fmt.attach import BLANK, Element, attach
from reconciler.declaration.source import read_yaml
from reconciler.yaml.comments import comments
from reconciler.yaml.nodes import ScalarNode, line_end, line_start, read_nodes
from tests.adopt.yaml_texts import Writer
from tests.support.project import Project, new_project

LISTS = ("members", "service_accounts", "groups", "vaults")
ANOTHER_SECRET = re.compile(r"the secret \S+ is another one live")


@contextmanager
def edited_by_hand(live: Team, declared: Team, seed: int) -> Iterator[Project]:
    """Yield a project whose files, in random styles and full of comments, say something else than the workspace."""
    declaration = as_declaration(declared)
    writer = Writer(seed)
    with tempfile.TemporaryDirectory() as folder:
        project = new_project(Path(folder))
        (project.folder / "out").mkdir()
        project.sandbox.load(as_state(live))
        project.environment.update(declaration.variables)
        parts = [{key: [] for key in LISTS}, {key: [] for key in LISTS}]
        for key in LISTS:
            for entry in declaration.content[key]:
                writer.random.choice(parts)[key].append(entry)
        project.declare("include: [more.yaml]\n" + writer.mapping(parts[0], 0), policy="min_admins: 1")
        (project.folder / "more.yaml").write_text(writer.mapping(parts[1], 0), encoding="utf-8")
        yield project


def texts(project: Project) -> dict[str, str]:
    return {name: (project.folder / name).read_text(encoding="utf-8") for name in ("workspace.yaml", "more.yaml")}


def identity(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry.get(key)) for key in ("email", "name", "group", "label"))


def whose(text: str) -> dict[str, list[Element]]:
    """Return for each comment the elements that it stands in, the innermost first."""
    root = read_nodes(text)
    found: dict[str, list[Element]] = {}
    for element in attach(text, root).elements.values():
        chain, one = [], element
        while one is not None:
            chain.append(one)
            one = one.parent
        for comment in (*element.leading, *(said for _, said in element.inline), *element.tail):
            found[comment.strip()] = chain
    found.pop(BLANK, None)
    return found


def may_go(chain: list[Element], left: dict[tuple[str, ...], dict[str, Any]]) -> bool:
    """Tell whether a comment's entry is gone, or its name in a list, or what a document or an account had.

    What says how a document is sent takes its comment along only where the key itself is gone.
    """
    entries = [one.value.value for one in chain if isinstance(one.value.value, dict)]
    gone = any(identity(entry) not in left for entry in entries if "name" in entry or "email" in entry)
    is_name = isinstance(chain[0].value, ScalarNode) and len(chain) > 3
    inner = any(one.node.value in ("secrets", "vault", "credentials", "data") for one in chain)
    sending = any(one.node.value == "send_as" for one in chain)
    unsent = sending and not any("send_as" in left.get(identity(entry), {}) for entry in entries)
    return gone or is_name or inner or unsent


@PROFILE
@given(declared_teams, declared_teams, st.integers(0, 2**32))
def test_after_adopting_everything_nothing_drifts(live: Team, declared: Team, seed: int) -> None:
    with edited_by_hand(live, declared, seed) as project:
        before = texts(project)
        if project.run("validate").code != 0:
            event("not valid before")
            return
        truth = project.sandbox.truth()
        result = project.run("adopt", "--all", "--yes")
        assert project.sandbox.truth() == truth
        assert result.code in (0, 2), result
        left = [line for line in result.stderr.splitlines() if line.startswith("Left:")]
        told = ANOTHER_SECRET.findall(result.stderr)
        explained = ("comment", "under another name", "clients read the live document otherwise", "with which role")
        assert all(told or any(words in line for words in explained) for line in left), result
        event(f"{len(result.stdout.splitlines()) // 3 * 3}+ adopted, {'something' if left else 'nothing'} left")
        if not any(words in line for line in left for words in explained):
            planned = project.run("plan", "--without-secrets", "--detailed-exitcode")
            assert planned.code == 0, planned
        after = texts(project)
        still = {said.text for text in after.values() for said in comments(text, read_nodes(text))}
        entries = {
            identity(entry): entry
            for text in after.values()
            for key in LISTS
            for entry in read_yaml(text, "x").root.get(key, ())
        }
        for text in before.values():
            for comment, chain in whose(text).items():
                assert comment in still or may_go(chain, entries), (comment, result)
        written = "".join(
            path.read_text(encoding="utf-8")
            for path in project.folder.rglob("*")
            if path.suffix in (".yaml", ".conf", ".json") and "out" not in path.parts
        )
        assert not any(secret in written + result.output for secret in secrets_of(live, declared))


@PROFILE
@given(declared_teams.filter(lambda team: team.groups), st.integers(0, 2**32))
def test_one_key_changes_only_lines_of_its_entry(declared: Team, seed: int) -> None:
    choose = random.Random(seed)
    people = sorted({*declared.members, *declared.accounts})
    groups = {name: frozenset(one for one in people if choose.random() < 0.5) for name in declared.groups}
    live = replace(declared, groups=groups)
    with edited_by_hand(live, declared, seed) as project:
        planned = project.run("plan", "--without-secrets", "--format", "json")
        if planned.code not in (0, 4):
            event("no plan")
            return
        updates = [
            change for change in planned.json["changes"] if change["action"] == "update" and change["kind"] == "group"
        ]
        if not updates:
            event("no group differs")
            return
        change = choose.choice(updates)
        before = texts(project)
        result = project.run("adopt", f"group:{change['title']}")
        if result.code == 2:
            event("left")
            return
        assert result.code == 0, result
        for name, text in before.items():
            after = texts(project)[name]
            if after != text:
                first, last = lines_of_group(text, change["title"])
                old, new = text.splitlines(), after.splitlines()
                assert old[:first] == new[:first]
                assert old[last + 1 :] == new[len(new) - len(old[last + 1 :]) :]
                event("changed")


def lines_of_group(text: str, name: str) -> tuple[int, int]:
    root = read_nodes(text)
    groups = root.children[list(root.value).index("groups")]
    node = next(child for child in groups.children if child.value["name"] == name)
    return text.count("\n", 0, line_start(text, node.start)), text.count("\n", 0, line_end(text, node.end))
