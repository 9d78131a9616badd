"""Torn, altered, foreign and newer records are told apart from good ones."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace
from record_support import ACME, NOON, run_entry

from reconciler.errors import RecordError
from reconciler.model.resources import Address
from reconciler.plan.outcomes import Outcome
from reconciler.record.document import OperationEntry, Record, Told, Workspace, read_record
from reconciler.record.fingerprint import applied
from tests.build import KEY, group, vault

OPERATION = OperationEntry(operation="invite", kind="member", title="ada@acme.io", outcome=Outcome.APPLIED)  # type: ignore[arg-type]
RECORD = Record(
    workspace=ACME,
    runs=(run_entry("run-1", operations=(OPERATION,), counts={Outcome.APPLIED: 1}, total=1, finished=NOON),),
    resources=(
        applied(group("operators", "ada@acme.io"), "id-1", KEY, NOON),
        applied(vault("s3", "operators", 'a { password = "planted-password" }'), "id-2", KEY, NOON),
    ),
    told=(Told(kind="group", key=("operators",), digest="abc", at=NOON),),  # type: ignore[arg-type]
)
GOOD = RECORD.to_bytes()


def test_a_record_reads_as_it_was_written() -> None:
    assert read_record(GOOD, "record.json", ACME) == RECORD
    assert read_record(GOOD, "record.json", ACME).to_bytes() == GOOD


def test_a_record_of_one_workspace_is_not_taken_for_another_ones() -> None:
    for other in (Workspace(name="other", server=ACME.server), Workspace(name=ACME.name, server="https://other")):
        with pytest.raises(RecordError, match="about another workspace"):
            read_record(GOOD, "record.json", other)


def test_every_cut_is_noticed() -> None:
    lines = GOOD.splitlines(keepends=True)
    for count in range(len(lines)):
        with pytest.raises(RecordError, match="is damaged"):
            read_record(b"".join(lines[:count]), "record.json", ACME)


def test_every_lost_line_is_noticed() -> None:
    lines = GOOD.splitlines(keepends=True)
    for lost in range(len(lines)):
        with pytest.raises(RecordError):
            read_record(b"".join(lines[:lost] + lines[lost + 1 :]), "record.json", ACME)


def test_every_flipped_bit_is_noticed_or_without_meaning() -> None:
    harmless = 0
    for position in range(len(GOOD)):
        for bit in range(8):
            flipped = bytearray(GOOD)
            flipped[position] ^= 1 << bit
            try:
                assert read_record(bytes(flipped), "record.json", ACME) == RECORD
                harmless += 1
            except RecordError:
                continue
    assert harmless < 10, "a blank that became another blank"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is damaged: it is not complete JSON"),
        (b"\xff\xfe\x00", "is damaged: it is not complete JSON"),
        (b"[" * 100_000, "is damaged: it is not complete JSON"),
        (b"[]", "not a record of this program"),
        (b'{"format": "terraform"}', "not a record of this program"),
        (b'{"format": "clearml-reconciler/record/2", "checksum": ""}', "written by another version"),
        (b'{"format": "clearml-reconciler/record/1"}', "checksum does not match"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    with pytest.raises(RecordError, match=said) as caught:
        read_record(content, "record.json", ACME)
    assert caught.value.hint is not None


@pytest.mark.parametrize(("name", "said"), [("surprise", "unknown field `surprise`"), ("\ud800", "is damaged")])
def test_a_record_with_a_right_checksum_and_fields_of_its_own_is_damaged(name: str, said: str) -> None:
    from reconciler.record.document import _checksum

    raw = json.loads(GOOD) | {name: 1}
    raw["checksum"] = _checksum(raw)
    with pytest.raises(RecordError, match=said):
        read_record(json.dumps(raw).encode(), "record.json", ACME)


def test_no_value_of_a_resource_is_in_the_record() -> None:
    assert b"planted-password" not in GOOD
    text = replace(RECORD, runs=()).to_bytes()
    assert b"ada@acme.io" not in text, "who is in a group stands there as a digest"


def test_equal_texts_have_different_digests_under_different_keys() -> None:
    from reconciler.model.secret import Secret
    from reconciler.plan.fingerprints import DigestKey

    other = DigestKey.derive("other", Secret("other"))
    item = vault("s3", "operators", "a = 1")
    first, second = applied(item, "id", KEY, NOON), applied(item, "id", other, NOON)
    assert first.fields == second.fields
    assert first.document != second.document
    assert first.key_id != second.key_id


def test_an_access_key_is_not_written_out() -> None:
    from tests.build import credential

    item = applied(credential("agent", "k8s"), "ACCESSKEY0123456789", KEY, NOON)
    assert "ACCESSKEY" not in msgspec.json.encode(item).decode()
    assert item.server_id == applied(credential("agent", "k8s"), "ACCESSKEY0123456789", KEY, NOON).server_id


def test_a_resource_is_found_by_its_address() -> None:
    found = RECORD.resource(Address.group("Operators"))
    assert found is not None
    assert found.server_id == "id-1"
    assert len(found.sets["members"]) == 1
