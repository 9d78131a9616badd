"""What cannot be adopted."""

from __future__ import annotations


class LeftError(Exception):
    """A difference cannot be carried over into the files; the message says why."""
