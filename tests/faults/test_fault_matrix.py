from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from reconciler.plan.operations import OperationKind
from tests.faults.faulty_wire import Fault, FaultyWire
from tests.faults.scenario import Scenario, Stage, check_converged

SHARES = 4
SAMPLE = 23


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def calls(stage: Stage) -> int:
    """How many calls an apply makes when nothing fails."""
    wire = FaultyWire(None, 0)
    result = stage.scenario().apply(wire)
    assert result is not None
    assert result.code == 0, result
    return wire.calls


def test_the_plan_has_every_kind_of_operation(stage: Stage) -> None:
    scenario = stage.scenario()
    result = scenario.apply(FaultyWire(None, 0))
    assert result is not None
    assert result.code == 0, result
    assert [kind.value for kind in OperationKind if f"applied  {kind.value} " not in result.stderr] == []
    check_converged(scenario)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("share", range(SHARES))
def test_a_failed_call_loses_nothing_and_doubles_nothing(
    share: int,
    fault: Fault,
    lasting: bool,
    stage: Stage,
    calls: int,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = request.config.getoption("--all-faults")
    positions = list(_positions(calls, share, fault, lasting, whole))
    for position in positions:
        scenario = stage.scenario()
        wire = FaultyWire(fault, position, lasting)
        first = scenario.apply(wire)
        _check_first_run(first, fault, scenario)
        second = scenario.apply(FaultyWire(None, 0))
        assert second is not None
        assert second.code == 0, (position, wire.made[position], first, second)
        check_converged(scenario)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(positions)} of {calls} calls: {fault}{', and all after it' if lasting else ''}\n")


def _positions(calls: int, share: int, fault: Fault, lasting: bool, whole: bool) -> Iterator[int]:
    """Share the calls among the tests; unless all are asked for, take a sample that differs from fault to fault."""
    offset = list(Fault).index(fault) * 5 + lasting * 3
    for position in range(calls):
        if position % SHARES == share and (whole or (position // SHARES + offset) % SAMPLE == 0):
            yield position


def _check_first_run(result: object, fault: Fault, scenario: Scenario) -> None:
    assert scenario.unlawful == []
    if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
        assert result is None
    else:
        code = getattr(result, "code", None)
        assert code in (0, 6, 7), result
        assert "Traceback" not in str(result)
