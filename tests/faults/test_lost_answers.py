"""Every write loses its answer once, all in one run: each is looked at before it is repeated."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from tests.faults.scenario import ALLOWED, Scenario, Stage, check_converged
from tests.support.wires import endpoint_of, tampering

MAY_BE_REPEATED = {
    "auth.create_credentials",  # the first is revoked: its secret key went with the answer
    "auth.edit_credentials",
    "permissions.add_or_update_access_rule",
    "permissions.add_or_update_user_group",
    "users.add_or_update_vault",
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
    apply(scenario, losing)
    assert len(losing.sent) > 30
    assert set(losing.sent.values()) == {2}
