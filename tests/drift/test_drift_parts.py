"""The small rules that drift rests on, each by itself."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime

import pytest
from drift_nights import receiver

from reconciler.errors import UnreachableError
from reconciler.model.resources import Address, Kind, OwnerKind
from reconciler.model.secret import Secret
from reconciler.notify.send import post
from reconciler.notify.signature import signature_headers
from reconciler.notify.target import TargetKind, read_target
from reconciler.plan.identity import former
from reconciler.plan.outcomes import Outcome
from reconciler.record.document import OperationEntry, Record, RunEntry, Who, Workspace
from reconciler.record.fingerprint import applied
from reconciler.record.known import is_unsettled, known_identities, unsettled
from tests.build import credential, group, vault

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(name: str, *touched: tuple[Kind, str], remaining: int | None = None) -> RunEntry:
    operations = tuple(
        OperationEntry(operation="update", kind=kind, title=title, outcome=Outcome.APPLIED) for kind, title in touched
    )
    who = Who(user="root@acme.io")
    return RunEntry(
        id=name, started=NOON, who=who, plan="", tool="", total=1, operations=operations, remaining=remaining
    )


def record(*runs: RunEntry) -> Record:
    resources = (
        applied(group("operators"), "id-operators", NOON),
        applied(vault("s3", "operators", "a: 1"), "id-s3", NOON),
        applied(credential("agent", "ci"), "id-ci", NOON),
    )
    return Record(workspace=Workspace(name="acme", server="x"), runs=runs, resources=resources)


OPERATORS, S3 = Address.group("operators"), Address.vault(OwnerKind.GROUP, "operators", "s3")
CI = Address.credential("agent", "ci")


@pytest.mark.parametrize(
    ("runs", "open_ends"),
    [
        ((), set()),
        ((run("a", (Kind.GROUP, "Operators"), remaining=0),), set()),
        ((run("a", (Kind.GROUP, "Operators")),), {OPERATORS, S3}),
        ((run("a", (Kind.VAULT, "s3 → operators")),), {S3}),
        ((run("a", (Kind.SERVICE_ACCOUNT, "agent")),), {CI}),
        ((run("b"), run("a", (Kind.CREDENTIAL, "agent / CI"))), {CI}),
        ((run("b", remaining=3), run("a", (Kind.CREDENTIAL, "agent / ci"))), set()),
    ],
)
def test_what_runs_touched_that_nobody_saw_the_end_of_is_not_known(
    runs: tuple[RunEntry, ...], open_ends: set[Address]
) -> None:
    known = record(*runs)
    assert {address for address in (OPERATORS, S3, CI) if is_unsettled(address, unsettled(known))} == open_ends
    assert set(known_identities(known)) == {OPERATORS, S3, CI} - open_ends


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (Address.group("ops"), OPERATORS),
        (Address.vault(OwnerKind.GROUP, "ops", "s3"), S3),
        (Address.vault(OwnerKind.GROUP, "ops", "new"), Address.vault(OwnerKind.GROUP, "operators", "old")),
        (Address.credential("robot", "ci"), CI),
        (
            Address.vault(OwnerKind.SERVICE_ACCOUNT, "robot", "robot"),
            Address.vault(OwnerKind.SERVICE_ACCOUNT, "agent", "agent"),
        ),
        (Address.member("ada@acme.io"), Address.member("ada@acme.io")),
    ],
)
def test_a_record_is_asked_under_the_names_of_then(now: Address, then: Address) -> None:
    renames = {
        Address.group("ops"): OPERATORS,
        Address.service_account("robot"): Address.service_account("agent"),
        Address.vault(OwnerKind.GROUP, "ops", "new"): Address.vault(OwnerKind.GROUP, "operators", "old"),
    }
    assert former(now, renames) == then


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        ("https://hooks.acme.io/x", TargetKind.WEBHOOK, "hooks.acme.io"),
        ("http://127.0.0.1:8080/x", TargetKind.WEBHOOK, "127.0.0.1"),
        ("http://[::1]:8080/x", TargetKind.WEBHOOK, "::1"),
        ("https://hooks.slack.com/services/T/B/token", TargetKind.SLACK, "hooks.slack.com"),
        ("slack+https://chat.acme.io/hooks/token", TargetKind.SLACK, "chat.acme.io"),
        ("discord://id/token", TargetKind.LIBRARY, "discord://…"),
    ],
)
def test_an_address_says_how_it_wants_its_messages(url: str, kind: TargetKind, shown: str) -> None:
    target = read_target(url)
    assert (target.kind, target.shown) == (kind, shown)
    assert "token" not in repr(target)


def test_a_signature_is_as_the_standard_says() -> None:
    # The example of https://github.com/standard-webhooks/standard-webhooks, with an id of ours.
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature_headers(b'{"test": 2432232314}', secret, datetime.fromtimestamp(1614265330, UTC))
    assert headers["webhook-timestamp"] == "1614265330"
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert len(base64.b64decode(signature)) == 32
    again = signature_headers(b'{"test": 2432232314}', secret, datetime.fromtimestamp(1614265331, UTC))
    assert again["webhook-id"] == headers["webhook-id"], "the same message has the same id"
    assert again["webhook-signature"] != headers["webhook-signature"]


def test_a_receiver_that_recovers_is_told_once() -> None:
    with receiver() as received:
        received.status = 503
        waited: list[float] = []

        async def recover(seconds: float) -> None:
            waited.append(seconds)
            received.status = 200

        asyncio.run(post(read_target(received.url), b"{}", {}, recover))
        assert (len(received.requests), waited) == (2, [2.0])
        received.status = 404
        with pytest.raises(UnreachableError, match="could not be notified: it answered with HTTP status 404"):
            asyncio.run(post(read_target(received.url), b"{}", {}, recover))
