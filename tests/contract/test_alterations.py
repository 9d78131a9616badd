"""Every response field that the client reads, told in every way that the contract allows, and in some that it does not.

The fields are those of the wire messages: a new one has no row here and fails the test that says so. What must come of
an alteration is said by the class of the field, never recorded from what happens:

- *taken*: nothing is to be changed, as without the alteration;
- *texts*: at most a name or a description is to be written once more;
- *unreadable*: nothing is to be changed, and it is not in sync;
- *stops*: an error, only where going on could remove or grant wrongly, or hand out a key.

In no case is anything granted, removed or created that the unaltered run leaves alone.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import httpx
import msgspec
import pytest

from reconciler.clearml import messages
from reconciler.clearml.decode import Message
from reconciler.commands.drift import DriftRequest, check_drift
from reconciler.errors import ReconcilerError
from reconciler.model.edits import FieldEdit
from reconciler.plan.changes import Action
from tests.contract.reader import published
from tests.support.project import Project, new_project
from tests.support.runner import clean_environment, session_at
from tests.support.wires import endpoint_of, tampering

MISSING = object()
ODD = {"odd": 1}
MOMENT = "2027-02-01T08:00:00"


class Outcome(StrEnum):
    TAKEN = "taken"
    TEXTS = "texts"
    UNREADABLE = "unreadable"
    STOPS = "stops"


TAKEN, TEXTS, UNREADABLE, STOPS = Outcome
DATES: tuple[object, ...] = (
    "2027-02-01T08:00:00.000000+00:00",
    "2027-02-01T08:00:00Z",
    MOMENT,
    "Mon, 01 Feb 2027 08:00:00 GMT",
    1_801_468_800_000,
)


@dataclass(frozen=True)
class Field:
    """What comes of a field that is missing or null, and of one with a value that nobody knows.

    ``also`` are further values, each with what comes of it; ``reason`` says why something stops.
    """

    left_out: Outcome
    odd: Outcome
    also: tuple[tuple[object, Outcome], ...] = ()
    reason: str = ""

    def cases(self) -> Iterator[tuple[str, object, Outcome]]:
        yield "absent", MISSING, self.left_out
        yield "null", None, self.left_out
        yield "odd", ODD, self.odd
        for value, outcome in self.also:
            yield str(value), value, outcome


IDENTITY = Field(UNREADABLE, UNREADABLE)
DOUBTED = Field(UNREADABLE, UNREADABLE)
DEFAULT = Field(TAKEN, UNREADABLE)
FLAG = Field(TAKEN, UNREADABLE, (("true", UNREADABLE), (1, UNREADABLE)))
DESCRIBING = Field(TEXTS, UNREADABLE)
SAID_ONLY = Field(TAKEN, TAKEN)
DATE_ONLY = Field(TAKEN, TAKEN, tuple((date, TAKEN) for date in DATES))
DATE = Field(TAKEN, UNREADABLE, tuple((date, TAKEN) for date in DATES))
COUNT = Field(TAKEN, TAKEN, (("1", TAKEN), (-1, TAKEN)))
LIST = Field(STOPS, STOPS, reason="without the whole list of a managed kind, all of it may be missing or to be removed")
NAMED = Field(STOPS, STOPS, reason="a declared name leads to no id, and a rule must not be written for another one")
KEY_HOLDER = Field(STOPS, STOPS, reason="it is not known for whom a credential was listed, so no key is handed out")


def choice(left_out: Outcome = UNREADABLE) -> Field:
    return Field(left_out, UNREADABLE, (("planet", UNREADABLE),))


ROWS: dict[str, dict[str, Field]] = {
    "users.get_all_ex": {
        "users": LIST,
        "users[].id": IDENTITY,
        "users[].email": DOUBTED,
        "users[].role": Field(UNREADABLE, UNREADABLE, tuple((role, UNREADABLE) for role in ("guest", "owner"))),
        "users[].name": DESCRIBING,
        "users[].read_only": FLAG,
        "users[].support": FLAG,
        "users[].sec_groups": Field(TAKEN, TAKEN, ((["users"], TAKEN),)),
        "users[].created": DATE_ONLY,
        "users[].activity": SAID_ONLY,
    },
    "users.get_service_users": {
        "users": LIST,
        "users[].id": IDENTITY,
        "users[].name": DOUBTED,
        "users[].role": choice(),
        "users[].credentials": COUNT,
        "users[].allow_running_as_owner": FLAG,
        "allow_admins": SAID_ONLY,
        "allowed_service_users": COUNT,
    },
    "login.get_settings": {
        "whitelist_entries": DOUBTED,
        "whitelist_entries[].status": Field(UNREADABLE, UNREADABLE, (("expired", UNREADABLE),)),
        "whitelist_entries[].email": DOUBTED,
        "whitelist_entries[].added": DATE_ONLY,
        "domains": SAID_ONLY,
    },
    "permissions.get_user_groups": {
        "groups": LIST,
        "groups[].id": IDENTITY,
        "groups[].name": DOUBTED,
        "groups[].users": DOUBTED,
        "groups[].users[].id": DOUBTED,
        "groups[].description": DESCRIBING,
        "groups[].system": FLAG,
        "groups[].assignable": FLAG,
    },
    "users.get_organization_vaults": {
        "vaults": LIST,
        "vaults[].id": IDENTITY,
        "vaults[].scope": choice(TAKEN),
        "vaults[].description": DOUBTED,
        "vaults[].data": DOUBTED,
        "vaults[].format": Field(TAKEN, UNREADABLE, (("HOCON", TAKEN), ("toml", UNREADABLE))),
        "vaults[].type": DEFAULT,
        "vaults[].enabled": FLAG,
        "vaults[].group": DOUBTED,
        "vaults[].group_name": SAID_ONLY,
        "vaults[].user": SAID_ONLY,
        "vaults[].last_update": DATE_ONLY,
        "vaults[].editable": Field(TAKEN, TAKEN, ((False, UNREADABLE),)),
    },
    "auth.get_credentials": {
        "credentials": DOUBTED,
        "credentials[].access_key": IDENTITY,
        "credentials[].label": Field(TAKEN, UNREADABLE),
        "credentials[].created": DATE,
        "credentials[].expire": DATE,
        "credentials[].last_used": DATE,
        "credentials[].last_used_from": DEFAULT,
    },
    "auth.locate_credentials": {"user": KEY_HOLDER, "label": SAID_ONLY},
    "permissions.get_access_rules": {
        "rules": LIST,
        "rules[].id": IDENTITY,
        "rules[].entity_type": Field(UNREADABLE, UNREADABLE, (("dataset_version", UNREADABLE),)),
        "rules[].access_permission": choice(),
        "rules[].users": DOUBTED,
        "rules[].users[].id": DOUBTED,
        "rules[].groups": DOUBTED,
        "rules[].groups[].id": DOUBTED,
        "rules[].name": DOUBTED,
        "rules[].description": DESCRIBING,
        "rules[].entity_id": DOUBTED,
        "rules[].entity_name": SAID_ONLY,
        "rules[].autocreated": FLAG,
    },
    "projects.get_all_ex": {"projects": NAMED, "projects[].id": NAMED, "projects[].name": NAMED},
    "users.get_vault_operations_log": {
        "operations": SAID_ONLY,
        "operations[].operation": SAID_ONLY,
        "operations[].user": SAID_ONLY,
        "operations[].created": DATE_ONLY,
    },
}
FORMS: dict[str, tuple[type[Message], ...]] = {
    "users.get_all_ex": (messages.UsersAnswer, messages.ActivityAnswer),
    "users.get_service_users": (messages.ServiceUsersAnswer,),
    "login.get_settings": (messages.SettingsAnswer,),
    "permissions.get_user_groups": (messages.GroupsAnswer,),
    "users.get_organization_vaults": (messages.VaultsAnswer,),
    "auth.get_credentials": (messages.CredentialsAnswer,),
    "auth.locate_credentials": (messages.HolderAnswer,),
    "permissions.get_access_rules": (messages.RulesAnswer,),
    "projects.get_all_ex": (messages.entities_answer("projects"),),
    "users.get_vault_operations_log": (messages.VaultOperationsAnswer,),
}
CASES = [
    pytest.param(endpoint, path, value, outcome, id=f"{endpoint}-{path}-{name}")
    for endpoint, fields in ROWS.items()
    for path, field in fields.items()
    for name, value, outcome in field.cases()
]


def read_fields(form: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields that a message is read from, as the contract writes them."""
    if isinstance(form, type) and issubclass(form, Message):
        for field in msgspec.structs.fields(form):
            if field.name != "unread":
                inner = f"{path}{field.encode_name}"
                yield inner
                for option in get_args(field.type) or (field.type,):
                    listed = option if get_origin(option) is tuple else field.type
                    if get_origin(listed) is tuple:
                        yield from read_fields(get_args(listed)[0], f"{inner}[].")


