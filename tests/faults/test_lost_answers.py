"""Every write loses its answer once, all in one run: each is looked at before it is repeated."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from tests.faults.scenario import ALLOWED, Scenario, Stage, check_converged
from tests.support.wires import endpoint_of, tampering

MAY_BE_REPEATED = {
    "auth.create_credentials",  # the first is revoked: its secret key went with the answer
    "auth.edit_credentials",
    "permissions.add_or_update_access_rule",
    "permissions.add_or_update_user_group",
    "users.add_or_update_vault",  # those that set one; a new one is never sent twice in one run
    "users.set_role",
    "users.update",
    "users.update_service_user",
}
"""The writes that set something to a value; no other may be made again once it has had its effect."""

VERBS = ("add_", "set_", "delete", "create", "edit", "update", "revoke", "remove")


class Losing:
    """Loses the first answer to each write, after its effect or before it gets there, and remembers all that was sent."""

    def __init__(self, *, before: bool) -> None:
        self.sent: Counter[tuple[str, bytes, str]] = Counter()
        self.wire = tampering(before=self._remember_and_cut) if before else tampering(after=self._cut)

    def _remember_and_cut(self, request: httpx.Request) -> None:
        endpoint = endpoint_of(request)
        if endpoint.partition(".")[2].startswith(VERBS):
            write = (endpoint, request.content, request.headers.get("X-Clearml-Impersonate-As", ""))
            self.sent[write] += 1
            if self.sent[write] == 1:
                raise httpx.ReadError("cut")

    def _cut(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        self._remember_and_cut(request)
        return response


@pytest.fixture
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return Stage(tmp_path_factory.mktemp("lost")).scenario()


def apply(scenario: Scenario, losing: Losing) -> None:
    options = [word for guard in ALLOWED for word in ("--allow", guard)]
    result = scenario.project.run("apply", "--yes", *options, wire=losing.wire)
    assert result.code == 0, result
    check_converged(scenario)


def test_what_has_had_its_effect_is_not_done_again(scenario: Scenario) -> None:
    losing = Losing(before=False)
    apply(scenario, losing)
    assert {endpoint for (endpoint, _, _), times in losing.sent.items() if times > 1} == MAY_BE_REPEATED
    assert max(losing.sent.values()) == 2


def test_what_never_got_there_is_done_once(scenario: Scenario) -> None:
    losing = Losing(before=True)
    options = [word for guard in ALLOWED for word in ("--allow", guard)]
    results = [scenario.project.run("apply", "--yes", *options, wire=losing.wire) for _ in range(4)]
    assert "was not created again, since the server may still finish it" in results[0].stderr
    assert [result.code for result in results] == [6, 6, 0, 0], results
    check_converged(scenario)
    assert len(losing.sent) > 30
    assert set(losing.sent.values()) == {2}


@dataclass
class Late:
    """Answers the first create of a kind with nothing, and carries it out when the run is over."""

    endpoint: str
    matching: str
    held: list[httpx.Request] = field(default_factory=list)

    def instead(self, request: httpx.Request) -> httpx.Response | None:
        if not self.held and endpoint_of(request) == self.endpoint and self.matching in request.content.decode():
            self.held.append(request)
            raise httpx.ReadTimeout("no answer")
        return None

    def instead_of_every(self, request: httpx.Request) -> httpx.Response | None:
        """As above, and the repeats in the same run are lost as well."""
        if endpoint_of(request) == self.endpoint and self.matching in request.content.decode():
            self.held = [request]
            raise httpx.ReadTimeout("no answer")
        return None

    def land(self, scenario: Scenario) -> None:
        (request,) = self.held
        assert (
            scenario.project.sandbox.ask(self.endpoint, json.loads(request.content), {})["meta"]["result_code"] == 200
        )


@pytest.mark.parametrize(
    ("endpoint", "matching"),
    [
        ("auth.create_service_user", '"maker"'),
        ("users.add_or_update_vault", '"description": "made"'),
        ("users.add_or_update_vault", '"m: 1"'),
        ("permissions.add_or_update_access_rule", '"name": "made"'),
        ("permissions.add_or_update_user_group", '"name": "made"'),
    ],
    ids=["service account", "group vault", "account vault", "access rule", "group"],
)
def test_a_create_that_the_server_finishes_after_the_run_makes_no_second_one(
    endpoint: str, matching: str, scenario: Scenario
) -> None:
    late = Late(endpoint, matching)
    options = [word for guard in ALLOWED for word in ("--allow", guard)]
    first = scenario.project.run("apply", "--yes", *options, wire=tampering(instead=late.instead))
    assert first.code in (0, 6), first
    late.land(scenario)
    second = scenario.project.run("apply", "--yes", *options)
    assert second.code == 0, second
    check_converged(scenario)


@pytest.mark.parametrize(
    ("endpoint", "matching"),
    [
        ("permissions.add_or_update_access_rule", '"name": "made"'),
        ("permissions.add_or_update_user_group", '"name": "made"'),
    ],
    ids=["access rule", "group"],
)
def test_a_create_that_lands_after_the_next_run_has_the_id_that_the_next_run_used_too(
    endpoint: str, matching: str, scenario: Scenario
) -> None:
    late = Late(endpoint, matching)
    options = [word for guard in ALLOWED for word in ("--allow", guard)]
    first = scenario.project.run("apply", "--yes", *options, wire=tampering(instead=late.instead_of_every))
    assert first.code == 6, first
    second = scenario.project.run("apply", "--yes", *options)
    assert second.code == 0, second
    late.land(scenario)
    check_converged(scenario)
