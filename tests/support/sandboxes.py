"""A sandbox as a test sees it: what is true in it, and edits behind the command's back through its API."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import Queue
from typing import Any

import httpx

from reconciler.declaration.values_file import read_values
from reconciler.sandbox import state
from reconciler.sandbox.app import create_app
from reconciler.sandbox.bulk import dump_workspace, load_workspace
from reconciler.sandbox.clock import Clock, system_clock
from reconciler.sandbox.seed import Seed, plant
from reconciler.sandbox.serve import Running, serve
from reconciler.sandbox.store import Store
from reconciler.sandbox.whitelist import accept_invitation

ADMIN_KEY = "ADMINKEY0000000000000000000000"
ADMIN_SECRET = "admin-secret-that-is-long-enough-to-be-noticed"


@dataclass(frozen=True)
class Truth:
    """What is in the sandbox, by the names that people use."""

    workspace: state.Workspace

    @cached_property
    def _names(self) -> dict[str, str]:
        people = {person.id: person.email or person.id for person in self.workspace.people}
        return people | {account.id: account.name for account in self.workspace.service_accounts}

    @property
    def members(self) -> dict[str, str]:
        return {person.email or "": person.role for person in self.workspace.people}

    @property
    def admins(self) -> int:
        return sum(person.role == "admin" for person in self.workspace.people)

    @property
    def names(self) -> dict[str, str]:
        return {person.email or "": person.name for person in self.workspace.people}

    @property
    def invited(self) -> dict[str, str]:
        return {entry.email: entry.role for entry in self.workspace.invitations if entry.user is None}

    @property
    def accounts(self) -> dict[str, state.ServiceAccount]:
        return {account.name: account for account in self.workspace.service_accounts}

    @property
    def groups(self) -> dict[str, set[str]]:
        return {
            group.name: {self._names[user] for user in group.users}
            for group in self.workspace.groups
            if not group.system or group.name == "Queue admins"
        }

    @property
    def vaults(self) -> dict[str, state.Vault]:
        owners = {group.id: group.name for group in self.workspace.groups} | self._names
        return {
            f"{vault.description} → {owners.get(vault.group or vault.user or '', '?')}": vault
            for vault in self.workspace.vaults
        }

    @property
    def rules(self) -> dict[str, tuple[str, str | None, str, set[str]]]:
        """Type and name of the entity, permission, and everybody in it; the server's own rules are not told."""
        entities = {(entity.type, entity.id): entity.name for entity in self.workspace.entities}
        groups = {group.id: group.name for group in self.workspace.groups}
        return {
            rule.name: (
                rule.entity_type,
                entities.get((rule.entity_type, rule.entity_id or ""), rule.entity_id),
                rule.access_permission,
                {self._names[user] for user in rule.users} | {groups[group] for group in rule.groups},
            )
            for rule in self.workspace.rules
            if not rule.autocreated
        }

    def labels(self, account: str) -> list[str | None]:
        return [credential.label for credential in self.accounts[account].credentials]

    def id_of(self, name: str) -> str:
        ids = {known: identifier for identifier, known in self._names.items()}
        ids |= {group.name: group.id for group in self.workspace.groups}
        return ids[name]


