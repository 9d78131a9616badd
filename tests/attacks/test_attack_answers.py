"""A server that means harm: keys that write lines, and answers that take all memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import httpx
import pytest

from reconciler.clearml.decode import TooManyValuesError, decoded
from reconciler.clearml.messages import LoginAnswer
from reconciler.errors import ServerError
from tests.clearml.clearml_sockets import Server
from tests.clearml.test_clearml_http import READ, served
from tests.support.project import Project
from tests.support.wires import endpoint_of, tampering

ACCOUNT = "service_accounts:\n  - name: agent\n    credentials:\n      - {label: ci, deliver: {env_file: out.env}}\n"
BAD_KEYS = ["AK\nPATH=/evil", "AK BK", "AK\x1b[2J", "AK\u202e", "AKé", "A" * 20_000]


@pytest.mark.parametrize("endpoint", ["auth.create_service_user", "auth.create_credentials"])
@pytest.mark.parametrize("field", ["access_key", "secret_key"])
@pytest.mark.parametrize("value", BAD_KEYS, ids=["line end", "space", "escape", "direction", "letter", "length"])
def test_a_key_that_could_write_lines_is_not_taken(endpoint: str, field: str, value: str, project: Project) -> None:
    if endpoint == "auth.create_credentials":
        project.declare("service_accounts: [{name: agent}]\n")
        assert project.apply().code == 0

    def spoil(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if endpoint_of(request) != endpoint:
            return response
        answer = json.loads(response.content)
        answer["data"]["credentials"][field] = value
        return httpx.Response(200, json=answer)

    project.declare(ACCOUNT)
    result = project.apply(wire=tampering(after=spoil))
    delivered = Path(project.folder, "out.env")
    if endpoint == "auth.create_credentials":
        assert result.code in (6, 7), result
        assert "a key of printable characters without spaces" in result.output
        assert not delivered.exists()
        assert project.sandbox.truth().labels("agent") == []
    else:  # the account is found again, its key revoked, and another one created
        assert result.code == 0, result
        assert value not in delivered.read_text()
        assert project.sandbox.truth().labels("agent") == ["ci"]


@pytest.mark.parametrize(
    "body",
    [b'{"meta":{},"data":[' + b"[]," * 4_000_000 + b"1]}", b'{"meta":{"a":[' + b"{}," * 4_000_000 + b"1]}}"],
    ids=["data", "meta"],
)
def test_a_list_of_empty_lists_takes_no_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooManyValuesError):
            decoded(body, LoginAnswer)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 40_000,
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-More: and more\r\n" * 40_000,
    ],
    ids=["many", "long", "after the body"],
)
def test_headers_without_end_are_not_read_to_their_end(raw: bytes) -> None:
    with pytest.raises(ServerError):
        served(Server([[raw]]), READ)
