"""A pull request that turns the source of a secret into something that its author wants to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project

KEY = "the key of the team, of 32 bytes or more"


def declare(project: Project, source: str, policy: str = "") -> None:
    project.declare(
        f"groups: [{{name: ops}}]\n"
        f"vaults: [{{name: v, group: ops, data: 'a.key: \"@{{K}}\"', secrets: {{K: {source}}}}}]\n",
        policy=f"min_admins: 1, max_removals: 100%{policy}",
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{env: CLEARML_API_SECRET_KEY}", "comes from CLEARML_API_SECRET_KEY, a variable of this program"),
        ("{env: CLEARML_AUTH_TOKEN}", "a variable of this program"),
        ("{env: RECONCILER_KEY}", "a variable of this program"),
        ("{file: /etc/hostname}", "a file outside the declaration's folder"),
        ("{file: ../secret}", "a file outside the declaration's folder"),
        ("{file: linked}", "a file outside the declaration's folder"),
        ("{file: folder/secret}", "a file outside the declaration's folder"),
    ],
)
@pytest.mark.parametrize("command", [("validate",), ("plan",), ("apply", "--yes")], ids=lambda words: words[0])
def test_such_a_source_is_refused(source: str, said: str, command: tuple[str, ...], project: Project) -> None:
    (project.folder / "linked").symlink_to("/etc/hostname")
    (project.folder / "folder").symlink_to("/etc")
    project.environment |= {"CLEARML_API_SECRET_KEY": "secret-of-the-team", "RECONCILER_KEY": KEY}
    declare(project, source)
    result = project.run(*command)
    assert (result.code, said in result.output, "policy.sources" in result.output) == (3, True, True), result


def test_the_key_under_another_name_is_no_secret_of_a_vault(project: Project) -> None:
    project.environment |= {"RECONCILER_KEY": KEY, "S3_KEY": KEY}
    declare(project, "{env: S3_KEY}")
    result = project.run("plan")
    assert (result.code, "gives a key that this program signs in with" in result.stderr) == (3, True), result
    assert KEY not in result.output


def test_what_the_policy_allows_is_a_source(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere: Path = tmp_path_factory.mktemp("run")
    (elsewhere / "s3").write_text("value-of-the-file")
    declare(project, f"{{file: {elsewhere}/s3}}", f", sources: ['{elsewhere}/*']")
    assert project.run("plan").code == 0
    declare(project, f"{{file: {elsewhere}/../{elsewhere.name}/s3}}", f", sources: ['{elsewhere}/*']")
    assert project.run("plan").code == 3
