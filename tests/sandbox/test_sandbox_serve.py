"""The sandbox on a port, and the real ClearML SDK talking to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from queue import Queue
from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox_client import basic

from reconciler.sandbox.bulk import dump_workspace
from reconciler.sandbox.choices import USERS_GROUP_ID
from reconciler.sandbox.serve import Running, serve
from reconciler.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "w.db") as store:
        yield store


@pytest.fixture
def running(stored: Store) -> Iterator[Running]:
    ready: Queue[Running] = Queue()
    thread = threading.Thread(target=serve, args=(stored, "127.0.0.1", 0), kwargs={"on_ready": ready.put})
    thread.start()
    server = ready.get(timeout=10)
    yield server
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_free_port_is_taken_and_told(running: Running, stored: Store) -> None:
    assert running.port > 0
    assert running.url == f"http://127.0.0.1:{running.port}"
    headers = {"Authorization": f"Bearer {stored.session_for_admin()}"}
    answer = httpx.post(f"{running.url}/v2.31/users.get_all_ex", headers=headers, json={})
    assert answer.json()["meta"]["result_code"] == 200


def test_the_callers_address_is_noted(running: Running, stored: Store) -> None:
    assert stored.bootstrap
    headers = {"Authorization": basic(stored.bootstrap.access_key, stored.bootstrap.secret_key)}
    (mine,) = httpx.post(f"{running.url}/auth.get_credentials", headers=headers).json()["data"]["credentials"]
    assert mine["last_used_from"] == "127.0.0.1"


def test_no_answer_waits_for_an_acknowledgment(running: Running, stored: Store) -> None:
    assert stored.bootstrap
    headers = {"Authorization": basic(stored.bootstrap.access_key, stored.bootstrap.secret_key)}
    with httpx.Client(base_url=running.url, headers=headers) as client:
        took = [client.post("/auth.get_credentials", json={}).elapsed for _ in range(60)]
    assert sorted(took)[len(took) // 2] < timedelta(milliseconds=35)  # Nagle's algorithm makes it 40


def test_an_address_of_version_six_is_written_as_in_a_browser() -> None:
    assert Running("::1", 8008, lambda: None).url == "http://[::1]:8008"


def test_a_port_that_is_taken_is_an_error(stored: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(stored, "127.0.0.1", taken.getsockname()[1], on_ready=lambda _: None)


def run_sdk(program: str, url: str, access_key: str, secret_key: str, folder: Path) -> list[str]:
    """Run a program with the real SDK, signed in to a server, and return the lines that it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CLEARML_CONFIG_FILE": str(folder / "none.conf"),
        "CLEARML_API_HOST": url,
        "CLEARML_WEB_HOST": url,
        "CLEARML_FILES_HOST": url,
        "CLEARML_API_ACCESS_KEY": access_key,
        "CLEARML_API_SECRET_KEY": secret_key,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


SIGN_IN = """
from clearml.backend_api import Session
session = Session()
print("user", session.get_decoded_token(session.token)["identity"]["user"])
print("features", Session.feature_set, Session.api_version)
print("region", session.config.get("sdk.aws.s3.region"))
print("own", session.config.get("sdk.development.default_output_uri"))
answer = session.send_request("projects", "get_all_ex", json={"name": "^Vis"}).json()
print("projects", [project["name"] for project in answer["data"]["projects"]])
"""


@pytest.mark.real_clients
def test_the_real_sdk_signs_in_and_gets_its_vaults(running: Running, stored: Store, tmp_path: Path) -> None:
    stored.add_entity("project", "Vision")
    headers = {"Authorization": f"Bearer {stored.session_for_admin()}"}

    def call(endpoint: str, fields: dict[str, object]) -> dict[str, object]:
        data: dict[str, object] = httpx.post(f"{running.url}/{endpoint}", headers=headers, json=fields).json()["data"]
        return data

    made = call("auth.create_service_user", {"name": "bot"})
    keys = made["credentials"]
    assert isinstance(keys, dict)
    shared = {
        "scope": "group",
        "data": 'sdk.aws.s3.region: "eu-west-7"\nsdk.development.default_output_uri: "s3://all"',
    }
    own = {"scope": "user", "data": '{"sdk": {"development": {"default_output_uri": "s3://own"}}}', "format": "json"}
    call("users.add_or_update_vault", {"vault": own, "user": made["id"]})
    call("users.add_or_update_vault", {"vault": shared, "group": USERS_GROUP_ID})
    told = run_sdk(SIGN_IN, running.url, str(keys["access_key"]), str(keys["secret_key"]), tmp_path)
    assert told == [
        f"user {made['id']}",
        "features enterprise 2.37",
        "region eu-west-7",
        "own s3://own",
        "projects ['Vision']",
    ]
    assert dump_workspace(stored).service_accounts[0].credentials[0].last_used


FIRST_TASK = """
from clearml import Task
try:
    Task.init(project_name="Vision/Cats", task_name="first")
except Exception as error:
    print(type(error).__name__, str(error).partition(" (name=")[0])
"""


@pytest.mark.real_clients
def test_a_first_task_gets_as_far_as_on_a_server_without_tasks(running: Running, stored: Store, tmp_path: Path) -> None:
    assert stored.bootstrap
    told = run_sdk(FIRST_TASK, running.url, stored.bootstrap.access_key, stored.bootstrap.secret_key, tmp_path)
    assert told[-1] == (
        "SendError Action failed <404/0: tasks.create/vNone"
        " (Unable to find endpoint for name tasks.create and version 2.23)>"
    )
    assert {entity.name for entity in dump_workspace(stored).entities} == {"Vision", "Vision/Cats"}


@pytest.mark.parametrize(
    "call",
    ["workers.register", "queues.get_next_task", "workers.status_report", "workers.unregister", "events.add_batch"],
)
def test_an_agent_finds_its_queue_and_learns_that_there_are_no_tasks(
    running: Running, stored: Store, call: str
) -> None:
    stored.add_entity("queue", "default")
    headers = {"Authorization": f"Bearer {stored.session_for_admin()}"}
    found = httpx.post(f"{running.url}/queues.get_all", headers=headers, json={"name": "^default$"}).json()
    assert [queue["name"] for queue in found["data"]["queues"]] == ["default"]
    meta = httpx.post(f"{running.url}/v2.23/{call}", headers=headers, json={}).json()["meta"]
    assert (meta["result_code"], meta["result_subcode"]) == (404, 0)
    assert meta["result_msg"] == f"Unable to find endpoint for name {call} and version 2.23"


SERVE = """
import sys
from reconciler.sandbox.serve import serve
from reconciler.sandbox.store import Store
with Store.open(sys.argv[1]) as store:
    serve(store, port=0, on_ready=lambda running: print(running.url, flush=True))
print("closed in order")
"""


def test_an_interrupt_ends_it_in_order_and_quietly(tmp_path: Path) -> None:
    program = [sys.executable, "-c", SERVE, str(tmp_path / "w.db")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/users.get_all_ex").status_code == 401
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
    assert (process.returncode, out, error) == (0, "closed in order\n", "")
