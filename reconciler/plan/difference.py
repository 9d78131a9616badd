"""The difference between two snapshots: pair by address, compare what is said, nothing else.

Ownership (:mod:`reconciler.plan.scope`) and renames (:mod:`reconciler.plan.renames`) have been settled before, so
that this stays dumb: here only in desired = create, only in live = delete, in both = compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from reconciler.frozen import Frozen
from reconciler.model.edits import Edit, FieldEdit
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Group,
    Kind,
    Member,
    MemberState,
    Resource,
    ServiceAccount,
    Vault,
)
from reconciler.model.text import duration
from reconciler.plan.access_rules import final_edits, rule_difference
from reconciler.plan.changes import Action, Change, Reason, Waiting
from reconciler.plan.edits import description_edits, field_edits, set_edits
from reconciler.plan.fingerprints import public_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.errors import Place
    from reconciler.model.live import Live
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.documents import DocumentComparison
    from reconciler.plan.rotation import Rotation

_ACTION_ORDER = {Action.CREATE: 0, Action.INVITE: 0, Action.UPDATE: 1, Action.ROTATE: 1, Action.DELETE: 2}
_KIND_ORDER = {kind: position for position, kind in enumerate(Kind)}


class Difference(Frozen):
    """Changes in display order, what waits for people, and vaults whose text alone differs."""

    changes: tuple[Change, ...]
    waiting: tuple[Waiting, ...]
    text_only: tuple[str, ...]
    secrets_left_out: int


@dataclass(slots=True)
class _Changes:
    changes: list[Change] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    text_only: list[str] = field(default_factory=list)
    secrets_left_out: int = 0


def difference(
    desired: Snapshot,
    live: Live,
    places: Mapping[Address, Place],
    documents: DocumentComparison,
    rotation: Rotation,
) -> Difference:
    """Compare what is declared with what is there.

    ``desired`` has what is left alone copied in; ``documents`` compares vault documents by meaning, ``rotation`` tells
    which credentials are due.
    """
    found = _Changes()
    context = _Context(desired, live, places, documents, rotation, found)
    before = live.snapshot.resources
    for address, wanted in desired.resources.items():
        existing = before.get(address)
        if existing == wanted:
            continue
        if existing is None:
            context.create(address, wanted)
        else:
            context.update(address, wanted, existing)
    for address, existing in before.items():
        if address in desired.resources:
            continue
        if not _goes_with_its_owner(address, desired):
            context.delete(address, existing)
    found.changes.sort(key=lambda change: (_KIND_ORDER[change.kind], _ACTION_ORDER[change.action], change.key))
    found.waiting.sort(key=lambda item: (item.rule or "", item.group or "", item.member))
    return Difference(
        tuple(found.changes), tuple(found.waiting), tuple(sorted(found.text_only)), found.secrets_left_out
    )


def _goes_with_its_owner(address: Address, desired: Snapshot) -> bool:
    """Return whether the server itself removes this when its owner, a service account, is removed."""
    owner = address.owner
    return owner is not None and owner.kind is Kind.SERVICE_ACCOUNT and owner not in desired


class _Context(Frozen):
    desired: Snapshot
    live: Live
    places: Mapping[Address, Place]
    documents: DocumentComparison
    rotation: Rotation
    found: _Changes

    def create(self, address: Address, wanted: Resource) -> None:
        if isinstance(wanted, AccessRule):
            self._rule(address, wanted, None)
            return
        action = Action.INVITE if isinstance(wanted, Member) else Action.CREATE
        self._add(address, action, Reason.DECLARED, self._initial_edits(wanted), None, wanted)

    def delete(self, address: Address, existing: Resource) -> None:
        reason = Reason.EXPIRED if self.rotation.has_retired(address, self.desired) else Reason.NOT_DECLARED
        self._add(address, Action.DELETE, reason, _final_edits(existing), existing, None)

    def update(self, address: Address, wanted: Resource, existing: Resource) -> None:
        if isinstance(wanted, Credential) and (due := self.rotation.due(wanted, address)) is not None:
            self._add(address, Action.ROTATE, due, self._rotation_edits(address, wanted), existing, wanted)
            return
        if isinstance(wanted, AccessRule) and isinstance(existing, AccessRule):
            self._rule(address, wanted, existing)
            return
        edits = self._edits(wanted, existing)
        if edits:
            self._add(address, Action.UPDATE, _reason(address, edits), edits, existing, wanted)

    def _rule(self, address: Address, wanted: AccessRule, existing: AccessRule | None) -> None:
        """Compare a rule; a new one that would have nobody in it yet waits as a whole."""
        found = rule_difference(wanted, existing, self._is_active)
        self.found.waiting.extend(Waiting(member=email, rule=wanted.name) for email in found.waiting)
        if existing is None and not found.gives_nothing:
            self._add(address, Action.CREATE, Reason.DECLARED, found.edits, None, wanted)
        elif existing is not None and found.edits:
            reason = _reason(address, found.edits)
            self._add(address, Action.UPDATE, reason, found.edits, existing, wanted, found.staying)

    def _rotation_edits(self, address: Address, wanted: Credential) -> tuple[Edit, ...]:
        expires = self.live.credentials[address].expires
        lifetime = f"{duration(wanted.lifetime)} after it is created" if wanted.lifetime else None
        end = field_edits(("expires", f"{expires:%Y-%m-%d %H:%M}", lifetime)) if expires else ()
        return (*end, *self._initial_edits(wanted))

    def _add(
        self,
        address: Address,
        action: Action,
        reason: Reason,
        edits: tuple[Edit, ...],
        existing: Resource | None,
        wanted: Resource | None,
        staying: tuple[tuple[Kind, str], ...] = (),
    ) -> None:
        shown = wanted or cast("Resource", existing)
        place = self.places.get(address)
        before, after = self.documents.digests(existing, wanted)
        self.found.changes.append(
            Change(
                action=action,
                kind=address.kind,
                key=address.key,
                title=shown.title,
                reason=reason,
                place=place.line_text if place and wanted else None,
                invitation=isinstance(existing, Member) and existing.state is MemberState.INVITED,
                edits=edits,
                staying=staying,
                credentials_lost=self.live.credential_counts.get(address, 0) if wanted is None else 0,
                before=public_digest(existing) if existing else None,
                after=public_digest(wanted) if wanted else None,
                document_before=before,
                document_after=after,
            )
        )

    def _initial_edits(self, wanted: Member | ServiceAccount | Credential | Group | Vault) -> tuple[Edit, ...]:
        match wanted:
            case Member():
                if wanted.name is not None:
                    self.found.waiting.append(Waiting(member=wanted.email))
                return field_edits(("role", None, wanted.role))
            case ServiceAccount():
                flags = (("impersonation", wanted.impersonation), ("admin", wanted.admin))
                return field_edits(*((name, None, True) for name, is_on in flags if is_on))
            case Credential():
                target = wanted.delivery.title if wanted.delivery else None
                return field_edits(("deliver", None, target)) if target else ()
            case Group():
                described = field_edits(("description", None, wanted.description or None))
                return described + self._membership_edits(wanted, Group(wanted.name, None, frozenset(), frozenset()))
            case Vault():
                return self._vault_edits(wanted, None)

    def _edits(self, wanted: Resource, existing: Resource) -> tuple[Edit, ...]:
        match wanted, existing:
            case Member(), Member():
                return self._member_edits(wanted, existing)
            case ServiceAccount(), ServiceAccount():
                return field_edits(
                    ("name", existing.name, wanted.name),
                    ("impersonation", existing.impersonation, wanted.impersonation),
                    ("admin", existing.admin, wanted.admin),
                )
            case Credential(), Credential():
                return field_edits(("label", existing.label, wanted.label))
            case Group(), Group():
                return _group_field_edits(wanted, existing) + self._membership_edits(wanted, existing)
            case Vault(), Vault():
                return self._vault_edits(wanted, existing)
            case _:
                raise TypeError(f"{wanted.title}: {type(wanted).__name__} against {type(existing).__name__}")

    def _member_edits(self, wanted: Member, existing: Member) -> tuple[Edit, ...]:
        if existing.state is MemberState.INVITED:
            if wanted.name is not None:
                self.found.waiting.append(Waiting(member=wanted.email))
            return field_edits(("role", existing.role, wanted.role)) if existing.role is not None else ()
        name = existing.name if wanted.name is None else wanted.name
        role = existing.role if existing.fixed else wanted.role
        return field_edits(("role", existing.role, role), ("name", existing.name, name))

    def _membership_edits(self, wanted: Group, existing: Group) -> tuple[Edit, ...]:
        edits: tuple[Edit, ...] = ()
        if wanted.members is not None:
            present = existing.members or frozenset()
            joining = wanted.members - present
            waiting = frozenset(email for email in joining if not self._is_active(email))
            self.found.waiting.extend(Waiting(member=email, group=wanted.name) for email in waiting)
            edits += set_edits(present, wanted.members - waiting, "members")
        if wanted.service_accounts is not None:
            edits += set_edits(existing.service_accounts, wanted.service_accounts, "service_accounts")
        return edits

    def _is_active(self, email: str) -> bool:
        member = self.live.snapshot.get(Address(Kind.MEMBER, (email,)))
        return isinstance(member, Member) and member.state is MemberState.ACTIVE

    def _vault_edits(self, wanted: Vault, existing: Vault | None) -> tuple[Edit, ...]:
        document = self.documents.compare(existing, wanted)
        self.found.secrets_left_out += document.secrets_left_out
        if document.text_only and existing is not None and existing.format is wanted.format:
            self.found.text_only.append(wanted.title)
        if existing is None:
            ordinary = Vault(wanted.name, wanted.owner_kind, wanted.owner, wanted.document)
            unusual = (
                (name, None, getattr(wanted, name))
                for name in ("format", "target", "enabled")
                if getattr(wanted, name) != getattr(ordinary, name)
            )
            return field_edits(*unusual) + document.edits
        return (
            field_edits(
                ("name", existing.name, wanted.name),
                ("format", existing.format, wanted.format),
                ("target", existing.target, wanted.target),
                ("enabled", existing.enabled, wanted.enabled),
            )
            + document.edits
        )


def _reason(address: Address, edits: tuple[Edit, ...]) -> Reason:
    renamed = any(isinstance(edit, FieldEdit) and edit.field == "name" for edit in edits)
    return Reason.RENAMED if renamed and address.kind is not Kind.MEMBER else Reason.DIFFERS


def _final_edits(existing: Resource) -> tuple[Edit, ...]:
    """Return what is lost with a resource that goes, as far as reviewers need it."""
    match existing:
        case Member():
            return field_edits(("role", existing.role, None))
        case ServiceAccount():
            flags = (("impersonation", existing.impersonation), ("admin", existing.admin))
            return field_edits(*((name, True, None) for name, is_on in flags if is_on))
        case Group():
            nobody: frozenset[str] = frozenset()
            return set_edits(existing.members, nobody, "members") + set_edits(
                existing.service_accounts, nobody, "service_accounts"
            )
        case AccessRule():
            return final_edits(existing)
        case _:
            return ()


def _group_field_edits(wanted: Group, existing: Group) -> tuple[Edit, ...]:
    if existing.builtin:
        return ()
    named = field_edits(("name", existing.name, wanted.name))
    return named + description_edits(existing.description, wanted.description)
