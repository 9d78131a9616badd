"""The option that writes other forms of a result into files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from reconciler.cli.options import Command

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
