"""Altered answers never make a run remove, grant or double what it would not have by itself.

Seen from outside, over a port: the state of the stand-in after an ``apply``, and what ``plan``, ``drift`` and ``import``
say. A sample runs here; ``pytest tests/contract/test_contract_alterations.py --all-faults`` lets every published field
of every answer be altered in every way.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from tests.build import GAINS
from tests.contract.altering import Alteration, What, alterations, altered
from tests.contract.stand_in import ACCESS_KEY, SECRET_KEY, USERS_ID, StandIn, Style, User, serving
from tests.contract.stand_in import Sort as UserSort
from tests.support.runner import Result, clean_environment, invoke, session_at

Facts = frozenset[tuple[object, ...]]

SAMPLE = 15
"""How many alterations are tried with each command in the gate."""

DECLARATION = """\
version: 1
workspace: {{name: acme-ml, server: "{url}"}}
policy: {{min_admins: 1, max_removals: 100%}}
members:
- {{email: root@acme.io, role: admin}}
- {{email: ada@acme.io}}
- {{email: eve@acme.io}}
- {{email: new@acme.io, role: consumer}}
service_accounts:
- {{name: agent, credentials: [{{label: k8s}}], vault: {{data: "a: 2"}}}}
- {{name: robot, credentials: [{{label: ci, deliver: {{file: robot.conf}}}}]}}
groups:
- {{name: crew, members: [root@acme.io, eve@acme.io], service_accounts: [agent]}}
- {{name: fresh, members: [ada@acme.io]}}
vaults:
- {{name: defaults, group: Users, data: "sdk.development.worker.report_period_sec: 2"}}
- {{name: s3, group: crew, data: "region: us"}}
- {{name: extra, group: fresh, data: "x: 1"}}
access_rules:
- {{name: see, resource: {{project: Vision}}, permission: read_write, groups: [crew]}}
- {{name: run, resource: {{queue: gpu}}, permission: read_write, members: [ada@acme.io]}}
"""


def a_workspace() -> StandIn:
    """Return a workspace in which there is something to do of every kind: to create, to change and to remove."""
    server = StandIn(Style.ALL_FIELDS)
    for name in ("ada", "bob"):
        server.users[f"u-{name}"] = User(f"u-{name}", name, "user", email=f"{name}@acme.io")
    server.users["s-agent"] = User("s-agent", "agent", "user", UserSort.SERVICE)
    for label in ("k8s", "old"):
        server.keys[f"KEY-{label}"] = {
            "access_key": f"KEY-{label}",
            "label": label,
            "user": "s-agent",
            "secret_key": "s",
        }
    server.invitations["eve@acme.io"] = {"email": "eve@acme.io", "role": "user", "status": "pending", "user": None}
    server.projects["p-vision"], server.queues["q-gpu"] = "Vision", "gpu"
    for identifier, people in (("g-crew", ["u-ada", "u-root"]), ("g-left", ["u-bob", "s-agent"])):
        server.groups[identifier] = {"id": identifier, "name": identifier[2:], "system": False, "assignable": True}
        server.groups[identifier] |= {"users": people}
    usual = {"format": "hocon", "type": "config", "enabled": True, "editable": True, "last_update": None}
    server.vaults["v-s3"] = usual | {"id": "v-s3", "description": "s3", "scope": "group", "group": "g-crew"}
    server.vaults["v-s3"] |= {"group_name": "crew", "data": "region: eu"}
    server.vaults["v-own"] = usual | {
        "id": "v-own",
        "description": "",
        "scope": "user",
        "user": "s-agent",
        "data": "a: 1",
    }
    see = {"id": "r-see", "name": "see", "description": "", "entity_type": "project", "entity_id": "p-vision"}
    server.rules["r-see"] = see | {"access_permission": "read", "users": ["u-bob"], "groups": ["g-crew"]}
    server.rules["r-bob"] = see | {
        "id": "r-bob",
        "name": "bob",
        "access_permission": "read",
        "users": ["u-bob"],
        "groups": [],
    }
    return server


def facts_of(server: StandIn) -> Facts:
    """Return who is there, who has what, and how often there is something of one name."""
    names = {user.id: user.email or user.name for user in server.users.values() if user.is_in_users}
    names |= {key: f"group {group['name']}" for key, group in server.groups.items()}
    found: list[tuple[object, ...]] = [
        ("user", names[user.id], user.role, user.allow_running_as_owner)
        for user in server.users.values()
        if user.is_in_users
    ]
    found += [("invited", email, entry["role"]) for email, entry in server.invitations.items() if "role" in entry]
    found += [("key", names.get(key["user"]), key["label"]) for key in server.keys.values() if "label" in key]
    for group in server.groups.values():
        if group["id"] != USERS_ID:
            found += [("group", group["name"]), *(("in", group["name"], names.get(user)) for user in group["users"])]
    for vault in server.vaults.values():
        owner = names.get(vault.get("group") or vault.get("user") or "")
        found.append(("vault", owner, vault["description"], vault["data"], vault["enabled"]))
        found.append(("a vault", owner))
    for rule in server.rules.values():
        what = (rule["entity_type"], rule["entity_id"], rule["access_permission"])
        people = [*rule.get("users", []), *rule["groups"]]
        found += [("rule", rule["name"]), *(("may", *what, names.get(who)) for who in people)]
    counted: Counter[tuple[object, ...]] = Counter()
    numbered = []
    for fact in found:
        counted[fact] += 1
        numbered.append((*fact, counted[fact]))
    return frozenset(numbered)


@dataclass
class Port:
    """An address behind which one workspace after another is served."""

    url: str = ""
    respond: Callable[[str, dict[str, str], bytes], tuple[int, bytes]] = a_workspace().respond

    def answer(self, path: str, headers: dict[str, str], content: bytes) -> tuple[int, bytes]:
        return self.respond(path, headers, content)

    def serve(self, server: StandIn, by: Alteration | None = None) -> None:
        self.respond = altered(server.respond, by)


@pytest.fixture(scope="module")
def port() -> Iterator[Port]:
    found = Port()
    with serving(found.answer) as url:
        found.url = url
        yield found


@dataclass
class Desk:
    """Where commands run: each in a new folder with the declaration."""

    folder: Path
    port: Port

    def run(self, *command: str) -> Result:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "workspace.yaml").write_text(DECLARATION.format(url=self.port.url), encoding="utf-8")
        return self.again(*command)

    def again(self, *command: str) -> Result:
        """Run a command in the folder as the one before has left it."""
        lifts = [word for guard in GAINS for word in ("--allow", guard.value)]
        lifts += ["--allow", "empty-group", "--allow", "revocation"]
        keys = {"CLEARML_API_ACCESS_KEY": ACCESS_KEY, "CLEARML_API_SECRET_KEY": SECRET_KEY}
        return invoke(
            *command,
            *(lifts if command[0] in ("plan", "apply") else []),
            folder=self.folder,
            environment=clean_environment(self.folder, **keys),
            session=session_at(),
        )


@pytest.fixture(scope="module")
def desk(port: Port, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("alterations") / "desk", port)


@dataclass(frozen=True)
class Unaltered:
    """What happens without any alteration."""

    before: Facts
    after: Facts
    removing: frozenset[tuple[str, ...]]
    endpoints: frozenset[str]


def drastic(result: Result) -> frozenset[tuple[str, ...]]:
    """Return what a plan in JSON creates and removes."""
    if not result.stdout.startswith("{"):
        return frozenset()
    changes = result.json.get("changes", ())  # without one it is problems that are listed
    return frozenset((one["action"], one["kind"], *one["key"]) for one in changes if one["action"] != "update")


@pytest.fixture(scope="module")
def unaltered(port: Port, desk: Desk) -> Unaltered:
    server = a_workspace()
    before = facts_of(server)
    port.serve(server)
    planned = desk.run("plan", "--format", "json")
    applied = desk.run("apply", "--yes")
    assert applied.code == 0, applied
    assert desk.again("plan", "--detailed-exitcode").code == 0, "nothing is left but what waits for people"
    assert desk.run("drift").code in (0, 2)
    return Unaltered(before, facts_of(server), drastic(planned), frozenset(name for name, _ in server.calls))


READS = frozenset(
    {
        "auth.get_credentials",
        "auth.locate_credentials",
        "login.get_settings",
        "permissions.get_access_rules",
        "permissions.get_user_groups",
        "projects.get_all_ex",
        "queues.get_all",
        "users.get_all_ex",
        "users.get_organization_vaults",
        "users.get_service_users",
        "users.get_vault_operations_log",
        "users.get_vaults",
    }
)

SAYS_OTHERWISE = {
    "users[].support": "left out it says that this is an ordinary member, whom a plan may remove; the server refuses that",
}
"""Fields that say something else when they are empty, by contract, with the reason why that is no harm."""


def chosen(request: pytest.FixtureRequest, endpoints: frozenset[str]) -> list[Alteration]:
    """Return all alterations of some calls' answers, or a sample that is the same each time."""
    empty = (What.ABSENT, What.NULL)
    found = [one for one in alterations(endpoints) if not (one.path in SAYS_OTHERWISE and one.what in empty)]
    if request.config.getoption("--all-faults"):
        return found
    return random.Random(request.node.name).sample(found, SAMPLE)


