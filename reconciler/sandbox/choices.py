"""Every decision that the published contract does not make, each with its reason.

Where the contract is silent the sandbox does as the open-source server was seen to do, else it takes the stricter or
the plainer way, and takes it here. A client must not depend on any of these. Choices that are a matter of the workspace
(limits and switches) are fields of :class:`reconciler.sandbox.settings.Settings` instead.

Choices that are behavior rather than a value:

- *Missing field*: 400/12, as seen on the open-source server; 400/11 is documented but was never seen.
- *Missing rights on fields*: ``include_auth`` by someone who is no administrator is ignored, not refused.
- *E-mail addresses* are compared as they are written, as the open-source server does, but for a first sign-in, where
  an identity provider may spell the address its own way. A malformed one is 400/800 where a user is created (as seen)
  and 400/22 where one is invited (documented).
- *Booleans* may be the words true and false, as a query can hold no others.
- *Unset fields* are left out of an answer, as seen for credentials. Lists are always there.
- *``sec_groups``* holds group ids, the built-in groups among them.
- *Adding someone who was invited* (``auth.add_user``) accepts the invitation.
- *Order of lists* without ``order_by``: by id; groups, credentials and access rules in order of creation.
- *Limits of paging*: ``page_size`` without ``page`` is page 0, ``page`` without ``page_size`` has pages of 500.
- *Inviting again* someone who is pending or already a member adds nothing and changes nothing (not even the role); the
  address is simply missing from ``added``.
- *Role of a pending invitation*: in no answer, as no field for it is documented.
- *Removing a person* removes the sign-in only, as documented: the entry stays in ``users.get_all_ex``, without e-mail
  and role and outside Users. The accepted whitelist entry, their own vaults and their places in groups and access
  rules go.
- *A token of a removed user* is refused (401/30), since "a removed user loses access"; a token outlives its revoked
  credential and keeps its role, as on the open-source server.
- *Signing out* (``auth.logout``, ``login.logout``) ends the cookie, not the token.
- *Changing others' details* (``users.update``) is for administrators; everyone may change their own.
- *Last administrator, own account*: nothing stops an administrator from demoting or removing anyone, themself included.
- *Unknown ids in a filter or in a delete* are ignored (the answer is shorter, the count smaller); unknown ids that
  something points at are refused with 400/10, users with 400/301.
- *Group names* are unique (400/801), case-sensitively: strictness, not documented. So are those of projects and queues,
  which is.
- *Deleting a group* that a vault or a declared access rule still points at is refused (400/16): strictness.
- *Admins* is everyone whose role is ``admin``, service accounts too.
- *Access*: grants add up. The server's own rules can be deleted, and ``permissions.restore_default_access_rules`` puts
  them back; editing one is refused (400/16), since they are "not for users to edit".
- *``permissions.check_entity_access``* answers 403/20 where there is no access.
- *Vault order*: administrator and organization vaults in order of creation, then the user's own, so that the user's
  own is the last and wins in a client.
- *Vault ids*: an unknown id is refused (400/10); creation with a given id is documented for groups and rules only.
- *Changing a vault*: a field that is left out stays; another ``group`` or ``user`` moves it; its scope cannot change.
- *Vault text* is never parsed, except to hide it for ``preview_data``. ``format`` is free text, as documented.
- *Vault log*: an update that turns a vault on or off is ``activate`` or ``deactivate``, and ``edit`` beside it if more
  changed. ``user`` is who the call acts as. Records that are grouped are neighbors of one vault and operation.
- *Reading groups, rules and the vault log* is for administrators, as changing them is.
- *Names by regular expression* are searched (not anchored), case-sensitively.
- *A credential lifetime above the maximum* is refused (400/16), never cut in silence; whoever acts for someone who is
  not an admin is not one either.
- *Expired credentials* stay listed until they are revoked.
- *Limits* (members, service accounts, credentials) are refused with 400/16 and a sentence that says the limit.
- *Password of an added user* is answered once and not kept: the sandbox has no web page to sign in to.
- *Removing a protected person* (read-only, support, the server's own) or giving them another role is refused with
  400/301.
- *Hidden entities* are those with the system tag ``hidden`` or within a project whose name has a part that begins with
  a dot, as the open-source server hides them.
"""

from __future__ import annotations

from typing import Final

API_VERSION: Final = "2.37"
"""The highest version that is spoken, unless the settings say another: the newest that the contract mentions."""

SERVER_VERSION: Final = "3.30.0"
"""What the token's ``server_version`` says."""

