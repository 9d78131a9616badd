"""Lets ``python -m reconciler`` stand for the ``reconciler`` command."""

from reconciler.cli.main import main

main()
