"""Other services (mail, Discord, Telegram, PagerDuty and many more) through Apprise, where it is installed."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from reconciler.clearml.settings import is_loopback
from reconciler.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from reconciler.notify.target import Target
    from reconciler.world import InThread


def check(target: Target) -> None:
    """Find out whether the library knows the address and sends to it protected.

    Raises :class:`UsageError`, which never shows the address.
    """
    service = _service(target)
    secure = service.secure_protocol or ()
    schemes = (secure,) if isinstance(secure, str) else tuple(secure)
    scheme = target.url.reveal().partition("://")[0].lower()
    local = is_loopback(str(getattr(service, "host", "") or ""))
    if scheme not in schemes and not service.secure and not local:
        also = f"use {schemes[0]}://" if schemes else None
        raise UsageError(f"--notify: {target.shown} would send it unprotected", hint=also)


async def send(target: Target, title: str, body: str, in_thread: InThread) -> None:
    """Send a message. Raises :class:`UnreachableError`, which never shows the address."""
    service = _service(target)
    try:
        done = await in_thread(lambda: service.notify(title=title, body=body))
    except Exception as error:  # noqa: BLE001 - whatever a service of the library raises
        raise UnreachableError(f"{target.shown} could not be notified: {type(error).__name__}") from None
    if not done:
        raise UnreachableError(f"{target.shown} could not be notified: the service did not accept it")


def _service(target: Target) -> Any:
    try:
        with warnings.catch_warnings():
            # What its many services are built with is not ours to mend.
            warnings.simplefilter("ignore", DeprecationWarning)
            import apprise
    except ImportError:
        raise UsageError(
            f"--notify {target.shown} needs an extra package", hint="pip install 'clearml-reconciler[notify]'"
        ) from None
    # It would write addresses, and the tokens in them, on stderr.
    log = logging.getLogger("apprise")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        service = apprise.Apprise.instantiate(target.url.reveal())
    if service is None:
        raise UsageError(
            f"--notify: {target.shown} is no address that can be used", hint="https://appriseit.com lists what there is"
        )
    return service
