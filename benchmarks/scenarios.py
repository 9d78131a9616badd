"""The programs to measure at one size, ready to run: inputs written, sandboxes filled and served."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import peers
from benchmarks.inputs import Inputs, Shape, empty_workspace, make_sandbox, resources, write_declaration
from benchmarks.measure import Job
from benchmarks.programs import BARE, RECONCILER, RUAMEL, requests
from benchmarks.servers import sandbox
from reconciler.sandbox.bulk import load_workspace
from reconciler.sandbox.store import Store

ALLOWED = ["--allow", "new-admin"]
WIDTH = 16
LARGEST_APPLY = 10_000
LARGEST_PEER = 10_000
"""Terraform takes minutes and gigabytes beyond."""

_SERVER = "https://api.acme.invalid"


@contextmanager
def scenarios(folder: Path, principals: int) -> Iterator[tuple[list[Job], dict[str, str]]]:
    """Make everything of one size and yield its jobs, and why a peer is left out."""
    inputs = Inputs(Shape(principals))
    folders = {
        "same": write_declaration(folder / "same", inputs.declaration(_SERVER)).parent,
        "changed": write_declaration(folder / "changed", inputs.declaration(_SERVER, changed=True)).parent,
        "broken": write_declaration(folder / "broken", inputs.declaration(_SERVER, broken=True)).parent,
    }
    if principals <= 10_000:
        large = Inputs(Shape(principals, document=2000))
        folders["large"] = write_declaration(folder / "large", large.declaration(_SERVER)).parent
    full, empty = folder / "full.db", folder / "empty.db"
    tokens = {"full": make_sandbox(full, inputs.workspace()), "empty": make_sandbox(empty, empty_workspace())}
    with ExitStack() as opened:
        urls = {name: opened.enter_context(sandbox(path)) for name, path in (("full", full), ("empty", empty))}
        jobs = [*_files(folders), *_reading(folders, urls, tokens, inputs, folder)]
        if principals <= LARGEST_APPLY:
            jobs.append(_apply(folders["same"], urls["empty"], tokens["empty"], empty))
        left_out = {}
        for name, job in _peers(folder, inputs) if principals <= LARGEST_PEER else ():
            if isinstance(job, str):
                left_out[name] = job
            else:
                jobs.append(job)
        yield jobs, left_out


def _peers(folder: Path, inputs: Inputs) -> Iterator[tuple[str, Job | str]]:
    found = resources(inputs.declaration(_SERVER))
    yield "terraform", peers.terraform_plan(folder / "terraform", found)
    yield "octodns", peers.octodns_plan(folder / "octodns", len(found))


def _files(folders: dict[str, Path]) -> Iterator[Job]:
    yield Job("floor: bare python", BARE, folders["same"])
    yield Job("floor: ruamel's C safe load", RUAMEL, folders["same"])
    yield Job("validate", [*RECONCILER, "validate"], folders["same"])
    yield Job("validate, 1 % wrong", [*RECONCILER, "validate"], folders["broken"], codes=(3,))
    if "large" in folders:
        yield Job("validate, documents of 2 kB", [*RECONCILER, "validate"], folders["large"])


def _reading(
    folders: dict[str, Path], urls: dict[str, str], tokens: dict[str, str], inputs: Inputs, folder: Path
) -> Iterator[Job]:
    environment = {"CLEARML_AUTH_TOKEN": tokens["full"]}
    full = ["--server", urls["full"]]
    inside = ["--server", f"sandbox:{folder / 'full.db'}"]
    same, changed = folders["same"], folders["changed"]

    def job(name: str, words: list[str], where: Path, *, calls: bool = True, **others: object) -> Job:
        command = [*RECONCILER, *words]
        return Job(name, command, where, environment, calls=0 if calls else None, **others)  # type: ignore[arg-type]

    yield job("plan, nothing to do", ["plan", *full], same)
    yield job("plan, 1 % changed", ["plan", *full, *ALLOWED], changed)
    new = {"CLEARML_AUTH_TOKEN": tokens["empty"]}
    command = [*RECONCILER, "plan", "--server", urls["empty"], *ALLOWED]
    yield Job("plan, everything new", command, same, new, emptying(folder / "empty.db", same), calls=0)
    yield job("plan, nothing to do, in process", ["plan", *inside], same, calls=False)
    yield job("drift, 1 % changed", ["drift", *full], changed, codes=(2,))
    yield job("import", ["import", *full, "--out", "imported"], folder, before=_without(folder / "imported"))
    yield job("effective", ["effective", inputs.emails[0], *full, "--without-secrets"], same)
    pages = -(-inputs.shape.principals // 500)
    body = '{"include_auth": true, "order_by": ["id"], "page": 0, "page_size": 500}'
    count = inputs.shape.accounts
    yield Job(
        "floor: the account reads, bare",
        requests(urls["full"], count, WIDTH, "auth.get_credentials"),
        same,
        environment,
    )
    yield Job(
        "floor: the pages, bare", requests(urls["full"], pages, WIDTH, "users.get_all_ex", body), same, environment
    )


def _apply(folder: Path, url: str, token: str, database: Path) -> Job:
    """Return an apply of the whole declaration to a sandbox that is emptied before each run."""
    command = [*RECONCILER, "apply", "--yes", *ALLOWED, "--server", url]
    return Job(
        "apply, everything new", command, folder, {"CLEARML_AUTH_TOKEN": token}, emptying(database, folder), calls=0
    )


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
