"""Results in files: other forms of one result, and the summary of a workflow's step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from reconciler.cli.options import Command
    from reconciler.commands.session import Session

    Form = TypeVar("Form", bound=StrEnum)


def write_option(forms: type[Form]) -> Callable[[Command], Command]:
    """Return the option that names files for forms of the result, as pairs of a form and a path."""

    def read(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[Form, Path], ...]:
        return tuple(_form_and_file(forms, value) for value in values)

    return click.option(
        "--write",
        multiple=True,
        callback=read,
        metavar="FORM=FILE",
        help=f"Also write a form into a file: {', '.join(forms)}. May be given more than once.",
    )


def _form_and_file(forms: type[Form], value: str) -> tuple[Form, Path]:
    form, _, path = value.partition("=")
    if form not in tuple(forms) or not path:
        raise click.BadParameter(f"must be FORM=FILE, and FORM one of {', '.join(forms)}")
    return forms(form), Path(path)


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
