from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.sandbox.store import Store
from tests.support.project import Project
from tests.support.runner import Result, clean_environment, invoke, session_at

BODY = """
members:
  - {email: root@acme.io, role: admin}
service_accounts:
  - name: agent
    credentials:
      - {label: ci, expires_in: 30d, rotate_before: 7d, deliver: {file: ci.conf}}
"""
PAIR = re.compile(r'access_key: "([^"]+)"\s+secret_key: "([^"]+)"')


@pytest.fixture
def team(project: Project) -> Project:
    """A project whose service account has just been given its first key, by the sandbox's own clock."""
    project.declare(BODY)
    assert at(project, 0, "apply", "--yes").code == 0
    return project


def at(project: Project, days: float, *arguments: str) -> Result:
    """Run a command so many days after the first key was made: by then it is that much older."""
    age(project, days - AGES.get(project.folder.name, 0.0))
    AGES[project.folder.name] = days
    now = datetime.now(UTC)
    return invoke(
        *arguments,
        folder=project.folder,
        environment=clean_environment(project.folder / "home"),
        session=session_at(now),
    )


AGES: dict[str, float] = {}


def age(project: Project, days: float) -> None:
    """Make every key in the sandbox older, as if time had passed."""
    with Store.open(project.sandbox.path) as store, store.transaction(write=True) as db:
        for key, created, expire in db.execute("SELECT access_key, created, expire FROM credentials").fetchall():
            moments = [
                datetime.fromisoformat(text) - timedelta(days=days) if text else None for text in (created, expire)
            ]
            texts = [moment.isoformat() if moment else None for moment in moments]
            db.execute("UPDATE credentials SET created = ?, expire = ? WHERE access_key = ?", (*texts, key))


def delivered(project: Project) -> tuple[str, str]:
    match = PAIR.search((project.folder / "ci.conf").read_text())
    assert match
    return match.group(1), match.group(2)


def test_a_key_is_left_alone_until_it_is_due(team: Project) -> None:
    assert at(team, 22, "plan", "--detailed-exitcode").code == 0


def test_a_due_key_is_replaced_and_the_old_one_works_on(team: Project) -> None:
    old = delivered(team)
    plan = at(team, 24, "plan")
    assert "~ credential       agent / ci" in plan.stdout
    assert "the old one works until its own end" in plan.stdout
    assert at(team, 24, "apply", "--yes").code == 0
    new = delivered(team)
    assert new != old
    assert (team.sandbox.sign_in(*old), team.sandbox.sign_in(*new)) == (200, 200)
    assert sorted(map(str, team.sandbox.truth().labels("agent"))) == ["ci", "ci [retiring]"]
    assert at(team, 24, "plan", "--detailed-exitcode").code == 0


def test_the_old_key_is_revoked_after_its_end_unasked(team: Project) -> None:
    old = delivered(team)
    assert at(team, 24, "apply", "--yes").code == 0
    later = at(team, 31, "plan")
    assert "- credential       agent / ci [retiring]" in later.stdout
    assert at(team, 31, "apply", "--yes").code == 0
    assert "ci [retiring]" not in team.sandbox.truth().labels("agent")
    assert team.sandbox.sign_in(*old) == 401


def test_two_old_keys_at_once_are_no_drift_of_anybody_elses(project: Project) -> None:
    project.declare(BODY.replace("rotate_before: 7d", "rotate_before: 20d"))
    for day in (0, 11, 22):
        assert at(project, day, "apply", "--yes", "--record", "record.json").code == 0
    assert sorted(map(str, project.sandbox.truth().labels("agent"))) == ["ci", "ci [retiring]", "ci [retiring]"]
    drift = at(project, 33, "drift", "--record", "record.json")
    assert drift.code == 0, drift
    assert "was replaced and has expired; the next apply revokes it" in drift.stdout


def test_a_replaced_key_that_has_had_its_time_is_no_drift_and_not_critical(team: Project) -> None:
    assert at(team, 24, "apply", "--yes").code == 0
    drift = at(team, 31, "drift")
    assert drift.code == 0, drift
    assert "was replaced and has expired; the next apply revokes it" in drift.stdout
    plan = json.loads(at(team, 31, "plan", "--format", "json").stdout)
    (effect,) = plan["impact"]["principals"][0]["effects"]
    assert (effect["before"], effect["weight"]) == ("expired", "routine")
    shown = at(team, 31, "plan").stdout
    assert "it was replaced, and has expired" in shown
    assert "which stops working" not in shown


def test_a_key_that_expired_because_nobody_applied_was_not_changed_outside(team: Project) -> None:
    drift = at(team, 40, "drift")
    assert drift.code == 2, drift
    assert "~ credential       agent / ci" in drift.stdout
    assert "→ not yet applied" in drift.stdout
    assert "30d after it is created" in drift.stdout


def test_an_expired_key_is_replaced_and_revoked_at_once(team: Project) -> None:
    old = delivered(team)
    assert at(team, 40, "apply", "--yes").code == 0
    assert team.sandbox.truth().labels("agent") == ["ci"]
    assert delivered(team) != old


def test_a_failed_delivery_keeps_the_old_key(team: Project) -> None:
    old = delivered(team)
    (team.folder / "ci.conf").unlink()
    (team.folder / "ci.conf").mkdir()
    result = at(team, 24, "apply", "--yes")
    assert result.code == 4, result
    assert team.sandbox.sign_in(*old) == 200
    assert team.sandbox.truth().labels("agent") == ["ci"]


def test_the_list_of_credentials_tells_how_each_stands(team: Project) -> None:
    assert [line["standing"] for line in listed(team, 1)] == ["declared"]
    assert [line["standing"] for line in listed(team, 24)] == ["due"]
    assert at(team, 24, "apply", "--yes").code == 0
    assert [line["standing"] for line in listed(team, 24)] == ["declared", "retiring"]
    team.declare(BODY.replace("label: ci", "label: other"))
    found = {line["label"]: line["standing"] for line in listed(team, 24)}
    assert found == {"ci": "not declared", "ci [retiring]": "not declared", "other": "missing"}


def listed(project: Project, days: float) -> list[dict[str, str]]:
    result = at(project, days, "credentials", "list", "--format", "json")
    assert result.code == 0, result
    found: list[dict[str, str]] = json.loads(result.stdout)["credentials"]
    return found
