"""Looks at the copy after each call: no state on the way may break a rule that the start and the end keep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

from reconciler.frozen import Frozen
from reconciler.sandbox.inspection import admin_ids, exists, group_user_ids, rule_grants

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp

    from reconciler.sandbox.store import Store

    Grant = tuple[str, str, str | None, str]
    GroupBounds = tuple[frozenset[str], frozenset[str]]


class Bounds(Frozen):
    """What every state on the way must keep to, in server ids.

    ``admins_before`` and ``admins_after`` are people and service accounts; ``people`` says which of them are people.
    ``group`` leads from a group's id to its users before and after. ``fewest_admins`` is the least number of people
    who are admins: the policy's, unless the start or the end has fewer. ``known`` are all ids that were there before;
    what the plan creates gets ids of its own. ``caller`` is ``None`` if it is not in the copy. ``rules`` leads from an
    access rule's id to what it gives before and after (see :func:`reconciler.sandbox.inspection.rule_grants`).
    """

    caller: str | None
    known: frozenset[str]
    fewest_admins: int
    people: frozenset[str]
    admins_before: frozenset[str]
    admins_after: frozenset[str]
    group: Callable[[str], GroupBounds | None]
    rules: Mapping[str, tuple[frozenset[Grant], frozenset[Grant]]]


class Watch(httpx.ASGITransport):
    """The way to the copy: it counts the writes and notes, after each, what is not lawful."""

    def __init__(self, copy: ASGIApp, store: Store, reads: frozenset[str]) -> None:
        super().__init__(copy)
        self._store = store
        self._reads = reads
        self.bounds: Bounds | None = None
        self.writes = 0
        self.states = 0
        self.violations: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a call on, and look at the copy if it was a write."""
        response = await super().handle_async_request(request)
        endpoint = request.url.path.removeprefix("/")
        if endpoint not in self._reads and endpoint != "auth.login" and self.bounds is not None:
            self.writes += 1
            self._look(self.bounds, endpoint, json.loads(request.content or b"{}"))
        return response

    def _look(self, bounds: Bounds, endpoint: str, body: Mapping[str, object]) -> None:
        self.states += 1
        self._look_at_rule(bounds, endpoint, body.get("id"))
        self._look_at_group(bounds, endpoint, body.get("id"))
        admins = admin_ids(self._store)
        people = admins & bounds.people
        if len(people) < bounds.fewest_admins:
            self._note(endpoint, f"only {len(people)} admins are left on the way")
        if bounds.caller is not None and not exists(self._store, bounds.caller):
            self._note(endpoint, "the identity of this run is gone")
        if bounds.caller in bounds.admins_before - admins:
            self._note(endpoint, "the identity of this run is no longer an admin")
        if (admins & bounds.known) - bounds.admins_before - bounds.admins_after:
            self._note(endpoint, "somebody is an admin who was not and shall not be")
        if (bounds.admins_before & bounds.admins_after) - admins:
            self._note(endpoint, "somebody who stays an admin is none on the way")

    def _look_at_group(self, bounds: Bounds, endpoint: str, group: object) -> None:
        if endpoint != "permissions.add_or_update_user_group" or not isinstance(group, str):
            return
        within = bounds.group(group)
        if within is not None:
            before, after = within
            now = group_user_ids(self._store, group)
            if (now & bounds.known) - before - after:
                self._note(endpoint, "somebody is in a group who was not and shall not be")
            if (before & after) - now:
                self._note(endpoint, "somebody who stays in a group is not in it on the way")

    def _look_at_rule(self, bounds: Bounds, endpoint: str, rule: object) -> None:
        if endpoint == "permissions.add_or_update_access_rule" and isinstance(rule, str) and rule in bounds.rules:
            before, after = bounds.rules[rule]
            now = {grant for grant in rule_grants(self._store, rule) if grant[0] in bounds.known}
            if now - before - after:
                self._note(endpoint, "somebody has access who had not and shall not have")
            if (before & after) - now:
                self._note(endpoint, "somebody who keeps an access has not got it on the way")

    def _note(self, endpoint: str, what: str) -> None:
        self.violations.append(f"after call {self.writes} ({endpoint}): {what}")