def checked(complaints: list[str]) -> None:
    assert not complaints, "\n".join(complaints)


def test_an_apply_does_nothing_that_it_would_not_do_by_itself(
    request: pytest.FixtureRequest, port: Port, desk: Desk, unaltered: Unaltered
) -> None:
    complaints = []
    for alteration in chosen(request, unaltered.endpoints):
        server = a_workspace()
        port.serve(server, alteration)
        result = desk.run("apply", "--yes")
        after = facts_of(server)
        added, lost = after - unaltered.before - unaltered.after, (unaltered.before & unaltered.after) - after
        if result.code == ExitCode.INTERNAL_ERROR or "Traceback" in result.output or added or lost:
            complaints.append(
                f"{alteration}: exit {result.code}, added {sorted(added, key=str)}, lost {sorted(lost, key=str)}"
            )
    checked(complaints)


def plan_problem(port: Port, desk: Desk, unaltered: Unaltered) -> str | None:
    more = drastic(desk.run("plan", "--format", "json")) - unaltered.removing
    return f"plans {sorted(more)}" if more else None


def drift_problem(port: Port, desk: Desk, unaltered: Unaltered) -> str | None:
    code = desk.run("drift").code
    return (
        None if code in (ExitCode.DIFFERENCES, ExitCode.SERVER, ExitCode.INVALID_DECLARATION) else f"drift exits {code}"
    )


def import_problem(port: Port, desk: Desk, unaltered: Unaltered) -> str | None:
    imported = desk.run("import", "--server", port.url, "--out", "ws")
    if imported.code not in (ExitCode.DONE, ExitCode.SERVER):
        return f"import exits {imported.code}"
    if imported.code is not ExitCode.DONE:
        return None
    port.serve(a_workspace())
    planned = desk.again("plan", "ws/workspace.yaml", "--format", "json")
    return f"its import would then {sorted(drastic(planned))}" if drastic(planned) else None


@pytest.mark.parametrize("problem", [plan_problem, drift_problem, import_problem], ids=["plan", "drift", "import"])
def test_what_only_reads_tells_nothing_drastic_that_is_not_so(
    request: pytest.FixtureRequest,
    port: Port,
    desk: Desk,
    unaltered: Unaltered,
    problem: Callable[[Port, Desk, Unaltered], str | None],
) -> None:
    complaints = []
    for alteration in chosen(request, READS):
        server = a_workspace()
        port.serve(server, alteration)
        said = problem(port, desk, unaltered)
        if said is not None or facts_of(server) != unaltered.before:
            complaints.append(f"{alteration}: {said}")
    checked(complaints)
