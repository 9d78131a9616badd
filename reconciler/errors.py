"""Every error that a user can meet, each with its exit code.

The command line turns these into text on stderr and an exit code; no other module prints or exits. A message says
what is wrong; ``hint`` says what to do about it.

The values here and in the console are named tuples, since every start of the program pays for what they need.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ExitCode(IntEnum):
    """The documented exit codes; the same for every command and output format, never a count."""

    DONE = 0
    INTERNAL_ERROR = 1
    DIFFERENCES = 2
    INVALID_DECLARATION = 3
    REFUSED = 4
    STALE_PLAN = 5
    PARTLY_DONE = 6
    SERVER = 7
    USAGE = 64
    INTERRUPTED = 130


EXIT_CODES: Final = {
    ExitCode.DONE: "done, or nothing to do",
    ExitCode.INTERNAL_ERROR: "internal error",
    ExitCode.DIFFERENCES: "something differs: `plan --detailed-exitcode`, `drift`; `adopt` left something; "
    "`fmt --check` would change a file",
    ExitCode.INVALID_DECLARATION: "the declaration is invalid, or a secret that it names is unavailable",
    ExitCode.REFUSED: "refused by a guard, the check of the states in between, the lock of another run, or a record "
    "that cannot be trusted; nothing was changed",
    ExitCode.STALE_PLAN: "the saved plan is stale, damaged or altered; nothing was changed",
    ExitCode.PARTLY_DONE: "partly done, or not yet as declared; run it again",
    ExitCode.SERVER: "the server: sign-in failed, unreachable, an incomplete read, or an answer that does not fit",
    ExitCode.USAGE: "wrong usage",
    ExitCode.INTERRUPTED: "interrupted, or a confirmation was declined",
}
"""What each exit code means, for the documentation."""


class Severity(StrEnum):
    """How much a problem matters: an error stops the command, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


def shown_path(path: str) -> str:
    """Return a path as messages name it: as it is if it is plain, else quoted like a string of JSON.

    A line of output may begin with a path, and one that begins with ``::`` is a command to a runner of GitHub.
    """
    if path.isprintable() and path == path.strip() and "::" not in path and not path.startswith(("#", '"')):
        return path
    import json

    return json.dumps(path)


class Place(NamedTuple):
    """A position in a file: the path as the user would type it, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.line_text}:{self.column}"

    @property
    def line_text(self) -> str:
        """The file and the line, without the column."""
        return f"{shown_path(self.file)}:{self.line}"


class Problem(NamedTuple):
    """One thing that is wrong with a declaration: which rule, where, what, and what to do."""

    rule: str
    message: str
    place: Place | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR


class SourceError(Exception):
    """A file cannot be read, or its text cannot be understood; ``problem`` says why."""

    def __init__(self, rule: str, message: str, place: Place, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(rule, message, place, hint)


class ReconcilerError(Exception):
    """The root of everything that this project raises on purpose."""

    exit_code: ExitCode = ExitCode.INTERNAL_ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReconcilerError):
    """The command was called in a way that cannot work."""

    exit_code = ExitCode.USAGE


class UnknownPrincipalError(UsageError):
    """Nobody has the name that was asked for, or two have."""


class InvalidDeclarationError(ReconcilerError):
    """The declaration has errors; ``problems`` holds all of them, warnings included.

    ``excerpts`` holds the lines at their places that may be shown (never a vault document's).
    """

    exit_code = ExitCode.INVALID_DECLARATION

    def __init__(self, problems: Sequence[Problem], *, excerpts: Mapping[Place, str] | None = None) -> None:
        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        super().__init__(f"the declaration has {errors} error{'' if errors == 1 else 's'}")
        self.problems = tuple(problems)
        self.excerpts = dict(excerpts or {})


class SecretUnavailableError(ReconcilerError):
    """A declared secret could not be read from where the declaration says it is."""

    exit_code = ExitCode.INVALID_DECLARATION


class RefusedError(ReconcilerError):
    """A guard stopped the plan before its first write."""

    exit_code = ExitCode.REFUSED


class StalePlanError(ReconcilerError):
    """A saved plan no longer fits the declaration or the workspace."""

    exit_code = ExitCode.STALE_PLAN


class PlanFileError(ReconcilerError):
    """A saved plan cannot be read, has another version, or was altered."""

    exit_code = ExitCode.STALE_PLAN


class ServerError(ReconcilerError):
    """Anything that went wrong between us and the ClearML server."""

    exit_code = ExitCode.SERVER


class SignInError(ServerError):
    """The server does not accept the credentials, or none were given."""


class UnreachableError(ServerError):
    """No usable answer: refused connection, unknown host, time-out, or an answer cut short."""


class AnswerLostError(UnreachableError):
    """A write was sent and its answer never came: it may or may not have happened."""


class UnexpectedAnswerError(ServerError):
    """The server answered something that the API reference does not allow."""


class IncompleteReadError(ServerError):
    """A list could not be read to its end, so nothing may be concluded from it."""


class AmbiguousWorkspaceError(ServerError):
    """Several live resources answer to one name, so that nobody can tell which of them is meant."""


class ImpersonationLostError(ServerError):
    """A call that was made for a service account was answered for somebody else."""


class OpenSourceServerError(ServerError):
    """The server is the open-source one, which has no groups, vaults or service accounts."""


class CallRefusedError(ServerError):
    """The server refused a call and said why.

    ``code`` and ``subcode`` are the envelope's ``result_code`` and ``result_subcode``.
    """

    def __init__(self, endpoint: str, code: int, subcode: int, server_message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{endpoint}: the server refused ({code}/{subcode}): {server_message}", hint=hint)
        self.endpoint = endpoint
        self.code = code
        self.subcode = subcode
        self.server_message = server_message


class DeliveryError(ReconcilerError):
    """A new secret key could not be handed to where it belongs."""

    exit_code = ExitCode.PARTLY_DONE


class RecordError(ReconcilerError):
    """The record of past runs cannot be read, trusted or written; before the first write that stops a run."""

    exit_code = ExitCode.REFUSED


class RecordUnavailableError(RecordError):
    """The object store that holds the record cannot be reached, or refuses the credentials."""

    exit_code = ExitCode.SERVER


class LockedError(ReconcilerError):
    """Another run holds the workspace's lock."""

    exit_code = ExitCode.REFUSED
