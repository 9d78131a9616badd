"""Where secrets live in ClearML configuration, and what looks like one there.

Trees are looked at, never texts: in a text a secret may be spelled in many ways. A rule about the path wins over how
harmless a value looks. What is shown of a document is decided by :mod:`reconciler.vaults.showing`, which asks this
only for the looks; the Redactor (:mod:`reconciler.vaults.redactor`) is the last net, for known values in any outgoing
text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.vaults.looks import is_ordinary, looks_like_secret, secret_items
from reconciler.vaults.secret_names import is_secret_name
from reconciler.vaults.tree import Hidden, List, Object, Path, Scalar, Tree, children, leaves, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

CLIENT_TARGET = "config"
"""The type of the vaults that the SDK and the Agent merge into their configuration."""

SSH_TARGET = "remote_session_ssh_server"
"""The type of vaults with the keys of SSH servers in remote sessions (``docs/explanation/clearml-api.md, Vaults``)."""

MONITORING_TARGET = "monitoring"
"""The type of the vaults that the newest Agents lay over everything else (``docs/explanation/vaults.md``)."""

_CONTAINERS = frozenset({"credentials", "extra_credentials"})
"""Lists and objects whose name says "credential" and whose members are told apart one by one."""

_HARMLESS = frozenset(
    {"bucket", "container_name", "enable_git_ask_pass", "host", "multipart", "project", "region", "secure", "subdir"}
    | {"use_credentials_chain", "verify", "account_name", "url", "user", "username", "profile"}
)
_SUBTREES = frozenset({"environment"})
_DOCKER = re.compile(r"extra_docker_(?:shell_script|arguments)|docker_.*|default_docker")
_ASSIGNMENT = re.compile(r"""(?:^|[\s;"'=]|-e)[A-Za-z_]\w*=""")
_NAMING = ("name", "key", "variable", "env", "header")
_IDENTIFYING = re.compile(
    r"(?:^|[^a-z])(?:id|sha\d*|md5|commit|revision|digest|hash|checksum|task|dataset|model)(?![a-z])"
)
"""Names of what is identified by many random characters, and kept from nobody."""

_HEX = re.compile(r"(?:[a-z0-9]{1,10}:)?[0-9a-f]{32,128}", re.IGNORECASE)


def is_secret(path: Path, target: str = CLIENT_TARGET, value: str | None = None) -> bool:
    """Return whether what is at this path is secret, whatever it looks like.

    In vaults of other targets than the client everything is, public keys apart. ``value`` only matters where the rule
    itself speaks of it (arguments for docker, the environment): without one the answer is the careful one.
    """
    spelled = [key for part in path if isinstance(part, str) for key in part.split(".")]
    if not spelled:
        return target != CLIENT_TARGET
    keys = [key.lower() for key in spelled]
    last = keys[-1]
    if target != CLIENT_TARGET:
        return "public" not in last and not last.endswith("pub")
    return _by_name(spelled, keys) or _by_place(keys, last, value)


def _by_name(spelled: list[str], keys: list[str]) -> bool:
    is_harmless = keys[-1] in _HARMLESS
    named = spelled[:-1] if is_harmless else spelled
    if keys[0] == "files" and len(keys) > 2:
        named = named[2:]  # how a file is called says nothing of its path
    if any(is_secret_name(key) for key in named if key.lower() not in _CONTAINERS):
        return True
    # What is not known to be harmless in a list of credentials is not shown.
    return any(key in _CONTAINERS for key in keys) and not is_harmless


def _by_place(keys: list[str], last: str, value: str | None) -> bool:
    if any(key in _SUBTREES for key in keys):
        return value is None or not is_ordinary(value)
    if is_free_text(keys):
        return True
    if last == "key" and "s3" in keys[:-1]:
        return True
    if last == "extra_index_url":
        return value is None or looks_like_secret(value)
    if "agent" in keys[:-1] and any(_DOCKER.fullmatch(key) for key in keys):
        return value is None or bool(_ASSIGNMENT.search(value))
    return False


def is_free_text(path: Sequence[str | int]) -> bool:
    """Return whether anything may be written at a path, secrets among it: the contents of files, an auto-scaler."""
    keys = [part.lower() for part in path if isinstance(part, str)]
    if "auto_scaler" in keys[:-1] and "v1" in keys:
        return True
    return "contents" in keys and "files" in keys[: keys.index("contents")]


def secret_paths(tree: Tree, target: str = CLIENT_TARGET, reference_paths: Collection[Path] = ()) -> frozenset[Path]:
    """Return the paths of the leaves that are secret: by reference, by path, by their look, or by what is beside them.

    Beside them: the argument before (``--password``), or the name in ``{name: API_KEY, value: …}``.
    """
    return frozenset(_secret_leaves(tree, (), target)) | _referring(tree, reference_paths)


def _referring(tree: Tree, reference_paths: Collection[Path]) -> frozenset[Path]:
    """Return the leaves at or below these paths."""
    if not reference_paths:
        return frozenset()
    return frozenset(
        path
        for path, _ in leaves(tree)
        if path in reference_paths or any(path[:end] in reference_paths for end in range(len(path)))
    )


def _secret_leaves(tree: Tree, path: Path, target: str) -> Iterator[Path]:
    if isinstance(tree, List):
        words = [item.value if isinstance(item, Scalar) and isinstance(item.value, str) else "" for item in tree.items]
        yield from ((*path, index) for index in secret_items(words))
    if isinstance(tree, Object) and _names_secret(tree):
        yield from (found for found, _ in leaves(tree.entries["value"], (*path, "value")))
    is_leaf = True
    for key, value in children(tree):
        is_leaf = False
        yield from _secret_leaves(value, (*path, key), target)
    if is_leaf and _is_secret_leaf(path, tree, target):
        yield path


def _names_secret(tree: Object) -> bool:
    if "value" not in tree.entries:
        return False
    names = [tree.entries.get(key) for key in _NAMING]
    words = [name.value for name in names if isinstance(name, Scalar) and isinstance(name.value, str)]
    return any(map(is_secret_name, words))


def _is_secret_leaf(path: Path, node: Tree, target: str) -> bool:
    if isinstance(node, Hidden):
        return True
    if isinstance(node, Object | List):
        return False  # As a leaf it is empty.
    if isinstance(node, Scalar) and (node.value is None or isinstance(node.value, bool)):
        return target != CLIENT_TARGET and is_secret(path, target, "")
    found = list(texts(node))
    value = found[0] if isinstance(node, Scalar) and found else None if found else ""
    return is_secret(path, target, value) or any(
        looks_like_secret(text) for text in found if not _identifies(path, text)
    )


def _identifies(path: Path, text: str) -> bool:
    """Return whether a text is an id or a checksum, by its key and its form."""
    names = [part.lower() for part in path if isinstance(part, str)]
    return bool(names) and _HEX.fullmatch(text) is not None and _IDENTIFYING.search(names[-1]) is not None
