"""How a removal and a creation that look like one rename are asked about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler.model.text import harmless
from reconciler.plan.possible_renames import Likeness
from reconciler.views.sentences import kind_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.plan.possible_renames import PossibleRename

_WORDS: Final = {
    Likeness.MEMBERS: "the same people and accounts",
    Likeness.DOCUMENT: "the same document",
    Likeness.CREDENTIALS: "the same credentials",
    Likeness.USES: "the same groups and access rules",
    Likeness.CONTENT: "the same content",
}


def rename_question(rename: PossibleRename, show: Callable[[str], str] = harmless) -> str:
    """Ask whether it is one, and say what to write then; ``show`` makes names fit for where they stand."""
    common = " and ".join(_WORDS[likeness] for likeness in rename.likeness)
    of = f" of {show(rename.owner)}" if rename.owner is not None else ""
    at = f" at {show(rename.place)}" if rename.place is not None else ""
    return (
        f"is {kind_name(rename.kind)} {show(rename.new)}{of} the former {show(rename.old)} ({common})? "
        f"Then write {show(f'was: {_value(rename.old)}')}{at}, and it is renamed instead of removed and created again"
    )


def _value(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else json.dumps(name, ensure_ascii=False)
