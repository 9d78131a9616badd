"""Which names say that what they name is a secret, however their words are separated.

``api-key``, ``X-Api-Key``, ``apiKey`` and ``API_KEY`` are one name. It is a second net: what is shown is decided first
by where a value comes from (:mod:`reconciler.vaults.showing`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LONGEST = 300
"""Of a longer name only so much at each end is looked at."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")

_ANYWHERE = re.compile(
    r"secret|passw|passphrase|passcode|pswd|pwd|token(?!i[sz])|credential|kennwort|motdepasse|contrasena"
    r"|netrc|pgpass|keytab|kubeconfig|dockerconfig|connectionstring|connstr|webhook"
    r"|(?:api|access|account|private|signing|signature|encryption|ssh|master|auth|shared|deploy|license)keys?"
)
"""Searched in the name without separators, in lower case."""

_TEXT_TOKENS = re.compile(
    r"(?:max|min|num|eos|bos|pad|unk|mask|sep|cls|stop|special|total|prompt|completion)(?:new|input|output)?tokens?"
)
"""The tokens that language models count."""

_WORDS = frozenset(
    {
        "authorization",
        "bearer",
        "cookie",
        "cookies",
        "dsn",
        "jwt",
        "otp",
        "pass",
        "pat",
        "pem",
        "psk",
        "pw",
        "sas",
        "totp",
    }
)
_LAST_WORDS = frozenset({"auth", "creds", "cred", "sig"})
"""Secret only at the end of a name: ``_auth`` is, ``auth_server`` is not."""

_NO_PASSWORD = frozenset(
    {"bypass", "compass", "encompass", "multipass", "overpass", "surpass", "trespass", "underpass"}
)
_PASSING = frozenset({"through", "thru", "on"})

_OPEN_KEYS = frozenset(
    {
        "cache",
        "config",
        "dict",
        "extra",
        "foreign",
        "group",
        "hot",
        "index",
        "label",
        "lookup",
        "map",
        "metric",
        "object",
    }
    | {"partition", "primary", "public", "pub", "routing", "shard", "sort", "sorting", "unique"}
)
"""What a key is called that opens nothing: ``sort_key``, ``public_key``. Every other ``…_key`` is one."""

_ABOUT = frozenset(
    {"count", "dir", "env", "expiration", "expires", "file", "folder", "length", "limit", "name", "path", "prompt"}
    | {"sec", "seconds", "size", "stdin", "timeout", "ttl", "type"}
)


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Return whether a name says that its value is a secret."""
    words = words_of(name)
    if not words:
        return False
    if _ANYWHERE.search(_TEXT_TOKENS.sub("", "".join(words))) or words[-1] in _LAST_WORDS:
        return True
    if len(words) > 1 and words[-1] in {"key", "keys"} and words[-2] not in _OPEN_KEYS:
        return True
    return any(_is_secret_word(word, following) for word, following in zip(words, (*words[1:], ""), strict=True))


@lru_cache(maxsize=8192)
def speaks_about_secret(name: str) -> bool:
    """Return whether a name with a secret word in it means a fact about a secret, or its place: ``--password-file``."""
    words = words_of(name)
    return bool(words) and (words[-1] in _ABOUT or words[0] in {"no", "ask"})


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: of ``X-ApiKey`` they are ``x``, ``api``, ``key``."""
    if len(name) > 2 * _LONGEST:
        name = f"{name[:_LONGEST]} {name[-_LONGEST:]}"
    return tuple(word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", name)))


def _is_secret_word(word: str, following: str) -> bool:
    if word in _WORDS:
        return not (word == "pass" and following in _PASSING)
    return word.endswith("pass") and word not in _NO_PASSWORD
