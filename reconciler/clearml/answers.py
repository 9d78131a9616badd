"""One HTTP answer → the data of its envelope, or what is wrong with it.

Source: ``docs/explanation/clearml-wire.md, Envelope``.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from reconciler.clearml.decode import MisfitError, NotJsonError, TooManyValuesError, decoded, misfits, salvaged
from reconciler.clearml.failures import Failure, shown
from reconciler.clearml.retrying import asked_wait
from reconciler.errors import CallRefusedError, SignInError, UnexpectedAnswerError, UnreachableError
from reconciler.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.secret import Secret

_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{0,200})", re.IGNORECASE)
_HEAD = 64 * 1024
"""How much of a web page (bytes) is looked at for its title."""
_ADDRESS_HINT = "check that the server is the address of the API server, not of the web page"
_NEVER = frozenset({501, 505})
"""What a server fails with that does not know the method or the protocol: it will not, however often it is asked."""

_QUOTABLE = re.compile(r"[^\s\"'`=:,;{}\[\]()]{4,}")


Data = TypeVar("Data")


class Reply(Frozen):
    """An HTTP answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Context(Frozen):
    """What an answer is judged with: the call, who made it, and what must never be repeated in a message."""

    endpoint: str
    server: str
    source: str
    role: str | None
    now: float
    secrets: tuple[Secret | None, ...] = ()
    document: Secret | None = None

    def words(self, text: str) -> str:
        """Return the server's words, fit to be shown; not at all if they quote the document that was sent."""
        if self.document is not None:
            sent = set(_QUOTABLE.findall(self.document.reveal()))
            if any(word in text for word in sent):
                return "(not shown: it quotes the document)"
        return shown(text, *self.secrets)


class _Envelope(Frozen, Generic[Data]):
    meta: dict[str, object]
    data: Data


class _Told(Frozen):
    """What there is of an envelope in the answer of a server that failed."""

    meta: dict[str, object]


class _Misfit(Frozen):
    """An envelope with data of another form than the one that was asked for, as in every refusal."""

    meta: Mapping[str, object]
    data: object


def data_of(reply: Reply, context: Context, form: type[Data]) -> Data:
    """Return the data of a successful answer in the form that was asked for; raise :class:`Failure` for every other."""
    status = reply.status
    if status == 429:
        raise Failure(
            UnreachableError(f"{context.endpoint}: the server asks to slow down (429)"),
            repeat=True,
            after=asked_wait(reply.headers, context.now),
        )
    if status >= 500 or status == 408:
        raise _server_failed(reply, context)
    if 300 <= status < 400:
        raise _redirected(reply, context)
    envelope = _envelope(reply, context, form)
    code = envelope.meta.get("result_code")
    if code not in (None, status, str(status)) or isinstance(code, bool):  # what is not told, the HTTP status says
        raise _unexpected(context, f"HTTP status {status}, but result_code {shown(json.dumps(code), limit=40)}")
    if status == 200:
        return _salvaged(envelope, context, form) if isinstance(envelope, _Misfit) else envelope.data
    if status < 400:
        raise _unexpected(context, f"HTTP status {status}, where only 200 means success")
    raise _refused(status, envelope.meta, context)


def _refused(status: int, meta: Mapping[str, object], context: Context) -> Failure:
    number, text = meta.get("result_subcode"), meta.get("result_msg")
    subcode = number if isinstance(number, int) and not isinstance(number, bool) else 0
    words = context.words(text) if isinstance(text, str) else "no reason given"
    if status == 401 and subcode != 1:
        return Failure(
            SignInError(
                f"{context.server} does not accept the credentials from {context.source} (401/{subcode}): {words}",
                hint="check the access key and the secret key, and that they were created on this server",
            )
        )
    hint = None
    if status in (401, 403):
        role = f"these have the role {shown(context.role, limit=40)}" if context.role else "these are not an admin's"
        hint = f"the credentials of a workspace admin are needed; {role}"
    elif status == 404 and subcode == 0:
        hint = f"this server has no {context.endpoint}: its version or its edition does not offer it"
    return Failure(CallRefusedError(context.endpoint, status, subcode, words, hint=hint))


