"""Every answer is decoded in one way: straight into what it says, or into one sentence that says what is wrong where.

What each field may be is written down here once more, by hand: the table is what the program promises.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.clearml import messages
from reconciler.clearml.answers import Context, Reply, data_of
from reconciler.clearml.claims import Claims, decode_claims
from reconciler.clearml.decode import Confined, Message, read
from reconciler.clearml.failures import Failure
from reconciler.clearml.messages import (
    GroupsAnswer,
    SettingsAnswer,
    UsersAnswer,
    VaultsAnswer,
    entities_answer,
)
from reconciler.errors import AnswerLostError, UnexpectedAnswerError
from reconciler.model.secret import Secret

CONTEXT = Context("a.call", "https://acme.io", "a flag", "admin", 0.0)
ABSENT = object()
TIME = "2026-11-24T08:00:00"

VALUES: list[tuple[str, object]] = [
    ("a boolean", True),
    ("a number", 7),
    ("another string", "owner"),
    ("another string", "\ud800"),
    ("a list", []),
    ("an object", {"sesame": 1}),
    ("an object", {"\ud800": 1}),
]
"""What a field may hold instead, and what it is called."""


def answer_of(form: type[Message], data: object) -> Message:
    body = json.dumps({"meta": {"result_code": 200}, "data": data}).encode()
    return data_of(Reply(200, {}, body), CONTEXT, form)


def refusal(form: type[Message], data: object) -> str | None:
    """Return what is said of an answer, or ``None`` if it is taken."""
    try:
        answer = answer_of(form, data)
    except Failure as error:
        failure = error
    else:
        return next((f"a.call: the answer's data.{why}" for why in unread_of(answer)), None)
    assert type(failure.error) is UnexpectedAnswerError
    assert failure.maybe_done
    assert not failure.repeat
    assert type(failure.verdict("a.call", write=True, attempts=1)) is AnswerLostError
    return failure.error.message


def unread_of(message: object, path: str = "") -> Iterator[str]:
    """Say what of a message was left out, at any depth, since it could not be read."""
    if isinstance(message, Confined):
        yield from (f"{path}{item.why}" for item in message.unread)
        for field in msgspec.structs.fields(message):
            value = getattr(message, field.name)
            for index, inner in enumerate(value if isinstance(value, tuple) else ()):
                yield from unread_of(inner, f"{path}{field.encode_name}[{index}].")


@dataclass(frozen=True)
class Promise:
    """What a field must be; ``takes`` are the kinds that it takes, ``optional`` whether it may be absent or null."""

    wanted: str
    takes: frozenset[str] = frozenset()
    optional: bool = False
    empty: bool = True


def promise(wanted: str, *takes: str, empty: bool = True) -> tuple[Promise, Promise]:
    return Promise(wanted, frozenset(takes), False, empty), Promise(wanted, frozenset(takes), True, empty)


STRING, STRING_OR_NONE = promise("a string", "another string")
ID, ID_OR_NONE = promise("an id", "another string", empty=False)
FLAG, FLAG_OR_NONE = promise("true or false", "a boolean")
COUNT, COUNT_OR_NONE = promise("a count", "a number", empty=False)
LIST, LIST_OR_NONE = promise("a list", "a list", empty=False)
OBJECT, OBJECT_OR_NONE = promise("an object", empty=False)
_, TIME_OR_NONE = promise("a time", "a number")
MAYBE_EMPTY = LIST_OR_NONE
ANYTHING = Promise("anything", frozenset(kind for kind, _ in VALUES), optional=True)

USER = {
    "id": "u1",
    "name": "Ada",
    "role": "admin",
    "read_only": False,
    "support": False,
    "sec_groups": ["g1"],
    "created": TIME,
}
GROUP = {
    "id": "g1",
    "name": "Research",
    "users": [{"id": "u1"}],
    "description": "all",
    "system": False,
    "assignable": True,
}
ACCOUNT = {"id": "a1", "name": "bot", "role": "user", "credentials": 1, "allow_running_as_owner": True}
VAULT = {
    "id": "v1",
    "scope": "group",
    "description": "s3",
    "data": "a: 1",
    "format": "json",
    "type": "config",
    "enabled": True,
    "group": "g1",
    "group_name": "Research",
    "editable": True,
    "user": "u1",
    "last_update": TIME,
}
CREDENTIAL = {
    "access_key": "K",
    "label": "prod",
    "created": TIME,
    "expire": TIME,
    "last_used": TIME,
    "last_used_from": "host",
}
RULE = {
    "id": "r1",
    "entity_type": "project",
    "access_permission": "read",
    "users": [{"id": "u1"}],
    "groups": [{"id": "g1"}],
    "name": "Vision",
    "description": "d",
    "entity_id": "p1",
    "entity_name": "Robots",
    "autocreated": False,
}
NEW_KEY = {"access_key": "K", "secret_key": "S", "label": "prod", "expire": TIME}

ANSWERS: dict[type[Message], tuple[dict[str, object], dict[str, Promise]]] = {
    messages.LoginAnswer: ({"token": "t"}, {"token": STRING}),
    UsersAnswer: (
        {"users": [USER | {"email": "ada@acme.io"}]},
        {
            "users": LIST_OR_NONE,
            "users[0]": OBJECT,
            "users[0].id": ID,
            "users[0].role": STRING_OR_NONE,
            "users[0].name": STRING_OR_NONE,
            "users[0].email": STRING_OR_NONE,
            "users[0].read_only": FLAG_OR_NONE,
            "users[0].support": FLAG_OR_NONE,
            "users[0].sec_groups": LIST_OR_NONE,
            "users[0].sec_groups[0]": STRING,
            "users[0].created": ANYTHING,
        },
    ),
    messages.ActivityAnswer: (
        {"users": [{"id": "u1", "activity": {"last_login": TIME}}]},
        {
            "users": MAYBE_EMPTY,
            "users[0].id": ID,
            "users[0].activity": ANYTHING,
            "users[0].activity.last_login": ANYTHING,
        },
    ),
    messages.ServiceUsersAnswer: (
        {"users": [ACCOUNT], "allow_admins": True, "allowed_service_users": 5},
        {
            "users": LIST_OR_NONE,
            "users[0].id": ID,
            "users[0].name": STRING_OR_NONE,
            "users[0].role": STRING_OR_NONE,
            "users[0].credentials": COUNT_OR_NONE,
            "users[0].allow_running_as_owner": FLAG_OR_NONE,
            "allow_admins": FLAG_OR_NONE,
            "allowed_service_users": COUNT_OR_NONE,
        },
    ),
    SettingsAnswer: (
        {"whitelist_entries": [{"status": "pending", "email": "ada@acme.io", "added": TIME}], "domains": ["acme.io"]},
        {
            "whitelist_entries": LIST_OR_NONE,
            "whitelist_entries[0].status": STRING_OR_NONE,
            "whitelist_entries[0].email": STRING_OR_NONE,
            "whitelist_entries[0].added": ANYTHING,
            "domains": LIST_OR_NONE,
            "domains[0]": STRING,
        },
    ),
    GroupsAnswer: (
        {"groups": [GROUP]},
        {
            "groups": LIST_OR_NONE,
            "groups[0]": OBJECT,
            "groups[0].id": ID,
            "groups[0].name": STRING_OR_NONE,
            "groups[0].users": LIST_OR_NONE,
            "groups[0].users[0]": OBJECT,
            "groups[0].users[0].id": ID,
            "groups[0].description": STRING_OR_NONE,
            "groups[0].system": FLAG_OR_NONE,
            "groups[0].assignable": FLAG_OR_NONE,
        },
    ),
    VaultsAnswer: (
        {"vaults": [VAULT]},
        {
            "vaults": LIST_OR_NONE,
            "vaults[0].id": ID,
            "vaults[0].scope": STRING_OR_NONE,
            "vaults[0].group_name": STRING_OR_NONE,
            "vaults[0].editable": FLAG_OR_NONE,
            "vaults[0].description": STRING_OR_NONE,
            "vaults[0].data": STRING_OR_NONE,
            "vaults[0].format": STRING_OR_NONE,
            "vaults[0].type": STRING_OR_NONE,
            "vaults[0].enabled": FLAG_OR_NONE,
            "vaults[0].group": STRING_OR_NONE,
            "vaults[0].user": STRING_OR_NONE,
            "vaults[0].last_update": ANYTHING,
        },
    ),
    messages.VaultOperationsAnswer: (
        {"operations": [{"operation": "edit", "user": {"id": "u1"}, "created": TIME}]},
        {
            "operations": MAYBE_EMPTY,
            "operations[0].operation": STRING_OR_NONE,
            "operations[0].user": ANYTHING,
            "operations[0].user.id": ANYTHING,
            "operations[0].created": ANYTHING,
        },
    ),
    messages.CredentialsAnswer: (
        {"credentials": [CREDENTIAL]},
        {
            "credentials": LIST_OR_NONE,
            "credentials[0].access_key": ID,
            "credentials[0].label": STRING_OR_NONE,
            "credentials[0].created": TIME_OR_NONE,
            "credentials[0].expire": TIME_OR_NONE,
            "credentials[0].last_used": TIME_OR_NONE,
            "credentials[0].last_used_from": STRING_OR_NONE,
        },
    ),
    messages.HolderAnswer: ({"user": "u1", "label": "prod"}, {"user": ID, "label": ANYTHING}),
    messages.RulesAnswer: (
        {"rules": [RULE]},
        {
            "rules": LIST_OR_NONE,
            "rules[0].id": ID,
            "rules[0].entity_type": STRING_OR_NONE,
            "rules[0].access_permission": STRING_OR_NONE,
            "rules[0].users": LIST_OR_NONE,
            "rules[0].users[0].id": ID,
            "rules[0].groups": LIST_OR_NONE,
            "rules[0].groups[0].id": ID,
            "rules[0].name": STRING_OR_NONE,
            "rules[0].description": STRING_OR_NONE,
            "rules[0].entity_id": STRING_OR_NONE,
            "rules[0].entity_name": ANYTHING,
            "rules[0].autocreated": FLAG_OR_NONE,
        },
    ),
    entities_answer("projects"): (
        {"projects": [{"id": "p1", "name": "Vision"}]},
        {"projects": LIST, "projects[0].id": ID, "projects[0].name": STRING_OR_NONE},
    ),
    messages.AddedAnswer: ({"added": ["a@acme.io"]}, {"added": LIST, "added[0]": STRING}),
    messages.RemovedAnswer: ({"removed": ["a@acme.io"]}, {"removed": LIST, "removed[0]": STRING}),
    messages.UpdatedAnswer: ({"updated": 1}, {"updated": COUNT_OR_NONE}),
    messages.DeletedAnswer: ({"deleted": 1}, {"deleted": COUNT}),
    messages.RevokedAnswer: ({"revoked": 1}, {"revoked": COUNT}),
    messages.UserDeletedAnswer: ({"deleted": True}, {"deleted": FLAG}),
    messages.NewCredentialAnswer: (
        {"credentials": NEW_KEY},
        {
            "credentials": OBJECT,
            "credentials.access_key": ID,
            "credentials.secret_key": STRING,
            "credentials.label": STRING_OR_NONE,
            "credentials.expire": TIME_OR_NONE,
        },
    ),
    messages.NewServiceUserAnswer: (
        {"id": "a1", "credentials": NEW_KEY},
        {
            "id": ID,
            "credentials": OBJECT,
            "credentials.access_key": ID,
            "credentials.secret_key": STRING,
            "credentials.label": STRING_OR_NONE,
            "credentials.expire": TIME_OR_NONE,
        },
    ),
    messages.WrittenAnswer: ({"id": "g1"}, {"id": ID_OR_NONE}),
    messages.VaultWrittenAnswer: ({"vault": "v1"}, {"vault": ID_OR_NONE}),
}
FIELDS = [
    pytest.param(form, path, promise, id=f"{form.__name__}-{path}")
    for form, (_, promises) in ANSWERS.items()
    for path, promise in promises.items()
]


def damaged(data: dict[str, object], path: str, value: object) -> dict[str, object]:
    """Return an answer with another value at a path."""
    whole = copy.deepcopy(data)
    steps = [int(step) if step.isdigit() else step for step in path.replace("]", "").replace("[", ".").split(".")]
    place: object = whole
    for step in steps[:-1]:
        place = place[step]  # type: ignore[index]
    if value is ABSENT:
        del place[steps[-1]]  # type: ignore[attr-defined]
    else:
        place[steps[-1]] = value  # type: ignore[index]
    return whole


@pytest.mark.parametrize("form", ANSWERS)
def test_an_answer_as_it_is_published_is_taken(form: type[Message]) -> None:
    assert refusal(form, ANSWERS[form][0]) is None


@pytest.mark.parametrize(("form", "path", "promise"), FIELDS)
def test_each_field_is_taken_or_refused_with_its_place_and_what_it_should_be(
    form: type[Message], path: str, promise: Promise
) -> None:
    data = ANSWERS[form][0]
    for kind, value in VALUES:
        said = refusal(form, damaged(data, path, value))
        if value == "\ud800" and path in ("credentials.access_key", "credentials.secret_key"):
            wanted = "a key of printable characters without spaces"
            assert said == f"a.call: the answer's data.{path} should be {wanted}, but is another string"
        elif kind in promise.takes:
            assert said is None, (kind, said)
        elif kind != promise.wanted:
            found = "a string" if kind == "another string" and not _is_string(promise) else kind
            found = "another number" if kind == "a number" and promise.wanted == "a count" else found
            assert said == f"a.call: the answer's data.{path} should be {promise.wanted}, but is {found}"
            assert "sesame" not in said
    absent = [(ABSENT, "missing"), (None, "null")] if not path.endswith("]") else [(None, "null")]
    for value, found in absent:
        said = refusal(form, damaged(data, path, value))
        wrong = f"a.call: the answer's data.{path} should be {promise.wanted}, but is {found}"
        assert said == (None if promise.optional else wrong)


def _is_string(promise: Promise) -> bool:
    return promise.wanted not in {"true or false", "a count", "a list", "an object"}


@pytest.mark.parametrize(("form", "path", "promise"), FIELDS)
def test_what_identifies_something_or_counts_it_cannot_be_empty(
    form: type[Message], path: str, promise: Promise
) -> None:
    said = refusal(form, damaged(ANSWERS[form][0], path, ""))
    keys = {"token": "a token", "secret_key": "a secret key"}
    wanted = keys.get(path.rpartition(".")[2], promise.wanted)
    taken = promise.empty and wanted == promise.wanted and promise not in (FLAG, FLAG_OR_NONE)
    wrong = f"a.call: the answer's data.{path} should be {wanted}, but is an empty string"
    assert said == (None if taken else wrong)


def fields_of(form: object, path: str = "") -> Iterator[tuple[type[Message], str]]:
    """Iterate over the fields of a message and of those within it, by their paths in the table."""
    if isinstance(form, type) and issubclass(form, Message):
        for field in (field for field in msgspec.structs.fields(form) if field.name != "unread"):
            inner = f"{path}.{field.encode_name}".lstrip(".")
            yield form, inner
            for option in get_args(field.type) or (field.type,):
                item = get_args(option)[0] if get_origin(option) is tuple else option
                in_list = tuple in (get_origin(option), get_origin(field.type))
                yield from fields_of(item, f"{inner}[0]" if in_list else inner)


def test_a_row_of_the_table_exists_for_every_field_of_every_message() -> None:
    found = {form: set(fields_of(form)) for form in ANSWERS}
    assert [(form, path) for form, fields in found.items() for _, path in fields - rows(form)] == []
    declared = {
        message
        for message in vars(messages).values()
        if isinstance(message, type) and issubclass(message, Message) and message.__module__ == messages.__name__
    }
    read_whole = {messages.EntitiesAnswer, messages.OperatorMessage}  # by its own name, and within another's field
    assert (
        declared
        == {message for fields in found.values() for message, _ in fields} - {entities_answer("projects")} | read_whole
    )


def rows(form: type[Message]) -> set[tuple[type[Message], str]]:
    return {(message, path) for message, path in fields_of(form) if path in ANSWERS[form][1]}


def test_a_negative_number_is_no_count() -> None:
    data = damaged(ANSWERS[messages.ServiceUsersAnswer][0], "allowed_service_users", -1)
    assert refusal(messages.ServiceUsersAnswer, data) == (
        "a.call: the answer's data.allowed_service_users should be a count, but is another number"
    )
    assert refusal(messages.UpdatedAnswer, {"updated": 1.0}) is not None


def test_the_role_of_a_user_may_be_any() -> None:
    users = answer_of(UsersAnswer, {"users": [USER | {"role": "guest"}, USER | {"email": None, "role": "guest"}, USER]})
    assert [user.known_role for user in users.users] == [None, None, "admin"]  # type: ignore[attr-defined]


def test_of_an_invitation_that_was_accepted_nothing_else_matters() -> None:
    entries = [{"status": "accepted", "email": 7, "added": "soon"}, {"status": "pending", "email": "ada@acme.io"}]
    answer = answer_of(SettingsAnswer, {"whitelist_entries": entries})
    assert [entry.invited for entry in answer.whitelist_entries] == [None, "ada@acme.io"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("meta", [{}, {"result_code": None}, {"result_code": "200"}])
def test_the_http_status_says_what_an_envelope_leaves_out(meta: dict[str, object]) -> None:
    body = json.dumps({"meta": meta, "data": {"groups": []}}).encode()
    assert data_of(Reply(200, {}, body), CONTEXT, GroupsAnswer).groups == ()


def test_one_field_that_cannot_be_read_leaves_all_others() -> None:
    odd = {"id": "u2", "email": "bob@acme.io", "role": 7, "sec_groups": ["g1", 8]}
    answer = answer_of(UsersAnswer, {"users": [USER, odd, {"email": "eve@acme.io"}, 9]})
    first, second = answer.users  # type: ignore[attr-defined]
    assert (first.unread, second.email, second.role, second.sec_groups) == ((), "bob@acme.io", None, None)
    assert second.why("role") == "role should be a string, but is a number"
    assert second.why("sec_groups") == "sec_groups[1] should be a string, but is a number"
    lost, other = answer.unread  # type: ignore[attr-defined]
    assert (lost.path, lost.name, lost.why) == (
        "users[2]",
        "eve@acme.io",
        "users[2].id should be an id, but is missing",
    )
    assert (other.path, other.why) == ("users[3]", "users[3] should be an object, but is a number")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T08:00:00", "2026-11-24T08:00:00+00:00"),
        ("2026-11-24T08:00:00+02:00", "2026-11-24T06:00:00+00:00"),
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00+00:00"),
        ("2026-11-24 08:00:00.5", "2026-11-24T08:00:00.500000+00:00"),
        ("2026-11-24", "2026-11-24T00:00:00+00:00"),
        ("soon", None),
        ("2026-13-01T00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        (7, "1970-01-01T00:00:07+00:00"),
        (1_795_507_200_000, "2026-11-24T08:00:00+00:00"),
        ("1795507200", "2026-11-24T08:00:00+00:00"),
        ("Tue, 24 Nov 2026 08:00:00 GMT", "2026-11-24T08:00:00+00:00"),
        (True, None),
        (1e300, None),
        ({}, None),
    ],
)
def test_a_time_that_nothing_depends_on_is_read_or_left_out(text: object, expected: str | None) -> None:
    answer = answer_of(VaultsAnswer, {"vaults": [VAULT | {"last_update": text}]})
    at = read(answer.vaults[0].last_update)  # type: ignore[attr-defined]
    assert (at.isoformat() if at else None) == expected


IDENTITY = {"user": "me", "role": "admin", "company_name": "acme-ml"}
CLAIMS = {"identity": IDENTITY, "exp": 1_000_600, "iat": 1_000_000.5, "feature_set": "full", "api_version": "2.31"}


def claims_of(payload: object) -> Claims:
    packed = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return decode_claims(Secret(f"e30.{packed}.c2ln"), now=1_000_100.0)


def test_a_token_says_who_the_caller_is() -> None:
    assert claims_of(CLAIMS) == Claims("me", "admin", "acme-ml", "full", "2.31", 599.5)
    assert claims_of({"identity": {"user": "me", "role": "user"}}) == Claims("me", "user")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("iat", "yesterday", 500.0),
        ("iat", True, 500.0),
        ("iat", None, 500.0),
        ("exp", None, None),
        ("exp", 10**12, 10 * 365 * 24 * 3600.0),
        ("feature_set", 7, 599.5),
        ("api_version", "", 599.5),
    ],
)
def test_what_a_token_need_not_say_is_left_out(field: str, value: object, expected: float | None) -> None:
    claims = claims_of(CLAIMS | {field: value})
    assert claims.lifetime == expected
    assert claims.feature_set == ("basic" if field == "feature_set" else "full")
    assert claims.api_version == (None if field == "api_version" else "2.31")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ([], "its payload should be an object, but is a list"),
        ({}, "its payload.identity should be an object, but is missing"),
        (CLAIMS | {"identity": "me"}, "its payload.identity should be an object, but is a string"),
        (CLAIMS | {"identity": {"user": "me"}}, "its payload.identity.role should be a string that is not empty"),
        (CLAIMS | {"identity": IDENTITY | {"user": ""}}, "its payload.identity.user should be a string that is not"),
        (CLAIMS | {"identity": IDENTITY | {"user": 7}}, "but is a number"),
        (CLAIMS | {"exp": "sesame"}, "its payload.exp should be a number, but is a string"),
        (CLAIMS | {"exp": True}, "its payload.exp should be a number, but is a boolean"),
    ],
)
def test_a_token_that_does_not_say_who_the_caller_is_is_refused(payload: object, said: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=re.escape(said)) as caught:
        claims_of(payload)
    assert caught.value.message.startswith("auth.login: the token in the answer cannot be read: ")
    assert "sesame" not in caught.value.message


@pytest.mark.parametrize("token", ["", "a.b", "e30.%%%.c2ln", "e30.e3.c2ln", "e30.-.c2ln", "e30.\u00e9.c2ln"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match="the token in the answer cannot be read"):
        decode_claims(Secret(token), now=0.0)


TEXT = st.text(max_size=4) | st.just("\ud800")
OTHER = st.sampled_from([None, 7, True, "", [], {}, "owner"])
USERS = st.lists(
    st.fixed_dictionaries(
        {"id": TEXT | OTHER},
        optional={
            "name": TEXT | OTHER,
            "email": TEXT | OTHER,
            "read_only": st.booleans() | OTHER,
            "sec_groups": st.lists(TEXT | OTHER, max_size=2) | OTHER,
            "created": st.just(TIME) | OTHER,
            "company": st.just({"id": "c", "\ud800": 1}),
        },
    ),
    max_size=3,
)
GROUPS = st.lists(
    st.fixed_dictionaries(
        {"id": TEXT, "name": TEXT | OTHER, "users": st.lists(st.fixed_dictionaries({"id": TEXT | OTHER}), max_size=3)},
        optional={"description": TEXT | OTHER, "system": st.booleans() | OTHER, "assignable": st.booleans() | OTHER},
    ),
    max_size=3,
)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_string_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_flag_or_none(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _is_good_user(user: dict[str, object]) -> bool:
    groups = user.get("sec_groups")
    return (
        _is_id(user["id"])
        and _is_string_or_none(user.get("name"))
        and _is_string_or_none(user.get("email"))
        and _is_flag_or_none(user.get("read_only"))
        and (groups is None or (isinstance(groups, list) and all(isinstance(group, str) for group in groups)))
    )


def _is_good_group(group: dict[str, object]) -> bool:
    return (
        _is_id(group["id"])
        and _is_string_or_none(group["name"])
        and all(_is_id(user["id"]) for user in group["users"])  # type: ignore[attr-defined]
        and _is_string_or_none(group.get("description"))
        and _is_flag_or_none(group.get("system"))
        and _is_flag_or_none(group.get("assignable"))
    )


def read_in_part(answer: Any, name: str) -> int:
    """Count the entries of which something could not be read, or nothing could."""
    return len(answer.unread) + sum(bool(item.unread) for item in getattr(answer, name))


@given(USERS)
def test_users_are_read_as_they_are_or_the_wrong_one_is_named(users: list[dict[str, object]]) -> None:
    wrong = [index for index, user in enumerate(users) if not _is_good_user(user)]
    if wrong:
        assert read_in_part(answer_of(UsersAnswer, {"users": users}), "users") == len(wrong)
        return
    found = answer_of(UsersAnswer, {"users": users}).users  # type: ignore[attr-defined]
    assert [(user.id, user.name, user.email, user.read_only) for user in found] == [
        (user["id"], user.get("name"), user.get("email"), user.get("read_only")) for user in users
    ]
    assert [read(user.created) is not None for user in found] == [user.get("created") in (TIME, 7) for user in users]


@given(GROUPS)
def test_groups_are_read_as_they_are_or_the_wrong_one_is_named(groups: list[dict[str, object]]) -> None:
    wrong = [index for index, group in enumerate(groups) if not _is_good_group(group)]
    if wrong:
        assert read_in_part(answer_of(GroupsAnswer, {"groups": groups}), "groups") == len(wrong)
        return
    found = answer_of(GroupsAnswer, {"groups": groups}).groups  # type: ignore[attr-defined]
    assert [(group.id, group.name, group.user_ids) for group in found] == [
        (group["id"], group["name"], {user["id"] for user in group["users"]})  # type: ignore[attr-defined]
        for group in groups
    ]


@pytest.mark.parametrize("data", [None, [], "x", ABSENT])
def test_a_successful_answer_without_data_is_refused(data: object) -> None:
    body = {"meta": {"result_code": 200}} | ({} if data is ABSENT else {"data": data})
    with pytest.raises(Failure, match="a successful answer without data"):
        data_of(Reply(200, {}, json.dumps(body).encode()), CONTEXT, UsersAnswer)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"meta": {"result_code": 200}, "data": {"users": ' + b"[" * 100_000, "cut short or not JSON"),
        (b'{"meta": {"result_code": 200}, "data": {"users": [{"id": "1"}', "cut short or not JSON"),
        (b'{"meta": {"result_code": 200}, "data": {"users": [{"id": "\xff"}]}}', "cut short or not JSON"),
        (b'{"meta": {"result_code": 200}, "data": {"users": [{"id": 7}], "more": "\xff"}}', "cut short or not JSON"),
        (b"\xff", "something that is not JSON"),
        (b"", "cut short or not JSON"),
        (b"[]", "JSON that is not ClearML's envelope"),
        (b'{"meta": 7, "data": {"users": []}}', "JSON that is not ClearML's envelope"),
        (b'{"meta": {"result_code": true}, "data": {"users": []}}', "HTTP status 200, but result_code true"),
        (b'{"meta": {"result_code": 400}, "data": {"users": [7]}}', "HTTP status 200, but result_code 400"),
    ],
)
def test_an_answer_that_is_no_answer_is_refused_for_what_it_is(body: bytes, said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        data_of(Reply(200, {}, body), CONTEXT, UsersAnswer)
    assert caught.value.repeat is ("cut short" in said)
