"""Makes a plan: the whole pipeline on one screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import field
from msgspec.structs import replace

from reconciler.frozen import Frozen
from reconciler.model.resources import Group, Kind, Member
from reconciler.plan.access.index import AccessIndex
from reconciler.plan.access_rules import rules_without_effect, with_entity_ids
from reconciler.plan.acting import acting_changes
from reconciler.plan.case import Case
from reconciler.plan.changes import Warned
from reconciler.plan.difference import difference
from reconciler.plan.document import Plan, totals_of
from reconciler.plan.documents import DocumentComparison
from reconciler.plan.fingerprints import DigestKey, declaration_digest
from reconciler.plan.guards import check, still_refused
from reconciler.plan.identity import live_look_alikes, renamed_outside, replaced
from reconciler.plan.impact.assess import assess
from reconciler.plan.impact.content import counting
from reconciler.plan.last_policy import last_policy
from reconciler.plan.policy.outcome import broken_rules, policy_warnings
from reconciler.plan.possible_renames import possible_renames
from reconciler.plan.protected import emptied_vaults
from reconciler.plan.references import check_references
from reconciler.plan.renames import under_new_names, with_names_kept
from reconciler.plan.rotation import Rotation
from reconciler.plan.scope import adopt
from reconciler.plan.unreadable import Doubts
from reconciler.vaults.origin import NOTHING_REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from reconciler.model.acting import Acting
    from reconciler.model.desired import Desired
    from reconciler.model.live import Live
    from reconciler.model.resources import Address
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.allowance import Allowance
    from reconciler.plan.changes import Change, Refusal
    from reconciler.plan.difference import Difference
    from reconciler.plan.impact.report import Impact
    from reconciler.plan.policy.outcome import Broken
    from reconciler.plan.scope import Adopted
    from reconciler.vaults.origin import Remembered
    from reconciler.vaults.parse import DocumentParser


class Prepared(Frozen):
    """A plan and the two sides that it was made from, brought to the same names and scope.

    ``replaced`` is what is another one than was last applied under its name; ``now`` is the server's time.
    """

    plan: Plan
    desired: Snapshot
    live: Live
    now: datetime | None = None
    replaced: tuple[Address, ...] = ()


class Terms(Frozen):
    """What a comparison is made with.

    ``declaration`` is the path to show for it, ``server`` what was connected to; ``key`` makes the digests of
    documents; ``now``, the server's time, judges which credentials are due (``None``: none); ``allowed`` says which
    guards are lifted on purpose, and for what; ``exact_documents`` makes a different text of the same meaning a change;
    ``identities`` are the server ids of what was last applied, and ``applied`` what is remembered of its documents, by
    the addresses of then; ``reveal`` shows every value of documents; ``acted`` is what acted
    when the declaration was last applied, where that is known.
    """

    declaration: str
    server: str
    parser: DocumentParser
    key: DigestKey
    now: datetime | None = None
    allowed: frozenset[Allowance] = frozenset()
    exact_documents: bool = False
    identities: Mapping[Address, str] = field(default_factory=dict)
    applied: Mapping[Address, Remembered] = field(default_factory=dict)
    reveal: bool = False
    acted: Acting | None = None


def make_plan(desired: Desired, live: Live, terms: Terms) -> Prepared:
    """Compare a declaration with the live workspace.

    Raises :class:`reconciler.errors.InvalidDeclarationError` for names that exist nowhere and
    :class:`reconciler.errors.AmbiguousWorkspaceError` for live names that mean two things.
    """
    sides = _Sides.of(desired, live, terms)
    live, adopted, target = sides.live, sides.adopted, sides.target
    check_references(sides.wanted, adopted.snapshot, live, sides.rotation, sides.doubts.unknown)
    found = sides.difference(terms)
    others = replaced(desired, live, terms.identities)
    judged = _judged(found.changes, live, target, desired, terms, others)
    plan = Plan(
        workspace=desired.workspace,
        server=terms.server,
        declaration=terms.declaration,
        declaration_digest=declaration_digest(desired.snapshot, terms.key),
        key_id=terms.key.key_id,
        without_secrets=desired.without_secrets,
        exact_documents=terms.exact_documents,
        totals=totals_of(found.changes),
        changes=found.changes,
        waiting=found.waiting,
        left_alone=adopted.left_alone,
        text_only=found.text_only,
        impact=judged.impact,
        refusals=judged.refusals,
        warnings=(
            *_warnings(desired, live, terms),
            *rules_without_effect(sides.wanted.snapshot, AccessIndex.of_live(live, target)),
            *policy_warnings(judged.broken),
        ),
        unreadable=sides.doubts.shown,
        acting=acting_changes(terms.acted, desired.acting) if terms.acted and desired.acting else (),
        possible_renames=possible_renames(found.changes, target, live, terms.parser),
        compared=_compared(desired),
        secrets_left_out=found.secrets_left_out,
    )
    return Prepared(plan.sealed(terms.key), target, live, terms.now, others)


def restricted(prepared: Prepared, reviewed: Plan, desired: Desired, terms: Terms) -> Plan:
    """Return the current plan with nothing in it but what was reviewed, and judged without the rest."""
    addresses = {change.address for change in reviewed.changes}
    changes = tuple(change for change in prepared.plan.changes if change.address in addresses)
    judged = _judged(changes, prepared.live, prepared.desired, desired, terms, prepared.replaced)
    refusals = (*judged.refusals, *still_refused(reviewed, judged.refusals, terms.allowed))
    plan = replace(
        prepared.plan,
        changes=changes,
        totals=totals_of(changes),
        impact=judged.impact,
        refusals=refusals,
        selection=reviewed.selection,
    )
    return plan.sealed(terms.key)


class _Judged(Frozen):
    impact: Impact
    broken: tuple[Broken, ...]
    refusals: tuple[Refusal, ...]


def _judged(
    changes: tuple[Change, ...],
    live: Live,
    adopted: Snapshot,
    desired: Desired,
    terms: Terms,
    others: tuple[Address, ...],
) -> _Judged:
    """Work out what changes mean to people, and which guards they meet."""
    before, after = AccessIndex.of_live(live), AccessIndex.of_live(live, adopted)
    impact = assess(changes, before, after, counting(terms.parser))
    broken = broken_rules(desired, impact)
    case = Case(
        changes,
        live,
        adopted,
        desired.policy,
        impact,
        terms.now,
        broken,
        others,
        renames=desired.renames,
        identities=terms.identities,
        last_policy=None if terms.acted is None else last_policy(terms.acted.policy),
    )
    if desired.policy.protected or (case.last_policy is not None and case.last_policy.protected):
        case = replace(case, emptied=emptied_vaults(case, terms.parser))
    return _Judged(impact, broken, check(case, terms.allowed))


class _Sides(Frozen):
    """Both sides of a comparison, brought to the same names and scope.

    ``target`` is what will be: all that is declared and left alone, without what nobody can tell to be missing.
    """

    wanted: Desired
    live: Live
    rotation: Rotation
    adopted: Adopted
    doubts: Doubts
    target: Snapshot

    @staticmethod
    def of(desired: Desired, live: Live, terms: Terms) -> _Sides:
        live = under_new_names(live, desired)
        rotation = Rotation(live, terms.now)
        doubts = Doubts.of(with_names_kept(with_entity_ids(desired, live), live), live)
        adopted = adopt(doubts.wanted, live, rotation, doubts.kept)
        return _Sides(doubts.wanted, live, rotation, adopted, doubts, doubts.without_unknown(adopted.snapshot))

    def difference(self, terms: Terms) -> Difference:
        was = {new: terms.applied[old] for new, old in self.wanted.renames.items() if old in terms.applied}
        documents = DocumentComparison(
            terms.parser, terms.key, terms.exact_documents, {**terms.applied, **was}, terms.reveal
        )
        return difference(self.target, self.live, self.wanted.places, documents, self.rotation)


def _compared(desired: Desired) -> dict[Kind, int]:
    counts = Counter(address.kind for address in desired.snapshot.resources)
    return {kind: counts[kind] for kind in Kind if counts[kind]}


def _warnings(desired: Desired, live: Live, terms: Terms) -> Iterator[Warned]:
    from reconciler.vaults.client_view import client_differences

    fixed = {address: member for address, member in live.snapshot.members.items() if member.fixed}
    for address, existing in sorted(fixed.items()):
        member = desired.snapshot.get(address)
        if isinstance(member, Member) and existing.role is not member.role:
            message = f"the server keeps this user's role ({existing.role}); {member.role} cannot be given"
            yield Warned(kind=Kind.MEMBER, title=member.title, rule="fixed-by-server", message=message)
    yield from _unchangeable_groups(desired, live)
    for _, vault in sorted(desired.snapshot.vaults.items()):
        for warning in client_differences(vault, terms.parser):
            yield Warned(kind=Kind.VAULT, title=vault.title, rule=warning.rule, message=warning.sentence)
    yield from _made_visible(desired, terms)
    yield from renamed_outside(desired, live, terms.identities)
    yield from live_look_alikes(desired, live)


def _unchangeable_groups(desired: Desired, live: Live) -> Iterator[Warned]:
    """Warn of every declared group that differs from a live one which the server lets nobody change."""
    for address, existing in sorted(live.snapshot.groups.items()):
        wanted = desired.snapshot.get(address)
        if existing.assignable or not isinstance(wanted, Group):
            continue
        said = {name: getattr(wanted, name) for name in ("name", "description", "members", "service_accounts")}
        if any(value is not None and value != getattr(existing, name) for name, value in said.items()):
            message = (
                "the server does not let this group be changed (it is not assignable): it stays as it is; "
                "declare its name only"
            )
            yield Warned(kind=Kind.GROUP, title=existing.title, rule="group-not-assignable", message=message)


def _made_visible(desired: Desired, terms: Terms) -> Iterator[Warned]:
    """Warn of paths that the declaration makes visible and that were not when it was applied last."""
    for address, vault in sorted(desired.snapshot.vaults.items()):
        remembered = terms.applied.get(desired.renames.get(address, address), NOTHING_REMEMBERED)
        added = [pattern for pattern in vault.document.visible if not remembered.was_visible(pattern)]
        if added:
            message = f"critical: plans and reports now show live values at {', '.join(added)} (`visible`)"
            yield Warned(kind=Kind.VAULT, title=vault.title, rule="newly-visible", message=message)
