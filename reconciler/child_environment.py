"""The variables that a program started by this one gets: all but the keys of this program and those of CI.

A declaration names programs (``secrets.command``, ``deliver.command``), and a pull request changes a declaration. They
need much of the environment (``PATH``, the login of ``vault`` or ``op``), so what they must not have is named: this
program's own keys, the files by which a workflow's step changes the steps after it, and the tokens of CI systems.
``docs/explanation/threat-model.md`` lists them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_KEYS: Final = frozenset(
    {
        "CLEARML_API_ACCESS_KEY",
        "CLEARML_API_SECRET_KEY",
        "CLEARML_AUTH_TOKEN",
        "CLEARML_CONFIG_FILE",
        "TRAINS_API_ACCESS_KEY",
        "TRAINS_API_SECRET_KEY",
        "TRAINS_CONFIG_FILE",
    }
)
"""What this program signs in with. Everything that begins with ``RECONCILER_`` belongs to it too."""

CI_VARIABLES: Final = frozenset(
    {
        # GitHub: files that change later steps, and tokens
        "GITHUB_ENV",
        "GITHUB_PATH",
        "GITHUB_OUTPUT",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "GH_ENTERPRISE_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
        # GitLab
        "CI_JOB_TOKEN",
        "CI_JOB_JWT",
        "CI_JOB_JWT_V1",
        "CI_JOB_JWT_V2",
        "CI_REPOSITORY_URL",
        "CI_REGISTRY_PASSWORD",
        "CI_DEPLOY_PASSWORD",
        "CI_DEPENDENCY_PROXY_PASSWORD",
        "GITLAB_TOKEN",
        # Azure Pipelines, Bitbucket, CircleCI, Buildkite
        "SYSTEM_ACCESSTOKEN",
        "BITBUCKET_STEP_OIDC_TOKEN",
        "BITBUCKET_ACCESS_TOKEN",
        "CIRCLE_OIDC_TOKEN",
        "CIRCLE_OIDC_TOKEN_V2",
        "BUILDKITE_AGENT_ACCESS_TOKEN",
        "BUILDKITE_AGENT_TOKEN",
    }
)
_PREFIXES: Final = ("RECONCILER_", "INPUT_", "ACTIONS_")
"""This program's own variables, the inputs of a GitHub action, and the addresses and tokens of GitHub's services."""

_SHORTEST_KEY: Final = 8
"""A shorter value stands by chance in too many variables."""


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a program: none of those above, and none that holds the value of one of our keys."""
    keys = [environment.get(name, "") for name in (*OWN_KEYS, "RECONCILER_KEY") if not name.endswith("_FILE")]
    keys = [key for key in keys if len(key) >= _SHORTEST_KEY]
    return {
        name: value
        for name, value in environment.items()
        if not _is_withheld(name) and not any(key in value for key in keys)
    }


def is_own_key(value: str, environment: Mapping[str, str]) -> bool:
    """Return whether a value is one of the keys of this program, under whatever name it was found."""
    keys = (environment.get(name, "") for name in (*OWN_KEYS, "RECONCILER_KEY") if not name.endswith("_FILE"))
    return len(value) >= _SHORTEST_KEY and value in keys


def _is_withheld(name: str) -> bool:
    return name in OWN_KEYS or name in CI_VARIABLES or name.startswith(_PREFIXES)
