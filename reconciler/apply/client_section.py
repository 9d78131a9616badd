"""A new credential in the forms that clients take it."""

from __future__ import annotations

import base64
import json
import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from reconciler.model.delivery import KubernetesSecretDelivery
    from reconciler.model.secret import Secret

_API_PORT, _WEB_PORT, _FILES_PORT = 8008, 8080, 8081
_VARIABLES = {"web_server": "CLEARML_WEB_HOST", "api_server": "CLEARML_API_HOST", "files_server": "CLEARML_FILES_HOST"}


def client_section(server: str, access_key: str, secret_key: Secret) -> str:
    """Return the ``api`` section that the web page shows once for a new credential.

    Source: ``docs/explanation/clearml-api.md, The web page``.
    """
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


def client_environment(server: str, access_key: str, secret_key: Secret) -> str:
    """Return ``NAME=value`` lines with the environment variables that the clients read."""
    values = {_VARIABLES[name]: url for name, url in client_addresses(server).items()}
    values |= {"CLEARML_API_ACCESS_KEY": access_key, "CLEARML_API_SECRET_KEY": secret_key.reveal()}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def kubernetes_secret(delivery: KubernetesSecretDelivery, section: str) -> str:
    """Return the manifest of a Secret that holds the section as ``clearml.conf``; JSON, which kubectl takes as YAML."""
    metadata = {"name": delivery.name} | ({"namespace": delivery.namespace} if delivery.namespace else {})
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "data": {"clearml.conf": base64.b64encode(section.encode()).decode()},
    }
    return json.dumps(manifest, indent=2) + "\n"


def client_addresses(server: str) -> dict[str, str]:
    """Return the web, API and files addresses of a server, by ClearML's own naming; only the API's where none fits.

    ``api.`` hosts have ``app.`` and ``files.`` beside them, port 8008 has 8080 and 8081.
    """
    parts = urlsplit(server)
    host = parts.hostname or ""
    if parts.scheme in ("http", "https") and parts.port == _API_PORT:
        web, files = (
            urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(f":{_API_PORT}") + f":{port}"))
            for port in (_WEB_PORT, _FILES_PORT)
        )
    elif host.startswith("api."):
        web, files = (
            urlunsplit(parts._replace(netloc=name + parts.netloc.removeprefix("api"))) for name in ("app", "files")
        )
    else:
        return {"api_server": server}
    return {"web_server": web, "api_server": server, "files_server": files}
