from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.project import Project
from tests.support.wires import Calls, endpoint_of, tampering

DECLARED = """
service_accounts:
  - name: agent
    credentials:
      - {label: ci, expires_in: 24000d, rotate_before: 23000d, deliver: {file: out/ci.conf}}
"""
"""A key that lives long: it can be due by the clock of the command and still work by the clock of the server."""

DUE = "2080-01-01T00:00:00+00:00"
OVER = "2026-02-01T00:00:00+00:00"

Pair = tuple[str, str]


@pytest.fixture
def old(project: Project) -> Pair:
    """The key pair that is in use before the story."""
    (project.folder / "out").mkdir()
    project.declare(DECLARED)
    project.converge()
    return delivered(project)


def delivered(project: Project) -> Pair:
    text = (project.folder / "out/ci.conf").read_text()
    found = dict(re.findall(r'(access_key|secret_key): ("[^"]+")', text))
    return json.loads(found["access_key"]), json.loads(found["secret_key"])


def alter(path: Path, key: Pair, column: str, value: str) -> None:
    """Make a key another one behind the API's back."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        assert database.execute(f"UPDATE credentials SET {column} = ? WHERE access_key = ?", (value, key[0])).rowcount


def keys_of_people(path: Path) -> list[tuple[str]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(
            "SELECT c.access_key FROM credentials c JOIN users u ON u.id = c.user WHERE u.kind = 'person' ORDER BY 1"
        ).fetchall()


def labels(project: Project) -> dict[str, str | None]:
    return {key.access_key: key.label for key in project.sandbox.truth().accounts["agent"].credentials}


class TestReplacing:
    def test_the_new_key_is_delivered_before_the_old_one_loses_its_label(self, project: Project, old: Pair) -> None:
        alter(project.sandbox.path, old, "expire", DUE)
        seen: list[tuple[str, bool]] = []

        def look(request: httpx.Request) -> None:
            if endpoint_of(request) in ("auth.create_credentials", "auth.edit_credentials"):
                seen.append((json.loads(request.content)["label"], delivered(project) != old))

        assert project.apply(wire=tampering(before=look)).code == 0
        assert seen == [("ci [undelivered]", False), ("ci [retiring]", True), ("ci", True)]
        assert labels(project) == {old[0]: "ci [retiring]", delivered(project)[0]: "ci"}

    def test_a_key_that_is_over_is_revoked_after_the_new_one_is_delivered(self, project: Project, old: Pair) -> None:
        alter(project.sandbox.path, old, "expire", OVER)
        calls = Calls()
        assert project.apply(wire=calls.wire).code == 0
        assert calls.writes == ["auth.create_credentials", "auth.revoke_credentials", "auth.edit_credentials"]
        assert labels(project) == {delivered(project)[0]: "ci"}
        assert project.run("plan", "--detailed-exitcode").code == 0

    def test_a_key_can_be_replaced_again_while_the_one_before_has_its_time(self, project: Project, old: Pair) -> None:
        alter(project.sandbox.path, old, "expire", DUE)
        project.converge()
        second = delivered(project)
        alter(project.sandbox.path, second, "expire", DUE)
        project.converge()
        third = delivered(project)
        assert labels(project) == {old[0]: "ci [retiring]", second[0]: "ci [retiring]", third[0]: "ci"}
        assert [project.sandbox.sign_in(*pair) for pair in (old, second, third)] == [200, 200, 200]
        alter(project.sandbox.path, old, "expire", OVER)
        alter(project.sandbox.path, second, "expire", OVER)
        project.converge()
        assert labels(project) == {third[0]: "ci"}


class TestRevoking:
    @pytest.fixture
    def undeclared(self, project: Project, old: Pair) -> Pair:
        """The same key pair, that nobody declares any more."""
        project.declare("service_accounts: [{name: agent, credentials: []}]")
        return old

    def test_a_key_that_got_another_label_meanwhile_is_left_alone(self, project: Project, undeclared: Pair) -> None:
        looks: list[str] = []

        def relabel(request: httpx.Request) -> None:
            if endpoint_of(request) == "auth.get_credentials":
                looks.append("look")
                if len(looks) == 2:
                    alter(project.sandbox.path, undeclared, "label", "mine")

        result = project.apply("--allow", "revocation", wire=tampering(before=relabel))
        assert result.code == 6, result
        assert "agent / ci was given another label since the plan was made; it was left alone" in result.output
        assert labels(project) == {undeclared[0]: "mine"}

    @pytest.mark.parametrize(
        ("keeps_its_effect", "attempts"),
        [pytest.param(True, 1, id="the answer was lost"), pytest.param(False, 2, id="the call was lost")],
    )
    def test_a_revocation_that_nobody_answered_is_looked_at_before_it_is_repeated(
        self, keeps_its_effect: bool, attempts: int, project: Project, undeclared: Pair
    ) -> None:
        made: list[str] = []

        def cut(request: httpx.Request, *_: object) -> None:
            if endpoint_of(request) == "auth.revoke_credentials":
                made.append("revoke")
                if len(made) == 1:
                    raise httpx.ReadError("cut")

        def lose(request: httpx.Request, response: httpx.Response) -> httpx.Response:
            cut(request)
            return response

        wire = tampering(after=lose) if keeps_its_effect else tampering(before=cut)
        result = project.apply("--allow", "revocation", wire=wire)
        assert result.code == 0, result
        assert len(made) == attempts
        assert labels(project) == {}


def test_the_first_key_of_a_new_account_is_not_revoked_where_somebody_uses_it(project: Project) -> None:
    project.declare("service_accounts: [{name: agent, credentials: []}]")

    def use(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) == "auth.create_service_user":
            (key,) = project.sandbox.truth().accounts["agent"].credentials
            alter(project.sandbox.path, (key.access_key, ""), "last_used", OVER)
            raise httpx.ReadError("cut")
        return response

    result = project.apply(wire=tampering(after=use))
    assert result.code == 6, result
    assert "a credential of a service account that was just created is in use; check it by hand" in result.output
    assert project.sandbox.truth().labels("agent") == [None]


def test_a_key_made_by_hand_meanwhile_is_not_taken_for_one_whose_answer_was_lost(project: Project, old: Pair) -> None:
    project.declare(DECLARED + "      - {label: more, expires_in: 90d, deliver: {file: out/more.conf}}\n")
    lost: list[str] = []

    def lose_once(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) == "auth.create_credentials" and not lost:
            lost.append("answer")
            with contextlib.closing(sqlite3.connect(project.sandbox.path)) as database, database:
                database.execute(
                    "INSERT INTO credentials (access_key, user, label, created)"
                    " SELECT 'BYHAND', user, 'by hand', created FROM credentials WHERE access_key = ?",
                    old[:1],
                )
            raise httpx.ReadError("cut")
        return response

    assert project.apply(wire=tampering(after=lose_once)).code == 0
    found = labels(project)
    assert (found.pop(old[0]), found.pop("BYHAND")) == ("ci", "by hand")
    assert list(found.values()) == ["more"]


def test_each_account_gets_its_own_keys_with_the_lifetimes_that_are_declared(project: Project) -> None:
    (project.folder / "out").mkdir()
    project.declare(
        """
        service_accounts:
          - name: agent
            credentials:
              - {label: a1, expires_in: 90d, deliver: {file: out/a1.conf}}
              - {label: a2, expires_in: 30d, deliver: {file: out/a2.conf}}
          - name: trainer
            credentials:
              - {label: t1, expires_in: 7d, deliver: {file: out/t1.conf}}
        """
    )
    calls = Calls()
    assert project.apply(wire=calls.wire).code == 0
    assert calls.made.count("auth.create_credentials") == 1
    accounts = project.sandbox.truth().accounts
    keys = {key.label: key for account in accounts.values() for key in account.credentials}
    lifetimes = {label: key.expire - key.created for label, key in keys.items() if key.expire and key.created}
    assert {label: round(time / timedelta(days=1)) for label, time in lifetimes.items()} == {
        "a1": 90,
        "a2": 30,
        "t1": 7,
    }
    assert [key.label for key in accounts["trainer"].credentials] == ["t1"]
    for label, key in keys.items():
        assert f'"{key.access_key}"' in (project.folder / f"out/{label}.conf").read_text()


class TestHeaderThatAProxyDrops:
    """Without it the server answers for whoever signed in: an admin's keys would pass for the account's."""

    LOST = "as if they were for somebody else"

    def wire(self) -> object:
        return tampering(before=lambda request: request.headers.pop("X-Clearml-Impersonate-As", None))

    def test_stops_before_anything_is_compared(self, project: Project, old: Pair) -> None:
        result = project.run("plan", wire=self.wire())
        assert result.code == 7, result
        assert self.LOST in result.stderr
        assert "X-Clearml-Impersonate-As" in result.stderr

    def test_hands_out_no_key_of_the_caller(self, project: Project) -> None:
        (project.folder / "out").mkdir()
        second = DECLARED + "      - {label: k8s, deliver: {file: out/k8s.conf}}\n"
        project.declare(second)
        before = keys_of_people(project.sandbox.path)
        result = project.apply(wire=self.wire())
        assert result.code == 6, result
        assert self.LOST in result.output
        assert not (project.folder / "out/k8s.conf").exists()
        assert keys_of_people(project.sandbox.path) == before
        project.converge()
