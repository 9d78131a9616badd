"""What the record tells of one resource, wherever it stands now: renames followed, unsettled runs left out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.resources import Kind, OwnerKind
from reconciler.plan.fingerprints import public_digest
from reconciler.plan.identity import former
from reconciler.record.known import is_unsettled, unsettled
from reconciler.record.merge import owned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.desired import Desired
    from reconciler.model.resources import Address
    from reconciler.plan.fingerprints import DigestKey
    from reconciler.record.document import Applied, Record


class Base(Frozen, dict=True):
    """The record, asked for resources by their addresses of now. ``record`` is ``None`` without one to trust."""

    record: Record | None
    desired: Desired
    key: DigestKey

    @cached_property
    def _known(self) -> Mapping[Address, Applied]:
        return self.record.by_address() if self.record is not None else {}

    @cached_property
    def open_ends(self) -> frozenset[tuple[Kind, str]]:
        """What was touched by runs of which nobody knows how they ended."""
        return frozenset() if self.record is None else unsettled(self.record)

    @property
    def remembers(self) -> bool:
        """Whether anything was ever seen applied; otherwise what is missing from the record means nothing."""
        return bool(self._known)

    def known(self, address: Address) -> Applied | None:
        """Return what the record tells of the resource that now has this address."""
        return self._known.get(address) or self._known.get(former(address, self.desired.renames))

    def unsettled(self, address: Address) -> bool:
        """Return whether a run of ours whose end is not known may have changed the resource."""
        return any(is_unsettled(one, self.open_ends) for one in {address, former(address, self.desired.renames)})

    def speaks_for(self, address: Address) -> bool:
        """Return whether the last apply would have taken this resource away, had it been there undeclared."""
        if self.record is None:
            return False
        if address.kind is Kind.CREDENTIAL:
            return owned(Kind.CREDENTIAL, former(address, self.desired.renames).key[0]) in self.record.managed
        if address.kind is Kind.VAULT and address.key[0] == OwnerKind.SERVICE_ACCOUNT.value:
            return owned(Kind.VAULT, former(address, self.desired.renames).key[1]) in self.record.managed
        return address.kind.value in self.record.managed

    def declaration_stays(self, address: Address, before: Applied) -> bool | None:
        """Return whether all but the document is declared as it was; ``None`` if the record does not say."""
        wanted = self.desired.snapshot.get(address)
        if before.declared is None:
            return None
        return wanted is not None and public_digest(wanted) == before.declared

    def document_stays(self, address: Address, before: Applied, now: str | None) -> bool | None:
        """Return whether a vault's document is declared as it was; ``now`` is the digest of it, secrets included.

        ``None`` if nobody can tell: made under another key, or with secrets that this run does without.
        """
        vault = self.desired.snapshot.vaults.get(address)
        if vault is None:
            return True
        then = before.document
        if then is None or then.key_id != self.key.key_id:
            return None
        if now is not None and then.declared is not None:
            return now == then.declared
        if then.template is not None:
            return self.key.of_text(vault.document.text) == then.template
        return None

    def names(self, name: str, element: str) -> tuple[str, ...]:
        """Return the names that an element of a set may have in the record: as it is called now, and before."""
        kind = {"service_accounts": Kind.SERVICE_ACCOUNT, "groups": Kind.GROUP, "members": Kind.MEMBER}[name]
        old = next(
            (old for new, old in self.desired.renames.items() if new.kind is kind and new.key == (element,)), None
        )
        return (element, *((old.key[0],) if old is not None else ()))
