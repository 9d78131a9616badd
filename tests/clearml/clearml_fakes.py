"""A scripted server for what a real one rarely does: faults, damage and hostility; and a clock that does not wait."""

from __future__ import annotations

import base64
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import httpx

from reconciler.clearml.settings import ConnectionSettings
from reconciler.clearml.transport import ReadTransport, Timing, Transport, TransportOptions
from reconciler.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET_KEY = "hunter2-hunter2-hunter2"
SETTINGS = ConnectionSettings("https://clearml.test", "AKIA", Secret(SECRET_KEY), "the test")

Step = httpx.Response | Exception
Handler = "Callable[[dict[str, object], httpx.Request], Step]"


def jwt(*, feature_set: str | None = "enterprise", lifetime: int = 3600, role: str = "admin", serial: int = 0) -> str:
    claims: dict[str, object] = {
        "identity": {"user": "me", "role": role, "company": "c"},
        "iat": 1_000_000,
        "exp": 1_000_000 + lifetime,
        "serial": serial,
    }
    if feature_set is not None:
        claims["feature_set"] = feature_set
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def ok(data: object) -> httpx.Response:
    return envelope(200, data=data)


def envelope(
    code: int, subcode: int = 0, message: str = "OK", *, data: object = None, status: int | None = None, **headers: str
) -> httpx.Response:
    body = {
        "meta": {"result_code": code, "result_subcode": subcode, "result_msg": message},
        "data": {} if data is None else data,
    }
    return httpx.Response(status or code, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def plain(status: int, text: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, text=text, headers=headers)


class ScriptedServer(httpx.AsyncBaseTransport):
    """Answers each endpoint with its steps in turn, the last one for ever; signs anybody in."""

    def __init__(self) -> None:
        self.steps: dict[str, list[Step]] = defaultdict(list)
        self.handlers: dict[str, Callable[[dict[str, object], httpx.Request], Step]] = {}
        self.requests: list[tuple[str, httpx.Request]] = []
        self.token_options: dict[str, object] = {}

    def on(self, endpoint: str, *steps: Step) -> ScriptedServer:
        self.steps[endpoint] = list(steps)
        return self

    @property
    def calls(self) -> Counter[str]:
        return Counter(endpoint for endpoint, _ in self.requests)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = request.url.path.lstrip("/")
        self.requests.append((endpoint, request))
        body = json.loads(await request.aread() or b"{}")
        step = self._step(endpoint, body, request)
        if isinstance(step, Exception):
            raise step
        if endpoint in self.handlers:
            return step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    def _step(self, endpoint: str, body: dict[str, object], request: httpx.Request) -> Step:
        if endpoint in self.handlers:
            return self.handlers[endpoint](body, request)
        steps = self.steps.get(endpoint)
        if steps:
            return steps.pop(0) if len(steps) > 1 else steps[0]
        if endpoint == "auth.login":
            return ok({"token": jwt(serial=len(self.requests), **self.token_options)})  # type: ignore[arg-type]
        raise AssertionError(f"nobody expects {endpoint}")


class FakeTime:
    """A clock that moves only when somebody sleeps, and keeps count of the sleeps."""

    def __init__(self, *, chance: float = 1.0) -> None:
        self.moment = 0.0
        self.sleeps: list[float] = []
        self.chance = chance

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.moment += seconds

    @property
    def timing(self) -> Timing:
        return Timing(
            sleep=self.sleep,
            random=lambda: self.chance,
            clock=lambda: self.moment,
            now=lambda: 1_000_000.0 + self.moment,
        )


def writing(server: ScriptedServer, time: FakeTime | None = None, **options: object) -> Transport:
    return Transport(
        SETTINGS,
        transport=server,
        timing=(time or FakeTime()).timing,
        options=TransportOptions(**options),  # type: ignore[arg-type]
    )


def reading(server: ScriptedServer, time: FakeTime | None = None) -> ReadTransport:
    return ReadTransport(SETTINGS, transport=server, timing=(time or FakeTime()).timing)