def _server_failed(reply: Reply, context: Context) -> Failure:
    try:
        text = decoded(reply.body, _Told).meta.get("result_msg")
    except ValueError:
        text = None
    words = f": {context.words(text)}" if isinstance(text, str) and text else ""
    if reply.status in _NEVER:
        message = f"{context.endpoint}: {context.server} does not do this (HTTP status {reply.status}){words}"
        return Failure(UnreachableError(message, hint=_ADDRESS_HINT))
    return Failure(
        UnreachableError(f"{context.endpoint}: the server failed (HTTP status {reply.status}){words}"),
        maybe_done=True,
        repeat=True,
        after=asked_wait(reply.headers, context.now),
    )


def _redirected(reply: Reply, context: Context) -> Failure:
    where = shown(reply.headers.get("location", "nowhere"), *context.secrets, limit=200)
    return Failure(
        UnexpectedAnswerError(
            f"{context.endpoint}: the server answers with a redirect to {where}, which is never followed",
            hint=f"credentials go only to the address that was given; {_ADDRESS_HINT}",
        )
    )


def _envelope(reply: Reply, context: Context, form: type[Data]) -> _Envelope[Data] | _Misfit:
    try:
        return decoded(reply.body, _Envelope[form])  # type: ignore[valid-type]
    except TooManyValuesError:
        raise _unexpected(context, "JSON of far more values than an answer has") from None
    except NotJsonError:
        raise _unreadable(reply, context) from None
    except MisfitError as error:
        plain = error.plain
    if not isinstance(plain, dict) or not isinstance(plain.get("meta"), dict):
        raise _unexpected(
            context,
            f"HTTP status {reply.status} with JSON that is not ClearML's envelope",
            maybe_done=reply.status < 400,
        )
    return _Misfit(plain["meta"], plain.get("data"))


def _salvaged(envelope: _Misfit, context: Context, form: type[Data]) -> Data:
    """Return what can be read of an answer of another form, if that can be done without."""
    if isinstance(envelope.data, dict):
        with suppress(MisfitError):
            return salvaged(envelope.data, form)
    raise _misfit(envelope, context, form)


def _misfit(envelope: _Misfit, context: Context, form: type[Data]) -> Failure:
    if not isinstance(envelope.data, dict):
        return _unexpected(context, "a successful answer without data")
    sentence = shown(next(misfits(envelope.data, form, "data")))
    return Failure(UnexpectedAnswerError(f"{context.endpoint}: the answer's {sentence}"), maybe_done=True)


def _unreadable(reply: Reply, context: Context) -> Failure:
    body = reply.body.lstrip()
    maybe_done = reply.status < 400
    if body.startswith(b"<"):
        found = _TITLE.search(body[:_HEAD])
        title = shown(found.group(1).decode("utf-8", "replace").strip(), *context.secrets, limit=80) if found else ""
        page = f"a web page{f' ({title})' if title else ''} instead of JSON"
        return _unexpected(
            context, f"HTTP status {reply.status} with {page}", maybe_done=maybe_done, hint=_ADDRESS_HINT
        )
    if maybe_done and (not body or body.startswith(b"{")):
        return _unexpected(context, "an answer that is cut short or not JSON", repeat=True)
    packed = reply.headers.get("content-encoding")
    what = f"something packed as {shown(packed, limit=40)}" if packed else "something that is not JSON"
    return _unexpected(
        context,
        f"HTTP status {reply.status} with {what}",
        maybe_done=maybe_done,
        hint=_ADDRESS_HINT,
    )


def _unexpected(
    context: Context, what: str, *, maybe_done: bool = True, repeat: bool = False, hint: str | None = None
) -> Failure:
    error = UnexpectedAnswerError(f"{context.endpoint}: {context.server} answers {what}", hint=hint)
    return Failure(error, maybe_done=maybe_done, repeat=repeat)
