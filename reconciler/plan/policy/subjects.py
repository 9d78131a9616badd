"""Resources and gains as rules see them: a title and plain values."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.delivery import CommandDelivery, EnvFileDelivery, FileDelivery, KubernetesSecretDelivery
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Group,
    Kind,
    Member,
    Resource,
    Role,
    ServiceAccount,
    Vault,
)
from reconciler.model.text import fold
from reconciler.plan.access.index import EVERYONE, members_of
from reconciler.plan.impact.report import HeadlineType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.policy import RuleSubject
    from reconciler.model.snapshot import Snapshot
    from reconciler.plan.impact.report import Effect, Headline, Impact, PrincipalImpact
    from reconciler.plan.policy.fields import Value

_DELIVERIES = {
    FileDelivery: "file",
    EnvFileDelivery: "env_file",
    CommandDelivery: "command",
    KubernetesSecretDelivery: "kubernetes_secret",
}


class Seen(Frozen):
    """One resource or gain: what it is called, and its fields. A gain has no ``address``."""

    kind: Kind
    title: str
    address: Address | None
    values: dict[str, Value]


class DeclaredResources:
    """The declared resources as rules see them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._groups: dict[Address, list[str]] = defaultdict(list)
        self._labels: dict[Address | None, list[str]] = defaultdict(list)
        for address, credential in sorted(snapshot.credentials.items()):
            self._labels[address.owner].append(credential.label)
        for _, group in sorted(snapshot.groups.items()):
            for principal in members_of(group):
                self._groups[principal].append(group.name)

    def of(self, subject: RuleSubject) -> Iterator[Seen]:
        """Return every resource of a kind, by key."""
        for address, resource in sorted(self._snapshot.of_kind(Kind(subject.value)).items()):
            yield Seen(address.kind, resource.title, address, self._values(resource))

    def _values(self, resource: Resource) -> dict[str, Value]:
        match resource:
            case Member():
                return self._member(resource)
            case ServiceAccount():
                return self._account(resource)
            case Credential():
                return _credential(resource)
            case Group():
                return self._group(resource)
            case Vault():
                return _vault(resource)
            case AccessRule():
                return self._rule(resource)

    def _member(self, member: Member) -> dict[str, Value]:
        email = fold(member.email)
        return {
            "email": email,
            "domain": _domain(email),
            "name": member.name or "",
            "role": member.role.value if member.role else "",
            "admin": member.role is Role.ADMIN,
            "groups": self._groups.get(member.address, []),
        }

    def _account(self, account: ServiceAccount) -> dict[str, Value]:
        return {
            "name": account.name,
            "admin": account.admin,
            "impersonation": account.impersonation,
            "groups": self._groups.get(account.address, []),
            "credentials": self._labels.get(account.address, []),
        }

    def _group(self, group: Group) -> dict[str, Value]:
        emails = sorted(group.members or ())
        return {
            "name": group.name,
            "description": group.description or "",
            "members": emails,
            "domains": sorted({_domain(email) for email in emails}),
            "service_accounts": self._titles(Kind.SERVICE_ACCOUNT, group.service_accounts or frozenset()),
            "built_in": group.builtin,
        }

    def _rule(self, rule: AccessRule) -> dict[str, Value]:
        return {
            "name": rule.name,
            "description": rule.description or "",
            "type": rule.entity.type.value,
            "entity": rule.entity.name or rule.entity.id or "",
            "permission": rule.permission.value,
            "members": sorted(rule.members),
            "service_accounts": self._titles(Kind.SERVICE_ACCOUNT, rule.service_accounts),
            "groups": self._titles(Kind.GROUP, rule.groups),
            "everyone": EVERYONE.key[0] in rule.groups,
        }

    def _titles(self, kind: Kind, names: frozenset[str]) -> list[str]:
        """Return names as they are declared; of what is not declared only the folded name is known."""
        found = ((name, self._snapshot.get(Address(kind, (name,)))) for name in names)
        return sorted(resource.title if resource is not None else name for name, resource in found)


def _credential(credential: Credential) -> dict[str, Value]:
    return {
        "account": credential.account,
        "label": credential.label,
        "ends": credential.lifetime is not None,
        "lifetime_days": _days(credential.lifetime),
        "rotates": credential.rotate_before is not None,
        "rotate_before_days": _days(credential.rotate_before),
        "delivery": _DELIVERIES[type(credential.delivery)] if credential.delivery is not None else "",
    }


def _vault(vault: Vault) -> dict[str, Value]:
    return {
        "name": vault.name,
        "owner": vault.owner,
        "owner_kind": vault.owner_kind.value,
        "target": vault.target,
        "format": vault.format.value,
        "enabled": vault.enabled,
        "secrets": len(vault.document.secrets),
    }


def gains(impact: Impact) -> Iterator[Seen]:
    """Return everything that somebody, or everyone, gains."""
    for line in impact.headlines:
        if line.type is HeadlineType.OPENS_TO_EVERYONE:
            yield Seen(line.kind, "everyone", None, _opening(line))
    for principal in impact.principals:
        for effect in principal.effects:
            if effect.is_gain:
                yield Seen(principal.kind, principal.title, None, _gain(principal, effect))


def _opening(line: Headline) -> dict[str, Value]:
    return {
        "principal": "everyone",
        "kind": "everyone",
        "domain": "",
        "aspect": "access",
        "subject": line.subject,
        "before": "",
        "after": (line.level or "").replace(" ", "_"),
        "via": [],
        "weight": line.weight.value,
        "values": 0,
        "secrets": 0,
    }


def _gain(principal: PrincipalImpact, effect: Effect) -> dict[str, Value]:
    is_member = principal.kind is Kind.MEMBER
    name = fold(principal.title) if is_member else principal.title
    return {
        "principal": name,
        "kind": principal.kind.value,
        "domain": _domain(name) if is_member else "",
        "aspect": effect.aspect.value,
        "subject": effect.subject,
        "before": effect.before or "",
        "after": effect.after or "",
        "via": list(effect.via),
        "weight": effect.weight.value,
        "values": effect.paths,
        "secrets": effect.secrets,
    }


def _domain(email: str) -> str:
    return email.rpartition("@")[2]


def _days(value: timedelta | None) -> int:
    return 0 if value is None else -(-value // timedelta(days=1))
