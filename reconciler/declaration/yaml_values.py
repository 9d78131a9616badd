"""Plain values of YAML: copied, and compared with their types."""

from __future__ import annotations

from typing import Any


def plain_copy(value: Any) -> Any:
    """Return a deep copy of plain values."""
    if isinstance(value, dict):
        return {key: plain_copy(item) for key, item in value.items()}
    return [plain_copy(item) for item in value] if isinstance(value, list) else value


def same_values(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, types included; the order of keys does not matter."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_values(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_values, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124  (not a number)
