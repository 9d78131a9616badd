"""A server written from the contract's data alone: it knows neither our sandbox nor our client.

Every answer is shaped by the published fields of its call, in one of three styles (:class:`Style`), since the contract
lets every field be left out. What a call does is what its notes in the data say, and no more: a call that the stories of
:mod:`tests.contract.test_contract_stories` do not need is answered as one that the server lacks.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.contract import judge
from tests.contract.reader import Field, Kind, Type, published

Values = dict[str, Any]

ACCESS_KEY = "STANDINKEY"
SECRET_KEY = "secret-of-the-stand-in"
USERS_ID = "30795571-a470-4717-a80d-e8705fc776bf"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).isoformat()
_PAGE = 500


class Style(Enum):
    """How a server answers what is empty: ``""``, ``[]``, ``{}``, ``0``, ``false`` and what there is not."""

    ALL_FIELDS = auto()
    """Every published field is there, an empty one as the empty value of its type."""

    LEFT_OUT = auto()
    """What is empty is left out."""

    NULL = auto()
    """What is empty is null."""


class Sort(Enum):
    """What an entry among the users is."""

    PERSON = auto()
    SERVICE = auto()
    SYSTEM = auto()
    REMOVED = auto()


@dataclass
class User:
    id: str
    name: str
    role: str
    sort: Sort = Sort.PERSON
    email: str | None = None
    read_only: bool = False
    support: bool = False
    allow_running_as_owner: bool = False

    @property
    def is_in_users(self) -> bool:
        return self.sort in (Sort.PERSON, Sort.SERVICE)


class RefusedError(Exception):
    """A call is refused: status, subcode and text."""

    def __init__(self, code: int, subcode: int, text: str) -> None:
        super().__init__(text)
        self.code, self.subcode = code, subcode


@dataclass
class StandIn:
    """A workspace. Everything in it is by id, in order of creation."""

    style: Style
    api_version: str = "2.37"
    users: dict[str, User] = field(default_factory=dict)
    invitations: dict[str, Values] = field(default_factory=dict)
    groups: dict[str, Values] = field(default_factory=dict)
    vaults: dict[str, Values] = field(default_factory=dict)
    rules: dict[str, Values] = field(default_factory=dict)
    keys: dict[str, Values] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    log: list[Values] = field(default_factory=list)
    calls: list[tuple[str, Values]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._lock = threading.Lock()
        for name in ("__root__", "__apiserver__"):
            self.users[name] = User(name, name.strip("_"), "root" if name == "__root__" else "system", Sort.SYSTEM)
        self.users["u-root"] = User("u-root", "Root", "admin", email="root@acme.io")
        self.users["u-gone"] = User("u-gone", "Gone", "user", Sort.REMOVED)
        self.users["u-support"] = User("u-support", "Support", "admin", email="support@vendor.io", support=True)
        self.keys[ACCESS_KEY] = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "user": "u-root"}
        for identifier, name, assignable in (
            (USERS_ID, "Users", False),
            ("g-admins", "Admins", False),
            ("g-queues", "Queue admins", True),
        ):
            self.groups[identifier] = {
                "id": identifier,
                "name": name,
                "system": True,
                "assignable": assignable,
                "users": [],
            }
        for kind in _choices("permissions.get_access_rules", "entity_type"):
            self.rules[f"r-{kind}"] = {"id": f"r-{kind}", "name": f"All {kind}", "entity_type": kind, "entity_id": "*"}
            self.rules[f"r-{kind}"] |= {"access_permission": "read_write", "groups": [USERS_ID], "autocreated": True}

        self.invitations["root@acme.io"] = {
            "email": "root@acme.io",
            "status": "accepted",
            "user": "u-root",
            "added": NOW,
        }
        usual = {"format": "hocon", "type": "config", "scope": "group", "enabled": True, "editable": True}
        self.vaults["v-defaults"] = usual | {"id": "v-defaults", "description": "defaults", "group": USERS_ID}
        self.vaults["v-defaults"] |= {"data": "sdk.development.worker.report_period_sec: 2", "group_name": "Users"}

    # What happens beside the API

    def join(self, email: str) -> str:
        """Let an invited person sign in for the first time."""
        entry = self.invitations[email]
        identifier = self._new_id("u")
        self.users[identifier] = User(identifier, email.partition("@")[0], entry["role"], email=email)
        entry |= {"status": "accepted", "accepted": NOW, "user": identifier}
        return identifier

    def members_of(self, group: str) -> set[str]:
        """Return who is in a group, by e-mail or name."""
        known = next(item for item in self.groups.values() if item["name"] == group)
        return {self.users[user].email or self.users[user].name for user in self._people_of(known)}

    def called(self, *endpoints: str) -> list[Values]:
        """Return the bodies of all calls of some endpoints."""
        return [body for endpoint, body in self.calls if endpoint in endpoints]

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers)}"

    # The calls, each as its notes say

    def answer(self, endpoint: str, body: Values, caller: User) -> Values:
        """Carry out a call and return the data of its answer, shaped."""
        call = published().calls.get(endpoint)
        action = _CALLS.get(endpoint)
        if call is None or action is None:
            raise RefusedError(404, 0, f"Unable to find endpoint for name {endpoint} and version {self.api_version}")
        if call.roles and caller.role not in call.roles:
            raise RefusedError(403, 20, "Forbidden (not allowed for role)")
        if missing := [item.name for item in call.request if item.required and item.name not in body]:
            raise RefusedError(400, 12, f"Validation error: {missing[0]} is required")
        self.calls.append((endpoint, body))
        return self._shaped(call.response, action(self, body, caller))

    def _shaped(self, fields: Iterable[Field], values: Values) -> Values:
        found: Values = {}
        for item in fields:
            value = self._shaped_value(item.type, values.get(item.name))
            is_empty = value in (None, "", [], {}, 0) and not (value is False and item.default is True)
            if not is_empty or self.style is Style.ALL_FIELDS:
                found[item.name] = _empty(item.type) if value is None and self.style is Style.ALL_FIELDS else value
            elif self.style is Style.NULL:
                found[item.name] = None
        return found

    def _shaped_value(self, of: Type, value: Any) -> Any:
        if value is None:
            return None
        if of.kind is Kind.ARRAY and of.items is not None:
            return [self._shaped_value(of.items, one) for one in value]
        return self._shaped(of.fields, value) if of.fields is not None else value

    def _people_of(self, group: Values) -> list[str]:
        if group["id"] == USERS_ID:
            return [user.id for user in self.users.values() if user.is_in_users]
        if group["id"] == "g-admins":
            return [user.id for user in self.users.values() if user.is_in_users and user.role == "admin"]
        people: list[str] = group["users"]
        return people

    def _person(self, user: str) -> Values:
        return {"id": user, "name": self.users[user].name, "email": self.users[user].email}

    def _groups_of(self, user: User) -> list[str]:
        """Return ids, or the configured names of the built-in groups where the server leaves out what is empty."""
        names = {USERS_ID: "users", "g-admins": "admins", "g-queues": "queue_admins"}
        found = [key for key, group in self.groups.items() if user.id in self._people_of(group)]
        return [names.get(key, key) for key in found] if self.style is Style.LEFT_OUT else found

    def _get_users(self, body: Values, caller: User) -> Values:
        wanted = [user for user in self.users.values() if not body.get("id") or user.id in body["id"]]
        size = min(body.get("page_size", _PAGE), _PAGE)
        start = body.get("page", 0) * size
        return {
            "users": [self._user(user, body) for user in sorted(wanted, key=lambda user: user.id)[start : start + size]]
        }

    def _user(self, user: User, body: Values) -> Values:
        shown: Values = {"id": user.id, "name": user.name, "company": "c-acme", "read_only": user.read_only}
        shown |= {"support": user.support}
        if body.get("include_auth") and user.sort is not Sort.REMOVED:
            shown |= {"email": user.email, "role": user.role, "created": NOW, "sec_groups": self._groups_of(user)}
            if body.get("include_activity"):
                shown["activity"] = {"last_ui_access": NOW}
        return shown

    def _update_user(self, body: Values, caller: User) -> Values:
        user = self._find_user(body["user"])
        changed = {key: value for key, value in body.items() if key == "name" and user.name != value}
        user.name = changed.get("name", user.name)
        return {"updated": len(changed), "fields": changed}

    def _set_role(self, body: Values, caller: User) -> Values:
        user = self._find_user(body["user"])
        before, user.role = user.role, body["role"]
        return {"updated": int(before != user.role)}

    def _delete_user(self, body: Values, caller: User) -> Values:
        """Remove the sign-in; a person's entry stays listed."""
        user = self._find_user(body["user"])
        if user.read_only or user.support:
            raise RefusedError(400, 301, f"Invalid user id (protected identity): {user.id}")
        if user.sort is Sort.SERVICE:
            del self.users[user.id]
        user.sort, user.email = Sort.REMOVED, None
        for owner in (*self.groups.values(), *self.rules.values()):
            owner["users"] = [one for one in owner.get("users", []) if one != user.id]
        self.keys = {key: value for key, value in self.keys.items() if value["user"] != user.id}
        self.vaults = {key: value for key, value in self.vaults.items() if value.get("user") != user.id}
        return {"deleted": True}

    def _find_user(self, identifier: str) -> User:
        user = self.users.get(identifier)
        if user is None or not user.is_in_users:
            raise RefusedError(400, 301, f"Invalid user id: {identifier}")
        return user

    def _get_service_users(self, body: Values, caller: User) -> Values:
        return {
            "users": [
                {
                    "id": user.id,
                    "name": user.name,
                    "role": user.role,
                    "allow_running_as_owner": user.allow_running_as_owner,
                    "credentials": len(self._keys_of(user)),
                }
                for user in self.users.values()
                if user.sort is Sort.SERVICE
            ],
            "allow_admins": True,
            "allowed_service_users": 100,
        }

    def _create_service_user(self, body: Values, caller: User) -> Values:
        identifier = self._new_id("s")
        owner = bool(body.get("allow_running_as_owner"))
        self.users[identifier] = User(identifier, body["name"], "user", Sort.SERVICE, allow_running_as_owner=owner)
        return {"id": identifier, "credentials": self._new_key(self.users[identifier], None)}

    def _update_service_user(self, body: Values, caller: User) -> Values:
        user = self._find_user(body["user"])
        before = (user.name, user.allow_running_as_owner)
        user.name = body.get("name", user.name)
        user.allow_running_as_owner = body.get("allow_running_as_owner", user.allow_running_as_owner)
        return {"updated": int(before != (user.name, user.allow_running_as_owner))}

    def _keys_of(self, user: User) -> list[Values]:
        return [key for key in self.keys.values() if key["user"] == user.id]

    def _new_key(self, user: User, label: str | None) -> Values:
        key = self._new_id("KEY")
        self.keys[key] = {"access_key": key, "secret_key": f"secret-of-{key}", "label": label, "user": user.id}
        return self.keys[key]

    def _get_keys(self, body: Values, caller: User) -> Values:
        return {"credentials": [key | {"created": NOW} for key in self._keys_of(caller)], "max_credentials": 10}

    def _edit_key(self, body: Values, caller: User) -> Values:
        key = next((key for key in self._keys_of(caller) if key["access_key"] == body["access_key"]), None)
        if key is None:
            raise RefusedError(400, 75, "Access key not found for user")
        changed = key.get("label") != body.get("label")
        key["label"] = body.get("label")
        return {"updated": int(changed)}

    def _revoke_key(self, body: Values, caller: User) -> Values:
        known = [key["access_key"] for key in self._keys_of(caller) if key["access_key"] == body["access_key"]]
        for key in known:
            del self.keys[key]
        return {"revoked": len(known)}

    def _locate_key(self, body: Values, caller: User) -> Values:
        if body["access_key"] not in self.keys:
            raise RefusedError(400, 75, "Access key not found for user")
        key = self.keys[body["access_key"]]
        return key | {"name": self.users[key["user"]].name}

    def _get_settings(self, body: Values, caller: User) -> Values:
        entries = [
            entry | {"user": {"id": entry["user"], "name": self.users[entry["user"]].name} if entry["user"] else None}
            for entry in self.invitations.values()
        ]
        return {"whitelist_entries": entries, "domains": []}

    def _invite(self, body: Values, caller: User) -> Values:
        known = {user.email for user in self.users.values()} | self.invitations.keys()
        added = [email for email in body["emails"] if email not in known]
        role = body.get("role") or ("admin" if body.get("is_admin") else "user")
        for email in added:
            self.invitations[email] = {"email": email, "role": role, "status": "pending", "added": NOW, "user": None}
        return {"added": added}

    def _uninvite(self, body: Values, caller: User) -> Values:
        removed = [email for email in body["emails"] if self.invitations.get(email, {}).get("status") == "pending"]
        for email in removed:
            del self.invitations[email]
        return {"removed": removed}

    def _get_groups(self, body: Values, caller: User) -> Values:
        wanted = body.get("groups") or list(self.groups)
        return {
            "groups": [
                group | {"users": [self._person(user) for user in self._people_of(group)]}
                for key, group in self.groups.items()
                if key in wanted
            ]
        }

    def _put_group(self, body: Values, caller: User) -> Values:
        identifier = body.get("id") or self._new_id("g")
        known = self.groups.get(identifier)
        if known is not None and not known["assignable"]:
            raise RefusedError(400, 16, "Bad value: the group is not assignable")
        group = {"id": identifier, "system": False, "assignable": True, "users": []} | (known or {})
        self.groups[identifier] = group | {key: body[key] for key in ("name", "description", "users") if key in body}
        return self.groups[identifier]

    def _delete_groups(self, body: Values, caller: User) -> Values:
        return {"deleted": _drop(self.groups, body["groups"])}

    def _get_vaults(self, body: Values, caller: User) -> Values:
        groups = [key for key, group in self.groups.items() if caller.id in self._people_of(group)]
        return self._some_vaults(body, lambda vault: vault.get("user") == caller.id or vault.get("group") in groups)

    def _get_organization_vaults(self, body: Values, caller: User) -> Values:
        return self._some_vaults(body, lambda vault: vault["scope"] == "group")

    def _some_vaults(self, body: Values, wanted: Callable[[Values], bool]) -> Values:
        found = [
            vault for vault in self.vaults.values() if wanted(vault) and (vault["enabled"] or not body.get("enabled"))
        ]
        types = body.get("types")
        return {"vaults": [vault for vault in found if not types or vault["type"] in types]}

    def _put_vault(self, body: Values, caller: User) -> Values:
        given = body["vault"]
        identifier = given.get("id") or self._new_id("v")
        usual = {"format": "hocon", "type": "config", "scope": "user", "enabled": True, "editable": True}
        known = self.vaults.get(identifier, usual)
        target = {key: body[key] for key in ("group", "user") if body.get(key)}
        self.vaults[identifier] = known | given | target | {"id": identifier, "last_update": NOW}
        vault = self.vaults[identifier]
        if vault.get("group"):
            vault["group_name"] = self.groups[vault["group"]]["name"]
        self._note("edit" if known is not usual else "create", vault, caller)
        return {"vault": identifier}

    def _delete_vaults(self, body: Values, caller: User) -> Values:
        for key in body["vaults"]:
            self._note("delete", self.vaults[key], caller)
        return {"deleted": _drop(self.vaults, body["vaults"])}

    def _note(self, operation: str, vault: Values, caller: User) -> None:
        scope = "service_account" if vault.get("user") else vault["scope"]
        entry = {"operation": operation, "created": NOW, "user": {"id": caller.id, "name": caller.name}, "scope": scope}
        self.log.append(
            entry | {"vault": vault["id"], "vault_description": vault.get("description"), "originator": "web"}
        )

    def _get_log(self, body: Values, caller: User) -> Values:
        scopes = body.get("scope") or ["organization", "group"]
        found = [entry for entry in self.log if entry["scope"] in scopes and entry["vault"] in body.get("vaults", [])]
        return {"operations": found[::-1][: body.get("page_size", _PAGE)]}

    def _get_rules(self, body: Values, caller: User) -> Values:
        wanted = body.get("rules") or list(self.rules)
        entities = self.projects | self.queues
        return {
            "rules": [
                rule
                | {
                    "users": [self._person(user) for user in rule.get("users", [])],
                    "groups": [{"id": group, "name": self.groups[group]["name"]} for group in rule["groups"]],
                    "entity_name": entities.get(rule["entity_id"]),
                }
                for key, rule in self.rules.items()
                if key in wanted
            ]
        }

    def _put_rule(self, body: Values, caller: User) -> Values:
        identifier = body.get("id") or self._new_id("r")
        self.rules[identifier] = self.rules.get(identifier, {}) | body | {"id": identifier}
        return self.rules[identifier]

    def _delete_rules(self, body: Values, caller: User) -> Values:
        return {"deleted": _drop(self.rules, body["rules"])}

    def _get_projects(self, body: Values, caller: User) -> Values:
        return {"projects": _matching(self.projects, body)}

    def _get_queues(self, body: Values, caller: User) -> Values:
        return {"queues": _matching(self.queues, body)}

    # The wire

    def respond(self, path: str, headers: dict[str, str], content: bytes) -> tuple[int, bytes]:
        """Answer one request with an envelope."""
        endpoint = path.rstrip("/").rpartition("/")[2]
        judge.sent(path, headers, content)
        try:
            with self._lock:
                caller = self._caller(headers)
                if endpoint == "auth.login":
                    data: Values = {"token": self._token(caller)}
                else:
                    data = self.answer(endpoint, json.loads(content or b"{}"), caller)
            status, subcode, text = 200, 0, "OK"
        except RefusedError as error:
            data, status, subcode, text = {}, error.code, error.subcode, str(error)
        version = {"name": endpoint, "requested_version": self.api_version, "actual_version": self.api_version}
        meta = {"id": "m", "trx": "t", "endpoint": version, "result_code": status, "result_subcode": subcode}
        meta |= {"result_msg": text, "error_stack": None, "error_data": {}}
        body = json.dumps({"meta": meta, "data": data}).encode()
        judge.answered(path, status, body)
        return status, body

    def _caller(self, headers: dict[str, str]) -> User:
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            access, _, secret = base64.b64decode(rest).decode().partition(":")
            if self.keys.get(access, {}).get("secret_key") != secret:
                raise RefusedError(401, 22, "Unauthorized (invalid credentials)")
            caller = self.users[self.keys[access]["user"]]
        elif scheme == "Bearer":
            payload = rest.split(".")[1]
            caller = self.users[json.loads(base64.urlsafe_b64decode(payload + "=="))["identity"]["user"]]
        else:
            raise RefusedError(401, 20, "Unauthorized (missing credentials)")
        if other := headers.get("x-clearml-impersonate-as"):
            if caller.role != "admin":
                raise RefusedError(400, 6, "Impersonation error")
            return self._find_user(other)
        return caller

    def _token(self, user: User) -> str:
        identity = {"user": user.id, "company": "c-acme", "role": user.role, "user_name": user.name}
        claims = {
            "identity": identity,
            "iat": 1772366400,
            "exp": 4102444800,
            "env": "prod",
            "feature_set": "enterprise",
        }
        claims |= {"api_version": self.api_version, "server_version": "3.30.0"}
        parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])

    @contextmanager
    def on_a_port(self) -> Iterator[str]:
        """Serve on a free port and yield the address."""
        with serving(self.respond) as url:
            yield url


