"""Reads what a drift check needs beside the plan: who changed a vault, and when admins were last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.clearml.decode import when
from reconciler.clearml.tasks import together
from reconciler.drift.attention import Workspace, admins_to_ask_about, find_attention
from reconciler.drift.classify import find_drift
from reconciler.drift.report import Memory, Trace
from reconciler.drift.traces import name_of, vaults_to_ask_about, with_traces
from reconciler.errors import CallRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.clearml.reader import Reader
    from reconciler.cli.console import Console
    from reconciler.cli.recorded import Recorded
    from reconciler.drift.attention import Limits
    from reconciler.drift.report import Drift
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.plan.make import Prepared, Terms


async def look_for_drift(
    reader: Reader,
    prepared: Prepared,
    desired: Desired,
    terms: Terms,
    recorded: Recorded,
    limits: Limits,
    console: Console,
) -> Drift:
    """Tell which side moved, who and when, and what deserves attention.

    What only explains is asked for last, and its refusal is a note: whether there is drift does not depend on it.
    """
    drift = find_drift(prepared, desired, recorded.record, terms.key)
    if recorded.trouble is not None:
        drift = replace(drift, memory=Memory.UNTRUSTED)
    live = prepared.live
    told = await _vault_traces(reader, drift, live, recorded, console)
    drift = with_traces(drift, live, desired.snapshot, told)
    workspace = Workspace(
        live=live,
        now=terms.now,
        waited_for=frozenset(item.group for item in prepared.plan.waiting if item.group is not None),
        due=frozenset(change.address for change in drift.due),
        activity=await _activity(reader, live, console) if limits.inactive_for is not None else {},
    )
    return replace(drift, attention=find_attention(workspace, limits))


async def _vault_traces(
    reader: Reader, drift: Drift, live: Live, recorded: Recorded, console: Console
) -> dict[Address, Trace]:
    wanted = vaults_to_ask_about(drift, live, recorded.record)
    try:
        found = await together(reader.last_vault_operation(*asked) for asked in wanted.values())
    except CallRefusedError as error:
        console.note(f"Who changed vaults is not known: {error.message}")
        return {}
    return {
        address: Trace(what=entry.operation, by=name_of(entry.user, live), at=when(entry.created))
        for address, entry in zip(wanted, found, strict=True)
        if entry is not None
    }


async def _activity(reader: Reader, live: Live, console: Console) -> dict[Address, datetime | None]:
    admins = admins_to_ask_about(live)
    if not admins:
        return {}
    try:
        found = await reader.activity(tuple(admins))
    except CallRefusedError as error:
        console.note(f"When admins were last active is not known: {error.message}")
        return {}
    return {admins[user.id]: user.last for user in found if user.activity is not None and user.id in admins}
