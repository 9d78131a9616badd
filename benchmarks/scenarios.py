"""The programs to measure at one size, ready to run: inputs written, sandboxes filled and served."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.goals import IMPACT, STATES
from benchmarks.inputs import Inputs, Shape, empty_workspace, make_sandbox, resources, write_declaration
from benchmarks.measure import Job
from benchmarks.programs import BARE, PYTHON, RECONCILER, REPOSITORY, RUAMEL, requests
from benchmarks.servers import sandbox
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.state import Workspace
from reconciler.sandbox.store import Store

ALLOWED = ["--allow", "new-admin"]
WIDTH = 16
LARGEST_PEER = 10_000
"""Terraform takes minutes and gigabytes beyond."""

LARGEST_LONG_INSIDE = 10_000
"""An apply or import beyond takes half a minute and more, and is measured over a port only."""

_SERVER = "https://api.acme.invalid"


@contextmanager
def scenarios(folder: Path, principals: int) -> Iterator[tuple[list[Job], dict[str, str]]]:
    """Make everything of one size and yield its jobs, and why a peer is left out."""
    inputs = Inputs(Shape(principals))
    large = Inputs(Shape(principals, document=2000))
    declarations = {
        "same": inputs.declaration(_SERVER),
        "changed": inputs.declaration(_SERVER, changed=True),
        "broken": inputs.declaration(_SERVER, broken=True),
        "large": large.declaration(_SERVER),
    }
    folders = {name: write_declaration(folder / name, text).parent for name, text in declarations.items()}
    full = _Workspace.made(folder / "full.db", inputs.workspace())
    empty = _Workspace.made(folder / "empty.db", empty_workspace())
    inside = [
        job
        for job in _commands(folders, inputs.emails[0], full, empty, ", in process")
        if principals <= LARGEST_LONG_INSIDE or not job.name.startswith(("apply", "import"))
    ]
    with sandbox(full.database) as full_url, sandbox(empty.database) as empty_url:
        jobs = [
            *_files(folders, inputs),
            *_commands(folders, inputs.emails[0], full.at(full_url), empty.at(empty_url)),
            *inside,
            *_within(folders["changed"], full.database),
            *_floors(folders["same"], full.at(full_url), inputs),
        ]
        left_out = {}
        for name, job in _peers(folder, declarations["same"]) if principals <= LARGEST_PEER else ():
            if isinstance(job, str):
                left_out[name] = job
            else:
                jobs.append(job)
        yield jobs, left_out


@dataclass(frozen=True)
class _Workspace:
    """A sandbox's file, a token of its first admin, and how it is reached: in the command's own process, or a URL."""

    database: Path
    token: str
    server: str

    @staticmethod
    def made(database: Path, workspace: Workspace) -> _Workspace:
        return _Workspace(database, make_sandbox(database, workspace), f"sandbox:{database}")

    def at(self, url: str) -> _Workspace:
        return replace(self, server=url)


def _peers(folder: Path, declaration: str) -> Iterator[tuple[str, Job | str]]:
    found = resources(declaration)
    yield "terraform", peers.terraform_plan(folder / "terraform", found)
    yield "octodns", peers.octodns_plan(folder / "octodns", len(found))


def _files(folders: Mapping[str, Path], inputs: Inputs) -> Iterator[Job]:
    """Iterate over what needs no server."""
    yield Job("floor: bare python", BARE, folders["same"])
    yield Job("floor: ruamel's C safe load", RUAMEL, folders["same"])
    yield Job("validate", [*RECONCILER, "validate"], folders["same"])
    yield Job("validate, 1 % wrong", [*RECONCILER, "validate"], folders["broken"], codes=(3,))
    yield Job("validate, documents of 2 kB", [*RECONCILER, "validate"], folders["large"])
    words = ["effective", inputs.emails[0], "--without-secrets"]
    yield Job("effective, declared", [*RECONCILER, *words], folders["same"])


def _commands(
    folders: Mapping[str, Path], who: str, full: _Workspace, empty: _Workspace, suffix: str = ""
) -> Iterator[Job]:
    """Iterate over the commands that ask a server: a full one or an empty one.

    Where it is over a port (there is no ``suffix``), their calls are counted too.
    """
    same, changed = folders["same"], folders["changed"]
    imported = same.parent / "imported"

    def job(name: str, words: list[str], where: Path, workspace: _Workspace = full, **others: Any) -> Job:
        command = [*RECONCILER, *words, "--server", workspace.server]
        calls = None if suffix else 0
        return Job(name + suffix, command, where, {"CLEARML_AUTH_TOKEN": workspace.token}, calls=calls, **others)

    emptied = emptying(empty.database, same)
    yield job("plan, nothing to do", ["plan"], same)
    yield job("plan, 1 % changed", ["plan", *ALLOWED], changed)
    yield job("plan, everything new", ["plan", *ALLOWED], same, empty, before=emptied)
    yield job("drift, 1 % changed", ["drift"], changed, codes=(2,))
    yield job("effective, live", ["effective", who, "--live"], same)
    yield job("import", ["import", "--out", imported.name], imported.parent, before=_without(imported))
    yield job("apply, everything new", ["apply", "--yes", *ALLOWED], same, empty, before=emptied)


def _within(changed: Path, database: Path) -> Iterator[Job]:
    """Iterate over what no command does alone, timed within a process that has read everything."""
    for name, what in ((IMPACT, "impact"), (STATES, "states")):
        program = [PYTHON, "-m", "benchmarks.within", str(changed), str(database), what]
        yield Job(name, program, changed, {"PYTHONPATH": str(REPOSITORY)}, inner=True)


def _floors(folder: Path, full: _Workspace, inputs: Inputs) -> Iterator[Job]:
    """Iterate over the requests of a plan, bare."""
    token = {"CLEARML_AUTH_TOKEN": full.token}
    reads = requests(full.server, inputs.shape.accounts, WIDTH, "auth.get_credentials")
    yield Job("floor: the account reads, bare", reads, folder, token)
    body = '{"include_auth": true, "order_by": ["id"], "page": 0, "page_size": 500}'
    pages = requests(full.server, -(-inputs.shape.principals // 500), WIDTH, "users.get_all_ex", body)
    yield Job("floor: the pages, bare", pages, folder, token)


def emptying(database: Path, folder: Path) -> Callable[[], None]:
    """Return what empties a sandbox that is being served, and takes delivered keys and the record of it away."""

    def empty() -> None:
        shutil.rmtree(folder / "out", ignore_errors=True)
        shutil.rmtree(folder / ".reconciler", ignore_errors=True)
        (folder / "out").mkdir()
        with Store.open(database) as store:
            load_workspace(store, empty_workspace())

    return empty


def _without(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)
