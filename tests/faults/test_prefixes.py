from __future__ import annotations

import asyncio
import sys

import pytest
from msgspec.structs import replace

from reconciler.model.desired import Policy
from reconciler.plan.changes import Guard
from reconciler.plan.make import Terms
from reconciler.rehearsal.rehearse import rehearse
from reconciler.vaults.parse import DocumentParser
from tests.build import KEY, NOW, planned
from tests.support.random_workspaces import random_pair

SHARES = 4
PLANS = 40
MANY_PLANS = 2500


@pytest.mark.parametrize("share", range(SHARES))
def test_every_state_on_the_way_is_lawful(
    share: int, parser: DocumentParser, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rehearsal looks at the copy after each call, and raises if a rule is broken or something is left to do."""
    plans = MANY_PLANS if request.config.getoption("--all-faults") else PLANS
    states = 0
    for seed in range(share, plans * SHARES, SHARES):
        pair = random_pair(seed)
        prepared = planned(pair.wanted, pair.existing, parser, allow=tuple(Guard))
        if prepared.plan.refused:
            continue
        terms = Terms("workspace.yaml", "https://api.acme.io", parser, KEY, NOW, frozenset(Guard))
        states += asyncio.run(rehearse(prepared, prepared.plan.changes, pair.wanted, terms)).states
    with capsys.disabled():
        sys.stdout.write(f"\n{states} states on the way of up to {plans} plans, none of them unlawful\n")
    assert states > plans


@pytest.mark.parametrize("seed", range(200))
def test_the_least_number_of_admins_holds_unless_it_is_lifted(seed: int, parser: DocumentParser) -> None:
    pair = random_pair(seed)
    wanted = replace(pair.wanted, policy=Policy(min_admins=3, max_removals=pair.wanted.policy.max_removals))
    allowed = tuple(guard for guard in Guard if guard is not Guard.MIN_ADMINS)
    prepared = planned(wanted, pair.existing, parser, allow=allowed)
    admins_after = sum(
        member.role == "admin" and address in pair.existing.ids
        for address, member in prepared.desired.members.items()
        if address in pair.existing.snapshot
    )
    demotes = any(change.edited("role") and change.edited("role").before == "admin" for change in prepared.plan.changes)  # type: ignore[union-attr]
    refused = any(refusal.guard is Guard.MIN_ADMINS for refusal in prepared.plan.refused)
    assert refused == (demotes and admins_after < 3)