SERVER_BUILD: Final = "613"
"""What the token's ``server_build`` says; any text does."""

FEATURE_SET: Final = "enterprise"
"""Anything but ``basic``: clients then ask for vaults."""

ENVIRONMENT: Final = "<unknown>"
"""What the token's ``env`` says; not ``prod``, which makes old clients guess a version."""

AUTH_COOKIE: Final = "clearml_token_basic"
"""The name of the cookie that ``auth.login`` sets; not documented."""

TOKEN_LIFETIME_SECONDS: Final = 30 * 24 * 3600
"""How long a token lives unless asked otherwise, and at most."""

USERS_GROUP_ID: Final = "30795571-a470-4717-a80d-e8705fc776bf"
"""The documented id of the built-in group Users."""

ADMINS_GROUP_ID: Final = "c1a5cc4b-2f0c-4e6c-9f2c-3f0a8a0c0a01"
"""The id of the built-in group Admins; not documented."""

QUEUE_ADMINS_GROUP_ID: Final = "c1a5cc4b-2f0c-4e6c-9f2c-3f0a8a0c0a02"
"""The id of the built-in group Queue admins; not documented."""

ADDED_USER_ROLE: Final = "user"
"""The role of a user made by ``auth.add_user``, whose documented fields hold none."""

DEFAULT_VAULT_SCOPE: Final = "user"
"""The scope of a vault that is made without saying one: the least far-reaching."""

ACCOUNT_TYPE: Final = 1
"""``service_account_type`` of a service account that may not run as owner; a person has no such claim."""

OWNER_ACCOUNT_TYPE: Final = 2
"""``service_account_type`` of a service account that may run as owner (the Agent wants at least 2)."""

SYSTEM_USERS: Final = {"__root__": "root", "__system__": "system", "__apiserver__": "system"}
"""The server's own users and their roles; some of their ids were seen, the roles are documented."""

PROTECTED_IDENTITIES: Final = frozenset({"__root__", "__system__", "__webserver__", "__agent__"})
"""Ids of the server's built-in identities that nobody may act as (400/301); ``__apiserver__`` was seen to be taken."""

HIDDEN: Final = "********"
"""What ``preview_data`` puts in place of a leaf string."""

ASSIGNABLE_ROLES: Final = ("admin", "user", "consumer")
"""The only roles that can be given (documented)."""

ROLES: Final = ("admin", "superuser", "user", "annotator", "consumer")
"""Every role that a person can have (documented)."""

ROLE_NAMES: Final = {"admin": "Admin", "user": "User", "consumer": "Consumer"}
"""What ``users.get_role_options`` calls the roles; the assignable ones only."""

ENTITY_TYPES: Final = ("task", "model", "project", "queue", "dataset", "dataview", "route", "app", "app_category")
"""What an access rule can be about (documented)."""

PERMISSIONS: Final = ("read", "read_write")
"""What an access rule can give (documented); also the ``categories`` of every entity type, which are not."""

MAXIMUM_PAGE: Final = 500
"""The silent cap on every paged answer (seen)."""

LARGEST_DOWNLOAD: Final = "1000"
"""The ``max_download_items`` of ``users.get_current_user``: a string, as documented; the number is made up."""

FEATURE_CALLS: Final = {
    "user_management": (
        "login.add_whitelist_entries", "login.get_settings", "login.remove_whitelist_entries", "login.set_domains",
        "permissions.add_or_update_user_group", "permissions.delete_user_groups",
    ),
    "user_management_advanced": ("auth.add_user",),
    "permissions": (
        "permissions.add_or_update_access_rule", "permissions.delete_access_rules", "permissions.get_access_rules",
        "permissions.get_entity_access_categories", "permissions.restore_default_access_rules",
    ),
    "config_vault": (
        "users.add_or_update_vault", "users.delete_vaults", "users.get_organization_vaults",
        "users.get_vault_operations_log", "users.get_vault_operations_log_filters", "users.get_vaults",
    ),
    "service_users": ("auth.create_service_user", "users.get_service_users", "users.update_service_user"),
}  # fmt: skip
"""The calls that a server lacks (404) where a feature is off. Which calls those are is not documented: its own ones."""

FEATURES: Final = (
    *FEATURE_CALLS, "experiments", "queues", "queue_management", "data_management", "show_projects", "show_datasets",
    "show_orchestration",
)  # fmt: skip
"""The features of a sandbox, of those that are documented."""

FEATURE_OF: Final = {call: feature for feature, calls in FEATURE_CALLS.items() for call in calls}
"""The feature that a call belongs to; the others are always there."""
