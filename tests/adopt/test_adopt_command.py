"""The command: keys, what is left and why, and all files or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adopt.acme import BODY, S3, adopted, changed, files, user
from tests.support.project import Project
from tests.support.runner import Result
from tests.support.wires import Calls


class TestTheCommand:
    def test_a_diff_writes_nothing(self, acme: Project) -> None:
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        result = acme.run("adopt", "--diff")
        assert result.code == 0, result
        assert "-      - cyd@acme.io\n" in result.stdout
        assert "+++ teams/research.yaml" in result.stdout
        assert files(acme) == before

    def test_a_diff_hides_what_was_written_in_the_clear(self, acme: Project) -> None:
        acme.write_file("vaults/s3.conf", f'{S3}a.password: "in-the-clear-in-the-file"\n')
        result = acme.run("adopt", "--all", "--diff")
        assert result.code == 0, result
        assert "in-the-clear" not in result.output
        assert "\n-(hidden)\n" in result.stdout
        assert '   token: "@{TOKEN}"' in result.stdout

    def test_it_only_reads(self, acme: Project) -> None:
        acme.sandbox.set_group("ops", "root@acme.io")
        before, calls = acme.sandbox.truth(), Calls()
        assert acme.run("adopt", wire=calls.wire).code == 0
        assert calls.writes == []
        assert acme.sandbox.truth() == before

    def test_what_would_not_be_valid_is_not_written(self, acme: Project) -> None:
        acme.declare(BODY, policy="min_admins: 2, max_removals: 100%")
        acme.sandbox.call("users.set_role", user=user(acme, "ada@acme.io"), role="user")
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        result = acme.run("adopt")
        assert result.code == 3, result
        assert "workspace.yaml:3:22: 1 admin is declared, `policy.min_admins` wants at least 2" in result.stderr
        assert "Nothing was written" in result.stderr
        assert files(acme) == before

    def test_a_name_that_cannot_be_declared_is_left(self, acme: Project) -> None:
        acme.sandbox.set_group("evil\x1b[31m\u202e", "root@acme.io")
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        result = acme.run("adopt")
        assert result.code == 2
        assert "Left: group:evil\\x1b[31m\\u202e: its name holds a line break" in result.stderr
        assert changed(before, files(acme)) == ["-      - cyd@acme.io"]

    def test_a_member_of_a_group_has_to_be_declared_too(self, acme: Project) -> None:
        acme.sandbox.add_member("dan@acme.io")
        acme.sandbox.set_group("new", "dan@acme.io")
        result = acme.run("adopt", "group:new")
        assert result.code == 2
        assert "Left: group:new: member:dan@acme.io is not declared: adopt it too" in result.stderr
        assert acme.run("adopt", "group:new", "member:dan@acme.io").code == 0
        assert acme.run("drift").code == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("group:nobody",), "group:nobody is neither declared nor live"),
            (("group:op",), "did you mean group:ops?"),
            (("oops", "group:ops"), "oops is neither a key nor the last argument"),
        ],
    )
    def test_wrong_keys(self, acme: Project, arguments: tuple[str, ...], said: str) -> None:
        result = acme.run("adopt", *arguments)
        assert (result.code, said in result.stderr) == (64, True), result

    def test_the_file_is_the_last_argument(self, acme: Project) -> None:
        acme.sandbox.set_group("ops", "root@acme.io")
        assert acme.run("adopt", "group:ops", "workspace.yaml").code == 0
        assert acme.run("drift").code == 0

    def test_what_is_left_alone_can_be_declared_by_its_key(self, acme: Project) -> None:
        acme.declare("manage: {groups: declared}\n" + BODY)
        acme.sandbox.set_group("theirs", "ada@acme.io")
        assert adopted(acme) == []
        assert adopted(acme, "group:theirs")[1] == "+  - name: theirs"


def test_a_shared_anchor_is_left_and_the_rest_is_adopted(project: Project) -> None:
    project.declare(
        """
        members:
          - {email: root@acme.io, role: admin}
          - {email: ada@acme.io}
        groups:
          - name: one
            members: &team [root@acme.io, ada@acme.io]
          - name: two
            members: *team
          - name: three
            members: []
        """
    )
    project.sandbox.add_member("ada@acme.io")
    project.converge()
    project.sandbox.set_group("one", "root@acme.io")
    project.sandbox.set_group("three", "root@acme.io")
    before = files(project)
    result: Result = project.run("adopt")
    assert result.code == 2, result
    assert "Left: group:one: it shares its content with others (an anchor)" in result.stderr
    assert changed(before, files(project)) == ["-    members: []", "+    members: [root@acme.io]"]
    project.sandbox.set_group("two", "ada@acme.io")
    project.sandbox.set_group("one", "root@acme.io", "ada@acme.io")
    assert project.run("adopt").code == 0
    assert "members: [ada@acme.io]" in files(project)["workspace.yaml"]
    assert project.run("drift").code == 0


def test_it_works_on_the_examples(tmp_path: Path, small_team: Project) -> None:
    server = ("--server", small_team.sandbox.server)
    (tmp_path / "out").mkdir(exist_ok=True)
    assert small_team.apply(*server).code == 0
    small_team.sandbox.accept("ada@acme.io", "lena@acme.io", "tom@acme.io")
    assert small_team.apply(*server).code == 0
    small_team.sandbox.set_group("operators", "root@acme.io", "lena@acme.io")
    before = files(small_team)
    assert small_team.run("adopt", *server).code == 0
    assert changed(before, files(small_team)) == [
        "-    members: [root@acme.io, tom@acme.io]",
        "+    members: [root@acme.io, lena@acme.io]",
    ]
