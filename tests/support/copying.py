"""From the live workspace, as it was read, to the sandbox's own values."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.frozen import Frozen
from reconciler.model.access import ALL
from reconciler.model.resources import Kind, MemberState, OwnerKind, Role
from reconciler.sandbox import state
from reconciler.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.model.live import Live
    from reconciler.model.resources import AccessRule, Address


_HOLDERS = (Kind.MEMBER, Kind.SERVICE_ACCOUNT, Kind.GROUP)


class HolderIds(Frozen):
    """The ids of a workspace's members, service accounts and groups; whoever has none is left out of each answer."""

    by_name: Mapping[Kind, Mapping[str, str]]

    @staticmethod
    def of(live: Live) -> HolderIds:
        """Gather the ids once: memberships are looked up by the ten thousand."""
        found: dict[Kind, dict[str, str]] = {kind: {} for kind in _HOLDERS}
        for address, identifier in live.ids.items():
            if address.kind in found:
                found[address.kind][address.key[0]] = identifier
        return HolderIds(found)

    def users(self, members: Iterable[str] | None, accounts: Iterable[str] | None) -> frozenset[str]:
        """Return the ids of these people and service accounts."""
        return self._ids(Kind.MEMBER, members) | self._ids(Kind.SERVICE_ACCOUNT, accounts)

    def groups(self, names: Iterable[str]) -> frozenset[str]:
        """Return the ids of these groups."""
        return self._ids(Kind.GROUP, names)

    def _ids(self, kind: Kind, names: Iterable[str] | None) -> frozenset[str]:
        known = self.by_name[kind]
        return frozenset(known[name] for name in names or () if name in known)


def workspace_of(live: Live, wanted: Iterable[AccessRule] = ()) -> state.Workspace:
    """Return a copy of the live workspace, as far as it was read, with the entities that ``wanted`` rules name.

    Users that are neither members nor service accounts, and things that share a name, are not in it: no plan touches
    them.
    """
    ids = HolderIds.of(live)
    rules = [(live.ids[address], rule, False) for address, rule in sorted(live.snapshot.access_rules.items())]
    rules += [(identifier, rule, True) for identifier, rule in sorted(live.server_rules.items())]
    return state.Workspace(
        people=tuple(_people(live)),
        invitations=tuple(
            state.Invitation(member.email, (member.role or Role.USER).value)
            for member in live.snapshot.members.values()
            if member.state is MemberState.INVITED
        ),
        service_accounts=tuple(_service_accounts(live)),
        groups=tuple(_groups(live, ids)),
        vaults=tuple(_vaults(live)),
        rules=tuple(_rule(ids, *rule) for rule in rules),
        entities=tuple(_entities((*(rule for _, rule, _ in rules), *wanted))),
        settings=Settings(
            allowed_service_users=live.maximum_service_accounts, allow_admins=live.admin_accounts_allowed
        ),
    )


def _people(live: Live) -> Iterator[state.Person]:
    for address, member in live.snapshot.members.items():
        if member.state is MemberState.ACTIVE:
            role = (member.role or Role.USER).value
            yield state.Person(live.ids[address], member.email, member.name or "", role, read_only=member.fixed)


def _service_accounts(live: Live) -> Iterator[state.ServiceAccount]:
    keys: defaultdict[Address | None, list[state.AccessKey]] = defaultdict(list)
    for address, facts in live.credentials.items():
        keys[address.owner].append(
            state.AccessKey(
                facts.access_key, facts.label, facts.created, facts.expires, facts.last_used, facts.last_used_from
            )
        )
    for address, account in live.snapshot.service_accounts.items():
        role = Role.ADMIN if account.admin else Role.USER
        yield state.ServiceAccount(
            live.ids[address], account.name, role.value, account.impersonation, tuple(keys[address])
        )


def _groups(live: Live, ids: HolderIds) -> Iterator[state.Group]:
    for address, group in live.snapshot.groups.items():
        users = ids.users(group.members, group.service_accounts)
        yield state.Group(live.ids[address], group.name, group.description or "", users, system=group.builtin)


def _vaults(live: Live) -> Iterator[state.Vault]:
    for address, vault in live.snapshot.vaults.items():
        owner = live.ids.get(address.owner) if address.owner is not None else None
        in_group = vault.owner_kind is OwnerKind.GROUP
        yield state.Vault(
            live.ids[address],
            vault.name,
            vault.document.text.reveal(),
            scope="group" if in_group else "user",
            group=owner if in_group else None,
            user=None if in_group else owner,
            format=vault.format.value,
            type=vault.target,
            enabled=vault.enabled,
        )


def _rule(ids: HolderIds, identifier: str, rule: AccessRule, autocreated: bool) -> state.Rule:
    return state.Rule(
        identifier,
        rule.name,
        rule.entity.type.value,
        rule.entity.id,
        rule.permission.value,
        users=ids.users(rule.members, rule.service_accounts),
        groups=ids.groups(rule.groups),
        description=rule.description or "",
        autocreated=autocreated,
    )


def _entities(rules: Iterable[AccessRule]) -> Iterator[state.Entity]:
    """Return each entity once. In the copy a name is not looked up again, so any name does."""
    entities = {(rule.entity.type.value, rule.entity.id): rule.entity.name for rule in rules}
    for (entity_type, identifier), name in sorted(entities.items(), key=str):
        if identifier is not None and identifier != ALL:
            yield state.Entity(entity_type, identifier, name or identifier)
