from __future__ import annotations

import pytest

from tests.adopt.acme import acme_project
from tests.support.project import Project


@pytest.fixture
def acme(project: Project) -> Project:
    """A converged workspace whose files have comments, styles and several places."""
    return acme_project(project)
