"""Which server to talk to, and with whose credentials.

Credentials follow ClearML's own precedence (``clearml.backend_api.session.Session``), each value by itself: command
line, then environment (``CLEARML_AUTH_TOKEN`` before the key pair), then the configuration file
(``CLEARML_CONFIG_FILE`` or ``~/clearml.conf``, read only if something is still missing). An empty value counts as
absent, and the older ``TRAINS_…`` names work.

The server is stricter than that. ``--server`` always wins; otherwise the declaration names it, and an environment or
configuration file that names another one is refused, so that an apply never reaches a workspace by accident and a
key is never sent to a server that it does not belong to. Only a declaration that names no server leaves the choice to
the environment and the file; there is no default. In CI a declaration alone is not enough, nor for a sandbox
(``sandbox:FILE``), which would otherwise make a real server look in sync.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.clearml.conf import ConfFile, read_conf
from reconciler.errors import SignInError, UsageError
from reconciler.frozen import Frozen
from reconciler.model.secret import Secret, is_key
from reconciler.model.text import harmless, is_harmless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HOST = ("CLEARML_API_HOST", "TRAINS_API_HOST")
ACCESS_KEY = ("CLEARML_API_ACCESS_KEY", "TRAINS_API_ACCESS_KEY")
SECRET_KEY = ("CLEARML_API_SECRET_KEY", "TRAINS_API_SECRET_KEY")
AUTH_TOKEN = ("CLEARML_AUTH_TOKEN",)

_CI_SYSTEMS = ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "BITBUCKET_BUILD_NUMBER")

_DEFAULT_PORTS = {"http": 80, "https": 443}


class ConnectionSettings(Frozen):
    """A server and what to sign in with: a key pair, or a ready ``token`` (which cannot be renewed once refused).

    ``source`` says where the credentials come from, for messages.
    """

    server: str
    access_key: str | None = None
    secret_key: Secret | None = None
    source: str = "the caller"
    token: Secret | None = None


class _Setting(Frozen):
    value: str
    source: str


def find_settings(
    *,
    server: str | None,
    access_key: str | None,
    secret_key: str | None,
    declared_server: str | None,
    environ: Mapping[str, str],
    home: Path,
    allow_http: bool = False,
) -> ConnectionSettings:
    """Find server and credentials. ``server``, ``access_key`` and ``secret_key`` are the command line's.

    Raises :class:`UsageError` for a server that is missing, malformed, insecure or contradicted, and
    :class:`SignInError` where no credentials are found.
    """
    key = _given("--access-key", access_key) or _from_environment(environ, ACCESS_KEY)
    secret = _given("--secret-key", secret_key) or _from_environment(environ, SECRET_KEY)
    flagged = bool(_given("", access_key) or _given("", secret_key))
    token = None if flagged else _from_environment(environ, AUTH_TOKEN)
    wants_keys = token is None and (key is None or secret is None)
    wants_server = not (_given("", server) or _given("", declared_server) or _from_environment(environ, HOST))
    conf = read_conf(environ, home) if wants_keys or wants_server else None
    if conf is not None:
        key = key or _given(conf.name, conf.access_key)
        secret = secret or _given(conf.name, conf.secret_key)
    uses_conf = token is None and conf is not None and conf.name in {found.source for found in (key, secret) if found}
    address = _server(server, declared_server, environ, conf, uses_conf=uses_conf)
    url = server_address(address.value, allow_http=allow_http, source=address.source)
    if token is not None:
        if not is_key(token.value):
            raise _unsendable(token)
        return ConnectionSettings(url, source=token.source, token=Secret(token.value))
    if key is None or secret is None:
        raise _no_credentials(key, secret, conf.found if conf else "")
    for found in (key, secret):
        if any("\ud800" <= char <= "\udfff" for char in found.value):
            raise _unsendable(found)
    source = " and ".join(dict.fromkeys((key.source, secret.source)))
    return ConnectionSettings(url, key.value, Secret(secret.value), source)


def _server(
    flag: str | None, declared: str | None, environ: Mapping[str, str], conf: ConfFile | None, *, uses_conf: bool
) -> _Setting:
    chosen = _given("--server", flag)
    if chosen is not None:
        return chosen
    variable = _from_environment(environ, HOST)
    file = _given(conf.name, conf.server) if conf is not None else None
    chosen = _given("the declaration", declared)
    if chosen is None:
        found = variable or file
        if found is None:
            raise UsageError(
                "no server is configured", hint=f"set workspace.server in the declaration, {HOST[0]}, or give --server"
            )
        return found
    pins = [pin for pin in (variable, file if uses_conf else None) if pin is not None]
    _check_pinned(chosen, pins, environ)
    return chosen


def check_declared_sandbox(declared: str, environ: Mapping[str, str]) -> None:
    """Hold a sandbox that a declaration names against the environment, like any other server.

    Raises :class:`UsageError` if the environment names another server, and in CI if it names none and has a key.
    """
    variable = _from_environment(environ, HOST)
    pins = [] if variable is None else [variable]
    has_key = any(_from_environment(environ, names) for names in (ACCESS_KEY, SECRET_KEY, AUTH_TOKEN))
    _check_pinned(_Setting(declared, "the declaration"), pins, environ if has_key else {})


def _check_pinned(declared: _Setting, pins: Sequence[_Setting], environ: Mapping[str, str]) -> None:
    """Make sure that nothing names another server than the declaration does, and in CI that something names the same.

    Whoever opens a pull request writes the declaration; in CI nobody looks before the key is sent.
    """
    for pin in pins:
        if _comparable(pin.value) != _comparable(declared.value):
            raise UsageError(
                f"the declaration names the server {_displayed(declared.value)}, "
                f"but {pin.source} names {_displayed(pin.value)}",
                hint="make them agree, or choose one with --server",
            )
    if not pins and in_ci(environ):
        raise UsageError(
            f"only the declaration names the server {_displayed(declared.value)}; in CI that is not enough, since a "
            "pull request could name another one and get the key",
            hint=f"set {HOST[0]} in the job, or pass --server",
        )


def in_ci(environ: Mapping[str, str]) -> bool:
    """Return whether a CI system runs this: ``CI`` is set, or what the systems set that do not set it."""
    if any(environ.get(name) for name in _CI_SYSTEMS):
        return True
    return environ.get("CI", "").lower() not in ("", "0", "false", "no")


def _given(source: str, value: str | None) -> _Setting | None:
    return _Setting(value.strip(), source) if value and value.strip() else None


def _from_environment(environ: Mapping[str, str], names: tuple[str, ...]) -> _Setting | None:
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            return _Setting(value, name)
    return None


def _no_credentials(key: _Setting | None, secret: _Setting | None, conf: str) -> SignInError:
    what = "there are no credentials to sign in with"
    if key is not None:
        what = f"there is an access key (from {key.source}), but no secret key"
    elif secret is not None:
        what = f"there is a secret key (from {secret.source}), but no access key"
    places = f"--access-key and --secret-key, {ACCESS_KEY[0]} and {SECRET_KEY[0]}, {AUTH_TOKEN[0]}, {conf}"
    return SignInError(f"{what}; looked in {places}", hint="create a key pair in the ClearML web page and set both")


def _unsendable(found: _Setting) -> SignInError:
    return SignInError(f"the credential from {found.source} contains characters that a credential cannot have")


def server_address(text: str, *, allow_http: bool = False, source: str = "--server") -> str:
    """Return an API server's address in the form that calls are appended to; a path such as ``/api`` is kept.

    Refuses what is not a plain http or https address, and ``http://`` to anything but this very machine.
    """
    if not text or not is_harmless(text) or " " in text or "\\" in text:
        raise UsageError(f"the server address from {source} is not a URL: {_displayed(text)}")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:
        raise UsageError(f"the server address from {source} is not a URL: {_displayed(text)}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"the server address from {source} contains a user name or password",
            hint="give the credentials with --access-key and --secret-key, or in the environment",
        )
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise UsageError(
            f"the server address from {source} is not a URL: {_displayed(text)}",
            hint="for example https://api.clear.ml",
        )
    if parts.query or parts.fragment:
        raise UsageError(f"the server address from {source} has more than a host and a path: {_displayed(text)}")
    if parts.scheme == "http" and not (allow_http or is_loopback(host)):
        raise UsageError(
            f"{_displayed(text)} is not encrypted, so the credentials could be read in transit",
            hint="use https, or --allow-http if the network in between is trusted",
        )
    name = f"[{host}]" if ":" in host else host
    shown_port = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{name}{shown_port}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this very machine.

    A name below ``localhost`` does not count: unlike browsers, the resolvers of many systems ask the network for it.
    """
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _comparable(text: str) -> str:
    try:
        return server_address(text, allow_http=True)
    except UsageError:
        return text


def _displayed(text: str) -> str:
    shortened = text.rpartition("@")[2][:200]
    return repr(harmless(shortened))