@pytest.mark.parametrize("endpoint", ROWS)
def test_there_is_a_row_for_every_field_that_is_read(endpoint: str) -> None:
    told = {path for path, _ in published().calls[endpoint].response_fields()}
    read = {path for form in FORMS[endpoint] for path in read_fields(form)} & told
    assert ROWS[endpoint].keys() == read - {"users[].sec_groups[]", "domains[]"}


def test_nine_of_ten_alterations_stop_nothing_and_each_other_has_its_reason() -> None:
    counted = Counter(
        outcome for fields in ROWS.values() for field in fields.values() for _, _, outcome in field.cases()
    )
    assert counted[STOPS] <= sum(counted.values()) / 10, counted
    assert all(
        field.reason for fields in ROWS.values() for field in fields.values() if STOPS in (field.left_out, field.odd)
    )


DECLARATION = """
members:
- {email: root@acme.io, role: admin}
- {email: ada@acme.io, name: Ada}
- {email: eve@acme.io}
service_accounts:
- {name: bot, credentials: [{label: prod, deliver: {file: key.json}}]}
groups:
- {name: Research, description: people, members: [ada@acme.io], service_accounts: []}
vaults:
- {name: s3, group: Research, data: "a: 1"}
access_rules:
- {name: Vision, description: d, resource: {project: Vision}, permission: read, members: [ada@acme.io], groups: [Research]}
"""


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A workspace that is as declared; nothing here writes to it."""
    project = new_project(tmp_path_factory.mktemp("alterations"))
    project.sandbox.add_entity("project", "Vision")
    project.sandbox.call("login.add_whitelist_entries", emails=["ada@acme.io"], role="user")
    project.sandbox.accept("ada@acme.io")
    project.declare(DECLARATION)
    project.converge()
    return project


def altered(data: Any, path: str, value: object) -> Any:
    """Return an answer with another value at a path; of a list the one entry that this workspace declares."""
    head, _, rest = path.partition(".")
    name, listed = head.removesuffix("[]"), head.endswith("[]")
    if not rest:
        if value is MISSING:
            data.pop(name, None)
        else:
            data[name] = value
    elif listed:
        for entry in filter(_is_ours, data.get(name) or ()):
            altered(entry, rest, value)
    else:
        altered(data.get(name) or {}, rest, value)
    return data


OURS = {"ada@acme.io", "eve@acme.io", "bot", "Research", "s3", "Vision", "prod"}


def _is_ours(entry: dict[str, Any]) -> bool:
    names = {entry.get(name) for name in ("email", "name", "description", "label") if entry.get(name)}
    return not names or bool(names & OURS)


@pytest.mark.parametrize(("endpoint", "path", "value", "outcome"), CASES)
def test_an_answer_as_it_may_be_leads_to_what_its_class_says(
    settled: Project, endpoint: str, path: str, value: object, outcome: Outcome
) -> None:
    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) != endpoint or response.status_code != 200:
            return response
        envelope = json.loads(response.content)
        altered(envelope["data"], path, value if value is MISSING else copy.deepcopy(value))
        return httpx.Response(200, content=json.dumps(envelope).encode())

    assert _outcome(settled, after) is outcome


def _outcome(project: Project, after: Any) -> Outcome:
    home = project.folder / "home"
    session = msgspec.structs.replace(
        session_at(wire=tampering(after=after)), environment=clean_environment(home), home=home, folder=project.folder
    )
    try:
        result = asyncio.run(check_drift(session, DriftRequest(Path("workspace.yaml"))))
    except ReconcilerError:
        return STOPS
    plan = result.plan
    edits = [edit for change in plan.changes for edit in change.edits]
    assert all(change.action is Action.UPDATE for change in plan.changes), plan.changes
    assert all(isinstance(edit, FieldEdit) and edit.field in ("name", "description") for edit in edits), edits
    if plan.doubts:
        assert not plan.changes
        return UNREADABLE
    return TEXTS if plan.changes else TAKEN


def test_the_unaltered_workspace_is_in_sync(settled: Project) -> None:
    assert _outcome(settled, lambda request, response: response) is TAKEN
