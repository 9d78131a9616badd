"""Values of vault documents that nobody may read in a plan, whatever a pull request or somebody in the web page does."""

from __future__ import annotations

import re

import pytest

from tests.support.project import Project, complete_example
from tests.support.runner import Result, clean_environment, invoke, session_at

FORMATS = ("text", "json", "markdown", "html", "github", "sarif")
OLD = "correct-horse-battery"
VAULT = """\
manage: {vaults: declared, groups: declared}
groups:
  - {name: ml}
vaults:
  - name: v
    group: ml
    file: v.conf
"""
SECRETS = "    secrets: {R: {env: R}}\n"
SHAPES = """\
agent.extra_docker_shell_script: [
  "docker login reg.example -u robot -p Dummy-1",
  "echo machine git.example login robot password Dummy-2 > ~/.netrc",
  "echo //npm.example/:_authToken=Dummy-3 > ~/.npmrc",
  "curl -u robot:Dummy-4 https://x/y",
  "curl -H 'Authorization: Bearer Dummy-5' https://x",
  "git clone https://Dummy-6@dev.example/x.git",
  "huggingface-cli login --token Dummy-7"
]
agent.extra_docker_arguments: ["--password", "Dummy-8"]
sdk.http.headers { "X-Api-Key": "Dummy-9", "Authorization": "Basic Dummy-10" }
svc { "api-key": "Dummy-11", "private-key": "Dummy-12", db_pwd: "Dummy-13", pgpass: "Dummy-14", signing_key: "Dummy-15" }
svc { encryption_key: "Dummy-16", pat: "Dummy-17" }
"""


def declare(project: Project, text: str, *, secrets: bool = False) -> None:
    project.declare(VAULT + (SECRETS if secrets else ""))
    project.write_file("v.conf", text)
    project.commit()


def shown(project: Project, *options: str) -> str:
    """Return all that any form of a plan, and a drift report, shows."""
    outputs = [project.run("plan", *options, "--format", form).output for form in FORMATS]
    outputs += [project.run("drift", *options, "--format", form).output for form in ("text", "json")]
    return "\n".join(outputs)


@pytest.fixture
def applied(project: Project) -> Project:
    """A vault with a secret, applied."""
    project.environment["R"] = OLD
    declare(project, "company.note: @{R}\ncompany.size: 3\n", secrets=True)
    project.converge()
    return project


def test_a_reference_that_is_replaced_by_a_literal_gives_nothing_away(applied: Project) -> None:
    declare(applied, "company.note: x\ncompany.size: 3\n", secrets=True)
    output = shown(applied, "--without-secrets")
    assert "company.note" in output
    assert OLD not in output


def test_a_secret_that_is_no_longer_declared_gives_nothing_away(applied: Project) -> None:
    declare(applied, "company.note: x\ncompany.size: 3\n")
    assert OLD not in shown(applied)
    declare(applied, "company.size: 4\n")
    assert OLD not in shown(applied)


def test_a_value_that_is_copied_to_a_harmless_path_gives_nothing_away(applied: Project) -> None:
    applied.sandbox.set_vault("v", "ml", f'company.note: "{OLD}"\nsdk.aws.s3.region: ${{company.note}}\n')
    declare(applied, "sdk.aws.s3.region: eu\n")
    assert OLD not in shown(applied)


def test_what_somebody_wrote_in_the_web_page_is_hidden(applied: Project) -> None:
    applied.sandbox.set_vault("v", "ml", 'company {note: "by hand", list: [w1x, "by hand"], size: 4, on: true}\n')
    declare(applied, "company.size: 3\n")
    output = shown(applied)
    assert "by hand" not in output
    assert "w1x" not in output
    assert re.search(r"company\.size +4 → 3\n", output)
    assert re.search(r"company\.list\[0\] +- \(hidden\)\n", output)


LIVE = """\
# Ask Ada for the password: hunter2-in-a-comment
company {
  note: "by hand" // hunter2-in-a-remark
  size: 4
  list: [
    "w1x",
    "w2x"
  ]
  text: \"\"\"several
hunter2-in-a-line
lines\"\"\"
}
agent.package_manager.type: pip
kept: same
"""


def test_a_diff_of_what_would_be_adopted_hides_it_too(project: Project) -> None:
    declare(project, "company.size: 3\nkept: same\n")
    project.converge()
    project.sandbox.set_vault("v", "ml", LIVE)
    for form in (VAULT, VAULT.replace("file: v.conf", "data: |\n      company.size: 3\n      kept: same\n")):
        project.declare(form)
        project.commit()
        output = project.run("adopt", "--diff").output
        for value in ("by hand", "hunter2", "w1x", "w2x", "several", "lines"):
            assert value not in output, value
        for line in ("agent.package_manager.type: pip", "  size: 4", "kept: same"):
            assert line in output, output


def test_a_diff_shows_no_old_line_of_a_file_that_nobody_reviewed(project: Project) -> None:
    project.declare(VAULT)
    project.write_file("v.conf", "company.note: plain-words\ncompany.size: 3\n")
    project.converge()
    project.sandbox.set_vault("v", "ml", "company.size: 5\n")
    output = project.run("adopt", "--diff").output
    assert "plain-words" not in output
    assert "+company.size: 5" in output


