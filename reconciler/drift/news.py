"""What people were told already: the same drift once, again when it changes, and once more when it is healed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.record.document import Reported

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.drift.report import Attention, Drift, Finding
    from reconciler.model.resources import Address


class News(Frozen):
    """What is new or changed since people were told, and what they were told of that is over.

    ``told`` is what they know of once they have heard it.
    """

    findings: tuple[Finding, ...]
    attention: tuple[Attention, ...]
    healed: tuple[Address, ...]
    told: tuple[Reported, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.findings or self.attention or self.healed)


def find_news(drift: Drift, before: Iterable[Reported], now: datetime) -> News:
    """Compare what there is to tell with what was told before."""
    known = {item.address: item for item in before}
    digests = _digests(drift)
    fresh = {address for address, digest in digests.items() if address not in known or known[address].digest != digest}
    return News(
        findings=tuple(finding for finding in drift.findings if finding.address in fresh),
        attention=tuple(item for item in drift.attention if item.address in fresh),
        healed=tuple(sorted(known.keys() - digests.keys())),
        told=tuple(
            Reported(kind=address.kind, key=address.key, digest=digest, at=now) if address in fresh else known[address]
            for address, digest in sorted(digests.items())
        ),
    )


def _digests(drift: Drift) -> dict[Address, str]:
    """Return what tells one state of affairs from another, by address: not the days, which pass by themselves."""
    sides: dict[Address, list[str]] = {item.address: [item.drift.value, item.sides] for item in drift.findings}
    concerns: dict[Address, list[str]] = {}
    for item in drift.attention:
        concerns.setdefault(item.address, []).append(item.what.value)
    return {
        address: _digest([sides.get(address), sorted(concerns.get(address, ()))])
        for address in sides.keys() | concerns.keys()
    }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
