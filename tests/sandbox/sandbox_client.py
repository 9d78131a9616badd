"""A client that speaks the bare protocol, a clock that stands still, and people to sign in as."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.whitelist import accept_invitation

if TYPE_CHECKING:
    import asyncio

    import httpx

    from reconciler.sandbox.store import Store


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class Answer:
    """What came back: the envelope's parts, after the checks that hold for every envelope."""

    response: httpx.Response
    meta: dict[str, Any] = field(init=False)
    data: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        envelope = self.response.json()
        assert set(envelope) == {"meta", "data"}
        self.meta, self.data = envelope["meta"], envelope["data"]
        assert self.response.status_code == self.meta["result_code"]

    @property
    def outcome(self) -> str:
        return f"{self.meta['result_code']}/{self.meta['result_subcode']}"


class Client:
    """Speaks to the server as one user; ``call`` gives the data of a success, ``refused`` the code of a refusal."""

    def __init__(self, http: httpx.AsyncClient, runner: asyncio.Runner, headers: dict[str, str]) -> None:
        self.http, self.runner, self.headers = http, runner, headers

    def send(
        self, path: str, method: str = "POST", headers: dict[str, str] | None = None, **kwargs: Any
    ) -> httpx.Response:
        self.http.cookies.clear()
        chosen = self.headers if headers is None else headers
        return self.runner.run(self.http.request(method, path, headers=chosen, **kwargs))

    def ask(self, endpoint: str, /, **fields: Any) -> Answer:
        return Answer(self.send(f"/{endpoint}", json=fields))

    def call(self, endpoint: str, /, **fields: Any) -> dict[str, Any]:
        answer = self.ask(endpoint, **fields)
        assert answer.meta["result_msg"] == "OK", answer.meta["result_msg"]
        return answer.data

    def refused(self, endpoint: str, /, **fields: Any) -> str:
        answer = self.ask(endpoint, **fields)
        assert answer.meta["result_code"] != 200
        assert answer.data == {}
        return answer.outcome

    def acting_as(self, user: str, header: str = "X-Clearml-Impersonate-As") -> Client:
        return Client(self.http, self.runner, self.headers | {header: user})

    def with_token(self, token: str) -> Client:
        return Client(self.http, self.runner, {"Authorization": f"Bearer {token}"})

    def with_basic(self, key: str, secret: str) -> Client:
        return Client(self.http, self.runner, {"Authorization": basic(key, secret)})

    def anonymous(self) -> Client:
        return Client(self.http, self.runner, {})


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def member(admin: Client, store: Store, email: str = "ada@acme.io", role: str = "user") -> str:
    """Invite someone who signs in at once; return their id."""
    admin.call("login.add_whitelist_entries", emails=[email], role=role)
    return accept_invitation(store, email)


def as_member(admin: Client, store: Store, email: str = "ada@acme.io", role: str = "user") -> Client:
    """Return a client that is signed in as a new member."""
    return admin.with_token(store.session_for(member(admin, store, email, role)))
