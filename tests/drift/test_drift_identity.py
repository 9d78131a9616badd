"""A name that stands for another one now, a rename outside, addresses that look alike: through the real commands."""

from __future__ import annotations

import pytest

from reconciler.model.lookalike import foreign_letters, look_alikes, skeleton
from tests.support.project import Project

TEAM = """\
members:
  - {email: root@acme.io, role: admin}
  - {email: ada@acme.io}
groups: [{name: operators, members: [ada@acme.io]}]
vaults: [{name: s3, group: operators, format: hocon, data: "a: 1"}]
service_accounts:
  - name: agent
    credentials: [{label: ci, deliver: {file: out/ci.conf}}]
access_rules:
  - {name: everything, resource: {project: "*"}, permission: read, groups: [operators]}
"""


@pytest.fixture
def team(project: Project) -> Project:
    (project.folder / "out").mkdir()
    project.declare(TEAM)
    project.apply()
    project.sandbox.accept("ada@acme.io")
    project.converge()
    return project


def remake_group(team: Project) -> None:
    truth = team.sandbox.truth()
    (vault,) = [vault.id for vault in truth.workspace.vaults]
    (rule,) = [rule for rule in truth.workspace.rules if not rule.autocreated]
    team.sandbox.call("users.delete_vaults", vaults=[vault])
    team.sandbox.call("permissions.delete_access_rules", rules=[rule.id])
    team.sandbox.call("permissions.delete_user_groups", groups=[truth.id_of("operators")])
    team.sandbox.set_group("operators", "ada@acme.io")
    team.sandbox.set_vault("s3", "operators", "a: 1")
    team.sandbox.set_rule("everything", "operators")


def rejoin(team: Project) -> None:
    team.sandbox.call("auth.delete_user", user=team.sandbox.truth().id_of("ada@acme.io"))
    team.sandbox.add_member("ada@acme.io")
    team.sandbox.set_group("operators", "ada@acme.io")


def remake_key(team: Project) -> None:
    (key,) = team.sandbox.truth().accounts["agent"].credentials
    team.sandbox.acting_as("agent", "auth.revoke_credentials", access_key=key.access_key)
    team.sandbox.acting_as("agent", "auth.create_credentials", label="ci")


@pytest.mark.parametrize(
    ("takes_over", "said"),
    [
        (remake_group, "1 group is there under the same name but another one"),
        (rejoin, "1 member is there under the same name but another one"),
        (remake_key, "1 credential is there under the same name but another one"),
    ],
)
def test_a_name_that_was_taken_over_is_refused_until_it_is_acknowledged(
    team: Project, takes_over: object, said: str
) -> None:
    takes_over(team)  # type: ignore[operator]
    planned = team.run("plan")
    assert planned.code == 4, planned
    assert said in planned.stdout
    assert "--allow identity-changed" in planned.stdout
    before = team.sandbox.truth()
    refused = team.apply()
    assert refused.code == 4, refused
    assert said in refused.stderr
    assert team.sandbox.truth() == before
    assert team.run("drift").code == 2
    assert team.apply("--allow", "identity-changed").code == 0
    assert team.run("plan").code == 0, "it is known by now"
    assert team.run("drift").code == 0


def test_without_a_record_nobody_can_tell(team: Project) -> None:
    remake_group(team)
    assert team.run("plan", "--record", "none").code == 0
    assert team.run("plan", "--record", "elsewhere.json").code == 0


def test_a_record_that_cannot_be_trusted_is_a_warning(team: Project) -> None:
    (record,) = (team.folder / ".reconciler").glob("*.json")
    record.write_text("{")
    planned = team.run("plan", "--detailed-exitcode")
    assert planned.code == 0
    assert "is damaged: it is not complete JSON" in planned.stderr
    assert "it is not used" in planned.stderr


