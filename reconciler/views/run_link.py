"""The address of the run of a CI system that this process is part of, from the variables that the system sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEMPLATES: Final = (
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    "{CI_JOB_URL}",
    "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    "{BUILD_URL}",
)
"""GitHub, GitLab, Azure DevOps, Bitbucket, Jenkins: the first that has all of its variables."""

_NAME: Final = re.compile(r"\{(\w+)\}")
_SAFE: Final = re.compile(r"https?://[\w.:-]+(?:/[\w.%~=?&:+-]*)+", re.ASCII)
"""Without what would end a link in Markdown or HTML, and without a user or a password."""


def run_link(environment: Mapping[str, str]) -> str | None:
    """Return the address of the run, or ``None`` outside of a CI system or if the address is no plain one."""
    for template in _TEMPLATES:
        if all(environment.get(name) for name in _NAME.findall(template)):
            url = _NAME.sub(lambda found: environment[found[1]].replace(" ", "%20"), template)
            return url if _SAFE.fullmatch(url) else None
    return None
