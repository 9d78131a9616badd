"""The store itself: files, processes, whole workspaces at once, and size."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sandbox_client import Client, member

from reconciler.sandbox.bulk import dump_workspace, load_workspace
from reconciler.sandbox.choices import QUEUE_ADMINS_GROUP_ID, USERS_GROUP_ID
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.state import (
    AccessKey,
    Entity,
    Group,
    Invitation,
    Person,
    Rule,
    ServiceAccount,
    Vault,
    Workspace,
)
from reconciler.sandbox.store import Store
from reconciler.sandbox.whitelist import accept_invitation

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from reconciler.sandbox.store import Store
store = Store.open(sys.argv[1])
for n in range(20):
    with store.transaction(write=True) as db:
        db.execute("INSERT INTO domains VALUES (?)", (f"{sys.argv[2]}-{n}",))
"""

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_first_administrators_credentials_are_known_once(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Store.open(path, admin_email="a@b.c", admin_key="KEY", admin_secret="SECRET") as store:
        assert store.bootstrap
        assert (store.bootstrap.access_key, store.bootstrap.secret_key) == ("KEY", "SECRET")
    with Store.open(path, admin_email="other@b.c") as store:
        assert store.bootstrap is None
        assert [person.email for person in dump_workspace(store).people] == ["a@b.c"]


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with Store.open(tmp_path / "w.db"):
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_settings_are_kept_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Store.open(path, settings=Settings(maximum_members=3)) as first, Store.open(path) as second:
        assert second.settings.maximum_members == 3
        first.change_settings(maximum_members=4)
        assert second.settings.maximum_members == 4


@pytest.mark.parametrize("kind", ["text", "database", "folder", "newer"])
def test_a_file_that_is_no_sandbox_is_not_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.db"
    if kind == "text":
        path.write_text("hello, this is no database at all " * 100)
    elif kind == "folder":
        path.mkdir()
    else:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE t (x)")
        connection.execute(f"PRAGMA user_version = {99 if kind == 'newer' else 0}")
        connection.close()
    with pytest.raises(SandboxError):
        Store.open(path)


def test_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(n)]) for n in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    with Store.open(path) as store:
        assert len(dump_workspace(store).domains) == 80
        assert len(dump_workspace(store).people) == 1


def test_threads_share_a_store(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.add_entity("queue", str(n), str(n)), range(100)))
    assert len(dump_workspace(store).entities) == 100


def test_a_person_accepts_in_a_second_store_on_the_file(tmp_path: Path) -> None:
    with Store.open(tmp_path / "w.db") as first, Store.open(tmp_path / "w.db") as second:
        load_workspace(first, Workspace(invitations=(Invitation("a@b.c", "admin"),)))
        user = accept_invitation(second, "a@b.c")
        assert dump_workspace(first).people == (Person(user, "a@b.c", "a", "admin"),)
        assert first.session_for_admin()


def test_there_is_no_session_for_nobody(store: Store) -> None:
    with pytest.raises(SandboxError, match="no user nobody"):
        store.session_for("nobody")
    load_workspace(store, Workspace())
    with pytest.raises(SandboxError, match="no administrator"):
        store.session_for_admin()


FULL = Workspace(
    people=(Person("a", "a@b.c", "Ada", "admin", read_only=True), Person("t", "t@b.c", "Tom", support=True)),
    invitations=(Invitation("l@b.c", "admin"), Invitation("t@b.c", "user", "t")),
    service_accounts=(
        ServiceAccount(
            "bot", "Bot", "admin", allow_running_as_owner=True,
            credentials=(AccessKey("K1", "k8s", NOON, NOON, NOON, "10.0.0.1"), AccessKey("K2", None, NOON)),
        ),
    ),
    groups=(
        Group(USERS_GROUP_ID, "Users", "Everyone", system=True),
        Group("admins-here", "Admins", system=True),
        Group("g", "researchers", "d", frozenset({"a", "bot"})),
        Group("queue-admins-here", "Queue admins", "", frozenset({"t"}), system=True),
    ),
    vaults=(
        Vault("v2", "later", "a: 1", "group", group="g", format="yaml", type="other", enabled=False),
        Vault("v1", "own", "", "user", user="bot"),
    ),
    rules=(
        Rule("r0", "own", "queue", "*", "read_write", groups=frozenset({USERS_GROUP_ID}), autocreated=True),
        Rule("r1", "vision", "project", "p", "read", frozenset({"t"}), frozenset({"g"}), "d"),
    ),
    entities=(Entity("project", "p", "Vision"),),
    domains=("b.c",),
    settings=Settings(maximum_members=9),
)  # fmt: skip


