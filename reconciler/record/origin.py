"""Who makes a run, and from which commit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.record.document import Commit, Who
from reconciler.record.git import repositories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model.live import Caller
    from reconciler.world import RunProgram

# GitHub, GitLab, CircleCI, Buildkite, Jenkins, Azure Pipelines, Bitbucket.
_STARTED_BY = (
    "GITHUB_TRIGGERING_ACTOR",
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "CIRCLE_USERNAME",
    "BUILDKITE_BUILD_CREATOR",
    "BUILD_USER_ID",
    "BUILD_REQUESTEDFOR",
    "BITBUCKET_STEP_TRIGGERER_UUID",
)
_COMMITS = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "CIRCLE_SHA1",
    "BUILDKITE_COMMIT",
    "GIT_COMMIT",
    "BUILD_SOURCEVERSION",
    "BITBUCKET_COMMIT",
)
_SHA = re.compile(r"[0-9a-f]{7,64}")
_LONGEST_NAME = 200


def who_runs(caller: Caller, environ: Mapping[str, str]) -> Who:
    """Return the identity that the server knows, and the person that the CI system names."""
    user = caller.address.key[-1] if caller.address is not None else caller.user
    return Who(user=user, started_by=_first(environ, _STARTED_BY))


def commit_of(folder: Path, files: Sequence[str], environ: Mapping[str, str], run_program: RunProgram) -> Commit | None:
    """Return the commit that a declaration was checked out from, and whether its files were changed since.

    git is asked first: it knows what is really there. Where it says nothing the CI system's word counts.
    """
    repository = next(repositories(folder, environ, run_program), None)
    sha = None if repository is None else repository.head()
    if repository is not None and sha is not None and _SHA.fullmatch(sha):
        return Commit(sha=sha, dirty=repository.differs([Path(file).absolute() for file in files]))
    named = _first(environ, _COMMITS)
    return Commit(sha=named) if named is not None and _SHA.fullmatch(named) else None


def _first(environ: Mapping[str, str], names: Sequence[str]) -> str | None:
    found = next((environ[name] for name in names if environ.get(name)), None)
    return None if found is None else found[:_LONGEST_NAME]
