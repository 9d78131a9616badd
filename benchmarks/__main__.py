"""``python -m benchmarks``: measure everything and write ``results.md`` and ``results.json``."""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import peers
from benchmarks.goals import BARE as BARE_NAME
from benchmarks.goals import Verdict, exponents, ratios
from benchmarks.inputs import Inputs, Shape, empty_workspace, make_sandbox, new_groups, resources, write_declaration
from benchmarks.measure import Job, Measured, in_turn, output_of
from benchmarks.programs import BARE, PYTHON, RECONCILER, SLOW, requests
from benchmarks.report import markdown, write
from benchmarks.scenarios import WIDTH, emptying, scenarios
from benchmarks.servers import sandbox, slow_server
from benchmarks.starter import starter

HERE = Path(__file__).parent
REPOSITORY = str(HERE.parent)
_CALL = re.compile(r"^\S+\.\S+: \d+, \d+ ms$", re.MULTILINE)
_MEMORY = "plan, nothing to do"


def main() -> None:
    options = _options()
    starter()  # before this process grows
    found = _Found(options)
    with tempfile.TemporaryDirectory(prefix="reconciler-benchmark-") as scratch:
        folder = Path(scratch)
        if options.wants("start"):
            found.measured[0] = in_turn(_start(folder), max(options.repeat, 9))
        found.verdicts += _others(options, folder)
        if options.wants("apply of 1 000"):
            found.measured[1] = _apply(folder, options.repeat, found.left_out)
        found.save()
        for size in options.sizes:
            (folder / str(size)).mkdir()
            with scenarios(folder / str(size), size) as (every, missing):
                jobs = [job for job in every if options.wants(job.name)]
                found.left_out |= missing
                print(f"{size} principals: {len(jobs)} programs, {options.repeat} times", flush=True)
                found.measured[size] = in_turn(jobs, options.repeat)
                found.calls[size] = {job.name: _calls(job) for job in jobs if job.calls is not None}
            found.save()
    print(found.save())


class _Found:
    """What was measured so far; saved after every size, since the larger ones take long."""

    def __init__(self, options: _Options) -> None:
        self._options = options
        self.measured: dict[int, dict[str, Measured]] = {}
        self.calls: dict[int, dict[str, int]] = {}
        self.left_out: dict[str, str] = {}
        self.verdicts: list[Verdict] = []

    def save(self) -> str:
        verdicts = [*ratios(self.measured), *self.verdicts, *_memory(self.measured)]
        growth = {
            name: value
            for name, value in exponents(self.measured).items()
            if not name.startswith(("terraform", "octodns"))
        }
        text = markdown(self.measured, verdicts, growth, self.calls, self.left_out, self._options.repeat)
        write(self._options.out, text, self.measured, verdicts, growth)
        return text


def _options() -> _Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000,50000", help="numbers of principals")
    parser.add_argument("--only", default="", help="a regular expression that names what to run")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE, help="where results.md and results.json go")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",") if size]
    return _Options(sizes, re.compile(given.only), given.repeat, given.out)


class _Options:
    def __init__(self, sizes: Sequence[int], only: re.Pattern[str], repeat: int, out: Path) -> None:
        self.sizes, self.repeat, self.out = sizes, repeat, out
        self._only = only

    def wants(self, name: str) -> bool:
        return bool(self._only.search(name))


def _start(folder: Path) -> list[Job]:
    words = {"--version": ["--version"], "--help": ["--help"], "usage error": ["plam"]}
    jobs = [Job(name, [*RECONCILER, *arguments], folder, codes=(0, 64)) for name, arguments in words.items()]
    return [Job(BARE_NAME, BARE, folder), *jobs]


def _calls(job: Job) -> int:
    command = [*RECONCILER, "--debug", *job.command[len(RECONCILER) :]]
    return len(_CALL.findall(output_of(replace(job, command=command))))


def _apply(folder: Path, repeat: int, left_out: dict[str, str]) -> dict[str, Measured]:
    """Measure an apply of 1 000 new groups beside Terraform's, and beside its writes alone."""
    declaration = new_groups(1000, "https://api.acme.invalid")
    here = write_declaration(folder / "new", declaration).parent
    database = here / "sandbox.db"
    token = {"CLEARML_AUTH_TOKEN": make_sandbox(database, empty_workspace())}
    before = emptying(database, here)
    with sandbox(database) as url:
        writes = requests(
            url, 1000, WIDTH, "permissions.add_or_update_user_group", '{"name": "group-NUMBER", "users": ["root"]}'
        )
        jobs = [
            Job("apply, 1 000 new", [*RECONCILER, "apply", "--yes", "--server", url], here, token, before),
            Job("floor: the writes, bare", writes, here, token, before),
        ]
        peer = peers.terraform_apply(folder / "terraform-apply", resources(declaration))
        if isinstance(peer, str):
            left_out["terraform apply"] = peer
        else:
            jobs.append(peer)
        return in_turn(jobs, repeat, warm=False)


def _memory(measured: dict[int, dict[str, Measured]]) -> list[Verdict]:
    plan = measured.get(10_000, {}).get(_MEMORY)
    if plan is None:
        return []
    return [Verdict("peak memory of `plan` at 10 000, MiB", "≤ 120", plan.memory, None, plan.memory <= 120)]


def _others(options: _Options, folder: Path) -> list[Verdict]:
    """Judge what is not a ratio of two programs."""
    found = []
    if options.wants("slow server"):
        with slow_server(0.05) as url:
            program = [PYTHON, "-c", SLOW, url, "500", REPOSITORY]
            job = Job("slow", program, folder, {"CLEARML_AUTH_TOKEN": _endless_token()})
            took = statistics.median(_told(job) for _ in range(options.repeat))
        found.append(
            Verdict("500 reads of 50 ms each at concurrency 32 / ideal", "≤ 1.3", took / 0.8, None, took <= 1.3 * 0.8)
        )
    for what in ("impact", "rehearsal"):
        if options.wants(what):
            took, cpu = _within(folder, what, options.repeat)
            found.append(Verdict(f"{what} of 1 % changed, 10 000 principals, s", "≤ 1", took, cpu, took <= 1))
    return found


def _within(folder: Path, what: str, repeat: int) -> tuple[float, float]:
    here = folder / "within"
    database = here / "sandbox.db"
    if not here.exists():
        inputs = Inputs(Shape(10_000))
        write_declaration(here, inputs.declaration("https://api.acme.invalid", changed=True))
        make_sandbox(database, inputs.workspace())
    job = Job(what, [PYTHON, "-m", "benchmarks.within", str(here), str(database), what], Path(REPOSITORY))
    told = [json.loads(output_of(job).splitlines()[-1]) for _ in range(repeat)]
    return statistics.median(one["seconds"] for one in told), statistics.median(one["cpu"] for one in told)


def _told(job: Job) -> float:
    return float(json.loads(output_of(job).splitlines()[-1])["seconds"])


def _endless_token() -> str:
    """Return a token that nobody checks, as the slow server takes any."""
    import jwt

    identity = {"user": "u", "company": "c", "role": "admin", "user_name": "n", "company_name": "acme-ml"}
    claims = {"identity": identity, "exp": 4102444800, "feature_set": "full", "api_version": "2.31"}
    return jwt.encode(claims, "a key that is long enough for nobody to complain", algorithm="HS256")


if __name__ == "__main__":
    main()