def test_what_is_loaded_is_what_is_dumped(store: Store) -> None:
    load_workspace(store, FULL)
    assert dump_workspace(store) == replace(FULL, groups=tuple(sorted(FULL.groups, key=lambda group: group.id)))


def test_loading_makes_what_every_workspace_has(store: Store) -> None:
    load_workspace(store, Workspace(people=(Person("a", "a@b.c", "A", "admin"),)))
    state = dump_workspace(store)
    assert {group.name for group in state.groups} == {"Users", "Admins", "Queue admins"}
    assert all(rule.autocreated for rule in state.rules)
    assert QUEUE_ADMINS_GROUP_ID in {group.id for group in state.groups}


@pytest.mark.parametrize(
    "state",
    [
        Workspace(people=(Person("a", "a@b.c", "A"), Person("a", "b@b.c", "B"))),
        Workspace(groups=(Group("g", "g", users=frozenset({"nobody"})),)),
        Workspace(vaults=(Vault("v", "v", "", "group", group="nothing"),)),
    ],
)
def test_a_workspace_that_contradicts_itself_is_not_loaded(store: Store, state: Workspace) -> None:
    before = dump_workspace(store)
    with pytest.raises(SandboxError, match="contradicts itself"):
        load_workspace(store, state)
    assert dump_workspace(store) == before


def test_a_loaded_credential_has_no_known_secret(admin: Client, store: Store) -> None:
    load_workspace(store, FULL)
    for secret in ("", "None"):
        assert admin.with_basic("K2", secret).refused("auth.login") == "401/22"


def test_a_loaded_workspace_works_at_once(admin: Client, store: Store) -> None:
    load_workspace(store, FULL)
    root = admin.with_token(store.session_for_admin())
    assert len(root.call("permissions.get_user_groups", groups=["admins-here"])["groups"][0]["users"]) == 2
    member(root, store, "new@b.c")


def big(people: int) -> Workspace:
    users = tuple(Person(f"p{n:06}", f"p{n}@acme.io", f"Person {n}") for n in range(people))
    groups = tuple(Group(f"g{n}", f"group {n}", users=frozenset(user.id for user in users[n::100])) for n in range(100))
    return Workspace(people=(Person("root", "root@acme.io", "Root", "admin"), *users), groups=groups)


def test_ten_thousand_people_load_and_dump_well_below_a_second(store: Store) -> None:
    state = big(10_000)
    began = time.process_time()
    load_workspace(store, state)
    loaded = time.process_time()
    assert len(dump_workspace(store).people) == 10_001
    dumped = time.process_time()
    assert loaded - began < 1, loaded - began
    assert dumped - loaded < 1, dumped - loaded


def test_a_late_page_of_fifty_thousand_people_costs_what_an_early_one_does(admin: Client, store: Store) -> None:
    load_workspace(store, big(50_000))
    root = admin.with_token(store.session_for_admin())

    def read(page: int) -> tuple[float, int]:
        began = time.process_time()
        users = root.call("users.get_all_ex", include_auth=True, page=page, page_size=500)["users"]
        return time.process_time() - began, len(users)

    early, late = (min(read(page) for _ in range(15)) for page in (0, 99))
    assert (early[1], late[1], read(100)[1]) == (500, 500, 1)
    assert late[0] < 2 * early[0]


def test_fifty_thousand_memberships_are_read_at_once(admin: Client, store: Store) -> None:
    load_workspace(store, big(50_000))
    root = admin.with_token(store.session_for_admin())
    began = time.process_time()
    groups = root.call("permissions.get_user_groups")["groups"]
    assert sum(len(group["users"]) for group in groups) == 50_000 + 50_001 + 1
    assert time.process_time() - began < 3
