"""Where secrets live in ClearML configuration, and how they are kept out of sight.

Display trees are redacted, never texts: in a text a secret may be spelled in many ways. A rule about the path wins over
how harmless a value looks. The Redactor (:mod:`reconciler.vaults.redactor`) is the last net,
for known values in any outgoing text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.vaults.tree import Hidden, List, Object, Path, Scalar, Tree, leaves, texts, transform

if TYPE_CHECKING:
    from collections.abc import Collection

CLIENT_TARGET = "config"
"""The type of the vaults that the SDK and the Agent merge into their configuration."""

SSH_TARGET = "remote_session_ssh_server"
"""The type of vaults with the keys of SSH servers in remote sessions (``docs/explanation/clearml-api.md, Vaults``)."""

MONITORING_TARGET = "monitoring"
"""The type of the vaults that the newest Agents lay over everything else (``docs/explanation/vaults.md``)."""

_WORDS = re.compile(
    r"secret|passw(?:or)?d|passphrase|passwd|token|private_?key|credential|api_?key|account_?key|access_?key"
    r"|connection_?string|(?:^|_)pass$"
)
_CONTAINERS = frozenset({"credentials", "extra_credentials"})
"""Lists and objects whose name says "credential" and whose members are told apart one by one."""

_HARMLESS = frozenset(
    {"bucket", "container_name", "enable_git_ask_pass", "host", "multipart", "project", "region", "secure", "subdir"}
    | {"use_credentials_chain", "verify", "account_name", "url", "user", "username", "profile"}
)
_SUBTREES = frozenset({"environment"})
_DOCKER = re.compile(r"extra_docker_(?:shell_script|arguments)|docker_.*|default_docker")
_USER_IN_URL = re.compile(r"://[^\s/]*@")
_ASSIGNMENT = re.compile(r"""(?:^|[\s;"'=]|-e)[A-Za-z_]\w*=""")

_VALUE = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
    r"|://[^\s/@:]*:[^\s/@]+@"
    r"|://[^\s/@:]{16,}@"
    r"|\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"
    r"|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bgl[a-z]{2,5}-[\w-]{16,}"
    r"|\bxox[abeprs]-[\w-]{10,}|\bsk-[\w-]{20,}|\bhf_\w{20,}|\bnpm_\w{30,}|\bpypi-[\w-]{30,}"
    r"|\beyJ[\w-]{8,1000}\.[\w-]{8,}\.[\w-]*"
    r"|(?:AccountKey|SharedAccessSignature|sig)=[\w%+/=-]{16,}",
    re.IGNORECASE,
)


def is_secret(path: Path, target: str = CLIENT_TARGET, value: str | None = None) -> bool:
    """Tell whether what is at this path is secret, whatever it looks like.

    In vaults of other targets than the client everything is, public keys apart. ``value`` only matters where the rule
    itself speaks of it (arguments for docker): without one the answer is the careful one.
    """
    keys = [key for part in path if isinstance(part, str) for key in part.lower().split(".")]
    if not keys:
        return target != CLIENT_TARGET
    last = keys[-1]
    if target != CLIENT_TARGET:
        return "public" not in last and not last.endswith("pub")
    return _by_name(keys, last) or _by_place(keys, last, value)


def _by_name(keys: list[str], last: str) -> bool:
    if last in _HARMLESS:
        last = ""
    if any(_WORDS.search(key) for key in (*keys[:-1], last) if key not in _CONTAINERS):
        return True
    # What is not known to be harmless in a list of credentials is not shown.
    return any(key in _CONTAINERS for key in keys) and last != ""


def _by_place(keys: list[str], last: str, value: str | None) -> bool:
    if any(key in _SUBTREES for key in keys) or ("auto_scaler" in keys[:-1] and "v1" in keys):
        return True
    if "contents" in keys and "files" in keys[: keys.index("contents")]:
        return True
    if last == "key" and "s3" in keys[:-1]:
        return True
    if last == "extra_index_url":
        return value is None or bool(_USER_IN_URL.search(value)) or looks_like_secret(value)
    if "agent" in keys[:-1] and any(_DOCKER.fullmatch(key) for key in keys):
        return value is None or bool(_ASSIGNMENT.search(value))
    return False


def looks_like_secret(value: str) -> bool:
    """Tell whether a text has the shape of a key, a token, or a URL with a password in it."""
    return bool(_VALUE.search(value))


def mask_middle(value: str) -> str:
    """Return an identifying key with only its ends readable, or nothing of it if it is short."""
    return f"{value[:4]}…{value[-2:]}" if len(value) >= 16 else Hidden().text


def is_hidden(path: Path, node: Tree, target: str, reference_paths: Collection[Path] = ()) -> bool:
    """Tell whether a leaf must be hidden: by reference, by path, or by the look of any text in it."""
    if path in reference_paths:
        return True
    if isinstance(node, Hidden):
        return True
    if isinstance(node, Object | List):
        return False  # As a leaf it is empty.
    found = list(texts(node))
    value = found[0] if isinstance(node, Scalar) and found else None if found else ""
    return is_secret(path, target, value) or any(map(looks_like_secret, found))


def redact_tree(tree: Tree, target: str = CLIENT_TARGET, reference_paths: Collection[Path] = ()) -> Tree:
    """Return the tree for display: every secret leaf is a :class:`Hidden` node.

    An access key identifies without letting anybody in: its ends stay readable, unless it came from a reference.
    """

    def show(path: Path, node: Tree) -> Tree:
        if not is_hidden(path, node, target, reference_paths):
            return node
        access_key = path and isinstance(path[-1], str) and path[-1].lower() == "access_key"
        if access_key and path not in reference_paths and isinstance(node, Scalar) and isinstance(node.value, str):
            return Hidden(mask_middle(node.value))
        return Hidden()

    return transform(tree, show)


def secret_paths(tree: Tree, target: str = CLIENT_TARGET, reference_paths: Collection[Path] = ()) -> frozenset[Path]:
    """Return the paths of the leaves that must be hidden."""
    return frozenset(path for path, node in leaves(tree) if is_hidden(path, node, target, reference_paths))
