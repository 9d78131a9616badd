from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from clearml_fakes import SECRET_KEY, SETTINGS, FakeTime, ScriptedServer, envelope, jwt, ok, plain, reading, writing

from reconciler.clearml.endpoints import READS
from reconciler.clearml.retrying import RetryPolicy
from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import CallEvent, ReadOnlyError, Transport
from reconciler.errors import (
    AnswerLostError,
    CallRefusedError,
    OpenSourceServerError,
    ServerError,
    SignInError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconciler.model.secret import Secret

if TYPE_CHECKING:
    pass

READ, WRITE = "users.get_service_users", "auth.delete_user"
ATTEMPTS = RetryPolicy().attempts


def call(server: ScriptedServer, endpoint: str = READ, time: FakeTime | None = None, **options: object) -> object:
    async def run() -> object:
        async with writing(server, time, **options) as transport:
            return await transport.call(endpoint, {"user": "u1"}, dict)

    return asyncio.run(run())


def refused(server: ScriptedServer, endpoint: str = READ, time: FakeTime | None = None) -> ServerError:
    with pytest.raises(ServerError) as caught:
        call(server, endpoint, time)
    assert SECRET_KEY not in f"{caught.value} {caught.value.hint}"
    assert "\n" not in caught.value.message
    return caught.value


def test_signs_in_once_with_basic_and_then_sends_the_bearer_token() -> None:
    server = ScriptedServer().on(READ, ok({"users": []}))

    async def run() -> None:
        async with writing(server) as transport:
            await asyncio.gather(*(transport.call(READ, {}, dict) for _ in range(20)))
            assert transport.calls == {"auth.login": 1, READ: 20}
            assert (await transport.claims()).user == "me"

    asyncio.run(run())
    (_, login), (_, first) = server.requests[:2]
    assert login.headers["authorization"].startswith("Basic ")
    assert first.headers["authorization"].startswith("Bearer ")


FAULTS = {
    # what happens: (steps, read → error and calls, write → error and calls)
    "refused connection": (httpx.ConnectError("refused"), (UnreachableError, ATTEMPTS), (UnreachableError, ATTEMPTS)),
    "time-out while connecting": (
        httpx.ConnectTimeout("slow"),
        (UnreachableError, ATTEMPTS),
        (UnreachableError, ATTEMPTS),
    ),
    "no free connection": (httpx.PoolTimeout("full"), (UnreachableError, ATTEMPTS), (UnreachableError, ATTEMPTS)),
    "untrusted certificate": (
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
        (UnreachableError, 1),
        (UnreachableError, 1),
    ),
    "no TLS there": (
        httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"),
        (UnreachableError, 1),
        (UnreachableError, 1),
    ),
    "501": (plain(501, "<html>"), (UnreachableError, 1), (UnreachableError, 1)),
    "time-out after sending": (httpx.ReadTimeout("slow"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "time-out while sending": (httpx.WriteTimeout("slow"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "dropped connection": (httpx.ReadError("reset"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "cut answer": (httpx.RemoteProtocolError("incomplete"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "undecodable answer": (httpx.DecodingError("gzip"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "429": (envelope(429), (UnreachableError, ATTEMPTS), (UnreachableError, ATTEMPTS)),
    "500": (envelope(500, 0, "oops"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "502 in HTML": (plain(502, "<html>"), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "503 with broken JSON": (plain(503, '{"meta'), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "408": (plain(408, ""), (UnreachableError, ATTEMPTS), (AnswerLostError, 1)),
    "200 with broken JSON": (plain(200, '{"meta": {"resu'), (UnexpectedAnswerError, ATTEMPTS), (AnswerLostError, 1)),
    "200 without a body": (plain(200, ""), (UnexpectedAnswerError, ATTEMPTS), (AnswerLostError, 1)),
    "200 in HTML": (plain(200, "<html><title>Welcome</title>"), (UnexpectedAnswerError, 1), (AnswerLostError, 1)),
    "200 with a list": (plain(200, "[]"), (UnexpectedAnswerError, 1), (AnswerLostError, 1)),
    "200 with a deep list": (plain(200, "[" * 100_000), (UnexpectedAnswerError, 1), (AnswerLostError, 1)),
    "200 without meta": (plain(200, '{"data": {}}'), (UnexpectedAnswerError, 1), (AnswerLostError, 1)),
    "200 without data": (
        plain(200, '{"meta": {"result_code": 200}}'),
        (UnexpectedAnswerError, 1),
        (AnswerLostError, 1),
    ),
    "another result code": (envelope(500, status=200), (UnexpectedAnswerError, 1), (AnswerLostError, 1)),
    "result code true": (
        plain(200, '{"meta": {"result_code": true}, "data": {}}'),
        (UnexpectedAnswerError, 1),
        (AnswerLostError, 1),
    ),
    "202": (envelope(202), (UnexpectedAnswerError, 1), (AnswerLostError, 1)),
    "redirect": (plain(302, "", location="https://evil.test/"), (UnexpectedAnswerError, 1), (UnexpectedAnswerError, 1)),
    "404 in HTML": (plain(404, "<html>"), (UnexpectedAnswerError, 1), (UnexpectedAnswerError, 1)),
    "400": (envelope(400, 12, "bad field"), (CallRefusedError, 1), (CallRefusedError, 1)),
    "403": (envelope(403, 20, "role"), (CallRefusedError, 1), (CallRefusedError, 1)),
    "404 unknown endpoint": (envelope(404, 0, "Unable to find endpoint"), (CallRefusedError, 1), (CallRefusedError, 1)),
    "401 twice": (envelope(401, 30, "expired"), (SignInError, 2), (SignInError, 2)),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_each_failure_has_its_error_and_number_of_calls(fault: str, write: bool) -> None:
    step, read_expectation, write_expectation = FAULTS[fault]
    kind, calls = write_expectation if write else read_expectation
    endpoint = WRITE if write else READ
    server = ScriptedServer().on(endpoint, step)
    error = refused(server, endpoint)
    assert type(error) is kind
    assert server.calls[endpoint] == calls


@pytest.mark.parametrize("fault", [name for name, (_, read, _) in FAULTS.items() if read[1] == ATTEMPTS])
def test_a_read_survives_a_passing_failure(fault: str) -> None:
    server = ScriptedServer().on(READ, FAULTS[fault][0], ok({"users": []}))
    assert call(server) == {"users": []}
    assert server.calls[READ] == 2


@pytest.mark.parametrize("fault", [name for name, (_, _, write) in FAULTS.items() if write[1] == ATTEMPTS])
def test_a_write_survives_a_failure_after_which_it_surely_was_not_done(fault: str) -> None:
    server = ScriptedServer().on(WRITE, FAULTS[fault][0], ok({"deleted": True}))
    assert call(server, WRITE) == {"deleted": True}


@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_a_refused_token_is_renewed_once_and_the_call_repeated(endpoint: str) -> None:
    server = ScriptedServer().on(endpoint, envelope(401, 30, "expired"), ok({}))
    assert call(server, endpoint) == {}
    assert server.calls == {"auth.login": 2, endpoint: 2}
    tokens = [request.headers["authorization"] for name, request in server.requests if name == endpoint]
    assert tokens[0] != tokens[1]


def test_many_calls_with_a_refused_token_share_one_new_sign_in() -> None:
    server = ScriptedServer()
    tokens: set[str] = set()

    def handler(_: dict[str, object], request: httpx.Request) -> httpx.Response:
        tokens.add(request.headers["authorization"])
        return ok({}) if len(tokens) > 1 and request.headers["authorization"] != min(first) else envelope(401, 30, "x")

    first: set[str] = set()

    async def run() -> None:
        async with writing(server) as transport:
            first.add(f"Bearer {(await transport._sign_in.ticket()).token.reveal()}")
            server.handlers[READ] = handler
            tokens.update(first)
            await asyncio.gather(*(transport.call(READ, {}, dict) for _ in range(8)))

    asyncio.run(run())
    assert server.calls["auth.login"] == 2


def test_a_token_near_its_end_is_renewed_before_the_call() -> None:
    server, time = ScriptedServer().on(READ, ok({})), FakeTime()
    server.token_options = {"lifetime": 3600}

    async def run() -> None:
        async with writing(server, time) as transport:
            await transport.call(READ, {}, dict)
            time.moment = 3000
            await transport.call(READ, {}, dict)
            assert transport.calls["auth.login"] == 1
            time.moment = 3600 - 359
            await transport.call(READ, {}, dict)
            assert transport.calls["auth.login"] == 2

    asyncio.run(run())


def test_a_ready_token_needs_no_sign_in_and_is_not_renewed_when_refused() -> None:
    server = ScriptedServer().on(READ, ok({}), envelope(401, 30, "revoked"))
    settings = ConnectionSettings("https://clearml.test", source="CLEARML_AUTH_TOKEN", token=Secret(jwt()))

    async def run() -> None:
        async with Transport(settings, transport=server, timing=FakeTime().timing) as transport:
            assert await transport.call(READ, {}, dict) == {}
            with pytest.raises(SignInError, match="CLEARML_AUTH_TOKEN"):
                await transport.call(READ, {}, dict)
            assert transport.access_key is None

    asyncio.run(run())
    assert server.calls == {READ: 2}


@pytest.mark.parametrize("feature_set", ["basic", None])
def test_the_open_source_server_is_named_plainly(feature_set: str | None) -> None:
    server = ScriptedServer()
    server.token_options = {"feature_set": feature_set}
    error = refused(server)
    assert isinstance(error, OpenSourceServerError)
    assert "no groups, vaults or service accounts" in error.message
    assert server.calls == {"auth.login": 1}


SIGN_IN_FAULTS = {
    "wrong key": (envelope(401, 22, "Unauthorized"), SignInError, 1),
    "web page": (plain(200, "<html><title>ClearML</title></html>"), UnexpectedAnswerError, 1),
    "no token": (ok({}), UnexpectedAnswerError, 1),
    "not a token": (ok({"token": "abc"}), UnexpectedAnswerError, 1),
    "token of damage": (ok({"token": "a.!!!!.c"}), UnexpectedAnswerError, 1),
    "token with a line break": (ok({"token": jwt() + "\nX: y"}), UnexpectedAnswerError, 1),
    "down": (httpx.ConnectError("refused"), UnreachableError, ATTEMPTS),
    "failing": (envelope(503), UnreachableError, ATTEMPTS),
}


@pytest.mark.parametrize("fault", SIGN_IN_FAULTS)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_a_sign_in_that_fails_is_told_and_nothing_else_is_sent(fault: str, endpoint: str) -> None:
    step, kind, calls = SIGN_IN_FAULTS[fault]
    server = ScriptedServer().on("auth.login", step)
    assert type(refused(server, endpoint)) is kind
    assert server.calls == {"auth.login": calls}


def test_the_waits_double_with_jitter_and_stay_in_the_budget() -> None:
    time = FakeTime(chance=0.0)
    refused(ScriptedServer().on(READ, envelope(503)), time=time)
    assert time.sleeps == [0.25, 0.5, 1, 2, 4]
    patient = RetryPolicy(attempts=100, budget=30)
    time = FakeTime()
    with pytest.raises(UnreachableError, match="tried 6 times"):
        call(ScriptedServer().on(READ, envelope(503)), time=time, retry=patient)
    assert sum(time.sleeps) <= 30


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "999999"}, 60),
        ({"retry_after": "0"}, 0.5),
        ({"retry_after": "soon"}, 0.5),
        ({"retry_after": "-5"}, 0.5),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:09 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 9),
        ({"retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.5),
        ({}, 0.5),
    ],
)
def test_retry_after_is_honored_up_to_a_limit(header: dict[str, str], waited: float) -> None:
    time = FakeTime()
    server = ScriptedServer().on(WRITE, envelope(429, **header), ok({}))  # type: ignore[arg-type]
    call(server, WRITE, time)
    assert time.sleeps == [waited]


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    body = gzip.compress(b" " * 5_000_000)
    server = ScriptedServer()
    server.handlers[READ] = lambda *_: httpx.Response(200, content=body, headers={"content-encoding": "gzip"})
    with pytest.raises(UnexpectedAnswerError, match="larger than 1 MiB"):
        call(server, largest_answer=1024 * 1024)


HOSTILE = "\x1b[31mgone\u202e\n::error::" + SECRET_KEY + "x" * 5000


@pytest.mark.parametrize("code", [400, 401, 403, 404, 500])
def test_hostile_server_texts_are_harmless_short_and_without_secrets(code: int) -> None:
    error = refused(ScriptedServer().on(READ, envelope(code, 1, HOSTILE)))
    assert "\\x1b[31mgone\\u202e\\n" in error.message
    assert len(error.message) < 600


def test_a_page_title_is_harmless_too() -> None:
    page = f"<title>\x1b]0;{SECRET_KEY}\x07</title>"
    error = refused(ScriptedServer().on(READ, plain(200, page)))
    assert "web page (\\x1b]0;(secret)\\x07)" in error.message


def test_a_refusal_that_quotes_the_document_is_not_shown() -> None:
    document = Secret('aws { key: "AKIA-very-secret" }')
    server = ScriptedServer().on(
        WRITE, envelope(400, 12, "cannot parse AKIA-very-secret"), envelope(400, 12, "no group")
    )

    async def run() -> list[str]:
        async with writing(server) as transport:
            texts = []
            for _ in range(2):
                with pytest.raises(CallRefusedError) as caught:
                    await transport.call(WRITE, {}, dict, document=document)
                texts.append(str(caught.value))
            return texts

    first, second = asyncio.run(run())
    assert "AKIA" not in first
    assert "no group" in second


def test_missing_rights_and_missing_endpoints_say_what_to_do() -> None:
    server = ScriptedServer().on(READ, envelope(403, 20, "not allowed"))
    server.token_options = {"role": "user"}
    assert refused(server).hint == "the credentials of a workspace admin are needed; these have the role user"
    missing = refused(ScriptedServer().on(READ, envelope(404, 0, "Unable to find endpoint")))
    assert "this server has no users.get_service_users" in (missing.hint or "")


def test_a_reading_connection_refuses_to_write_before_anything_is_sent() -> None:
    server = ScriptedServer()

    async def run() -> None:
        async with reading(server) as transport:
            for endpoint in (WRITE, "auth.login", "users.delete", "made.up"):
                with pytest.raises(ReadOnlyError):
                    await transport.call(endpoint, {}, dict)

    asyncio.run(run())
    assert not server.requests


def test_no_writing_call_counts_as_a_read() -> None:
    verbs = ("add", "create", "delete", "edit", "revoke", "set", "update", "remove")
    assert not [name for name in READS if name.partition(".")[2].startswith(verbs)]


@pytest.mark.parametrize("user", ["", "a b", "a\r\nX-Evil: 1", "ü"])
def test_an_id_that_would_break_a_header_is_never_sent(user: str) -> None:
    async def run() -> None:
        async with writing(ScriptedServer()) as transport:
            await transport.call(READ, {}, dict, impersonate=user)

    with pytest.raises(UnexpectedAnswerError, match="user id"):
        asyncio.run(run())


def test_impersonation_is_a_header() -> None:
    server = ScriptedServer().on("auth.get_credentials", ok({}))

    async def run() -> None:
        async with writing(server) as transport:
            await transport.call("auth.get_credentials", {}, dict, impersonate="u7")

    asyncio.run(run())
    assert server.requests[-1][1].headers["x-clearml-impersonate-as"] == "u7"


def test_lone_surrogates_can_be_sent_back() -> None:
    server = ScriptedServer().on(WRITE, ok({}))

    async def run() -> None:
        async with writing(server) as transport:
            await transport.call(WRITE, {"user": "\ud800"}, dict)

    asyncio.run(run())
    assert json.loads(server.requests[-1][1].content) == {"user": "\ud800"}


def test_no_more_requests_are_under_way_than_allowed() -> None:
    under_way, most = 0, 0

    class Slow(ScriptedServer):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            under_way -= 1
            return await super().handle_async_request(request)

    server = Slow().on(READ, ok({}))

    async def run() -> None:
        async with writing(server, concurrency=3) as transport:
            await asyncio.gather(*(transport.call(READ, {}, dict) for _ in range(20)))

    asyncio.run(run())
    assert most == 3


def test_the_observer_hears_of_every_request_and_of_no_secret() -> None:
    events: list[CallEvent] = []
    server = ScriptedServer().on(READ, httpx.ReadTimeout("slow"), ok({}))

    async def run() -> None:
        transport = Transport(SETTINGS, transport=server, timing=FakeTime().timing, observer=events.append)
        async with transport:
            await transport.call(READ, {}, dict)

    asyncio.run(run())
    assert [(event.endpoint, event.status) for event in events] == [("auth.login", 200), (READ, None), (READ, 200)]
    assert SECRET_KEY not in repr(events)