@pytest.mark.parametrize("pattern", ["company.*", "company.memo"])
def test_what_the_declaration_makes_visible_is_shown(applied: Project, pattern: str) -> None:
    applied.sandbox.set_vault("v", "ml", 'company {memo: "by hand", token: "hand-made"}\n')
    declare(applied, "company.size: 3\n")
    applied.declare(VAULT + f"    visible: [{pattern}]\n")
    output = shown(applied)
    assert "by hand" in output
    assert "hand-made" not in output
    warning = f"critical: plans and reports now show live values at {pattern} (`visible`)"
    assert output.count(warning) >= len(FORMATS) - 1
    applied.converge()
    assert warning not in shown(applied)


def test_seventeen_shapes_of_secrets_are_masked_and_warned_of(project: Project) -> None:
    declare(project, SHAPES)
    assert "Dummy-" not in shown(project)
    validated = project.run("validate")
    assert validated.code == 0
    lines = re.findall(r"v\.conf:(\d+):\d+: warning: .* secret in plain text at", validated.stdout)
    assert len(lines) == 17
    assert [int(line) for line in lines] == [2, 3, 4, 5, 6, 7, 8, 10, 11, 11, 12, 12, 12, 12, 12, 13, 13]
    assert "Dummy-" not in validated.output


def test_a_file_that_was_decrypted_into_place_is_not_shown(project: Project) -> None:
    declare(project, "company.note: encrypted\n")
    assert "encrypted" in shown(project)
    project.write_file("v.conf", "company.note: plain-words\n")
    assert "plain-words" not in shown(project)


def test_a_file_that_git_does_not_track_is_not_shown(project: Project) -> None:
    project.declare(VAULT)
    project.write_file("v.conf", "company.note: plain-words\n")
    assert "plain-words" not in shown(project)


def test_a_link_to_a_file_beside_the_repository_is_not_shown(project: Project) -> None:
    declare(project, "company.note: committed\n")
    (project.folder / "v.conf").rename(project.folder / "home" / "v.conf")
    (project.folder / "v.conf").symlink_to("home/v.conf")
    project.commit()
    (project.folder / "home" / "v.conf").write_text("company.note: plain-words\n", encoding="utf-8")
    assert "plain-words" not in shown(project)


def test_everything_is_revealed_on_a_terminal_alone(applied: Project) -> None:
    applied.sandbox.set_vault("v", "ml", 'company {note: "by hand"}\n')
    declare(applied, "company.note: @{R}\n", secrets=True)
    assert OLD in in_terminal(applied, "plan", "--reveal").stdout
    assert "by hand" in in_terminal(applied, "plan", "--reveal").stdout
    assert OLD not in in_terminal(applied, "plan").stdout
    for options in (("--format", "json"), ("--out", "saved.json")):
        assert in_terminal(applied, "plan", "--reveal", *options).code == 64
    assert applied.run("plan", "--reveal").code == 64


def in_terminal(project: Project, *arguments: str) -> Result:
    environment = clean_environment(project.folder / "home", NO_COLOR="1", **project.environment)
    return invoke(*arguments, folder=project.folder, environment=environment, session=session_at(), terminal=True)


def test_a_plan_of_the_small_example_shows_ordinary_settings(tmp_path) -> None:  # type: ignore[no-untyped-def]
    project = complete_example(tmp_path, "small-team")
    server = ("--server", project.sandbox.server)
    output = project.run("plan", *server).stdout
    for value in ("eu-west-1", "acme-research", "s3://acme-research/models", "uv"):
        assert value in output


def test_what_was_applied_from_a_reviewed_file_is_shown_before_and_after(project: Project) -> None:
    declare(project, "company.note: first-words\ncompany.size: 3\n")
    project.converge()
    declare(project, "company.note: second-words\ncompany.size: 3\n")
    output = shown(project)
    assert '"first-words" → "second-words"' in output
    live = project.run("effective", "root@acme.io", "--live", "--format", "json")
    assert live.code in (0, 64)
    project.sandbox.set_vault("v", "ml", "company.note: by-hand\ncompany.size: 3\n")
    output = shown(project)
    assert '(hidden) → "second-words"' in output
    assert "by-hand" not in output


def test_what_was_applied_from_a_file_that_nobody_reviewed_is_hidden(project: Project) -> None:
    project.declare(VAULT)
    project.write_file("v.conf", "company.note: first-words\n")
    project.converge()
    declare(project, "company.note: second-words\n")
    assert "first-words" not in shown(project)
    declare(project, "company.note: first-words\n")
    project.apply()
    declare(project, "company.note: third-words\n")
    assert '"first-words" → "third-words"' in shown(project)


def test_another_key_forgets_what_was_applied(project: Project) -> None:
    project.environment["RECONCILER_KEY"] = "a-key-that-is-long-enough-for-anybody"
    declare(project, "company.note: first-words\n")
    project.converge()
    declare(project, "company.note: second-words\n")
    assert "first-words" in shown(project)
    project.environment["RECONCILER_KEY"] = "another-key-that-is-as-long-as-that-one"
    assert "first-words" not in shown(project)


def test_a_secret_of_last_time_stays_hidden_on_both_sides(applied: Project) -> None:
    declare(applied, "company.note: x-in-the-clear\ncompany.size: 3\n")
    output = shown(applied)
    assert "(secret changed)" in output
    assert "x-in-the-clear" not in output
    assert OLD not in output
