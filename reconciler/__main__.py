"""Lets ``python -m reconciler`` stand for the ``reconciler`` command."""

import sys
from pathlib import Path

# Python looks for modules in the working folder first. That may be the checkout of a pull request with a ``click.py``.
if not sys.flags.safe_path and sys.path and sys.path[0] in ("", str(Path.cwd())):
    del sys.path[0]

from reconciler.cli.main import main

main()
