"""Whole runs of ``adopt``: what somebody did by hand comes into the files, and nothing else changes in them."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.runner import Result
from tests.support.wires import Calls

SECRET = "hunter2-live-secret-value"
TOKEN = "tok-declared-and-known"

BODY = """\
include: [teams/*.yaml]

# Everybody, sorted.
members:
  # the break-glass account
  - {email: root@acme.io, name: 'root', role: admin}   # never leaves
  - {email: ada@acme.io, name: "a", role: admin}
  # bob is a contractor
  - {email: bob@acme.io}   # until June
  - email: cyd@acme.io     # in several lines
    role: "user"

service_accounts:
  - name: agent
    impersonation: false   # on purpose
    credentials:
      - {label: ci, deliver: {file: out/ci.conf}}  # of CI
    vault: {format: hocon, file: vaults/agent.conf}
"""
TEAM = """\
# The team's own file.
groups:
  - name: research  # the first group
    description: "People, who research"
    members: [ada@acme.io, bob@acme.io]  # sorted
    service_accounts: [agent]

  - name: ops
    members:
      - root@acme.io   # always
      - cyd@acme.io

vaults:
  - name: s3   # storage
    group: research
    file: vaults/s3.conf
    secrets: {TOKEN: {env: TOKEN}}
  - name: inline
    group: ops
    data: |
      a: 1
      # note in the document
      b: 2

access_rules:
  - name: vision-rw  # rule
    resource: {project: Vision}
    permission: read_write
    groups: [research]
"""
S3 = '# storage of the team\nsdk.aws.s3 {\n  region: "eu"  # near\n  token: "@{TOKEN}"\n}\n'


@pytest.fixture
def acme(project: Project) -> Project:
    """A converged workspace."""
    project.environment["TOKEN"] = TOKEN
    (project.folder / "out").mkdir()
    project.declare(BODY)
    project.write_file("teams/research.yaml", TEAM)
    project.write_file("vaults/agent.conf", "agent.x: 1\n")
    project.write_file("vaults/s3.conf", S3)
    project.sandbox.add_entity("project", "Vision", "id-vision")
    project.sandbox.add_entity("project", "Audio", "id-audio")
    for email in ("ada", "bob", "cyd"):
        project.sandbox.add_member(f"{email}@acme.io")
    project.converge()
    return project


def files(project: Project) -> dict[str, str]:
    paths = [path for path in project.folder.rglob("*") if path.suffix in (".yaml", ".conf", ".json")]
    return {str(path.relative_to(project.folder)): path.read_text() for path in paths if "out" not in path.parts}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the lines that go and come, with their signs."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines += [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++")]
    return [line for line in lines if not line.startswith("@@")]


def adopted(project: Project, *keys: str) -> list[str]:
    """Adopt, and return the lines that changed; the declaration is in sync afterwards if no key was given."""
    before = files(project)
    result = project.run("adopt", *keys)
    assert result.code == 0, result
    if not keys:
        drift = project.run("drift")
        assert drift.code == 0, drift
    return changed(before, files(project))


def user(project: Project, name: str) -> str:
    return project.sandbox.truth().id_of(name)


def test_without_drift_nothing_happens(acme: Project) -> None:
    assert adopted(acme) == []


class TestMembers:
    def test_a_role(self, acme: Project) -> None:
        acme.sandbox.call("users.set_role", user=user(acme, "cyd@acme.io"), role="admin")
        assert adopted(acme) == ['-    role: "user"', '+    role: "admin"']

    def test_a_role_that_was_not_said(self, acme: Project) -> None:
        acme.sandbox.call("users.set_role", user=user(acme, "bob@acme.io"), role="admin")
        assert adopted(acme) == [
            "-  - {email: bob@acme.io}   # until June",
            "+  - {email: bob@acme.io, role: admin}   # until June",
        ]

    def test_a_new_one_comes_where_it_belongs(self, acme: Project) -> None:
        acme.sandbox.add_member("bea@acme.io")
        assert adopted(acme) == ["+  - {email: bea@acme.io, name: bea, role: user}"]

    def test_one_who_left_leaves_every_list_that_names_them(self, acme: Project) -> None:
        acme.sandbox.call("auth.delete_user", user=user(acme, "bob@acme.io"))
        assert adopted(acme) == [
            "-    members: [ada@acme.io, bob@acme.io]  # sorted",
            "+    members: [ada@acme.io]  # sorted",
            "-  # bob is a contractor",
            "-  - {email: bob@acme.io}   # until June",
        ]


class TestGroups:
    def test_members_come_and_go(self, acme: Project) -> None:
        acme.sandbox.set_group("research", "cyd@acme.io", "ada@acme.io", description="People, who research")
        acme.sandbox.set_group("ops", "ada@acme.io", "root@acme.io")
        assert adopted(acme) == [
            "-    members: [ada@acme.io, bob@acme.io]  # sorted",
            "-    service_accounts: [agent]",
            "+    members: [ada@acme.io, cyd@acme.io]  # sorted",
            "+    service_accounts: []",
            "-      - cyd@acme.io",
            "+      - ada@acme.io",
        ]

    def test_one_key_touches_its_own_lines_only(self, acme: Project) -> None:
        acme.sandbox.set_group("research", "ada@acme.io", "agent", description="Other")
        acme.sandbox.set_group("ops", "root@acme.io")
        assert adopted(acme, "group:Ops") == ["-      - cyd@acme.io"]
        assert acme.run("drift").code == 2

    def test_a_new_one(self, acme: Project) -> None:
        acme.sandbox.set_group("new: one", "bob@acme.io", "agent")
        assert adopted(acme) == [
            "+",
            '+  - name: "new: one"',
            "+    members: [bob@acme.io]",
            "+    service_accounts: [agent]",
        ]

    def test_one_that_is_gone_takes_its_vaults_along(self, acme: Project) -> None:
        vault = acme.sandbox.truth().vaults["inline → ops"]
        acme.sandbox.call("users.delete_vaults", vaults=[vault.id])
        acme.sandbox.call("permissions.delete_user_groups", groups=[user(acme, "ops")])
        lines = adopted(acme)
        assert all(line.startswith("-") for line in lines)
        assert "-  - name: inline" in lines
        assert "-      # note in the document" in lines

    def test_one_that_was_renamed_keeps_its_comments(self, acme: Project) -> None:
        acme.sandbox.call(
            "permissions.add_or_update_user_group",
            id=user(acme, "research"),
            name="science",
            description="People, who research",
            users=[user(acme, name) for name in ("ada@acme.io", "bob@acme.io", "agent")],
        )
        assert adopted(acme) == [
            "-  - name: research  # the first group",
            "+  - name: science  # the first group",
            "-    group: research",
            "+    group: science",
            "-    groups: [research]",
            "+    groups: [science]",
        ]


class TestAccounts:
    def test_flags_and_credentials(self, acme: Project) -> None:
        account = user(acme, "agent")
        acme.sandbox.call("users.update_service_user", user=account, allow_running_as_owner=True)
        acme.sandbox.acting_as("agent", "auth.create_credentials", label="by-hand")
        assert adopted(acme) == [
            "-    impersonation: false   # on purpose",
            "+    impersonation: true   # on purpose",
            "+      - {label: by-hand}",
        ]


class TestVaults:
    def test_a_value_is_changed_and_the_reference_is_kept(self, acme: Project) -> None:
        acme.sandbox.set_vault("s3", "research", S3.replace("@{TOKEN}", TOKEN).replace('"eu"', '"us"'))
        assert adopted(acme) == ['-  region: "eu"  # near', '+  region: "us"  # near']

    def test_a_new_secret_becomes_a_reference(self, acme: Project) -> None:
        text = S3.replace("@{TOKEN}", TOKEN) + f'other.secret: "{SECRET}"\n'
        acme.sandbox.set_vault("s3", "research", text)
        before = files(acme)
        result = acme.run("adopt")
        assert result.code == 0, result
        assert changed(before, files(acme)) == [
            "-    secrets: {TOKEN: {env: TOKEN}}",
            "+    secrets: {TOKEN: {env: TOKEN}, S3_OTHER_SECRET: {env: S3_OTHER_SECRET}}",
            '+other.secret: "@{S3_OTHER_SECRET}"',
        ]
        assert "S3_OTHER_SECRET" in result.stderr
        assert SECRET not in result.output + "".join(files(acme).values())
        acme.environment["S3_OTHER_SECRET"] = SECRET
        assert acme.run("drift").code == 0

    def test_a_known_secret_with_another_value_is_told_and_not_written(self, acme: Project) -> None:
        acme.sandbox.set_vault("s3", "research", S3.replace("@{TOKEN}", SECRET).replace('"eu"', '"us"'))
        result = acme.run("adopt")
        assert result.code == 2, result
        assert "the secret TOKEN is another one live" in result.stderr
        assert '"us"' in files(acme)["vaults/s3.conf"]
        assert SECRET not in result.output + "".join(files(acme).values())
        acme.environment["TOKEN"] = SECRET
        assert acme.run("drift").code == 0

    def test_secrets_that_cannot_be_had_stay_references(self, acme: Project) -> None:
        acme.sandbox.set_vault("s3", "research", S3.replace("@{TOKEN}", TOKEN).replace('"eu"', '"us"'))
        del acme.environment["TOKEN"]
        before = files(acme)
        assert acme.run("adopt").code == 0
        assert changed(before, files(acme)) == ['-  region: "eu"  # near', '+  region: "us"  # near']

    def test_an_inline_document(self, acme: Project) -> None:
        acme.sandbox.set_vault("inline", "ops", "a: 1\n# note in the document\nb: 3\n")
        assert adopted(acme) == ["-      b: 2", "+      b: 3"]

    def test_a_new_one_gets_a_file(self, acme: Project) -> None:
        acme.sandbox.set_vault("extra", "research", f'x.password: "{SECRET}"\n')
        before = files(acme)
        assert acme.run("adopt").code == 0
        assert changed(before, files(acme)) == [
            "+  - name: extra",
            "+    group: research",
            "+    format: hocon",
            "+    file: vaults/research-extra.conf",
            "+    secrets: {RESEARCH_EXTRA_X_PASSWORD: {env: RESEARCH_EXTRA_X_PASSWORD}}",
            '+x.password: "@{RESEARCH_EXTRA_X_PASSWORD}"',
        ]

    def test_one_that_is_disabled(self, acme: Project) -> None:
        acme.sandbox.set_vault("s3", "research", S3.replace("@{TOKEN}", TOKEN), enabled=False)
        assert adopted(acme, "vault:research/s3") == ["+    enabled: false"]


class TestRules:
    def test_everything_of_one(self, acme: Project) -> None:
        acme.sandbox.set_rule("vision-rw", "bob@acme.io", entity_id="id-audio", access_permission="read")
        assert adopted(acme) == [
            "-    resource: {project: Vision}",
            "-    permission: read_write",
            "-    groups: [research]",
            "+    resource: {project: Audio}",
            "+    permission: read",
            "+    members: [bob@acme.io]",
            "+    groups: []",
        ]

    def test_a_new_one(self, acme: Project) -> None:
        acme.sandbox.set_rule("audio", "research", entity_id="id-audio")
        assert adopted(acme)[0] == "+  - name: audio"


class TestTheCommand:
    def test_a_diff_writes_nothing(self, acme: Project) -> None:
        acme.sandbox.set_group("ops", "root@acme.io")
        before = files(acme)
        result = acme.run("adopt", "--diff")
        assert result.code == 0, result
        assert "-      - cyd@acme.io\n" in result.stdout
        assert "+++ teams/research.yaml" in result.stdout
        assert files(acme) == before

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
        assert "Left: group:evil\\x1b[31m\\u202e: its name cannot be declared" in result.stderr
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
    assert "Left: group:one: it shares text with others (an anchor)" in result.stderr
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
