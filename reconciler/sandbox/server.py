"""What the server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.call import ANYONE, Endpoint
from reconciler.sandbox.choices import SERVER_BUILD, SERVER_VERSION

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call, Json


def _info(call: Call) -> Json:
    return {"version": SERVER_VERSION, "build": SERVER_BUILD, "api_version": call.settings.api_version}


def _health_check(_: Call) -> Json:
    return {}


ENDPOINTS = {
    "server.info": Endpoint(_info, ANYONE, version="2.12"),
    "server.health_check": Endpoint(_health_check, ANYONE),
}
"""The endpoints of this module."""
