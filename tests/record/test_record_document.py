"""Torn, altered, foreign and newer records are told apart from good ones; the first format is read; parts are small."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace
from record_support import ACME, NOON, run_entry

from reconciler.errors import RecordError
from reconciler.model.acting import Acting, ActingPolicy
from reconciler.model.resources import Address, Document, DocumentFormat, Vault
from reconciler.model.secret import Secret
from reconciler.plan.documents import DocumentComparison
from reconciler.plan.fingerprints import DigestKey
from reconciler.plan.outcomes import Outcome
from reconciler.record.document import (
    Applied,
    AppliedDocument,
    Creation,
    OperationEntry,
    Record,
    Reported,
    SealedActing,
    Workspace,
)
from reconciler.record.fingerprint import applied, applied_document, was_literal, was_secret
from reconciler.record.parts import Head, checksum, pack, read_part, section_of, unpack
from reconciler.record.reading import read_document
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.tree import Scalar
from tests.build import KEY, group, vault

OPERATION = OperationEntry(operation="invite", kind="member", title="ada@acme.io", outcome=Outcome.APPLIED)  # type: ignore[arg-type]
ACTING = Acting(policy=ActingPolicy(min_admins=2, max_removals="20 %", max_write_gains=25))
OTHER = DigestKey.derive(Secret("other"))


def document(live: Vault, declared: Vault | None = None, key: DigestKey = KEY) -> AppliedDocument:
    with DocumentParser() as parser:
        return applied_document(live, declared, DocumentComparison(parser, key), None)


def as_applied(item: Vault) -> Applied:
    return replace(applied(item, "id-2", NOON), document=document(item, item))


RECORD = Record(
    workspace=ACME,
    runs=(run_entry("run-1", operations=(OPERATION,), counts={Outcome.APPLIED: 1}, total=1, finished=NOON),),
    resources=(
        applied(group("operators", "ada@acme.io"), "id-1", NOON),
        as_applied(vault("s3", "operators", 'a { password = "planted-password" }')),
    ),
    creations=(Creation(kind="group", key=("new",), title="new", server_id="id-3", run="run-1", begun=NOON),),  # type: ignore[arg-type]
    acting=SealedActing.of(ACTING, KEY),
    reported=(Reported(kind="group", key=("operators",), digest="abc", at=NOON),),  # type: ignore[arg-type]
)
PACKED = pack(RECORD, None, {}, "0a")
HEAD = PACKED.head.to_bytes()


def read(head: bytes, parts: dict[str, bytes]) -> Record:
    found = read_document(head, "record.json", ACME)
    assert isinstance(found, Head)
    return unpack(
        found, {name: read_part(parts[name], name, section_of(found, name), "record.json") for name in found.parts}
    )


def test_a_record_reads_as_it_was_written() -> None:
    assert read(HEAD, dict(PACKED.new)) == RECORD
    assert len(PACKED.new) == 5, "one part of each sort"


def test_a_record_of_one_workspace_is_not_taken_for_another_ones() -> None:
    for other in (Workspace(name="other", server=ACME.server), Workspace(name=ACME.name, server="https://other")):
        with pytest.raises(RecordError, match="about another workspace"):
            read_document(HEAD, "record.json", other)


def test_every_cut_is_noticed() -> None:
    lines = HEAD.splitlines(keepends=True)
    for count in range(len(lines)):
        with pytest.raises(RecordError, match="is damaged"):
            read_document(b"".join(lines[:count]), "record.json", ACME)


def test_every_lost_line_is_noticed() -> None:
    lines = HEAD.splitlines(keepends=True)
    for lost in range(len(lines)):
        with pytest.raises(RecordError):
            read_document(b"".join(lines[:lost] + lines[lost + 1 :]), "record.json", ACME)


def test_every_flipped_bit_is_noticed_or_without_meaning() -> None:
    harmless = 0
    for position in range(len(HEAD)):
        for bit in range(8):
            flipped = bytearray(HEAD)
            flipped[position] ^= 1 << bit
            try:
                assert read(bytes(flipped), dict(PACKED.new)) == RECORD
                harmless += 1
            except RecordError:
                continue
    assert harmless < 10, "a blank that became another blank"


@pytest.mark.parametrize("damage", [b"", b"[]\n", b"[\n{}\n]\n"])
def test_a_part_that_is_not_what_its_name_says_is_noticed(damage: bytes) -> None:
    for name in PACKED.new:
        with pytest.raises(RecordError, match="damaged or was altered"):
            read(HEAD, {**PACKED.new, name: damage})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is damaged: it is not complete JSON"),
        (b"\xff\xfe\x00", "is damaged: it is not complete JSON"),
        (b"[" * 100_000, "is damaged: it is not complete JSON"),
        (b"[]", "not a record of this program"),
        (b'{"format": "terraform"}', "not a record of this program"),
        (b'{"format": "clearml-reconciler/record/3", "checksum": ""}', "written by another version"),
        (b'{"format": "clearml-reconciler/record/2"}', "checksum does not match"),
        (b'{"format": "clearml-reconciler/record/1"}', "checksum does not match"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    with pytest.raises(RecordError, match=said) as caught:
        read_document(content, "record.json", ACME)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("surprise", 1, "unknown field `surprise`"),
        ("\ud800", 1, "is damaged"),
        ("resources", ["../../workspace"], "is damaged"),
        ("retired", ["0" * 32 + "-0a/../x"], "is damaged"),
    ],
)
def test_a_record_with_a_right_checksum_and_contents_of_its_own_is_damaged(name: str, value: object, said: str) -> None:
    raw = json.loads(HEAD) | {name: value}
    raw["checksum"] = checksum(raw)
    with pytest.raises(RecordError, match=said):
        read_document(json.dumps(raw).encode(), "record.json", ACME)


def test_a_record_of_the_first_format_keeps_its_runs_ids_and_what_people_were_told() -> None:
    resource = {
        "kind": "group",
        "key": ["operators"],
        "server_id": "id-1",
        "public": "0a",
        "fields": {"name": "0b"},
        "sets": {"members": ["0c"]},
        "document": None,
        "key_id": None,
        "declared": "0d",
        "declared_document": None,
        "declared_template": None,
        "seen": "2026-03-01T12:00:00Z",
    }
    raw: dict[str, object] = {
        "format": "clearml-reconciler/record/1",
        "workspace": {"name": ACME.name, "server": ACME.server},
        "runs": [run.plain() for run in RECORD.runs],
        "resources": [resource],
        "told": [item.plain() for item in RECORD.reported],
        "managed": ["group"],
    }
    for run in raw["runs"]:  # type: ignore[attr-defined]
        for operation in run["operations"]:
            del operation["key"], operation["server_id"]
    raw["checksum"] = checksum(raw)
    assert read_document(json.dumps(raw).encode(), "record.json", ACME) == Record(
        workspace=ACME,
        runs=RECORD.runs,
        resources=(Applied(kind="group", key=("operators",), server_id="id-1", seen=NOON),),  # type: ignore[arg-type]
        reported=RECORD.reported,
        managed=("group",),
    )


def test_a_change_of_one_resource_writes_one_small_part() -> None:
    many = Record(workspace=ACME, resources=tuple(applied(group(f"group-{n:05}"), f"{n}", NOON) for n in range(20_000)))
    packed = pack(many, None, {}, "0a")
    changed = (*many.resources[:7000], applied(group("group-06999b"), "x", NOON), *many.resources[7000:])
    again = pack(replace(many, resources=changed), packed.head, packed.parts, "0b")
    assert len(packed.new) > 20
    assert len(again.new) <= 2, "the part that the new one stands in; two if it begins one"
    written, whole = (sum(map(len, one.new.values())) for one in (again, packed))
    assert written < whole / 10
    assert set(again.head.retired) == set(packed.head.parts) - set(again.head.parts)


def test_outcomes_of_a_large_run_are_written_in_the_parts_that_hold_them() -> None:
    operations = tuple(replace(OPERATION, title=f"{n}@acme.io", outcome=None) for n in range(50_000))
    begun = Record(workspace=ACME, runs=(run_entry("run-1", operations=operations, total=50_000),))
    packed = pack(begun, None, {}, "0a")
    ended = (*(replace(item, outcome=Outcome.APPLIED) for item in operations[:64]), *operations[64:])
    again = pack(replace(begun, runs=(replace(begun.runs[0], operations=ended),)), packed.head, packed.parts, "0b")
    assert len(again.new) == 1
    assert sum(map(len, again.new.values())) * 10 < sum(map(len, packed.new.values()))


def test_no_value_of_a_document_is_in_the_record() -> None:
    everything = HEAD + b"".join(PACKED.new.values())
    assert b"planted-password" not in everything
    assert b"password" not in everything, "a path may be telling too"
    assert b"ada@acme.io" in everything, "who is in a group stands there, as it does in the declaration"


def test_equal_texts_have_different_digests_under_different_keys() -> None:
    item = vault("s3", "operators", "a = 1")
    first, second = document(item, item), document(item, item, OTHER)
    assert first.key_id != second.key_id
    assert first.text != second.text
    assert not {*first.values.items()} & {*second.values.items()}


def test_a_documents_values_are_known_by_where_they_came_from() -> None:
    declared = vault("s3", "operators", "")
    text, secrets = 'a { region = "eu", key = "@{KEY}" }, n = 1', (("KEY", Secret("planted")),)
    declared = replace(declared, document=Document(DocumentFormat.HOCON, Secret(text), secrets, reviewed=True))
    live = vault("s3", "operators", 'a { region = "eu", key = "planted" }, n = 1')
    known = document(live, declared)
    assert was_literal(known, KEY, ("a", "region"), Scalar("eu"))
    assert was_literal(known, KEY, ("n",), Scalar(1))
    assert not was_literal(known, KEY, ("n",), Scalar("1"))
    assert not was_literal(known, KEY, ("a", "region"), Scalar("us")), "another value"
    assert not was_literal(known, KEY, ("region",), Scalar("eu")), "another place"
    assert not was_literal(known, KEY, ("a", "key"), Scalar("planted")), "a secret"
    assert was_secret(known, KEY, ("a", "key"))
    assert not was_literal(known, OTHER, ("a", "region"), Scalar("eu")), "another key"
    unread = document(live, replace(declared, document=replace(declared.document, reviewed=False)))
    assert not was_literal(unread, KEY, ("a", "region"), Scalar("eu")), "a file that nobody reviewed"
    assert was_secret(unread, KEY, ("a", "key"))


def test_what_acted_is_believed_under_its_own_key_only() -> None:
    sealed = SealedActing.of(ACTING, KEY)
    assert sealed.opened(KEY) == ACTING
    assert sealed.opened(OTHER) is None
    forged = replace(ACTING, policy=replace(ACTING.policy, min_admins=0))
    assert replace(sealed, acting=forged).opened(KEY) is None
    assert replace(sealed, acting=forged, key_id=OTHER.key_id).opened(OTHER) is None


def test_an_access_key_is_not_written_out() -> None:
    from tests.build import credential

    item = applied(credential("agent", "k8s"), "ACCESSKEY0123456789", NOON)
    assert "ACCESSKEY" not in msgspec.json.encode(item).decode()
    assert item.server_id == applied(credential("agent", "k8s"), "ACCESSKEY0123456789", NOON).server_id


def test_a_resource_is_found_by_its_address() -> None:
    found = RECORD.resource(Address.group("Operators"))
    assert found is not None
    assert found.server_id == "id-1"
    assert found.fields["members"] == ("ada@acme.io",)
