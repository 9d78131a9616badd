"""A call's fields, read with the checks that the server makes: a wrong or missing one is 400/12."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.errors import ApiError, Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Fields:
    """Typed access to the fields of a call. ``null`` counts as absent; unknown fields are never looked at."""

    def __init__(self, values: Mapping[str, object], where: str = "") -> None:
        self._values = values
        self._where = where

    def has(self, name: str) -> bool:
        """Return whether the field was given."""
        return self._values.get(name) is not None

    def is_null(self, name: str) -> bool:
        """Return whether the field was given as ``null``, where that means something else than leaving it out."""
        return name in self._values and self._values[name] is None

    def text(self, name: str) -> str | None:
        """Return a text, or ``None`` if it was not given."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(name, "a string")

    def required_text(self, name: str) -> str:
        """Return a text that must be given and hold something."""
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        if not value.strip():
            raise self._wrong(name, "a string that is not empty")
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """Return one of some texts, or ``None``."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise self._wrong(name, "one of " + ", ".join(allowed))
        return value

    def required_choice(self, name: str, allowed: Collection[str]) -> str:
        """Return one of some texts, which must be given."""
        value = self.choice(name, allowed)
        if value is None:
            raise self.missing(name)
        return value

    def integer(self, name: str, minimum: int) -> int | None:
        """Return a whole number of at least ``minimum`` (and one that 31 bits hold), or ``None``."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value < 2**31:
            raise self._wrong(name, f"a number of at least {minimum}")
        return value

    def raw(self, name: str) -> object:
        """Return a field as it was given, or ``None``."""
        return self._values.get(name)

    def section(self, name: str) -> Fields | None:
        """Return the fields of an object, or ``None``."""
        return self.required_section(name) if self.has(name) else None

    def values(self) -> Mapping[str, object]:
        """Return all fields as they were given."""
        return self._values

    def flag(self, name: str) -> bool | None:
        """Return a boolean, or ``None``; the words true and false are taken too, as a query can hold no other."""
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        raise self._wrong(name, "true or false")

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts without repetitions, or ``None``; a single value is not a list."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of strings")
        return list(dict.fromkeys(value))

    def filter_texts(self, name: str) -> list[str] | None:
        """Return what a list is filtered or ordered by, or ``None``: a single value will do there, as was seen."""
        value = self._values.get(name)
        return [value] if isinstance(value, str) else self.texts(name)

    def required_texts(self, name: str) -> list[str]:
        """Return a list of texts, which must be given and may be empty."""
        value = self.texts(name)
        if value is None:
            raise self.missing(name)
        return value

    def required_section(self, name: str) -> Fields:
        """Return the fields of an object, which must be given."""
        value = self._values.get(name)
        if value is None:
            raise self.missing(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value, f"{self._where}{name}.")

    def missing(self, name: str) -> ApiError:
        """Return the error for a field that must be given and was not."""
        return ApiError(Fault.VALIDATION, f"Field {self._where}{name} is required!")

    def _wrong(self, name: str, expected: str) -> ApiError:
        return ApiError(Fault.VALIDATION, f"Field {self._where}{name} must be {expected}")
