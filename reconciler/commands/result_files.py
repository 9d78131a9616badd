"""Results in files, with known secrets masked in them: forms of a result, and the summary of a workflow's step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.commands.session import Session


def write_form(session: Session, path: Path, text: str) -> None:
    """Write a result into a file, with known secrets masked in it. Raises :class:`UsageError`."""
    session.files.write(session.folder / path, session.secrets.mask_result(text))


def append_summary(session: Session, text: str) -> None:
    """Append Markdown to the summary of a workflow's step. Raises :class:`UsageError`."""
    session.files.append(summary_file(session), session.secrets.mask(text))


def summary_file(session: Session) -> Path:
    """Return the file that becomes the summary of a workflow's step; raises :class:`UsageError` outside of one."""
    path = session.environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UsageError("--step-summary needs a GitHub workflow: GITHUB_STEP_SUMMARY is not set")
    return Path(path)
