"""Vault documents that are adopted: to their files, with references for secrets."""

from __future__ import annotations

import pytest

from tests.adopt.acme import S3, TOKEN, adopted, changed, files
from tests.support.project import Project

SECRET = "hunter2-live-secret-value"


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

    @pytest.mark.parametrize("known", [None, "another-value-here"])
    def test_a_secret_under_another_name_is_not_written_where_nobody_can_know_it(
        self, known: str | None, acme: Project
    ) -> None:
        acme.sandbox.set_vault("s3", "research", f'harmless.name: "{TOKEN}"\n')
        del acme.environment["TOKEN"]
        if known:
            acme.environment["TOKEN"] = known
        before = files(acme)
        result = acme.run("adopt", "--theirs")
        assert result.code == 2, result
        assert "the secret TOKEN is not where it was, and may be in it under another name" in result.stderr
        assert changed(before, files(acme)) == []
        assert TOKEN not in result.output

    def test_a_secret_that_is_gone_is_gone(self, acme: Project) -> None:
        acme.sandbox.set_vault("s3", "research", "sdk.aws.s3.region: us\n")
        assert acme.run("adopt").code == 0
        assert "TOKEN" not in "".join(files(acme).values())

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


def set_own_vault(project: Project, account: str, data: str, **fields: str) -> None:
    vault = {"description": account, "data": data, "format": "hocon", "type": "config", "scope": "user"} | fields
    known = project.sandbox.truth().vaults.get(f"{vault['description']} → {account}")
    identity = {"id": known.id} if known is not None else {}
    project.sandbox.acting_as(account, "users.add_or_update_vault", vault=vault | identity)


class TestOwnVaults:
    def test_its_document(self, acme: Project) -> None:
        set_own_vault(acme, "agent", "agent.x: 2\n")
        assert adopted(acme) == ["-agent.x: 1", "+agent.x: 2"]

    def test_one_that_is_gone(self, acme: Project) -> None:
        identifier = acme.sandbox.truth().vaults["agent → agent"].id
        acme.sandbox.acting_as("agent", "users.delete_vaults", vaults=[identifier])
        before = files(acme)
        result = acme.run("adopt", "vault:agent/agent")
        assert result.code == 0, result
        assert "vaults/agent.conf is not used any more" in result.stderr
        assert changed(before, files(acme)) == [
            "-    vault: {format: hocon, file: vaults/agent.conf}",
            "+    vault: null",
        ]
        before = files(acme)
        set_own_vault(acme, "agent", "agent.y: 1\n")
        assert acme.run("adopt", "--theirs").code == 0
        assert changed(before, files(acme)) == [
            "+agent.y: 1",
            "-    vault: null",
            "+    vault: {format: hocon, file: vaults/agent-2.conf}",
        ]
        assert acme.run("plan", "--detailed-exitcode", "--allow", "identity-changed").code == 0


class TestFormats:
    def declare(self, project: Project, entry: str, **documents: str) -> None:
        project.environment["TOKEN"] = TOKEN
        project.declare(
            "members:\n  - {email: root@acme.io, role: admin}\ngroups:\n  - {name: ops, members: [root@acme.io]}\n"
            f"vaults:\n  - name: v\n    group: ops\n{entry}"
        )
        for path, text in documents.items():
            project.write_file(f"vaults/{path.replace('_', '.')}", text)
        project.converge()

    def test_yaml_that_is_sent_as_json_keeps_its_comments(self, project: Project) -> None:
        self.declare(
            project,
            "    file: vaults/v.yaml\n    secrets: {TOKEN: {env: TOKEN}}\n",
            v_yaml="# head\na: 1  # one\nlist: [x, y]\ntoken: '@{TOKEN}'  # secret\n",
        )
        data = f'{{"a": 2, "list": ["x", "z"], "token": "{TOKEN}", "b": {{"c": true}}}}'
        project.sandbox.set_vault("v", "ops", data, format="json")
        assert adopted(project) == [
            "-a: 1  # one",
            "-list: [x, y]",
            "+a: 2  # one",
            "+list: [x, z]",
            "+b: {c: true}",
        ]

    def test_another_format(self, project: Project) -> None:
        self.declare(project, "    file: vaults/v.conf\n", v_conf="a: 1\n")
        project.sandbox.set_vault("v", "ops", '{"a": 2}', format="json")
        assert adopted(project) == ["-a: 1", '+{"a": 2}', "+    format: json"]

    def test_a_secret_within_a_text(self, project: Project) -> None:
        text = 'url: "https://user:@{TOKEN}@host/x"\nregion: "eu"\n'
        self.declare(project, "    file: vaults/v.conf\n    secrets: {TOKEN: {env: TOKEN}}\n", v_conf=text)
        live = text.replace("@{TOKEN}", TOKEN).replace('"eu"', '"us"')
        project.sandbox.set_vault("v", "ops", live)
        assert adopted(project) == ['-region: "eu"', '+region: "us"']
        del project.environment["TOKEN"]
        project.sandbox.set_vault("v", "ops", live.replace('"us"', '"ap"'))
        before = files(project)
        assert project.run("adopt", "--theirs").code == 0
        assert changed(before, files(project)) == ['-region: "us"', '+region: "ap"']

    def test_a_file_of_two_vaults(self, project: Project) -> None:
        self.declare(
            project,
            "    file: vaults/v.conf\n  - {name: w, group: ops, file: vaults/v.conf}\n",
            v_conf="a: 1\n",
        )
        project.sandbox.set_vault("w", "ops", "a: 2\n")
        assert adopted(project) == [
            "+a: 2",
            "-  - {name: w, group: ops, file: vaults/v.conf}",
            "+  - {name: w, group: ops, file: vaults/ops-w.conf}",
        ]

    @pytest.mark.parametrize("text", ['a: "one\\ntwo"', "a: 1\n\n\n", "  a: 1\nb: 2", "a: 1", "# only\na: 1\n"])
    def test_an_inline_document_of_any_shape(self, project: Project, text: str) -> None:
        self.declare(project, "    data: |  # inline\n      x: 1\n    enabled: true\n")
        project.sandbox.set_vault("v", "ops", text)
        result = project.run("adopt")
        assert result.code in (0, 2), result
        assert project.run("drift").code == result.code

    def test_a_document_that_cannot_be_read_is_left(self, project: Project) -> None:
        self.declare(project, "    file: vaults/v.conf\n", v_conf="a: 1\n")
        project.sandbox.set_vault("v", "ops", "a: {{{")
        before = files(project)
        result = project.run("adopt")
        assert result.code == 2, result
        assert "Left: vault:ops/v: its document cannot be written back" in result.stderr
        assert files(project) == before
