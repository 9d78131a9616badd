"""What may differ from one workspace to another, kept in the store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from reconciler.sandbox.choices import API_VERSION, FEATURES


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and switches of a workspace; ``None`` means no limit. Lifetimes are in seconds."""

    maximum_members: int | None = None
    """People and pending invitations together; an invitation past it is refused."""
    allowed_service_users: int | None = None
    """How many service accounts there may be."""
    allow_admins: bool = True
    """Whether a service account may have the role ``admin``."""
    default_expiration_sec: int | None = None
    """How long a credential lives when nothing is said (``None``: as long as the maximum, or for ever)."""
    max_expiration_sec: int | None = None
    """The longest lifetime that a credential may be given by someone who is not an admin."""
    max_credentials: int | None = None
    """How many credentials one user may have."""
    on_premises: bool = True
    """Whether people can be created and removed by ``auth.add_user`` and ``auth.delete_user``."""
    list_service_users: bool = True
    """Whether ``users.get_all_ex`` and its like include service accounts (without an e-mail); not documented."""
    list_system_users: bool = False
    """Whether ``users.get_all_ex`` and its like include the server's own users; not documented."""
    api_version: str = API_VERSION
    """The highest API version that is spoken; a field that is newer is ignored."""
    features: tuple[str, ...] = FEATURES
    """What ``users.get_current_user`` gives as the supported features; the server lacks the calls of the others."""

    def speaks(self, version: str) -> bool:
        """Return whether the server knows what came with an API version."""
        return _numbers(self.api_version) >= _numbers(version)

    def to_json(self) -> str:
        """Return the settings as text for the store."""
        return json.dumps(asdict(self))

    @staticmethod
    @lru_cache(maxsize=16)
    def from_json(text: str) -> Settings:
        """Read what :meth:`to_json` wrote; remembered, since every call asks for the settings."""
        values = json.loads(text)
        return Settings(**values | {"features": tuple(values["features"])})


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
