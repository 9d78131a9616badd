"""The user's own ``clearml.conf``, as far as signing in needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError
from reconciler.frozen import Frozen
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_FILE = ("CLEARML_CONFIG_FILE", "TRAINS_CONFIG_FILE")
_DEFAULT_NAME = "clearml.conf"
_SIZE_LIMIT = 4 * 1024 * 1024


class ConfFile(Frozen):
    """What a configuration file says. ``name`` is its path for messages; ``found`` adds a remark if it is missing."""

    name: str
    found: str
    server: str | None = None
    access_key: str | None = None
    secret_key: str | None = None


def read_conf(environ: Mapping[str, str], home: Path) -> ConfFile:
    """Read the file that ``CLEARML_CONFIG_FILE`` names (then no other is looked at), else ``~/clearml.conf``.

    A file that is not there is an empty one, as ClearML's own SDK has it; one that cannot be read is an error. It is
    HOCON of the user's own, so environment variables are substituted in it.
    """
    chosen = next((environ[name].strip() for name in CONFIG_FILE if environ.get(name, "").strip()), None)
    if chosen is None:
        path, name = home / _DEFAULT_NAME, f"~/{_DEFAULT_NAME}"
    else:
        path = home / chosen[2:] if chosen.startswith("~/") else Path(chosen)
        name = harmless(chosen)
    try:
        is_there = path.is_file()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    if not is_there:
        return ConfFile(name, f"{name} (which is not there)")
    values = _parse(path, name)
    return ConfFile(
        name,
        name,
        server=values.get("api.api_server") or values.get("api.host"),
        access_key=values.get("api.credentials.access_key"),
        secret_key=values.get("api.credentials.secret_key"),
    )


def _parse(path: Path, name: str) -> dict[str, str]:
    from pyhocon import ConfigFactory
    from pyhocon.exceptions import ConfigException
    from pyparsing import ParseBaseException

    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise UsageError(f"{name} is too large to be a clearml.conf")
        tree = ConfigFactory.parse_file(str(path), required=True)
        wanted = ("api.api_server", "api.host", "api.credentials.access_key", "api.credentials.secret_key")
        found = {key: tree.get(key, None) for key in wanted}
    except ParseBaseException as error:
        raise UsageError(f"{name}:{error.lineno}:{error.column}: this is not HOCON that can be read") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    except (ConfigException, UnicodeError, ValueError, TypeError, AttributeError, RecursionError):
        # Their texts may quote the file, and so a secret key.
        raise UsageError(f"{name} is not a clearml.conf that can be read") from None
    return {
        key: str(value).strip() for key, value in found.items() if isinstance(value, str | int) and str(value).strip()
    }
