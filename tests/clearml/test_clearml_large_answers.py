"""The large answers, decoded straight into values, are what reading them node by node makes of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.clearml.answers import Context, Reply, data_of
from reconciler.clearml.failures import Failure
from reconciler.clearml.large_answers import GroupsAnswer, UsersAnswer
from reconciler.clearml.records import GroupRecord, UserRecord
from reconciler.clearml.wire import Node
from reconciler.errors import UnexpectedAnswerError

CONTEXT = Context("a.call", "https://acme.io", "a flag", "admin", 0.0)

OTHER = st.sampled_from([None, 7, True, "", [], {}, "owner"])
TEXT = st.text(max_size=4) | st.just("\ud800")
FLAG = st.booleans() | OTHER
TIME = st.sampled_from(["2026-11-24T08:00:00", "2026-11-24T08:00:00+02:00", "2026-11-24T08:00:00Z", "soon", ""]) | OTHER
USER = st.fixed_dictionaries(
    {"id": TEXT},
    optional={
        "name": TEXT | OTHER,
        "email": TEXT | OTHER,
        "role": st.sampled_from(["admin", "user", "annotator"]) | OTHER,
        "read_only": FLAG,
        "support": FLAG,
        "sec_groups": st.lists(TEXT | OTHER, max_size=2) | OTHER,
        "created": TIME,
        "company": st.just({"id": "c"}),
    },
)
GROUP = st.fixed_dictionaries(
    {"id": TEXT, "name": TEXT | OTHER, "users": st.lists(st.fixed_dictionaries({"id": TEXT | OTHER}), max_size=3)},
    optional={"description": TEXT | OTHER, "system": FLAG, "assignable": FLAG},
)


def read(answer: str, form: type[UsersAnswer | GroupsAnswer] | None, items: list[object]) -> object:
    """Return the records, or the error's words, of an answer that is read in a form, or without one."""
    body = {"meta": {"result_code": 200}, "data": {answer: items}}
    data = data_of(Reply(200, {}, json.dumps(body).encode()), CONTEXT, form)
    if isinstance(data, (UsersAnswer, GroupsAnswer)):
        return data.records()
    record = UserRecord if answer == "users" else GroupRecord
    try:
        return [record.of(item) for item in Node("a.call", data).nodes(answer)]
    except UnexpectedAnswerError as error:
        return error.message


@given(st.lists(USER, max_size=3))
def test_users_are_the_same_in_both_ways(users: list[object]) -> None:
    assert read("users", UsersAnswer, users) == read("users", None, users)


@given(st.lists(GROUP, max_size=3))
def test_groups_are_the_same_in_both_ways(groups: list[object]) -> None:
    assert read("groups", GroupsAnswer, groups) == read("groups", None, groups)


def test_an_ordinary_answer_is_decoded_straight() -> None:
    body = {"meta": {"result_code": 200}, "data": {"users": [{"id": "1", "name": "Ada", "role": "admin"}]}}
    assert isinstance(data_of(Reply(200, {}, json.dumps(body).encode()), CONTEXT, UsersAnswer), UsersAnswer)


@pytest.mark.parametrize("body", [b'{"meta": {"result_code": 200}, "data": {"users": ' + b"[" * 100_000, b"\xff", b""])
def test_an_answer_that_is_no_json_is_told_as_ever(body: bytes) -> None:
    told = []
    for form in (UsersAnswer, None):
        with pytest.raises(Failure, match=r"a\.call") as caught:
            data_of(Reply(200, {}, body), CONTEXT, form)
        told.append(str(caught.value))
    assert told[0] == told[1]
