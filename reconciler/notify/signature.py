"""Signed webhooks as https://www.standardwebhooks.com says, for which receivers have libraries in most languages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.model.secret import Secret

_PREFIX = "whsec_"


def signature_headers(body: bytes, secret: Secret | None, now: datetime) -> dict[str, str]:
    """Return the headers that identify a message and, with a secret, prove where it comes from and when it was sent.

    The signature is HMAC-SHA256 over ``id.timestamp.body``, in base64. A message that is sent again keeps its id.
    """
    identifier = f"msg_{hashlib.sha256(body).hexdigest()[:32]}"
    timestamp = str(int(now.timestamp()))
    headers = {"webhook-id": identifier, "webhook-timestamp": timestamp}
    if secret is not None:
        signed = f"{identifier}.{timestamp}.".encode() + body
        digest = hmac.digest(_key(secret), signed, "sha256")
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def _key(secret: Secret) -> bytes:
    """Return the key: what follows ``whsec_`` in base64, or the text as it is."""
    text = secret.reveal()
    if text.startswith(_PREFIX):
        try:
            return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return text.encode()
