"""Carries a whole plan out: checks deliveries, orders the operations and runs them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from reconciler.apply.perform import perform
from reconciler.apply.scheduler import run_all
from reconciler.errors import DeliveryError, RefusedError
from reconciler.model.resources import Credential, Kind
from reconciler.plan.access.index import AccessIndex
from reconciler.plan.changes import Action
from reconciler.plan.operations import operations_of
from reconciler.plan.order import order_of
from reconciler.plan.prefixes import check_prefixes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Sequence

    from reconciler.apply.run import Run
    from reconciler.plan.changes import Change
    from reconciler.plan.operations import Operation
    from reconciler.plan.order import Order
    from reconciler.plan.outcomes import Result


def execute(run: Run, changes: Sequence[Change], *, concurrency: int, stop: asyncio.Event) -> AsyncIterator[Result]:
    """Carry out these changes and give the result of each operation as it ends.

    Raises :class:`RefusedError`, before the first write, if a secret key could not be delivered.
    """
    check_deliveries(run, changes)
    operations = operations_of(changes)
    return run_all(
        operations, _order(run, operations), functools.partial(perform, run), concurrency=concurrency, stop=stop
    )


def check_states(run: Run, changes: Sequence[Change]) -> None:
    """Make sure that no state in between could do harm, whichever operation fails (:mod:`reconciler.plan.prefixes`).

    Raises :class:`RefusedError`.
    """
    operations = operations_of(changes)
    check_prefixes(operations, _order(run, operations), run.live, run.desired)


def _order(run: Run, operations: Sequence[Operation]) -> Order:
    return order_of(operations, AccessIndex.of_live(run.live), AccessIndex.of_live(run.live, run.desired))


def check_deliveries(run: Run, changes: Sequence[Change]) -> None:
    """Make sure that every new credential can be delivered, while nothing has been written yet.

    Raises :class:`RefusedError`.
    """
    for change in changes:
        if change.kind is Kind.CREDENTIAL and change.action in (Action.CREATE, Action.ROTATE):
            credential = run.desired.get(change.address)
            if isinstance(credential, Credential) and credential.delivery is not None:
                try:
                    run.deliveries.check(credential.delivery)
                except DeliveryError as error:
                    raise RefusedError(f"{error.message}; nothing was changed", hint=error.hint) from error
