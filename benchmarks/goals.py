"""The goals, each a ratio of two things that were run in turn; and the exponents of growth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from benchmarks.measure import Measured

AtSize = Mapping[int, Mapping[str, Measured]]


@dataclass(frozen=True)
class Goal:
    """``ours`` against ``theirs`` at one size: at most ``most``, or with ``least`` at least that much faster."""

    title: str
    ours: str
    theirs: str
    size: int = 10_000
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured: by the clock and by processor time."""

    goal: str
    limit: str
    measured: float
    cpu: float | None
    met: bool

    def row(self) -> str:
        cpu = "" if self.cpu is None else f"{self.cpu:.2f}"
        return f"| {self.goal} | {self.limit} | {self.measured:.2f} | {cpu} | {'yes' if self.met else '**no**'} |"

    def plain(self) -> dict[str, object]:
        return asdict(self)


BARE, RUAMEL, PLAN = "floor: bare python", "floor: ruamel's C safe load", "plan, nothing to do"

RATIOS = (
    Goal("`--version` / bare Python", "--version", BARE, 0, most=5),
    Goal("`--help` / bare Python", "--help", BARE, 0, most=5),
    Goal("usage error / bare Python", "usage error", BARE, 0, most=5),
    Goal("`validate` / ruamel's C safe load of the same file", "validate", RUAMEL, most=0.8),
    Goal("`validate` with 1 % wrong / `validate`", "validate, 1 % wrong", "validate", most=2),
    Goal("`validate` with documents of 2 kB / of 200 B", "validate, documents of 2 kB", "validate", most=2),
    Goal("`terraform plan` of the same / `plan`, nothing to do", "terraform plan, nothing to do", PLAN, least=20),
    Goal("`octodns-sync` of as many / `plan`, nothing to do", "octodns-sync, nothing to do", PLAN, least=8),
    Goal("`plan`, 1 % changed / nothing to do", "plan, 1 % changed", PLAN, most=1.3),
    Goal("`plan`, everything new / nothing to do", "plan, everything new", PLAN, most=2),
    Goal(
        "`terraform apply` of 1 000 / `apply` of 1 000 new", "terraform apply, all new", "apply, 1 000 new", 1, least=15
    ),
    Goal("`apply` of 1 000 new / the bare requests", "apply, 1 000 new", "floor: the writes, bare", 1, most=1.5),
)


def ratios(measured: AtSize) -> list[Verdict]:
    """Judge every goal whose two sides were run."""
    found = []
    for goal in RATIOS:
        here = measured.get(goal.size, {})
        if goal.ours in here and goal.theirs in here:
            ours, theirs = here[goal.ours], here[goal.theirs]
            wall, cpu = ours.wall / theirs.wall, ours.cpu / theirs.cpu
            if goal.most is not None:
                found.append(Verdict(goal.title, f"≤ {goal.most:g}", wall, cpu, wall <= goal.most))
            elif goal.least is not None:
                found.append(Verdict(goal.title, f"≥ {goal.least:g}", wall, cpu, wall >= goal.least))
    return found


def exponents(measured: AtSize, smallest: int = 1000) -> dict[str, float]:
    """Fit, for every job that ran at two sizes or more, how its time grows with the size."""
    sizes = sorted(size for size in measured if size >= smallest)
    names = {name for size in sizes for name in measured[size] if not name.startswith("floor: bare python")}
    found = {}
    for name in sorted(names):
        points = [
            (math.log(size), math.log(max(measured[size][name].wall, 1e-3))) for size in sizes if name in measured[size]
        ]
        if len(points) > 1:
            found[name] = slope(points)
    return found


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares."""
    middle = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    above = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    return above / sum((x - middle[0]) ** 2 for x, _ in points)