@contextmanager
def serving(respond: Callable[[str, dict[str, str], bytes], tuple[int, bytes]]) -> Iterator[str]:
    """Answer every request on a free port with a status and a body; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: else the other side waits for the rest of what it has not seen

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, body = respond(self.path, {name.lower(): value for name, value in self.headers.items()}, content)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing of what was asked."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of a client that went away."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


_CALLS: dict[str, Callable[[StandIn, Values, User], Values]] = {
    "auth.create_credentials": lambda server, body, caller: {"credentials": server._new_key(caller, body.get("label"))},
    "auth.create_service_user": StandIn._create_service_user,
    "auth.delete_user": StandIn._delete_user,
    "auth.edit_credentials": StandIn._edit_key,
    "auth.get_credentials": StandIn._get_keys,
    "auth.locate_credentials": StandIn._locate_key,
    "auth.revoke_credentials": StandIn._revoke_key,
    "login.add_whitelist_entries": StandIn._invite,
    "login.get_settings": StandIn._get_settings,
    "login.remove_whitelist_entries": StandIn._uninvite,
    "permissions.add_or_update_access_rule": StandIn._put_rule,
    "permissions.add_or_update_user_group": StandIn._put_group,
    "permissions.delete_access_rules": StandIn._delete_rules,
    "permissions.delete_user_groups": StandIn._delete_groups,
    "permissions.get_access_rules": StandIn._get_rules,
    "permissions.get_user_groups": StandIn._get_groups,
    "projects.get_all_ex": StandIn._get_projects,
    "queues.get_all": StandIn._get_queues,
    "users.add_or_update_vault": StandIn._put_vault,
    "users.delete_vaults": StandIn._delete_vaults,
    "users.get_all_ex": StandIn._get_users,
    "users.get_organization_vaults": StandIn._get_organization_vaults,
    "users.get_service_users": StandIn._get_service_users,
    "users.get_vault_operations_log": StandIn._get_log,
    "users.get_vaults": StandIn._get_vaults,
    "users.set_role": StandIn._set_role,
    "users.update": StandIn._update_user,
    "users.update_service_user": StandIn._update_service_user,
}


def _drop(things: dict[str, Values], keys: Iterable[str]) -> int:
    return sum(things.pop(key, None) is not None for key in keys)


def _matching(names: dict[str, str], body: Values) -> list[Values]:
    pattern = re.compile(body.get("name") or "")
    found = [{"id": key, "name": name} for key, name in names.items() if pattern.search(name)]
    return [one for one in found if body.get("search_hidden") or "/." not in one["name"]]


def _choices(endpoint: str, name: str) -> tuple[str, ...]:
    fields = dict(published().calls[endpoint].response_fields())
    return next(item.type.choices for path, item in fields.items() if path.endswith(f".{name}"))


def _empty(of: Type) -> Any:
    """Return the empty value of a type, ``None`` where there is none."""
    if of.format == "date-time" or of.choices or of.fields is not None:
        return None
    usual: dict[Kind, Any] = {Kind.STRING: "", Kind.INTEGER: 0, Kind.NUMBER: 0, Kind.BOOLEAN: False, Kind.ARRAY: []}
    return usual.get(of.kind, {})
