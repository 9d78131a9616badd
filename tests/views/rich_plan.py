"""One plan with something of everything in it, which every view of a review is tried with."""

from __future__ import annotations

from msgspec.structs import replace

from reconciler.errors import Place
from reconciler.model.access import ALL, Entity, EntityType, Permission
from reconciler.model.desired import Limit, Policy
from reconciler.model.resources import Address, Group, Kind, Member, Role, ServiceAccount
from reconciler.plan.changes import Guard
from reconciler.plan.document import Plan
from reconciler.vaults.parse import DocumentParser
from tests.build import account_vault, admin, credential, desired, group, invited, live, planned, rule, vault

ROOT = admin("root@acme.io")
SPEECH = Entity(EntityType.PROJECT, "id-of-speech", "Speech")
GPU = Entity(EntityType.QUEUE, "id-of-gpu", "gpu-large")
CORPUS = Entity(EntityType.DATASET, "id-of-corpus", "corpus")
S3 = 'sdk.aws.s3 {{ region: "{region}", key: "AKIA1", secret: "{secret}" }}, sdk.development.default_output_uri: "s3://{region}"'

WANTED = desired(
    ROOT,
    admin("ada@acme.io"),
    Member("bob@acme.io"),
    Member("eve@acme.io"),
    Member("lena@acme.io", name="Lena"),
    Member("new@acme.io", Role.CONSUMER),
    ServiceAccount("train-agent", impersonation=True),
    ServiceAccount("fresh"),
    credential("fresh", "k8s-prod", "out/k8s-prod.conf"),
    credential("train-agent", "ci"),
    group("researchers", "bob@acme.io", "eve@acme.io", "lena@acme.io", "new@acme.io", accounts=["fresh"]),
    group("operators", "root@acme.io", description="Who keeps it running"),
    Group("Queue admins", None, frozenset(), frozenset(), builtin=True),
    Group("Users", builtin=True, assignable=False),
    vault("s3-prod", "researchers", S3.format(region="eu-west-1", secret="new")),
    vault("defaults", "Users", "sdk.development.log: debug"),
    account_vault("train-agent", "agent.docker_force_pull: true"),
    rule("vision-rw", groups=["researchers"]),
    rule("speech", "lena@acme.io", groups=["Users"], entity=SPEECH, permission=Permission.READ),
    rule("gpu", groups=["operators"], entity=GPU),
    rule("corpus", groups=["researchers"], entity=CORPUS),
    policy=Policy(min_admins=2, max_removals=Limit(share=0.2), protected=frozenset({Address.member("tom@acme.io")})),
    renames={Address.group("researchers"): Address.group("research")},
    credentials_of=["fresh", "train-agent"],
    vaults_of=["train-agent"],
)
WANTED = replace(
    WANTED,
    places={
        address: Place("teams/ml.yaml" if address.kind is Kind.GROUP else "workspace.yaml", 10 + line)
        for line, address in enumerate(WANTED.snapshot.resources)
    },
)
EXISTING = live(
    ROOT,
    Member("ada@acme.io", Role.USER),
    Member("bob@acme.io"),
    Member("eve@acme.io"),
    Member("lena@acme.io", name="lena"),
    admin("tom@acme.io"),
    invited("gone@acme.io"),
    Member("support@clear.ml", Role.ADMIN, fixed=True),
    ServiceAccount("train-agent"),
    ServiceAccount("old-agent", impersonation=True),
    credential("train-agent", "ci"),
    credential("train-agent", "by hand"),
    Group("Admins", builtin=True),
    Group("Users", builtin=True, assignable=False),
    Group("Queue admins", None, frozenset({"tom@acme.io"}), frozenset(), builtin=True),
    group("research", "tom@acme.io", "lena@acme.io", accounts=["old-agent"]),
    group("operators", "root@acme.io", "eve@acme.io"),
    group("doomed", "tom@acme.io"),
    vault("s3-prod", "research", S3.format(region="us-east-1", secret="old")),
    vault("defaults", "Users", "sdk.development.log: info"),
    vault("orphan", "doomed", "agent.git_pass: hunter2"),
    rule("vision-rw", "tom@acme.io", groups=["research"], permission=Permission.READ),
    rule("old-rule", "lena@acme.io", entity=SPEECH),
    rule("gpu", groups=["operators", "Users"], entity=GPU),
    rule("corpus", groups=["research"], entity=CORPUS),
    server_rules={"id-of-default": rule("all datasets", groups=["Users"], entity=Entity(EntityType.DATASET, ALL))},
    credential_counts={Address.service_account("old-agent"): 3},
)


def rich_plan(parser: DocumentParser) -> Plan:
    """Return the plan, with a digest that no new field of the model changes."""
    made = planned(WANTED, EXISTING, parser, allow=[Guard.PROTECT]).plan
    return replace(made, digest=f"sha256:{'0' * 64}")
