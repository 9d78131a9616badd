"""The goals: ratios of two things that were run in turn, bounds of one, and the exponents of growth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

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
class Bound:
    """What one program may take at most at one size: of a figure, as a multiple of ``unit``."""

    title: str
    job: str
    most: float
    size: int = 10_000
    figure: Literal["wall", "memory"] = "wall"
    unit: float = 1


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured: by the clock and by processor time."""

    goal: str
    limit: str
    measured: float
    cpu: float | None
    met: bool

    @staticmethod
    def at_most(title: str, most: float, measured: float, cpu: float | None = None) -> Verdict:
        return Verdict(title, f"≤ {most:g}", measured, cpu, measured <= most)

    @staticmethod
    def at_least(title: str, least: float, measured: float, cpu: float | None = None) -> Verdict:
        return Verdict(title, f"≥ {least:g}", measured, cpu, measured >= least)

    def row(self) -> str:
        cpu = "" if self.cpu is None else f"{self.cpu:.2f}"
        return f"| {self.goal} | {self.limit} | {self.measured:.2f} | {cpu} | {'yes' if self.met else '**no**'} |"

    def plain(self) -> dict[str, object]:
        return asdict(self)


BARE, RUAMEL, PLAN = "floor: bare python", "floor: ruamel's C safe load", "plan, nothing to do"
START, APPLY = 0, 1
"""The places of what has no size of its own: start-up, and the apply beside Terraform's."""

SLOW, SLOW_READS, SLOW_WIDTH, SLOW_SECONDS = "500 reads of 50 ms each at concurrency 32", 500, 32, 0.05
IMPACT, STATES = "impact of 1 % changed, within", "states on the way of 1 % changed, within"

RATIOS = (
    Goal("`--version` / bare Python", "--version", BARE, START, most=5),
    Goal("`--help` / bare Python", "--help", BARE, START, most=5),
    Goal("usage error / bare Python", "usage error", BARE, START, most=5),
    Goal("`validate` / ruamel's C safe load of the same file", "validate", RUAMEL, most=0.8),
    Goal("`validate` with 1 % wrong / `validate`", "validate, 1 % wrong", "validate", most=2),
    Goal("`validate` with documents of 2 kB / of 200 B", "validate, documents of 2 kB", "validate", most=2),
    Goal("`terraform plan` of the same / `plan`, nothing to do", "terraform plan, nothing to do", PLAN, least=20),
    Goal("`octodns-sync` of as many / `plan`, nothing to do", "octodns-sync, nothing to do", PLAN, least=8),
    Goal("`plan`, 1 % changed / nothing to do", "plan, 1 % changed", PLAN, most=1.3),
    Goal("`plan`, everything new / nothing to do", "plan, everything new", PLAN, most=2),
    Goal(
        "`terraform apply` of 1 000 / `apply` of 1 000 new",
        "terraform apply, all new",
        "apply, 1 000 new",
        APPLY,
        least=15,
    ),
    Goal("`apply` of 1 000 new / the bare requests", "apply, 1 000 new", "floor: the writes, bare", APPLY, most=1.5),
)


BOUNDS = (
    Bound(f"{SLOW} / ideal", SLOW, 1.3, START, unit=-(-SLOW_READS // SLOW_WIDTH) * SLOW_SECONDS),
    Bound("impact of 1 % changed, 10 000 principals, s", IMPACT, 1),
    Bound("states on the way of 1 % changed, 10 000 principals, s", STATES, 1),
    Bound("peak memory of `plan` at 10 000, MiB", PLAN, 120, figure="memory"),
)
STEEPEST = 1.1
THEIRS = ("floor", "terraform", "octodns")
"""How the names begin of what is not ours to make faster."""


def verdicts(measured: AtSize) -> list[Verdict]:
    """Judge every goal of which all sides were run."""
    return [*_ratios(measured), *_bounds(measured), *_growth(measured)]


def _ratios(measured: AtSize) -> Iterator[Verdict]:
    for goal in RATIOS:
        here = measured.get(goal.size, {})
        if goal.ours in here and goal.theirs in here:
            ours, theirs = here[goal.ours], here[goal.theirs]
            wall, cpu = ours.wall / theirs.wall, ours.cpu / theirs.cpu
            if goal.most is not None:
                yield Verdict.at_most(goal.title, goal.most, wall, cpu)
            elif goal.least is not None:
                yield Verdict.at_least(goal.title, goal.least, wall, cpu)


def _bounds(measured: AtSize) -> Iterator[Verdict]:
    for bound in BOUNDS:
        found = measured.get(bound.size, {}).get(bound.job)
        if found is not None and bound.figure == "memory":
            yield Verdict.at_most(bound.title, bound.most, found.memory)
        elif found is not None:
            cpu = found.cpu if bound.unit == 1 else None
            yield Verdict.at_most(bound.title, bound.most, found.wall / bound.unit, cpu)


def _growth(measured: AtSize) -> Iterator[Verdict]:
    found = exponents(measured)
    if found:
        name, steepest = max(found.items(), key=lambda item: item[1])
        yield Verdict.at_most(f"exponent of growth, the steepest: {name}", STEEPEST, steepest)


def exponents(measured: AtSize, smallest: int = 1000) -> dict[str, float]:
    """Fit, for every job of ours that ran at two sizes or more, how its time grows with the size."""
    sizes = sorted(size for size in measured if size >= smallest)
    names = {name for size in sizes for name in measured[size] if not name.startswith(THEIRS)}
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
