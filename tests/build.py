"""Builds values for tests, with everything that a test does not speak of left at its default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from reconciler.model.access import Entity, EntityType, Permission
from reconciler.model.delivery import FileDelivery
from reconciler.model.desired import Desired, Management, Policy, Scope
from reconciler.model.live import Caller, CredentialFacts, Live
from reconciler.model.resources import (
    AccessRule,
    Address,
    Credential,
    Document,
    DocumentFormat,
    Group,
    Kind,
    Member,
    MemberState,
    OwnerKind,
    Resource,
    Role,
    Vault,
)
from reconciler.model.secret import Secret
from reconciler.model.snapshot import Snapshot
from reconciler.model.text import fold
from reconciler.plan.allowance import Allowance
from reconciler.plan.changes import Guard
from reconciler.plan.fingerprints import DigestKey
from reconciler.plan.make import Prepared, Terms, make_plan
from reconciler.vaults.parse import DocumentParser

EVERYTHING = {
    Kind.MEMBER: Management.ALL,
    Kind.SERVICE_ACCOUNT: Management.ALL,
    Kind.GROUP: Management.ALL,
    Kind.VAULT: Management.ALL,
    Kind.ACCESS_RULE: Management.ALL,
}
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
GAINS = (
    Guard.NEW_ADMIN,
    Guard.IMPERSONATION,
    Guard.ADMIN_IMPERSONATION,
    Guard.EVERYONE,
    Guard.FOREIGN_DOMAIN,
    Guard.WRITE_GAINS,
)
KEY = DigestKey.derive(Secret("secret"))


def admin(email: str) -> Member:
    return Member(email, Role.ADMIN)


def invited(email: str) -> Member:
    return Member(email, None, state=MemberState.INVITED)


def group(name: str, *emails: str, accounts: Iterable[str] = (), description: str | None = None) -> Group:
    return Group(name, description, frozenset(map(fold, emails)), frozenset(map(fold, accounts)))


def vault(name: str, owner: str, text: str, **fields: object) -> Vault:
    document = Document(DocumentFormat.HOCON, Secret(text), reviewed=True)
    return Vault(name, OwnerKind.GROUP, owner, document, **fields)  # type: ignore[arg-type]


def account_vault(account: str, text: str) -> Vault:
    return Vault(
        account, OwnerKind.SERVICE_ACCOUNT, account, Document(DocumentFormat.HOCON, Secret(text), reviewed=True)
    )


def credential(account: str, label: str, file: str | None = "out/key.conf") -> Credential:
    return Credential(account, label, delivery=FileDelivery(file) if file else None)


VISION = Entity(EntityType.PROJECT, "id-of-vision", "Vision")


def rule(
    name: str,
    *emails: str,
    accounts: Iterable[str] = (),
    groups: Iterable[str] = (),
    entity: Entity = VISION,
    permission: Permission = Permission.READ_WRITE,
    description: str | None = None,
) -> AccessRule:
    people, robots = frozenset(map(fold, emails)), frozenset(map(fold, accounts))
    return AccessRule(name, entity, permission, people, robots, frozenset(map(fold, groups)), description)


def live(
    *resources: Resource,
    caller: str = "root@acme.io",
    own_key: str | None = None,
    ambiguous: Mapping[Address, tuple[str, ...]] | None = None,
    facts: Mapping[Address, CredentialFacts] | None = None,
    **others: object,
) -> Live:
    snapshot = Snapshot.of(resources)
    ids = {
        address: "-".join(("id", address.kind.value, *address.key))
        for address, resource in snapshot.resources.items()
        if not (isinstance(resource, Member) and resource.state is MemberState.INVITED)
    }
    known = {address: CredentialFacts(ids[address], item.label) for address, item in snapshot.credentials.items()}
    return Live(
        snapshot=snapshot,
        ids=ids,
        caller=Caller(ids.get(Address.member(caller), "id-of-caller"), Address.member(caller), own_key, "admin"),
        ambiguous=ambiguous or {},
        credentials=known | dict(facts or {}),
        **others,  # type: ignore[arg-type]
    )


def desired(
    *resources: Resource,
    policy: Policy | None = None,
    kinds: Mapping[Kind, Management] | None = None,
    renames: Mapping[Address, Address] | None = None,
    credentials_of: Iterable[str] = (),
    vaults_of: Iterable[str] = (),
) -> Desired:
    return Desired(
        workspace="acme-ml",
        server="https://api.acme.io",
        snapshot=Snapshot.of(resources),
        scope=Scope(EVERYTHING if kinds is None else kinds, frozenset(credentials_of), frozenset(vaults_of)),
        policy=policy or Policy(min_admins=1),
        renames=renames or {},
        places={},
    )


def planned(
    wanted: Desired, existing: Live, parser: DocumentParser, *, allow: Iterable[str] = (), exact: bool = False
) -> Prepared:
    terms = Terms(
        declaration="workspace.yaml",
        server="https://api.acme.io",
        parser=parser,
        key=KEY,
        now=NOW,
        allowed=frozenset(Allowance.read(one) if "=" in one else Allowance(Guard(one)) for one in allow),
        exact_documents=exact,
    )
    return make_plan(wanted, existing, terms)
