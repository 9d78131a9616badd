"""The plan as a file: what its digest covers, and how it is read back."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from reconciler.errors import PlanFileError
from reconciler.model.resources import Credential, Kind, Member, Resource, ServiceAccount
from reconciler.model.secret import Secret
from reconciler.model.snapshot import Snapshot
from reconciler.plan.document import Plan, Totals, looks_like_plan, read_plan
from reconciler.plan.fingerprints import DigestKey, declaration_digest, identity, public_digest
from reconciler.vaults.parse import DocumentParser
from tests.build import KEY, admin, desired, group, live, planned, rule, vault

ROOT = admin("root@acme.io")


@pytest.fixture
def plan(parser: DocumentParser) -> Plan:
    existing = live(ROOT, ServiceAccount("agent"), group("ops"), vault("v", "ops", "a: 1"))
    wanted = desired(
        ROOT, Member("zoë@acme.io"), group("ops", description="é"), group("lab"), vault("v", "ops", "a: 2")
    )
    return planned(wanted, existing, parser).plan


def test_it_is_read_back_as_it_was_written(plan: Plan) -> None:
    text = plan.to_json()
    assert text.endswith("}\n")
    assert read_plan(text, "plan.json") == plan


def test_its_digest_covers_all_else_in_a_form_that_others_can_compute(plan: Plan) -> None:
    content = json.loads(plan.to_json())
    digest, seal = content.pop("digest"), content.pop("seal")
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert digest == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    assert plan.sealed(KEY) == plan
    assert seal == KEY.seal("plan", digest.encode())


def test_half_a_surrogate_pair_in_a_name_survives_the_file(parser: DocumentParser) -> None:
    strange = planned(desired(ROOT), live(ROOT, group("half \udc80")), parser).plan
    assert strange.digest != planned(desired(ROOT), live(ROOT, group("half")), parser).plan.digest
    assert read_plan(strange.to_json(), "plan.json") == strange


def test_its_totals_count_each_change_once(plan: Plan) -> None:
    assert plan.totals == Totals(add=2, change=2, remove=1)
    assert len(plan.changes) == 5


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{", "p: not a saved plan: it is not JSON", "make a new plan"),
        ("[" * 100_000, "p: not a saved plan: it is not JSON", "make a new plan"),
        ("[]", "p: not a plan that this version can read (it wants clearml-reconciler/plan/1)", "make a new plan with this version"),
        ('{"format": "clearml-reconciler/plan/2"}', "p: not a plan that this version can read (it wants clearml-reconciler/plan/1)", "make a new plan with this version"),
        (
            '{"format": "clearml-reconciler/plan/1"}',
            "p: the saved plan is damaged: Object missing required field `workspace`",
            "make a new plan",
        ),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_told(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(PlanFileError) as caught:
        read_plan(text, "p")
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_half_a_character_in_a_key_is_told(plan: Plan) -> None:
    with pytest.raises(PlanFileError, match="the saved plan is damaged"):
        read_plan(plan.to_json().replace('"workspace":', '"\\ud800": 1, "workspace":', 1), "p")


def test_an_altered_plan_is_told(plan: Plan) -> None:
    with pytest.raises(PlanFileError) as caught:
        read_plan(plan.to_json().replace("zoë", "zoe"), "p")
    assert (caught.value.message, caught.value.hint) == (
        "p: the saved plan was altered after it was made",
        "make a new plan",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\n {"format": "clearml-reconciler/plan/1"', True),
        ('{"a": 1, "format": "clearml-reconciler/plan/9"', True),
        ('{"format": "something/else"}', False),
        ('version: 1 # {"format": "clearml-reconciler/plan/1"', False),
        ("{" + " " * 400 + '"format": "clearml-reconciler/plan/1"', False),
        ("", False),
    ],
)
def test_a_plan_is_told_from_a_declaration_by_its_beginning(text: str, expected: bool) -> None:
    assert looks_like_plan(text) is expected


class TestDigests:
    def test_a_key_has_a_name_that_gives_nothing_away(self) -> None:
        key = DigestKey.derive(Secret("secret"))
        assert key.key == hmac.digest(b"clearml-reconciler/2", b"secret", "sha256"), "the first step of HKDF"
        assert key.key_id == hmac.digest(key.key, b"name\x01", "sha256").hex()[:12], "the second"
        assert repr(key) == f"DigestKey({key.key_id})"

    def test_a_text_is_digested_with_the_key(self) -> None:
        key = hmac.digest(KEY.key, b"text\x01", "sha256")
        content = (2).to_bytes(8, "big") + "é".encode()
        assert KEY.of_text(Secret("é")) == hmac.digest(key, content, "sha256").hex()[:32]
        assert KEY.digest("path", "ab", "c") != KEY.digest("path", "a", "bc")
        assert KEY.digest("path", "a") != KEY.digest("value", "a")
        assert KEY.of_text(Secret("\udc80")) != KEY.of_text(Secret("x"))

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param((ROOT, group("ops"), vault("v", "ops", "a: 2")), id="another text"),
            pytest.param((ROOT, group("ops", "root@acme.io"), vault("v", "ops", "a: 1")), id="another field"),
            pytest.param((ROOT, group("lab"), vault("v", "lab", "a: 1")), id="another name"),
            pytest.param((ROOT, group("ops")), id="less"),
        ],
    )
    def test_a_declaration_has_one_digest_whatever_its_order(self, other: tuple[Resource, ...]) -> None:
        first = (ROOT, group("ops"), vault("v", "ops", "a: 1"))
        digest = declaration_digest(Snapshot.of(first), KEY)
        assert len(digest) == 32
        assert declaration_digest(Snapshot.of(reversed(first)), KEY) == digest
        assert declaration_digest(Snapshot.of(other), KEY) != digest
        assert declaration_digest(Snapshot.of(first), DigestKey.derive(Secret("other"))) != digest

    def test_a_resource_has_a_digest_of_all_but_its_text(self) -> None:
        assert public_digest(vault("v", "ops", "a: 1")) == public_digest(vault("v", "ops", "a: 2"))
        distinct = [
            Member("a"), ServiceAccount("a"), ServiceAccount("a", admin=True), group("a"), group("a", "x"), rule("a"),
            rule("a", "x"), vault("a", "ops", "a: 1"), vault("a", "ops", "a: 1", enabled=False), Credential("a", "b"),
            Credential("a", "b", timedelta(days=1)), Credential("a", "b", timedelta(days=2)),
        ]  # fmt: skip
        digests = {public_digest(resource) for resource in distinct}
        assert len(digests) == len(distinct)
        assert {len(digest) for digest in digests} == {32}

    def test_an_access_key_is_not_written_out(self) -> None:
        key = Credential("agent", "ci").address
        assert identity(ROOT.address, "u-1") == "u-1"
        assert identity(key, None) is None
        found = identity(key, "ACCESSKEY")
        assert found == hashlib.sha256(b'["access_key", "ACCESSKEY"]').hexdigest()[:16]


def test_what_was_compared_is_counted(plan: Plan) -> None:
    assert plan.compared == {Kind.MEMBER: 2, Kind.GROUP: 2, Kind.VAULT: 1}
