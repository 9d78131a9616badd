"""What each command of ``reconciler`` does, as functions: the Python API.

Every function takes a :class:`Session` first, which holds all that reaches the world, then a request; it returns a
frozen value and raises :class:`reconciler.errors.ReconcilerError`. What talks to a server or reads the record is a
coroutine; what only reads files is a plain function. Nothing prints, asks or ends the process.

    import asyncio
    from pathlib import Path
    from reconciler.commands import PlanRequest, Session, plan_changes

    session = Session.of_process(folder=Path("team"))
    result = asyncio.run(plan_changes(session, PlanRequest()))
    print(result.plan.totals)

``docs/reference/python-api.md`` has a longer example, which a test runs. The module of a command is named like it, and
what is exported here is imported when it is first used, so that a program loads no more than it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.commands.access import AccessRequest as AccessRequest
    from reconciler.commands.access import AccessResult as AccessResult
    from reconciler.commands.access import report_access as report_access
    from reconciler.commands.adopt import AdoptRequest as AdoptRequest
    from reconciler.commands.adopt import AdoptResult as AdoptResult
    from reconciler.commands.adopt import adopt_changes as adopt_changes
    from reconciler.commands.adopt import write_adopted as write_adopted
    from reconciler.commands.announce import Receivers as Receivers
    from reconciler.commands.announce import announce_drift as announce_drift
    from reconciler.commands.announce import read_receivers as read_receivers
    from reconciler.commands.apply import ApplyRequest as ApplyRequest
    from reconciler.commands.apply import ApplyResult as ApplyResult
    from reconciler.commands.apply import apply_changes as apply_changes
    from reconciler.commands.apply import carry_out as carry_out
    from reconciler.commands.apply import check_proposal as check_proposal
    from reconciler.commands.apply import open_apply as open_apply
    from reconciler.commands.apply import propose as propose
    from reconciler.commands.apply import propose_again as propose_again
    from reconciler.commands.connection import Connection as Connection
    from reconciler.commands.credentials import CredentialsRequest as CredentialsRequest
    from reconciler.commands.credentials import list_credentials as list_credentials
    from reconciler.commands.drift import DriftRequest as DriftRequest
    from reconciler.commands.drift import DriftResult as DriftResult
    from reconciler.commands.drift import check_drift as check_drift
    from reconciler.commands.effective import EffectiveDifference as EffectiveDifference
    from reconciler.commands.effective import EffectiveRequest as EffectiveRequest
    from reconciler.commands.effective import EffectiveResult as EffectiveResult
    from reconciler.commands.effective import effective_configuration as effective_configuration
    from reconciler.commands.effective import effective_difference as effective_difference
    from reconciler.commands.fmt import format_files as format_files
    from reconciler.commands.fmt import formatted_files as formatted_files
    from reconciler.commands.history import History as History
    from reconciler.commands.history import HistoryRequest as HistoryRequest
    from reconciler.commands.history import read_history as read_history
    from reconciler.commands.import_ import ImportRequest as ImportRequest
    from reconciler.commands.import_ import ImportResult as ImportResult
    from reconciler.commands.import_ import import_workspace as import_workspace
    from reconciler.commands.plan import PlanRequest as PlanRequest
    from reconciler.commands.plan import PlanResult as PlanResult
    from reconciler.commands.plan import plan_changes as plan_changes
    from reconciler.commands.reporter import Reporter as Reporter
    from reconciler.commands.session import Session as Session
    from reconciler.commands.show import Authenticity as Authenticity
    from reconciler.commands.show import ShownPlan as ShownPlan
    from reconciler.commands.show import read_saved_plan as read_saved_plan
    from reconciler.commands.unlock import FoundLock as FoundLock
    from reconciler.commands.unlock import break_found_lock as break_found_lock
    from reconciler.commands.unlock import find_lock as find_lock
    from reconciler.commands.validate import Validation as Validation
    from reconciler.commands.validate import validate_declaration as validate_declaration
    from reconciler.model.key import Key as Key
    from reconciler.plan.allowance import Allowance as Allowance

_MODULES = {
    "access": ("AccessRequest", "AccessResult", "report_access"),
    "adopt": ("AdoptRequest", "AdoptResult", "adopt_changes", "write_adopted"),
    ".model.key": ("Key",),
    ".plan.allowance": ("Allowance",),
    "announce": ("Receivers", "announce_drift", "read_receivers"),
    "apply": (
        "ApplyRequest",
        "ApplyResult",
        "apply_changes",
        "carry_out",
        "check_proposal",
        "open_apply",
        "propose",
        "propose_again",
    ),
    "connection": ("Connection",),
    "credentials": ("CredentialsRequest", "list_credentials"),
    "drift": ("DriftRequest", "DriftResult", "check_drift"),
    "effective": (
        "EffectiveDifference",
        "EffectiveRequest",
        "EffectiveResult",
        "effective_configuration",
        "effective_difference",
    ),
    "fmt": ("format_files", "formatted_files"),
    "history": ("History", "HistoryRequest", "read_history"),
    "import_": ("ImportRequest", "ImportResult", "import_workspace"),
    "plan": ("PlanRequest", "PlanResult", "plan_changes"),
    "reporter": ("Reporter",),
    "session": ("Session",),
    "show": ("Authenticity", "ShownPlan", "read_saved_plan"),
    "unlock": ("FoundLock", "break_found_lock", "find_lock"),
    "validate": ("Validation", "validate_declaration"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import what is asked for from the module that has it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    """Name all that there is to ask for."""
    return sorted({*globals(), *_HOME})