@dataclass(frozen=True)
class Sandbox:
    """A sandbox in a file; every method opens it afresh, as another process would."""

    path: Path

    @property
    def server(self) -> str:
        return f"sandbox:{self.path}"

    def truth(self) -> Truth:
        with Store.open(self.path) as store:
            return Truth(dump_workspace(store))

    def load(self, workspace: state.Workspace) -> None:
        with Store.open(self.path) as store:
            load_workspace(store, workspace)

    def change_settings(self, **changes: Any) -> None:
        with Store.open(self.path) as store:
            store.change_settings(**changes)

    def accept(self, *emails: str) -> None:
        with Store.open(self.path) as store:
            for email in emails:
                accept_invitation(store, email)

    def call(self, endpoint: str, /, **fields: Any) -> dict[str, Any]:
        """Call the API as an admin, behind the command's back."""
        answer = self.ask(endpoint, fields, {})
        assert answer["meta"]["result_code"] == 200, answer["meta"]
        data: dict[str, Any] = answer["data"]
        return data

    def acting_as(self, name: str, endpoint: str, /, **fields: Any) -> dict[str, Any]:
        """Call the API as an admin who acts for a service account or member."""
        answer = self.ask(endpoint, fields, {"X-Clearml-Impersonate-As": self.truth().id_of(name)})
        assert answer["meta"]["result_code"] == 200, answer["meta"]
        data: dict[str, Any] = answer["data"]
        return data

    def sign_in(self, access_key: str, secret_key: str, clock: Clock = system_clock) -> int:
        """Sign in with a key pair, by this clock, and return the status of the answer."""
        with Store.open(self.path, clock=clock) as store:
            return asyncio.run(_post(store, "auth.login", {}, {}, (access_key, secret_key))).status_code

    def ask(self, endpoint: str, fields: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        with Store.open(self.path) as store:
            signed_in = {"Authorization": f"Bearer {store.session_for_admin()}"} | headers
            answer: dict[str, Any] = asyncio.run(_post(store, endpoint, fields, signed_in, None)).json()
            return answer

    def set_group(self, name: str, *people: str, description: str = "") -> None:
        """Give a group exactly these people; it is made if it is not there."""
        truth = self.truth()
        known = {group.name: group.id for group in truth.workspace.groups}
        fields: dict[str, Any] = {"id": known[name]} if name in known else {}
        users = [truth.id_of(person) for person in people]
        self.call("permissions.add_or_update_user_group", name=name, description=description, users=users, **fields)

    def set_vault(self, name: str, group: str, data: str, **fields: Any) -> None:
        """Give a group a vault, or that vault another text."""
        truth = self.truth()
        known = truth.vaults.get(f"{name} → {group}")
        vault = {"description": name, "data": data, "format": "hocon", "type": "config", "scope": "group"} | fields
        if known is not None:
            vault["id"] = known.id
        self.call("users.add_or_update_vault", vault=vault, group=truth.id_of(group))

    def plant(self, seed: Path) -> None:
        """Create what a seed file lists, as ``sandbox serve --seed`` does."""
        with Store.open(self.path) as store:
            plant(store, read_values(Seed, seed))

    def add_entity(self, kind: str, name: str, identifier: str | None = None) -> str:
        """Add a project, queue or the like, and return its id."""
        with Store.open(self.path) as store:
            return store.add_entity(kind, name, identifier)

    def set_rule(self, name: str, *people: str, **fields: Any) -> None:
        """Give exactly these people and groups an access rule; what is not said of one that is there stays."""
        truth = self.truth()
        known = {rule.name: rule for rule in truth.workspace.rules if not rule.autocreated}
        groups = {group.name for group in truth.workspace.groups}
        before = known.get(name)
        content: dict[str, Any] = {"entity_type": "project", "entity_id": "*", "access_permission": "read"}
        if before is not None:
            content = {"id": before.id, "entity_type": before.entity_type, "entity_id": before.entity_id}
            content["access_permission"] = before.access_permission
        self.call(
            "permissions.add_or_update_access_rule",
            **{"name": name, "description": before.description if before else ""} | content | fields,
            users=[truth.id_of(person) for person in people if person not in groups],
            groups=[truth.id_of(person) for person in people if person in groups],
        )

    def add_member(self, email: str, role: str = "user") -> None:
        self.call("login.add_whitelist_entries", emails=[email], role=role)
        self.accept(email)

    @contextmanager
    def on_a_port(self, clock: Clock = system_clock) -> Iterator[str]:
        """Serve it on a free port of this machine, by this clock, and yield its address."""
        ready: Queue[Running] = Queue()
        with Store.open(self.path, clock=clock) as store:
            thread = threading.Thread(target=serve, args=(store, "127.0.0.1", 0), kwargs={"on_ready": ready.put})
            thread.start()
            running = ready.get(timeout=20)
            try:
                yield running.url
            finally:
                running.stop()
                thread.join(20)
                assert not thread.is_alive()


def new_sandbox(path: Path) -> Sandbox:
    """Make a sandbox whose first admin's key pair is known."""
    with Store.open(path, admin_key=ADMIN_KEY, admin_secret=ADMIN_SECRET):
        return Sandbox(path)


async def _post(
    store: Store, endpoint: str, fields: dict[str, Any], headers: dict[str, str], pair: tuple[str, str] | None
) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(store))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        return await http.post(f"/{endpoint}", json=fields, headers=headers, auth=pair)
