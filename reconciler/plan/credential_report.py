"""What there is to know about each live credential, and which declared ones are missing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.plan.renames import under_new_names
from reconciler.plan.rotation import Rotation

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.resources import Address, Credential


class Standing(StrEnum):
    """How a credential stands with the declaration.

    ``DUE``: the next apply replaces it. ``RETIRING``: it was replaced and works until its end. ``UNDELIVERED``: nobody
    has its secret key. ``UNMANAGED``: its account does not list credentials.
    """

    DECLARED = "declared"
    DUE = "due"
    RETIRING = "retiring"
    UNDELIVERED = "undelivered"
    NOT_DECLARED = "not declared"
    UNMANAGED = "not managed"
    MISSING = "missing"


class CredentialLine(Frozen):
    """One credential; ages and times are ``None`` where the server does not tell."""

    account: str
    label: str
    standing: Standing
    access_key: str | None = None
    age_days: int | None = None
    expires: datetime | None = None
    expires_in_days: int | None = None
    last_used: datetime | None = None
    last_used_from: str | None = None


def report_credentials(desired: Desired, live: Live, now: datetime | None) -> tuple[CredentialLine, ...]:
    """Return every live credential and every declared one that is missing, by account and label."""
    live = under_new_names(live, desired)
    addresses = sorted({*live.snapshot.credentials, *desired.snapshot.credentials})
    return tuple(_line(desired, live, now, address) for address in addresses)


def _line(desired: Desired, live: Live, now: datetime | None, address: Address) -> CredentialLine:
    declared = desired.snapshot.credentials.get(address)
    existing = live.snapshot.credentials.get(address)
    facts = live.credentials.get(address)
    shown = existing or declared
    account, label = (shown.account, shown.label) if shown is not None else address.key
    if facts is None:
        return CredentialLine(account, label, Standing.MISSING)
    return CredentialLine(
        account=account,
        label=label,
        standing=_standing(desired, Rotation(live, now), address, declared),
        access_key=facts.access_key,
        age_days=(now - facts.created).days if now is not None and facts.created is not None else None,
        expires=facts.expires,
        expires_in_days=(facts.expires - now).days if now is not None and facts.expires is not None else None,
        last_used=facts.last_used,
        last_used_from=facts.last_used_from,
    )


def _standing(desired: Desired, rotation: Rotation, address: Address, declared: Credential | None) -> Standing:
    if declared is not None:
        return Standing.DUE if rotation.due(declared, address) else Standing.DECLARED
    if rotation.retires(address, desired.snapshot):
        return Standing.RETIRING
    facts = rotation.live.credentials.get(address)
    if facts is not None and facts.is_undelivered:
        return Standing.UNDELIVERED
    return Standing.NOT_DECLARED if address.key[0] in desired.scope.credentials_of else Standing.UNMANAGED
