"""Both sides moved: what changed outside comes into the files, and what is not yet applied stays in them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.adopt.acme import changed, files, user
from tests.support.terminal import Terminal, program_environment

if TYPE_CHECKING:
    from tests.support.project import Project

NO_RECORD = ("--record", "none")


def edit(project: Project, old: str, new: str, path: str = "workspace.yaml") -> None:
    file = project.folder / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def local_edits(acme: Project) -> None:
    """A hire who also joins a group, a leaver, and a description: none of it applied yet."""
    edit(acme, "  - email: cyd@acme.io", "  - {email: hire@acme.io}\n  - email: cyd@acme.io")
    edit(acme, "members: [ada@acme.io, bob@acme.io]", "members: [ada@acme.io, hire@acme.io]", "teams/research.yaml")
    edit(acme, "  # bob is a contractor\n  - {email: bob@acme.io}   # until June\n", "")
    edit(acme, 'description: "People, who research"', "description: Explorers", "teams/research.yaml")


def committed(project: Project) -> None:
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@acme.io", "-C", str(project.folder))
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "applied")):
        subprocess.run((*git, *command), check=True, capture_output=True)


@pytest.mark.parametrize("third", [(), ("--base", "HEAD", *NO_RECORD)], ids=["the record", "a commit"])
class TestBothSidesMoved:
    @pytest.fixture(autouse=True)
    def _committed(self, acme: Project) -> None:
        committed(acme)

    def test_local_edits_survive_and_changes_outside_come_in(self, acme: Project, third: tuple[str, ...]) -> None:
        local_edits(acme)
        acme.sandbox.call("users.set_role", user=user(acme, "cyd@acme.io"), role="admin")
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        result = acme.run("adopt", *third)
        assert result.code == 0, result
        assert changed(before, files(acme)) == ["-      - cyd@acme.io", '-    role: "user"', '+    role: "admin"']
        assert "kept     member:hire@acme.io (not yet applied)" in result.stderr
        assert "kept     member:bob@acme.io (not yet applied)" in result.stderr
        assert "kept     group:research: description (not yet applied)" in result.stderr

    def test_of_a_group_that_both_changed_only_what_changed_outside_is_taken(
        self, acme: Project, third: tuple[str, ...]
    ) -> None:
        edit(acme, "      - cyd@acme.io\n", "      - cyd@acme.io\n      - bob@acme.io\n", "teams/research.yaml")
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        result = acme.run("adopt", "group:ops", *third)
        assert result.code == 0, result
        assert changed(before, files(acme)) == ["-      - cyd@acme.io"]
        assert "kept     group:ops: members bob@acme.io (not yet applied)" in result.stderr

    def test_a_conflict_is_left_to_somebody_who_decides(self, acme: Project, third: tuple[str, ...]) -> None:
        edit(acme, 'role: "user"', 'role: "consumer"')
        acme.sandbox.call("users.set_role", user=user(acme, "cyd@acme.io"), role="admin")
        before = files(acme)
        left = acme.run("adopt", *third)
        assert left.code == 2, left
        assert "kept     member:cyd@acme.io: role (changed on both sides)" in left.stderr
        assert "--ours keeps what the files say, and --theirs takes what the workspace has" in left.stderr
        assert acme.run("adopt", "--ours", *third).code == 0
        assert files(acme) == before
        assert acme.run("adopt", "--theirs", *third).code == 0
        assert changed(before, files(acme)) == ['-    role: "consumer"', '+    role: "admin"']

    def test_who_was_removed_from_the_files_and_changed_outside_is_a_conflict(
        self, acme: Project, third: tuple[str, ...]
    ) -> None:
        local_edits(acme)
        acme.sandbox.call("users.set_role", user=user(acme, "bob@acme.io"), role="admin")
        result = acme.run("adopt", *third)
        assert result.code == 2, result
        assert "kept     member:bob@acme.io (changed on both sides)" in result.stderr

    def test_what_was_made_outside_comes_in_and_what_was_declared_since_stays(
        self, acme: Project, third: tuple[str, ...]
    ) -> None:
        edit(acme, "groups:\n", "groups:\n  - name: planned\n    members: [ada@acme.io]\n", "teams/research.yaml")
        acme.sandbox.set_group("by hand", "ada@acme.io")
        before = files(acme)
        result = acme.run("adopt", *third)
        assert result.code == 0, result
        assert "+  - name: by hand" in changed(before, files(acme))
        assert "- name: planned" in files(acme)["teams/research.yaml"]
        assert "kept     group:planned (not yet applied)" in result.stderr

    def test_documents_follow_the_side_that_moved(self, acme: Project, third: tuple[str, ...]) -> None:
        edit(acme, "agent.x: 1", "agent.x: 2", "vaults/agent.conf")
        acme.sandbox.set_vault("inline", "ops", "a: 1\n# note in the document\nb: 3\n")
        before = files(acme)
        result = acme.run("adopt", *third)
        assert result.code == 0, result
        assert changed(before, files(acme)) == ["-      b: 2", "+      b: 3"]
        assert "kept     vault:agent/agent: document (not yet applied)" in result.stderr


class TestWithoutAnythingToGoBy:
    def test_it_says_what_it_needs(self, acme: Project) -> None:
        local_edits(acme)
        before = files(acme)
        result = acme.run("adopt", *NO_RECORD)
        assert result.code == 64, result
        assert "it is not known what was applied last" in result.stderr
        assert "--base REV" in result.stderr
        assert files(acme) == before

    def test_all_lists_what_it_reverts_and_asks(self, acme: Project) -> None:
        local_edits(acme)
        before = files(acme)
        assert acme.run("adopt", "--all", *NO_RECORD).code == 64
        assert files(acme) == before
        done = acme.run("adopt", "--all", "--yes", *NO_RECORD)
        assert done.code == 0, done
        assert "reverted  member:hire@acme.io (not known to have changed outside)" in done.stderr
        assert acme.run("drift", *NO_RECORD).code == 0

    def test_all_reverts_nothing_if_somebody_says_no(self, acme: Project) -> None:
        local_edits(acme)
        before = files(acme)
        environment = program_environment(acme.folder / "home", **acme.environment)
        terminal = Terminal("adopt", "--all", folder=acme.folder, environment=environment)
        terminal.wait_for("Revert these edits of the files?")
        terminal.type("n\n")
        assert terminal.end() == 130
        assert "would revert  member:hire@acme.io (not yet applied)" in terminal.screen
        assert files(acme) == before

    def test_what_is_named_is_taken(self, acme: Project) -> None:
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        assert acme.run("adopt", "group:o*", *NO_RECORD).code == 0
        assert changed(before, files(acme)) == ["-      - cyd@acme.io"]


class TestABase:
    @pytest.mark.parametrize(
        ("revision", "said"),
        [("nothing-like-it", "git knows no commit nothing-like-it"), ("--help", "git knows no commit --help")],
    )
    def test_that_is_no_commit(self, acme: Project, revision: str, said: str) -> None:
        committed(acme)
        result = acme.run("adopt", f"--base={revision}")
        assert (result.code, said in result.stderr) == (64, True), result

    def test_outside_of_git(self, acme: Project) -> None:
        result = acme.run("adopt", "--base", "HEAD")
        assert result.code == 64, result
        assert "is in no git repository" in result.stderr