def test_what_an_apply_makes_again_itself_is_no_take_over(team: Project) -> None:
    truth = team.sandbox.truth()
    team.sandbox.call("auth.delete_user", user=truth.id_of("agent"))
    team.converge()
    assert team.run("drift").code == 0


def test_a_rename_outside_is_offered_as_a_rename(team: Project) -> None:
    identifier = team.sandbox.truth().id_of("operators")
    users = [team.sandbox.truth().id_of("ada@acme.io")]
    team.sandbox.call("permissions.add_or_update_user_group", id=identifier, name="ops", description="", users=users)
    planned = team.run("plan")
    assert (
        "Warning:    group ops: was applied as operators and was renamed since (it has the same id)" in planned.stdout
    )
    assert "`was: ops` on operators renames it back" in planned.stdout
    team.declare(TEAM.replace("{name: operators,", "{name: operators, was: ops,"))
    assert '"ops" → "operators"' in team.run("plan").stdout
    team.converge()
    assert team.sandbox.truth().id_of("operators") == identifier


def test_a_declared_rename_is_no_take_over(team: Project) -> None:
    body = TEAM.replace("{name: operators,", "{name: ops, was: operators,").replace("[operators]", "[ops]")
    team.declare(body.replace("group: operators", "group: ops"))
    team.converge()
    assert team.run("drift").code == 0


CYRILLIC = "\u0430da@acme.io"


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("ada@acme.io", CYRILLIC),
        ("ada@acme.io", "ad\u03b1@acme.io"),
        ("olga@acme.io", "0lga@acme.io"),
        ("lena@acme.io", "1ena@acme.io"),
        ("lena@acme.io", "Iena@acme.io"),
        ("tom@acme.io", "torn@acme.io"),
        ("ada@acme.io", "ada@acrne.io"),
        ("will@acme.io", "vvill@acme.io"),
        ("jose@acme.io", "jos\u00e9@acme.io"),
        ("bob@acme.io", "b\u043eb@acme.io"),
        ("ada.k@acme.io", "ada.\u212a@acme.io"),
        ("\uff41da@acme.io", CYRILLIC),
        ("tom@acme.io", "TOM@ACME.\u0456\u03bf"),
    ],
)
def test_addresses_of_one_shape_have_one_skeleton(one: str, another: str) -> None:
    assert skeleton(one) == skeleton(another)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("ada@acme.io", "bob@acme.io"),
        ("ian@acme.io", "lan@acme.io"),
        ("team5@acme.io", "teams@acme.io"),
        ("a.b@acme.io", "ab@acme.io"),
        ("\u5f20@acme.io", "\u738b@acme.io"),
    ],
)
def test_addresses_of_different_shapes_do_not(one: str, another: str) -> None:
    assert skeleton(one) != skeleton(another)


def test_the_same_address_in_another_case_is_not_its_own_look_alike() -> None:
    assert look_alikes([]) == ()
    assert look_alikes(["Ada@acme.io", "ada@ACME.io"]) == ()
    assert look_alikes([CYRILLIC, "ada@acme.io", "bob@acme.io"]) == (("ada@acme.io", CYRILLIC),)
    assert foreign_letters(CYRILLIC) == "cyrillic small letter a"


def test_declared_look_alikes_are_warned_of(project: Project) -> None:
    project.declare(
        f"members: [{{email: root@acme.io, role: admin}}, {{email: ada@acme.io}}, {{email: '{CYRILLIC}'}}]\n"
    )
    result = project.run("validate")
    assert result.code == 0
    assert "looks like `ada@acme.io` but is a different address (letters: cyrillic small letter a)" in result.stdout


def test_a_live_look_alike_is_warned_of_in_the_plan(team: Project) -> None:
    team.sandbox.call("login.add_whitelist_entries", emails=["ad\u0430@acme.io"], role="user")
    planned = team.run("plan")
    assert "looks like ada@acme.io" in planned.stdout
    assert "cyrillic" in planned.stdout
