"""What can go wrong: errors for whoever embeds the sandbox, and faults that a client is answered."""

from __future__ import annotations

from enum import Enum


class SandboxError(Exception):
    """The root of the errors that reach whoever embeds the sandbox."""


class NotInvitedError(SandboxError):
    """Someone who has no pending invitation tried to sign in for the first time."""


class Fault(Enum):
    """The errors of the API: status (also ``result_code``), subcode, and the text that opens the message."""

    BAD_REQUEST = (400, 0, "Invalid request")
    NOT_SUPPORTED = (400, 1, "Feature not supported")
    INVALID_HEADERS = (400, 5, "Invalid headers")
    IMPERSONATION = (400, 6, "Impersonation error")
    INVALID_ID = (400, 10, "Invalid object id")
    VALIDATION = (400, 12, "Validation error")
    INVALID_FIELDS = (400, 14, "Invalid fields")
    BAD_VALUE = (400, 16, "Bad value")
    BAD_EMAIL = (400, 22, "Malformed email address")
    BAD_PATTERN = (400, 21, "Invalid regular expression")
    UNKNOWN_ACCESS_KEY = (400, 75, "Access key not found for user")
    NOT_YOUR_KEY = (400, 300, "Invalid user")
    INVALID_USER = (400, 301, "Invalid user id")
    PROTECTED_IDENTITY = (400, 301, "Invalid user id (protected identity)")
    BAD_USER_EMAIL = (400, 800, "Data validation error")
    NOT_UNIQUE = (400, 801, "Value combination already exists")
    BAD_SCHEME = (401, 10, "Unauthorized (bad authentication header type)")
    NO_CREDENTIALS = (401, 20, "Unauthorized (missing credentials)")
    BAD_CREDENTIALS = (401, 22, "Unauthorized (invalid credentials)")
    BAD_TOKEN = (401, 30, "Invalid token")
    ROLE = (403, 20, "Forbidden (not allowed for role)")
    NO_ACCESS = (403, 20, "Forbidden (no access)")
    NO_ENDPOINT = (404, 0, "Unable to find endpoint")
    INTERNAL = (500, 0, "General error")

    @property
    def code(self) -> int:
        """HTTP status and ``result_code``."""
        return self.value[0]

    @property
    def subcode(self) -> int:
        """The ``result_subcode``."""
        return self.value[1]

    @property
    def text(self) -> str:
        """How the message begins."""
        return self.value[2]


class ApiError(Exception):
    """A call is refused; the transaction is rolled back and the client gets the fault in an envelope."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        joint = " " if fault is Fault.NO_ENDPOINT else ": "
        super().__init__(f"{fault.text}{joint}{detail}" if detail else fault.text)
        self.fault = fault
        self.message = str(self)
