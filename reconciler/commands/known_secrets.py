"""The secrets that this run knows: masked in whatever it prints or writes, as the last safety net.

Values of fewer than four characters cannot be masked: they stand by chance in too many texts. Nothing depends on this
net; secrets are hidden by their places long before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.model.text import json_document

if TYPE_CHECKING:
    from reconciler.model.secret import Secret
    from reconciler.vaults.redactor import Redactor


class KnownSecrets:
    """Learns secrets as they come up, and masks them in plain, URL-encoded, escaped and base64 spelling.

    It is changed in the event loop, or where there is none, and never in a thread: a thread that handles a secret is
    given it after it was added here, and gets a :class:`Redactor`, which never changes.
    """

    def __init__(self) -> None:
        self._new: set[Secret] = set()
        self._redactor: Redactor | None = None

    def add(self, *secrets: Secret | None) -> None:
        """Learn values; ``None`` and empty ones are no values. Never called in a thread."""
        self._new.update(secret for secret in secrets if secret)

    def redactor(self) -> Redactor:
        """Return the net with everything in it that is known by now."""
        from reconciler.vaults.redactor import Redactor

        if self._redactor is None or self._new:
            self._redactor = (self._redactor or Redactor()).with_more(self._new)
            self._new = set()
        return self._redactor

    def mask(self, text: str) -> str:
        """Return a text with every known value replaced by a placeholder."""
        if self._redactor is None and not self._new:
            return text
        return self.redactor().mask(text)

    def mask_result(self, text: str) -> str:
        """Mask a result; a JSON document stays one: values are masked in its texts, not across its syntax."""
        masked = self.mask(text)
        if masked == text or text[:1] not in {"{", "["}:
            return masked
        import json

        try:
            value = json.loads(text)
        except ValueError:
            return masked
        return json_document(self._masked_texts(value))

    def _masked_texts(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.mask(key): self._masked_texts(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._masked_texts(item) for item in value]
        return self.mask(value) if isinstance(value, str) else value
