"""Hands a new secret key to where it belongs, before anything else happens with it (design decision 7)."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from reconciler.errors import DeliveryError
from reconciler.model.text import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.model.resources import FileDelivery
    from reconciler.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Writes secret keys into files; relative paths start at the declaration's folder."""

    folder: Path
    server: str

    def check(self, delivery: FileDelivery) -> None:
        """Make sure, before the first write of a run, that this delivery can work.

        Raises :class:`DeliveryError` if the folder is missing or not writable, or something else is in the way.
        """
        path = self._path(delivery)
        shown = harmless(delivery.path)
        if not path.parent.is_dir():
            raise DeliveryError(
                f"the folder for {shown} does not exist", hint=f"make it first: mkdir -p {harmless(str(path.parent))}"
            )
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise DeliveryError(f"the folder for {shown} cannot be written to")
        if path.is_symlink():
            raise DeliveryError(f"{shown} is a symbolic link; a secret key is never written through one")
        if path.exists() and not path.is_file():
            raise DeliveryError(f"{shown} is there and is not a plain file")

    def deliver(self, delivery: FileDelivery, access_key: str, secret_key: Secret) -> None:
        """Write the ready-to-copy section of ``clearml.conf``: a new file with mode 0600 that replaces an old one.

        Raises :class:`DeliveryError`; then nothing, or the whole old file, is there.
        """
        self.check(delivery)
        path = self._path(delivery)
        content = client_section(self.server, access_key, secret_key)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR
            )
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise DeliveryError(f"{harmless(delivery.path)} could not be written: {error.strerror}") from error

    def _path(self, delivery: FileDelivery) -> Path:
        return self.folder / delivery.path


def client_section(server: str, access_key: str, secret_key: Secret) -> str:
    """Return the ``api`` section that the web page shows once for a new credential (API reference, section 7)."""
    addresses = "".join(f"    {name}: {json.dumps(url)}\n" for name, url in client_addresses(server).items())
    return (
        "api {\n"
        f"{addresses}"
        "    credentials {\n"
        f"        access_key: {json.dumps(access_key)}\n"
        f"        secret_key: {json.dumps(secret_key.reveal())}\n"
        "    }\n"
        "}\n"
    )


def client_addresses(server: str) -> dict[str, str]:
    """Return the web, API and files addresses of a server, by ClearML's own naming; only the API's where none fits.

    ``api.`` hosts have ``app.`` and ``files.`` beside them, port 8008 has 8080 and 8081.
    """
    parts = urlsplit(server)
    host, port = parts.hostname or "", parts.port
    if port == 8008:
        return {
            "web_server": urlunsplit(parts._replace(netloc=parts.netloc.replace(":8008", ":8080"))),
            "api_server": server,
            "files_server": urlunsplit(parts._replace(netloc=parts.netloc.replace(":8008", ":8081"))),
        }
    if host.startswith("api."):
        return {
            "web_server": urlunsplit(parts._replace(netloc="app" + parts.netloc[3:])),
            "api_server": server,
            "files_server": urlunsplit(parts._replace(netloc="files" + parts.netloc[3:])),
        }
    return {"api_server": server}
