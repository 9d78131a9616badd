"""Service accounts, credentials, vaults and access rules."""

from __future__ import annotations

from drift_situation import (
    CONFLICT,
    IMPERSONATION,
    NEW_KEY,
    NO_KEY,
    NO_RULE,
    NO_VAULT,
    OUTSIDE,
    PENDING,
    REGION,
    Situation,
    edit,
    s3,
    vision,
)
from drift_team import (
    impersonate,
    own_vault,
    remove_member,
    remove_rule,
    remove_vault,
    revoke,
)

THINGS = (
    # Service accounts and credentials
    Situation("an account changed outside", lambda s: impersonate(s, True), expected={"agent": OUTSIDE}),
    Situation("an account changed in the file", edit=IMPERSONATION, expected={"agent": PENDING}),
    Situation(
        "an account changed the same way on both sides",
        lambda s: impersonate(s, True),
        IMPERSONATION,
        agreeing=("agent",),
    ),
    Situation(
        "an account made outside",
        lambda s: s.call("auth.create_service_user", name="rogue"),
        expected={"rogue": OUTSIDE},
    ),
    Situation(
        "an account removed outside",
        lambda s: remove_member(s, "agent"),
        expected={"agent": OUTSIDE, "agent / ci": OUTSIDE, "agent → agent": OUTSIDE, "operators": OUTSIDE},
    ),
    Situation(
        "a key made outside",
        lambda s: s.acting_as("agent", "auth.create_credentials", label="mine"),
        expected={"agent / mine": OUTSIDE},
    ),
    Situation("a key revoked outside", revoke, expected={"agent / ci": OUTSIDE}),
    Situation("a key declared", edit=NEW_KEY, expected={"agent / cd": PENDING}),
    Situation("a key no longer declared", edit=NO_KEY, expected={"agent / ci": PENDING}),
    # Vaults
    Situation(
        "a vault's document changed outside",
        s3("region: us"),
        expected={"s3 → operators": OUTSIDE},
        parts={"s3 → operators": {"document": OUTSIDE}},
    ),
    Situation("a vault's document changed in the file", edit=REGION, expected={"s3 → operators": PENDING}),
    Situation(
        "a vault's document changed the same way on both sides", s3("region: us"), REGION, agreeing=("s3 → operators",)
    ),
    Situation(
        "a vault's document changed differently on both sides", s3("region: cn"), REGION, {"s3 → operators": CONFLICT}
    ),
    Situation("a vault's document only rewritten outside", s3("{ region = eu }"), agreeing=("s3 → operators",)),
    Situation(
        "a vault switched off outside, its document changed in the file",
        lambda s: s.set_vault("s3", "operators", "region: eu", enabled=False),
        REGION,
        {"s3 → operators": CONFLICT},
        {"s3 → operators": {"enabled": OUTSIDE, "document": PENDING}},
    ),
    Situation(
        "a vault removed outside", lambda s: remove_vault(s, "s3 → operators"), expected={"s3 → operators": OUTSIDE}
    ),
    Situation(
        "a vault removed outside and changed in the file",
        lambda s: remove_vault(s, "s3 → operators"),
        REGION,
        {"s3 → operators": CONFLICT},
    ),
    Situation("a vault removed in the file", edit=NO_VAULT, expected={"s3 → operators": PENDING}),
    Situation(
        "a vault removed in the file and changed outside", s3("region: cn"), NO_VAULT, {"s3 → operators": CONFLICT}
    ),
    Situation(
        "a vault made outside", lambda s: s.set_vault("trap", "readers", "a: 1"), expected={"trap → readers": OUTSIDE}
    ),
    Situation(
        "an account's own vault changed outside", lambda s: own_vault(s, "x: 2"), expected={"agent → agent": OUTSIDE}
    ),
    # Access rules
    Situation(
        "a rule's permission changed outside",
        vision("ada@acme.io", "operators", access_permission="read_write"),
        expected={"vision": OUTSIDE},
        parts={"vision": {"permission": OUTSIDE}},
    ),
    Situation(
        "a rule's permission changed in the file",
        edit=edit("permission: read,", "permission: read_write,"),
        expected={"vision": PENDING},
    ),
    Situation(
        "somebody added to a rule outside",
        vision("ada@acme.io", "bob@acme.io", "operators"),
        expected={"vision": OUTSIDE},
    ),
    Situation(
        "one added to a rule outside, another taken out in the file",
        vision("ada@acme.io", "bob@acme.io", "operators"),
        edit("members: [ada@acme.io], groups: [operators]", "groups: [operators]"),
        {"vision": CONFLICT},
        {"vision": {"members ada@acme.io": PENDING, "members bob@acme.io": OUTSIDE}},
    ),
    Situation(
        "a rule is about something else in the file",
        edit=edit("project: Vision", "project: Audio"),
        expected={"vision": PENDING},
        parts={"vision": {"resource": PENDING}},
    ),
    Situation("a rule removed outside", lambda s: remove_rule(s, "vision"), expected={"vision": OUTSIDE}),
    Situation("a rule removed in the file", edit=NO_RULE, expected={"vision": PENDING}),
    Situation("a rule made outside", lambda s: s.set_rule("sneaky", "bob@acme.io"), expected={"sneaky": OUTSIDE}),
)
