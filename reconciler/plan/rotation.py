"""When a credential is replaced, and how long the one before it stays.

A rotation makes a new credential, delivers it, and gives it the label; the old one keeps working, with a mark in its
label, until its own end. That is the overlap: whoever still uses the old key has until then to pick up the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import RETIRING_MARK, Address, Credential, Kind
from reconciler.model.text import fold
from reconciler.plan.changes import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.live import CredentialFacts, Live
    from reconciler.model.snapshot import Snapshot


class Rotation(Frozen):
    """Judges live credentials by the server's time; where that is not certain nothing is due and nothing has ended."""

    live: Live
    now: datetime | None

    def due(self, credential: Credential, address: Address) -> Reason | None:
        """Return why a declared credential has to be replaced, or ``None`` if it does not."""
        facts = self.live.credentials.get(address)
        if facts is None or facts.expires is None or self.now is None:
            return None
        if facts.expires <= self.now:
            return Reason.EXPIRED
        if credential.rotate_before is not None and facts.expires - credential.rotate_before <= self.now:
            return Reason.EXPIRING
        return None

    def retires(self, address: Address, desired: Snapshot) -> bool:
        """Return whether an undeclared credential is one that was replaced and still has its time."""
        facts = self._replaced(address, desired)
        return facts is not None and not self._has_ended(facts)

    def has_retired(self, address: Address, desired: Snapshot) -> bool:
        """Return whether an undeclared credential is one that was replaced and has had its time."""
        facts = self._replaced(address, desired)
        return facts is not None and self._has_ended(facts)

    def _has_ended(self, facts: CredentialFacts) -> bool:
        return self.now is not None and facts.expires is not None and facts.expires <= self.now

    def _replaced(self, address: Address, desired: Snapshot) -> CredentialFacts | None:
        facts = self.live.credentials.get(address)
        if facts is None or not facts.is_retiring or successor(address, facts) not in desired:
            return None
        return facts


def successor(address: Address, facts: CredentialFacts) -> Address:
    """Return the address of what has replaced a retiring credential."""
    return Address(Kind.CREDENTIAL, (address.key[0], fold((facts.label or "").removesuffix(RETIRING_MARK))))
