"""Renames that nobody declared: something is to be removed, and the same under another name created.

They are only asked about. Whoever means one writes ``was``; otherwise the plan does what the file says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from reconciler.frozen import Published
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Group,
    Kind,
    MemberState,
    OwnerKind,
    ServiceAccount,
    Vault,
)
from reconciler.plan.changes import Action, Change
from reconciler.vaults.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model.live import Live
    from reconciler.model.resources import Resource
    from reconciler.model.snapshot import Snapshot
    from reconciler.vaults.parse import DocumentParser


class Likeness(StrEnum):
    """What the old and the new resource have in common."""

    MEMBERS = "same_members"
    DOCUMENT = "same_document"
    CREDENTIALS = "same_credentials"
    USES = "same_groups_and_rules"
    CONTENT = "same_content"


class PossibleRename(Published, kw_only=True):
    """A removal and a creation that look like one rename; ``was: <old>`` in the new entry would make them one."""

    kind: Kind
    old: Annotated[str, Meta(description="The name that is to be removed, which `was` would have to say.")]
    new: Annotated[str, Meta(description="The name that is to be created.")]
    owner: Annotated[str | None, Meta(description="The group of a vault.")] = None
    likeness: Annotated[tuple[Likeness, ...], Meta(description="What the two have in common.")]
    place: Annotated[str | None, Meta(description="Where `was` would be written, as file:line; null: nowhere.")] = None


def possible_renames(
    changes: Iterable[Change], desired: Snapshot, live: Live, parser: DocumentParser
) -> tuple[PossibleRename, ...]:
    """Find pairs that look like renames; none where one side fits several others, or where there is nothing to tell."""
    changes = tuple(changes)
    gone = [change for change in changes if change.action is Action.DELETE]
    new = [change for change in changes if change.action is Action.CREATE]
    if not gone or not new:
        return ()
    comparison = _Comparison(desired, live, parser)
    pairs = [(old, made, alike) for old in gone for made in new if (alike := comparison.likeness(old, made))]
    return tuple(
        _hint(old, made, alike, live.snapshot, desired)
        for old, made, alike in pairs
        if sum(other is old for other, _, _ in pairs) == 1 and sum(other is made for _, other, _ in pairs) == 1
    )


def _hint(old: Change, made: Change, alike: tuple[Likeness, ...], live: Snapshot, desired: Snapshot) -> PossibleRename:
    before, after = live.resources[old.address], desired.resources[made.address]
    owner = after.owner if isinstance(after, Vault) else None
    return PossibleRename(
        kind=made.kind, old=_name(before), new=_name(after), owner=owner, likeness=alike, place=made.place
    )


def _name(resource: Resource) -> str:
    return resource.name if isinstance(resource, Vault) else resource.title


class _Comparison:
    def __init__(self, desired: Snapshot, live: Live, parser: DocumentParser) -> None:
        self._desired = desired
        self._live = live
        self._parser = parser
        self._active = frozenset(
            address.key[0] for address, member in live.snapshot.members.items() if member.state is MemberState.ACTIVE
        )

    def likeness(self, old: Change, made: Change) -> tuple[Likeness, ...]:
        """Return what a removed and a created resource share; nothing if that is not enough to ask."""
        if old.kind is not made.kind or (old.kind is Kind.VAULT and old.key[:2] != made.key[:2]):
            return ()
        before, after = self._live.snapshot.get(old.address), self._desired.get(made.address)
        match before, after:
            case Group(), Group():
                return self._groups(before, after)
            case Vault(), Vault():
                return self._vaults(before, after)
            case ServiceAccount(), ServiceAccount():
                return self._accounts(before, after)
            case AccessRule(), AccessRule():
                return self._rules(before, after)
            case _:
                return ()

    def _groups(self, before: Group, after: Group) -> tuple[Likeness, ...]:
        """Compare those who have signed in: the others cannot be in a group yet."""
        sides = [
            (before.members, None if after.members is None else after.members & self._active),
            (before.service_accounts, after.service_accounts),
        ]
        said = [(live or frozenset(), wanted) for live, wanted in sides if wanted is not None]
        alike = bool(said) and all(live == wanted for live, wanted in said) and any(live for live, _ in said)
        return (Likeness.MEMBERS,) if alike else ()

    def _vaults(self, before: Vault, after: Vault) -> tuple[Likeness, ...]:
        is_of_group = before.owner_kind is OwnerKind.GROUP
        return (Likeness.DOCUMENT,) if is_of_group and self._same_document(before, after) else ()

    def _same_document(self, before: Vault, after: Vault) -> bool:
        """Return whether two documents mean the same, and something."""
        from reconciler.vaults.compare import compare_vaults
        from reconciler.vaults.tree import EMPTY

        if before.target != after.target:
            return False
        try:
            if self._parser.parse(before.document.format, before.document.text.reveal()) == EMPTY:
                return False
            return compare_vaults(before, after, self._parser).same_meaning
        except DocumentError:
            return False

    def _same_own_vault(self, old: Address, new: Address) -> bool:
        """Return whether accounts have vaults that mean the same, as far as the old one's was read."""
        before = [owned for owned in self._live.snapshot.owned_by(old) if isinstance(owned, Vault)]
        after = [owned for owned in self._desired.owned_by(new) if isinstance(owned, Vault)]
        return not before or (len(before) == len(after) and all(map(self._same_document, before, after)))

    def _accounts(self, before: ServiceAccount, after: ServiceAccount) -> tuple[Likeness, ...]:
        if (before.impersonation, before.admin) != (after.impersonation, after.admin):
            return ()
        keys = self._credentials(before.address, after.address)
        old_uses, new_uses = _uses(before, self._live.snapshot), _uses(after, self._desired)
        if not keys or old_uses != new_uses or not self._same_own_vault(before.address, after.address):
            return ()
        labels = bool(_labels(before.address, self._live.snapshot))
        found = (Likeness.CREDENTIALS, labels), (Likeness.USES, bool(new_uses))
        return tuple(likeness for likeness, is_there in found if is_there)

    def _credentials(self, old: Address, new: Address) -> bool:
        """Return whether the credentials are the same, or as many where their labels were not read."""
        before, after = _labels(old, self._live.snapshot), _labels(new, self._desired)
        if before or old not in self._live.credential_counts:
            return before == after
        return self._live.credential_counts[old] == len(after)

    def _rules(self, before: AccessRule, after: AccessRule) -> tuple[Likeness, ...]:
        same = (
            before.entity.identity == after.entity.identity
            and before.permission is after.permission
            and before.members == after.members
            and before.service_accounts == after.service_accounts
            and before.groups == after.groups
        )
        return (Likeness.CONTENT,) if same and (before.members or before.service_accounts or before.groups) else ()


def _labels(account: Address, snapshot: Snapshot) -> frozenset[str]:
    """Return the labels of an account's credentials, folded."""
    return frozenset(owned.address.key[1] for owned in snapshot.owned_by(account) if isinstance(owned, Credential))


def _uses(account: ServiceAccount, snapshot: Snapshot) -> frozenset[Address]:
    """Return the groups and rules that name an account."""
    name = account.address.key[0]

    def named() -> Iterator[Address]:
        for address, group in snapshot.groups.items():
            if name in (group.service_accounts or ()):
                yield address
        for address, rule in snapshot.access_rules.items():
            if name in rule.service_accounts:
                yield address

    return frozenset(named())
