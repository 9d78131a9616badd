from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.model.live import CredentialFacts
from reconciler.model.resources import RETIRING_MARK, Credential, Resource, ServiceAccount
from reconciler.plan.changes import Reason
from reconciler.plan.rotation import Rotation
from reconciler.vaults.parse import DocumentParser
from tests.build import NOW, admin, desired, live, planned

SECOND, DAY, WEEK = timedelta(seconds=1), timedelta(days=1), timedelta(days=7)
RESOURCES: tuple[Resource, ...] = (admin("root@acme.io"), ServiceAccount("agent"), ServiceAccount("other"))


def rotation(label: str, ends_in: timedelta | None) -> tuple[Rotation, Credential]:
    key = Credential("agent", label)
    expires = None if ends_in is None else NOW + ends_in
    return Rotation(live(*RESOURCES, key, facts={key.address: CredentialFacts("k", label, expires=expires)}), NOW), key


@pytest.mark.parametrize(
    ("ends_in", "rotate_before", "expected"),
    [
        pytest.param(None, WEEK, None, id="one without an end is never replaced"),
        pytest.param(8 * DAY, WEEK, None, id="its time has not come"),
        pytest.param(WEEK + SECOND, WEEK, None, id="a second early"),
        pytest.param(WEEK, WEEK, Reason.EXPIRING, id="its time has come"),
        pytest.param(SECOND, WEEK, Reason.EXPIRING, id="a second is left"),
        pytest.param(SECOND, None, None, id="nobody asked to be early"),
        pytest.param(0 * DAY, None, Reason.EXPIRED, id="its end is now"),
        pytest.param(-DAY, WEEK, Reason.EXPIRED, id="its end has been"),
    ],
)
def test_when_a_key_is_replaced(
    ends_in: timedelta | None, rotate_before: timedelta | None, expected: Reason | None
) -> None:
    judge, key = rotation("ci", ends_in)
    assert judge.due(Credential("agent", "ci", rotate_before=rotate_before), key.address) is expected


def test_a_key_that_is_not_there_yet_is_not_replaced() -> None:
    judge, _ = rotation("ci", -DAY)
    other = Credential("agent", "other", rotate_before=WEEK)
    assert judge.due(other, other.address) is None


@pytest.mark.parametrize(
    ("label", "ends_in", "declared", "expected"),
    [
        pytest.param("ci" + RETIRING_MARK, DAY, "ci", True, id="it still has its time"),
        pytest.param("CI" + RETIRING_MARK, DAY, "ci", True, id="however it is spelled"),
        pytest.param("ci" + RETIRING_MARK, None, "ci", True, id="it has no end"),
        pytest.param("ci" + RETIRING_MARK, SECOND, "ci", True, id="a second of it is left"),
        pytest.param("ci" + RETIRING_MARK, 0 * DAY, "ci", False, id="its time is over"),
        pytest.param("ci" + RETIRING_MARK, DAY, "ci2", False, id="the one after it is not declared any more"),
        pytest.param("ci" + RETIRING_MARK + "!", DAY, "ci", False, id="the mark is not at the end"),
        pytest.param("ci", DAY, "ci", False, id="it bears no mark"),
    ],
)
def test_when_a_key_that_was_replaced_stays(
    label: str, ends_in: timedelta | None, declared: str, expected: bool
) -> None:
    judge, key = rotation(label, ends_in)
    wanted = desired(*RESOURCES, Credential("agent", declared)).snapshot
    assert judge.retires(key.address, wanted) is expected


def test_the_key_after_it_has_to_be_of_the_same_account() -> None:
    judge, key = rotation("ci" + RETIRING_MARK, DAY)
    assert not judge.retires(key.address, desired(*RESOURCES, Credential("other", "ci")).snapshot)


@pytest.mark.parametrize(("ends_in", "expected"), [(DAY, []), (-DAY, ["agent / ci [retiring]"])])
def test_a_key_that_was_replaced_is_revoked_unasked_when_its_time_is_over(
    ends_in: timedelta, expected: list[str], parser: DocumentParser
) -> None:
    old, new = Credential("agent", "ci" + RETIRING_MARK), Credential("agent", "ci")
    facts = {old.address: CredentialFacts("k", old.label, expires=NOW + ends_in)}
    wanted = desired(*RESOURCES, new, credentials_of=["agent"])
    plan = planned(wanted, live(*RESOURCES, old, new, facts=facts), parser).plan
    assert [change.title for change in plan.changes] == expected
    assert plan.refused == ()
