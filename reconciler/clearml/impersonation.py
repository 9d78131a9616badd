"""Makes sure that a call for a service account is answered for that account, and not for whoever signed in.

Which account a call is for is said in a header only (``docs/explanation/clearml-wire.md``). Where a proxy drops headers
that it does not know, the server answers for the caller: an admin's own credentials would pass for the account's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ImpersonationLostError

if TYPE_CHECKING:
    from reconciler.clearml.reader import Reader


async def check_holder(reader: Reader, account_id: str, access_key: str) -> None:
    """Ask whose a credential is, which a call for an account told of.

    Raises :class:`ImpersonationLostError` if it is somebody else's. One that is gone by now tells nothing.
    """
    holder = await reader.credential_holder(access_key)
    if holder is not None and holder.user != account_id:
        raise ImpersonationLostError(
            f"{reader.server} answers calls for a service account as if they were for somebody else",
            hint="a proxy in between may drop the header X-Clearml-Impersonate-As; let it pass, then run again",
        )
