"""Which calls of the API only read. Every other call counts as a write: what is not known to be harmless is not."""

from __future__ import annotations

from typing import Final

SIGN_IN: Final = "auth.login"

READS: Final = frozenset(
    {
        "auth.get_credentials",
        "auth.locate_credentials",
        "datasets.get_all_ex",
        "dataviews.get_all",
        "login.get_settings",
        "models.get_all_ex",
        "permissions.get_access_rules",
        "permissions.get_company_users",
        "permissions.get_entity_access_categories",
        "permissions.get_user_groups",
        "projects.get_all_ex",
        "queues.get_all",
        "routers.get_routes",
        "tasks.get_all_ex",
        "users.get_all_ex",
        "users.get_organization_vaults",
        "users.get_role_options",
        "users.get_service_users",
        "users.get_vault_operations_log",
        "users.get_vaults",
    }
)
