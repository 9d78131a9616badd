"""Whole runs of ``adopt``: what somebody did by hand comes into the files, and nothing else changes in them."""

from __future__ import annotations

from tests.adopt.acme import adopted, user
from tests.support.project import Project


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


class TestFiles:
    def test_line_ends_stay(self, acme: Project) -> None:
        path = acme.folder / "teams/research.yaml"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        acme.sandbox.set_group("ops", "root@acme.io", "bob@acme.io")
        assert acme.run("adopt").code == 0
        assert acme.run("drift").code == 0
        content = path.read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n")

    def test_a_pending_rename_is_taken_back(self, acme: Project) -> None:
        path = acme.folder / "teams/research.yaml"
        text = path.read_text().replace("name: research ", "name: science\n    was: research ")
        path.write_text(text.replace("group: research", "group: science").replace("[research]", "[science]"))
        assert adopted(acme, "--all", "--yes") == [
            "-  - name: science",
            "-    was: research  # the first group",
            "+  - name: research",
            "-    group: science",
            "+    group: research",
            "-    groups: [science]",
            "+    groups: [research]",
        ]

    def test_the_plan_asks_about_a_rename(self, acme: Project) -> None:
        path = acme.folder / "teams/research.yaml"
        text = path.read_text().replace("name: research ", "name: science ")
        path.write_text(text.replace("group: research", "group: science").replace("[research]", "[science]"))
        planned = acme.run("plan")
        question = "Renamed?    is group science the former research (the same people and accounts)? Then write "
        assert question + "was: research at teams/research.yaml:3" in planned.stdout
        (hint,) = acme.run("plan", "--format", "json").json["possible_renames"]
        assert (hint["kind"], hint["old"], hint["new"], hint["likeness"]) == (
            "group",
            "research",
            "science",
            ["same_members"],
        )
        path.write_text(path.read_text().replace("name: science ", "name: science\n    was: research "))
        assert "Renamed?" not in acme.run("plan").stdout
