"""Reads what explains drift: who changed a vault, and when admins were last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.decode import read
from reconciler.clearml.tasks import together
from reconciler.drift.attention import WatchedWorkspace, admins_to_ask_about, find_attention, unreadable_attention
from reconciler.drift.classify import find_drift
from reconciler.drift.report import Memory, Trace
from reconciler.drift.traces import name_of, vaults_to_ask_about, with_traces
from reconciler.errors import CallRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.clearml.reader import Reader
    from reconciler.commands.record_keeping import Past
    from reconciler.commands.reporter import Reporter
    from reconciler.drift.attention import Limits
    from reconciler.drift.report import Drift
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.make import Prepared, Terms


def drift_of(prepared: Prepared, desired: Desired, terms: Terms, past: Past) -> Drift:
    """Return which side moved, as far as the record says."""
    drift = find_drift(prepared, desired, past.record, terms.key)
    return drift if past.trouble is None else replace(drift, memory=Memory.UNTRUSTED)


async def explained(
    reader: Reader, drift: Drift, live: Live, declared: Snapshot, past: Past, reporter: Reporter
) -> Drift:
    """Return drift with who caused it and when, where the server knows.

    A refusal is a note: whether there is drift does not depend on it.
    """
    wanted = vaults_to_ask_about(drift, live, past.record)
    try:
        found = await together(reader.last_vault_operation(*asked) for asked in wanted.values())
    except CallRefusedError as error:
        reporter.note(f"Who changed vaults is not known: {error.message}")
        found = [None] * len(wanted)
    traces = {
        address: Trace(what=entry.operation, by=name_of(entry.user_id, live), at=read(entry.created))
        for address, entry in zip(wanted, found, strict=True)
        if entry is not None and entry.operation is not None
    }
    return with_traces(drift, live, declared, traces)


async def with_attention(reader: Reader, drift: Drift, prepared: Prepared, limits: Limits, reporter: Reporter) -> Drift:
    """Return drift with what deserves a look though it is none."""
    live = prepared.live
    workspace = WatchedWorkspace(
        live=live,
        now=prepared.now,
        waited_for=frozenset(item.group for item in prepared.plan.waiting if item.group is not None),
        due=frozenset(change.address for change in drift.due),
        activity=await _activity(reader, live, reporter) if limits.inactive_for is not None else {},
    )
    doubts = unreadable_attention(prepared.plan.doubts)
    return replace(drift, attention=(*doubts, *find_attention(workspace, limits)))


async def _activity(reader: Reader, live: Live, reporter: Reporter) -> dict[Address, datetime | None]:
    admins = admins_to_ask_about(live)
    if not admins:
        return {}
    try:
        found = await reader.activity(tuple(admins))
    except CallRefusedError as error:
        reporter.note(f"When admins were last active is not known: {error.message}")
        return {}
    return {admins[user.id]: user.last for user in found if user.told and user.id in admins}
