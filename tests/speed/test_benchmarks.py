"""The benchmarks themselves: that they run, and that they judge rightly what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.goals import APPLY, PLAN, START, Verdict, exponents, verdicts
from benchmarks.measure import Measured, Run
from benchmarks.report import Kept, read, write
from tests.support.terminal import REPOSITORY, program_environment

SIZES = (1_000, 10_000, 50_000)


def measured(walls: Mapping[str, float], memory: float = 50) -> dict[str, Measured]:
    """Return jobs that took so many seconds."""
    return {name: Measured((Run(wall, wall, memory),) * 3) for name, wall in walls.items()}


def missed(found: list[Verdict]) -> list[str]:
    return [verdict.goal for verdict in found if not verdict.met]


def test_time_that_grows_with_the_size_has_the_exponent_one() -> None:
    found = exponents({size: measured({"import": size / 500}) for size in SIZES})
    assert round(found["import"], 6) == 1


def test_what_grows_faster_than_the_size_misses_the_goal_and_is_named() -> None:
    found = verdicts({size: measured({"import": size**1.2, "validate": size}) for size in SIZES})
    assert missed(found) == ["exponent of growth, the steepest: import"]


def test_the_growth_of_peers_and_floors_is_not_judged() -> None:
    assert verdicts({size: measured({"terraform plan": size**2, "floor: pages": size**2}) for size in SIZES}) == []


def test_a_goal_is_judged_only_where_both_sides_were_run() -> None:
    plan = {PLAN: 1.0, "plan, everything new": 2.1}
    assert missed(verdicts({10_000: measured(plan)})) == ["`plan`, everything new / nothing to do"]
    assert verdicts({START: measured({"--help": 0.1}), APPLY: measured({"apply, 1 000 new": 1})}) == []


def test_a_plan_that_takes_too_much_memory_misses_its_goal() -> None:
    assert missed(verdicts({10_000: measured({PLAN: 1.0}, memory=121)})) == ["peak memory of `plan` at 10 000, MiB"]


def test_what_was_found_is_kept_for_a_later_run(tmp_path: Path) -> None:
    found = Kept({10_000: measured({PLAN: 1.5})}, {10_000: {PLAN: 528}}, {"octodns": "octodns is not installed"})
    write(tmp_path, "", found, [], {})
    assert read(tmp_path) == found


def test_the_benchmarks_run_and_write_what_they_found(tmp_path: Path) -> None:
    only = "^(plan, nothing to do|impact|validate$)"
    options = ["--sizes", "100", "--repeat", "1", "--only", only, "--out", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=REPOSITORY,
        env=program_environment(tmp_path),
        capture_output=True,
        check=True,
    )
    content = json.loads((tmp_path / "results.json").read_text())
    names = {"validate", "plan, nothing to do", "plan, nothing to do, in process", "impact of 1 % changed, within"}
    assert content["runs"].keys() == {"100"}
    assert content["runs"]["100"].keys() == names
    assert "| plan, nothing to do |" in (tmp_path / "results.md").read_text()
