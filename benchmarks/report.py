"""Results as Markdown for people and JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from benchmarks.goals import APPLY, START, AtSize, Verdict
from benchmarks.measure import Measured


def markdown(
    measured: AtSize,
    verdicts: list[Verdict],
    growth: Mapping[str, float],
    calls: Mapping[int, Mapping[str, int]],
    left_out: Mapping[str, str],
    repeat: int,
) -> str:
    """Return the report: goals first, then every figure."""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {repeat} runs in turn."
    lines = [
        "# Results of `python -m benchmarks`",
        "",
        f"{machine} Only the ratios mean something elsewhere.",
        "`noise` is the slowest run less the fastest one, as a share of the median.",
        "",
        "| goal | limit | by the clock | by processor time | met |",
        "|---|---|---|---|---|",
        *(verdict.row() for verdict in verdicts),
        "",
    ]
    lines += [f"Left out: {name}: {why}." for name, why in sorted(left_out.items())]
    for size, jobs in sorted(measured.items()):
        title = {START: "Start-up, and a slow server", APPLY: "Apply of 1 000 new groups"}.get(
            size, f"{size:,} principals".replace(",", " ")
        )
        lines += [
            "",
            f"## {title}",
            "",
            "| what | wall s | CPU s | peak MiB | noise | API calls |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(name, one, calls.get(size, {}).get(name)) for name, one in jobs.items()]
    if growth:
        lines += ["", "## Growth", "", "| what | exponent, from 1 000 up |", "|---|---|"]
        lines += [f"| {name} | {exponent:.2f} |" for name, exponent in growth.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, one: Measured, calls: int | None) -> str:
    shown = "" if calls is None else str(calls)
    return f"| {name} | {one.wall:.3f} | {one.cpu:.3f} | {one.memory:.0f} | {one.noise:.0%} | {shown} |"


def write(folder: Path, text: str, measured: AtSize, verdicts: list[Verdict], growth: Mapping[str, float]) -> None:
    """Write ``results.md`` and ``results.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(text, encoding="utf-8")
    figures = {
        str(size): {
            name: [{"wall": run.wall, "cpu": run.cpu, "memory": run.memory} for run in one.runs]
            for name, one in jobs.items()
        }
        for size, jobs in measured.items()
    }
    content = {"goals": [verdict.plain() for verdict in verdicts], "growth": dict(growth), "runs": figures}
    (folder / "results.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
