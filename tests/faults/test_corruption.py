"""Damaged declarations: every one is invalid, stopped by a guard, or plans little and shows all of it."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import httpx
import pytest

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport
from reconciler.declaration.load import load
from reconciler.declaration.resolve import resolve
from reconciler.errors import InvalidDeclarationError
from reconciler.model.access import Entity
from reconciler.model.desired import Desired
from reconciler.model.live import Caller, Live
from reconciler.model.resources import Kind
from reconciler.model.secret import Secret
from reconciler.model.snapshot import Snapshot
from reconciler.plan.changes import Action
from reconciler.plan.document import Plan
from reconciler.sandbox.app import create_app
from reconciler.sandbox.store import Store
from reconciler.vaults.parse import DocumentParser
from tests.build import planned
from tests.support.project import Project, complete_example

CONFLICT = ["<<<<<<< HEAD", "=======", ">>>>>>> branch"]


class End(StrEnum):
    INVALID = "invalid"
    REFUSED = "stopped by a guard"
    REMOVES = "plans removals, all shown, under the guards"
    HARMLESS = "plans no removal"


@dataclass(frozen=True)
class Variant:
    name: str
    files: dict[str, bytes | None]


def variants(folder: Path) -> Iterator[Variant]:
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in {".yaml", ".yml"} and "vaults" not in path.parts
    }
    for name, content in files.items():
        lines = content.splitlines(keepends=True)
        for number in range(len(lines)):
            yield Variant(f"{name} cut before line {number + 1}", {name: b"".join(lines[:number])})
            yield Variant(f"{name} without line {number + 1}", {name: b"".join(lines[:number] + lines[number + 1 :])})
            yield Variant(
                f"{name} with line {number + 1} doubled", {name: b"".join([*lines[: number + 1], *lines[number:]])}
            )
        for number in range(0, len(lines), 7):
            marker = CONFLICT[number % 3].encode() + b"\n"
            yield Variant(
                f"{name} with a conflict marker", {name: b"".join([*lines[:number], marker, *lines[number:]])}
            )
        yield Variant(f"{name} dropped", {name: None})
        yield Variant(f"{name} emptied", {name: b""})
        for other, text in files.items():
            if other > name:
                yield Variant(f"{name} and {other} swapped", {name: text, other: content})
        flips = random.Random(name)
        for _ in range(40):
            damaged = bytearray(content)
            place = flips.randrange(len(damaged))
            damaged[place] ^= 1 << flips.randrange(8)
            yield Variant(f"{name} with a bit flipped at {place}", {name: bytes(damaged)})


@dataclass
class Stage:
    folder: Path
    live: Live
    parser: DocumentParser

    def judge(self, variant: Variant) -> tuple[End, Plan | None]:
        originals = {name: (self.folder / name).read_bytes() for name in variant.files}
        try:
            for name, content in variant.files.items():
                if content is None:
                    (self.folder / name).unlink()
                else:
                    (self.folder / name).write_bytes(content)
            return self._judge()
        finally:
            for name, content in originals.items():
                (self.folder / name).write_bytes(content)

    def _judge(self) -> tuple[End, Plan | None]:
        try:
            plan = planned(self.declared(), self.live, self.parser).plan
        except InvalidDeclarationError:
            return End.INVALID, None
        if plan.refused:
            return End.REFUSED, plan
        return (End.REMOVES if plan.totals.remove else End.HARMLESS), plan

    def declared(self) -> Desired:
        declaration = load(self.folder / "workspace.yaml", documents=self.parser)
        return resolve(declaration, secrets=None)


def converge(project: Project) -> None:
    options = ("--server", project.sandbox.server)
    assert project.run("apply", "--yes", *options).code == 0
    project.sandbox.accept(*project.sandbox.truth().invited)
    assert project.run("apply", "--yes", *options).code == 0


def live_of(project: Project, entities: Collection[Entity]) -> Live:
    async def read() -> Live:
        with Store.open(project.sandbox.path) as store:
            settings = ConnectionSettings("http://sandbox.localhost", token=Secret(store.session_for_admin()))
            async with ReadTransport(settings, transport=httpx.ASGITransport(create_app(store))) as transport:
                return await read_live(Reader(transport), entities=entities)

    return asyncio.run(read())


@pytest.fixture(scope="module", params=["small-team", "large-organization"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, parser: DocumentParser) -> Stage:
    project = complete_example(tmp_path_factory.mktemp(request.param), request.param)
    converge(project)
    stage = Stage(project.folder, Live(Snapshot(), {}, Caller("", None, None, "")), parser)
    rules = stage.declared().snapshot.access_rules.values()
    return replace(stage, live=live_of(project, {rule.entity for rule in rules}))


def test_no_damage_to_a_declaration_removes_an_admin_or_empties_anything_unasked(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    unchanged = Variant("as it is", {})
    assert stage.judge(unchanged)[0] is End.HARMLESS
    ends: Counter[End] = Counter()
    for variant in variants(stage.folder):
        end, plan = stage.judge(variant)
        ends[end] += 1
        if end is End.REMOVES and plan is not None:
            _check_removals(plan, stage.live, variant.name)
    counted = ", ".join(f"{ends[end]} {end}" for end in End)
    with capsys.disabled():
        sys.stdout.write(f"\n{stage.folder.name}: {sum(ends.values())} damaged declarations: {counted}\n")
    assert ends[End.INVALID]
    assert ends[End.REFUSED]


def _check_removals(plan: Plan, live: Live, name: str) -> None:
    assert plan.totals.remove == sum(change.action is Action.DELETE for change in plan.changes)
    for kind in Kind:
        removed = [change for change in plan.changes if change.kind is kind and change.action is Action.DELETE]
        total = len(live.snapshot.of_kind(kind))
        assert not removed or len(removed) < total, name
        # One of a kind passes whatever its share is (docs/reference/guards.md): small sets could not change otherwise.
        assert len(removed) <= max(1, 0.2 * total), name
    for change in plan.changes:
        role = change.edited("role")
        assert not (role is not None and role.before == "admin"), name
        members = change.edited_set("members")
        if members is not None and change.action is Action.UPDATE:
            group = live.snapshot.groups[change.address]
            assert len(members.removed) < len(group.members or ()) or not members.removed, name
