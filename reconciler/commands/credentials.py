"""``credentials list``: the access keys of service accounts. Its connection cannot write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.clearml.read import read_live
from reconciler.clearml.reader import Reader
from reconciler.commands.comparing import server_time
from reconciler.commands.connection import Connection
from reconciler.commands.declaration_loading import SecretUse, load_declared
from reconciler.commands.server import find_target, open_reader
from reconciler.frozen import Frozen
from reconciler.plan.credential_report import report_credentials
from reconciler.vaults.parse import DocumentParser

if TYPE_CHECKING:
    from reconciler.commands.session import Session
    from reconciler.plan.credential_report import CredentialLine


class CredentialsRequest(Frozen):
    """Which declaration to compare with, and how to reach the server."""

    file: Path = Path("workspace.yaml")
    connection: Connection = Connection()


async def list_credentials(session: Session, request: CredentialsRequest) -> tuple[CredentialLine, ...]:
    """Return every credential with its age, its end, its last use, and whether it is declared.

    Raises :class:`reconciler.errors.InvalidDeclarationError`, :class:`reconciler.errors.UsageError` and
    :class:`reconciler.errors.ServerError`.
    """
    with DocumentParser() as parser:
        desired = load_declared(session, request.file, parser, SecretUse.NONE).desired
    target = find_target(session, request.connection, desired.server)
    with session.reporter.step("Reading the credentials"):
        async with open_reader(session, target, request.connection) as transport:
            live = await read_live(Reader(transport), accounts=None, vaults_of=())
            now = server_time(session, transport, live)
    return report_credentials(desired, live, now)
