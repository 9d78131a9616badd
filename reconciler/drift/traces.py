"""Who and when: what the server tells about a difference that did not come from the declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.drift.report import Drift, DriftClass, Finding, Trace
from reconciler.model.resources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.model.snapshot import Snapshot
    from reconciler.record.document import Record


def vaults_to_ask_about(drift: Drift, live: Live, record: Record | None) -> dict[Address, tuple[str, datetime | None]]:
    """Return the server id of each vault that somebody may have changed outside, and since when.

    One that is gone is asked about by the id that the record has of it: the log outlives the vault.
    """
    known = record.by_address() if record is not None else {}
    found: dict[Address, tuple[str, datetime | None]] = {}
    for finding in drift.findings:
        before = known.get(finding.address)
        identifier = live.ids.get(finding.address) or (before.server_id if before is not None else None)
        if finding.kind is Kind.VAULT and _moved_outside(finding) and identifier is not None:
            found[finding.address] = (identifier, before.seen if before is not None else None)
    return found


def with_traces(drift: Drift, live: Live, declared: Snapshot, told: Mapping[Address, Trace]) -> Drift:
    """Return the drift with what is known of who and when; ``told`` is what the log said of vaults.

    When something was made matters only of what nobody declared.
    """
    findings = tuple(
        replace(finding, traces=tuple(_traces(finding, live, declared, told))) if _moved_outside(finding) else finding
        for finding in drift.findings
    )
    return replace(drift, findings=findings)


def name_of(user: str | None, live: Live) -> str | None:
    """Return the title of the member or service account with this id, or that it is an unknown one."""
    if user is None:
        return None
    for address, identifier in live.ids.items():
        if identifier == user and address.kind in (Kind.MEMBER, Kind.SERVICE_ACCOUNT):
            return live.snapshot.resources[address].title
    return f"user {user[:64]}"


def _moved_outside(finding: Finding) -> bool:
    return bool(finding.classes - {DriftClass.NOT_YET_APPLIED})


def _traces(finding: Finding, live: Live, declared: Snapshot, told: Mapping[Address, Trace]) -> Iterator[Trace]:
    address = finding.address
    moments, facts = live.moments.get(address), live.credentials.get(address)
    if address in told:
        yield told[address]
    elif moments is not None and moments.updated is not None:
        yield Trace(what="update", at=moments.updated)
    created = moments.created if moments is not None else facts.created if facts is not None else None
    if created is not None and address not in declared:
        yield Trace(what="create", at=created)
    if facts is not None and facts.last_used is not None:
        yield Trace(what="last use", at=facts.last_used)
