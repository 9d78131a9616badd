"""How Sphinx builds the documentation: ``sphinx-build -W docs build/docs``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docs.generated import expanded
from reconciler import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "clearml-reconciler"
release = version = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"clearml-reconciler {release}"
html_copy_source = False
html_show_copyright = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # what commands print is no shell


def _prepare(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the generated tables where a page asks for them, and let links to files outside of docs/ be downloads."""
    folder = (Path(app.srcdir) / page).parent

    def link(found: re.Match[str]) -> str:
        outside = not (folder / found[1]).resolve().is_relative_to(app.srcdir)
        return f"](path:{found[1]})" if outside else found[0]

    source[0] = re.sub(r"\]\(([\w./-]+\.md)\)", link, expanded(source[0]))


def setup(app: Sphinx) -> None:
    """Have every page prepared before it is read."""
    app.connect("source-read", _prepare)
