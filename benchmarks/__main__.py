"""``python -m benchmarks``: measure everything and write ``results.md`` and ``results.json``."""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import peers
from benchmarks.goals import APPLY, SLOW, SLOW_READS, SLOW_SECONDS, SLOW_WIDTH, START, exponents, verdicts
from benchmarks.goals import BARE as BARE_NAME
from benchmarks.inputs import empty_workspace, make_sandbox, new_groups, resources, write_declaration
from benchmarks.measure import Job, Measured, in_turn, output_of
from benchmarks.programs import BARE, PYTHON, RECONCILER, REPOSITORY, SLOW_PROGRAM, requests
from benchmarks.report import Kept, markdown, read, write
from benchmarks.scenarios import WIDTH, emptying, scenarios
from benchmarks.servers import sandbox, slow_server
from benchmarks.starter import starter

HERE = Path(__file__).parent
STARTS = 25
"""How often what takes a twentieth of a second is measured."""

LARGE = 50_000
"""From here on a round takes minutes, and the smaller ones have warmed the programs up."""

_CALL = re.compile(r"^\S+\.\S+: \d+, \d+ ms$", re.MULTILINE)


def main() -> None:
    options = _options()
    starter()  # before this process grows
    found = _Found(options)
    with tempfile.TemporaryDirectory(prefix="reconciler-benchmark-") as scratch:
        folder = Path(scratch)
        if options.wants("start"):
            found.add(START, in_turn(_start(folder), max(options.repeat, STARTS)))
        if options.wants(SLOW):
            found.add(START, _slow(folder, options.repeat))
        if options.wants("apply of 1 000"):
            found.add(APPLY, _apply(folder, options.repeat, found.kept.left_out))
        found.save()
        for size in options.sizes:
            (folder / str(size)).mkdir()
            with scenarios(folder / str(size), size) as (every, missing):
                jobs = [job for job in every if options.wants(job.name)]
                found.kept.left_out.update(missing)
                print(f"{size} principals: {len(jobs)} programs, {options.repeat} times", flush=True)
                found.add(size, in_turn(jobs, options.repeat, warm=size < LARGE))
                found.count(size, {job.name: _calls(job) for job in jobs if job.calls is not None})
            found.save()
    print(found.save())


class _Found:
    """What was measured so far; saved after every size, since the larger ones take long."""

    def __init__(self, options: _Options) -> None:
        self._options = options
        self.kept = read(options.out) if options.keep else Kept({}, {}, {})

    def add(self, size: int, measured: Mapping[str, Measured]) -> None:
        self.kept.measured.setdefault(size, {}).update(measured)

    def count(self, size: int, calls: Mapping[str, int]) -> None:
        self.kept.calls.setdefault(size, {}).update(calls)

    def save(self) -> str:
        judged, growth = verdicts(self.kept.measured), exponents(self.kept.measured)
        text = markdown(self.kept, judged, growth, self._options.repeat)
        write(self._options.out, text, self.kept, judged, growth)
        return text


def _options() -> _Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000,50000", help="numbers of principals")
    parser.add_argument("--only", default="", help="a regular expression that names what to run")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE, help="where results.md and results.json go")
    parser.add_argument("--keep", action="store_true", help="keep what an earlier run found of all that is not run")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",") if size]
    return _Options(sizes, re.compile(given.only), given.repeat, given.out, given.keep)


class _Options:
    def __init__(self, sizes: Sequence[int], only: re.Pattern[str], repeat: int, out: Path, keep: bool) -> None:
        self.sizes, self.repeat, self.out, self.keep = sizes, repeat, out, keep
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


def _slow(folder: Path, repeat: int) -> dict[str, Measured]:
    """Measure reads from a server that takes its time."""
    token = {"CLEARML_AUTH_TOKEN": _endless_token(), "PYTHONPATH": str(REPOSITORY)}
    with slow_server(SLOW_SECONDS) as url:
        program = [PYTHON, "-c", SLOW_PROGRAM, url, str(SLOW_READS), str(SLOW_WIDTH)]
        return in_turn([Job(SLOW, program, folder, token, inner=True)], repeat)


def _endless_token() -> str:
    """Return a token that nobody checks, as the slow server takes any."""
    import jwt

    identity = {"user": "u", "company": "c", "role": "admin", "user_name": "n", "company_name": "acme-ml"}
    claims = {"identity": identity, "exp": 4102444800, "feature_set": "full", "api_version": "2.31"}
    return jwt.encode(claims, "a key that is long enough for nobody to complain", algorithm="HS256")


if __name__ == "__main__":
    main()
