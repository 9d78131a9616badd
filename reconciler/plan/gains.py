"""Guards on what people gain: widening access is as easy to overlook in a review as taking too much of it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.resources import Kind, Role
from reconciler.plan.changes import Action, Guard, Refusal
from reconciler.plan.impact.report import Aspect, HeadlineType, Weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.plan.case import Case
    from reconciler.plan.impact.report import Effect, PrincipalImpact


def gain_refusals(case: Case) -> Iterator[Refusal]:
    """Return the refusals for gains, in a stable order."""
    admins = _affected(case, _becomes_admin)
    impersonators = _affected(case, _may_impersonate)
    yield from _by_kind(Guard.NEW_ADMIN, admins)
    yield from _by_kind(Guard.IMPERSONATION, impersonators)
    yield from _admins_that_impersonate(case, {principal.title for principal in (*admins, *impersonators)})
    yield from _everyone(case)
    yield from _foreign_domains(case)
    yield from _writers(case)


def _affected(case: Case, matters: Callable[[Effect], bool]) -> list[PrincipalImpact]:
    return [principal for principal in case.impact.principals if any(map(matters, principal.effects))]


def _by_kind(guard: Guard, principals: Iterable[PrincipalImpact]) -> Iterator[Refusal]:
    for kind in (Kind.MEMBER, Kind.SERVICE_ACCOUNT):
        names = tuple(principal.title for principal in principals if principal.kind is kind)
        if names:
            yield Refusal(guard=guard, kind=kind, names=names, count=len(names))


def _becomes_admin(effect: Effect) -> bool:
    if effect.aspect is Aspect.ADMIN:
        return effect.after is not None
    return effect.aspect in (Aspect.ROLE, Aspect.WORKSPACE) and effect.after == Role.ADMIN


def _may_impersonate(effect: Effect) -> bool:
    return effect.aspect is Aspect.IMPERSONATION and effect.after is not None


def _admins_that_impersonate(case: Case, gaining: set[str]) -> Iterator[Refusal]:
    for _, account in sorted(case.desired.service_accounts.items()):
        if account.admin and account.impersonation and account.name in gaining:
            yield Refusal(
                guard=Guard.ADMIN_IMPERSONATION,
                kind=Kind.SERVICE_ACCOUNT,
                subject=account.name,
                names=(account.name,),
                count=1,
            )


def _everyone(case: Case) -> Iterator[Refusal]:
    """Stop what opens to everybody: an entity, by a rule, or a vault with secrets."""
    for line in case.impact.headlines:
        opens = line.type is HeadlineType.OPENS_TO_EVERYONE
        reaches = line.type is HeadlineType.VAULT_CHANGES and line.weight is Weight.CRITICAL
        if opens or (reaches and line.level != Action.DELETE):
            yield Refusal(guard=Guard.EVERYONE, kind=line.kind, subject=line.subject, names=(line.subject,), count=1)


def _foreign_domains(case: Case) -> Iterator[Refusal]:
    domains = case.policy.domains
    if not domains:
        return
    names = tuple(
        change.title
        for change in case.changes
        if change.action is Action.INVITE and change.key[0].rpartition("@")[2] not in domains
    )
    if names:
        limit = ", ".join(sorted(domains))
        yield Refusal(guard=Guard.FOREIGN_DOMAIN, kind=Kind.MEMBER, names=names, count=len(names), limit=limit)


def _writers(case: Case) -> Iterator[Refusal]:
    names = tuple(principal.title for principal in case.impact.principals if _gains_write(principal))
    if len(names) > case.policy.max_write_gains:
        yield Refusal(
            guard=Guard.WRITE_GAINS,
            kind=Kind.ACCESS_RULE,
            names=names,
            count=len(names),
            limit=str(case.policy.max_write_gains),
        )


def _gains_write(principal: PrincipalImpact) -> bool:
    return any(effect.aspect is Aspect.ACCESS and effect.after == "read_write" for effect in principal.effects)
