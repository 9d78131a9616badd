"""GitHub workflow commands, which no foreign text may break out of or forge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.text import harmless

if TYPE_CHECKING:
    from reconciler.errors import Place


def workflow_command(
    command: str, message: str, title: str, place: Place | None = None, *, column: bool = False
) -> str:
    """Return an annotation as one line: ``command`` is ``error``, ``warning`` or ``notice``."""
    properties = [f"title={_property(title)}"]
    if place is not None:
        where = [f"file={_property(place.file)}", f"line={place.line}"]
        properties = [*where, *([f"col={place.column}"] if column else []), *properties]
    return f"::{command} {','.join(properties)}::{_data(harmless(message))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(harmless(text)).replace(":", "%3A").replace(",", "%2C")
