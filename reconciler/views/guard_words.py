"""What each guard stops, in words: for code scanning and for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.plan.changes import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping

STOPS: Final[Mapping[Guard, str]] = {
    Guard.MIN_ADMINS: "fewer active admins would be left than `policy.min_admins` requires",
    Guard.MAX_REMOVALS: "more of one kind would be removed (vaults: removed or switched off), or more would leave one "
    "group or access rule, than `policy.max_removals` allows",
    Guard.REVOCATION: "a key that works would stop working: it is revoked, or its service account is removed",
    Guard.EMPTY_KIND: "all members, or all resources of another kind, would be removed, however few they are",
    Guard.EMPTY_GROUP: "everyone in a group, or everyone named by an access rule, would leave it",
    Guard.PROTECT: "something that `policy.protect` names would be removed, revoked, renamed, emptied or given another "
    "target, would stop being admin, or (a vault) would be switched off; it is known by the server's id",
    Guard.OWN_IDENTITY: "whoever runs the command would be removed or demoted, or would lose the credential in use "
    "(when signed in by a token: any of its credentials)",
    Guard.NEW_ADMIN: "a member or a service account would become admin",
    Guard.IMPERSONATION: "a service account could run tasks as their owners",
    Guard.ADMIN_IMPERSONATION: "a service account would be admin and could run tasks as their owners",
    Guard.EVERYONE: "an entity, or a vault with secrets, would open to everyone in the workspace",
    Guard.FOREIGN_DOMAIN: "somebody would be invited from outside `policy.domains`",
    Guard.WRITE_GAINS: "more members and service accounts than `policy.max_write_gains` would gain write access",
    Guard.IDENTITY_CHANGED: "a name now stands for another resource than when it was last applied, by the server's id: "
    "deleted and created again, or taken over",
    Guard.POLICY: "one of the organization's own rules would be broken",
    Guard.POLICY_LOOSENED: "the policy that was applied last refuses it, and this declaration has loosened the policy: "
    "its limits, what it protects, or its domains",
    Guard.STILL_USED: "a group would be removed while a vault or access rule that is left alone refers to it",
    Guard.SERVER_LIMIT: "the server would refuse it: too many service accounts, or an admin account where it allows "
    "none",
}
"""By guard, what would have happened: it completes the sentence "The plan is refused if …"."""
