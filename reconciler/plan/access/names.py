"""Who is meant by a name, and which entity by ``project:Vision``."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from reconciler.errors import UnknownPrincipalError, UsageError
from reconciler.model.access import ALL, NAMED_BY_ID, Entity, EntityType
from reconciler.model.resources import Address
from reconciler.model.text import fold, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.model.access import Candidates
    from reconciler.plan.access.index import AccessIndex

_FORM = "write TYPE:NAME, like project:Vision or queue:gpu; TYPE:* means the rules for all of the type"
_SUGGESTIONS = 3
_ABOUT_AS_NEAR = 0.08


def find_principal(who: str, index: AccessIndex) -> Address:
    """Find a member by e-mail or a service account by name.

    Raises :class:`UnknownPrincipalError` with the nearest names if there is none, and if the name means both.
    """
    known = index.principals
    found = [address for address in (Address.member(who), Address.service_account(who)) if address in known]
    if len(found) == 1:
        return found[0]
    name = harmless(who)
    if found:
        raise UnknownPrincipalError(f"{name} is both a member and a service account; one of them needs another name")
    titles = {address.key[0]: index.title(address) for address in known}
    near = [harmless(titles[key]) for key in _nearest(fold(who), titles)]
    hint = f"did you mean {' or '.join(near)}?" if near else "give a member's e-mail or a service account's name"
    raise UnknownPrincipalError(f"{name} is neither a member nor a service account", hint=hint)


def _nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the nearest names: of e-mails, which share their domains, only those about as near as the nearest."""
    near = difflib.get_close_matches(wanted, names, n=_SUGGESTIONS, cutoff=0.6)
    likeness = {name: difflib.SequenceMatcher(None, name, wanted).ratio() for name in near}
    return [name for name in near if likeness[name] >= likeness[near[0]] - _ABOUT_AS_NEAR]


def parse_entity(text: str) -> Entity:
    """Read a type and a name. Raises :class:`UsageError`."""
    type_text, colon, name = text.partition(":")
    word = type_text.strip().lower().replace(" ", "_").replace("-", "_")
    types = [entity_type.value for entity_type in EntityType]
    if not colon or not name:
        raise UsageError(f"{harmless(text)} names no entity", hint=_FORM)
    if word not in types:
        near = difflib.get_close_matches(word, types, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the types are {', '.join(types)}"
        raise UsageError(f"{harmless(type_text)} is no type of entity", hint=hint)
    entity_type = EntityType(word)
    if name == ALL or entity_type in NAMED_BY_ID:
        return Entity(entity_type, name)
    return Entity(entity_type, None, name)


def find_entity(wanted: Entity, known: Sequence[Entity]) -> Entity:
    """Return the entity that rules are about and that is meant, by name or id.

    One for all of a type is always known, and so is a project below one that rules are about.

    Raises :class:`UsageError` if several bear the name, or none does: with the nearest that rules are about.
    """
    if wanted.id == ALL:
        return wanted
    text = wanted.name or wanted.id or ""
    same = [entity for entity in known if entity.type is wanted.type and entity.id != ALL]
    found = [entity for entity in same if text in (entity.name, entity.id)]
    found = found or [entity for entity in same if entity.name is not None and fold(entity.name) == fold(text)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = " or ".join(f"{wanted.type.value}:{harmless(entity.id or '?')}" for entity in found)
        raise UsageError(f"several are called {harmless(wanted.title)}", hint=f"say which one by its id: {ids}")
    if wanted.type is EntityType.PROJECT and any(text.startswith(f"{entity.name}/") for entity in same if entity.name):
        return wanted
    titles = {fold(entity.name or entity.id or ""): entity for entity in same}
    near = [titles[key] for key in difflib.get_close_matches(fold(text), titles, n=3, cutoff=0.6)]
    everything = f"{wanted.type.value}:{ALL}"
    hint = (
        f"did you mean {' or '.join(harmless(f'{entity.type.value}:{entity.name or entity.id}') for entity in near)}?"
        if near
        else f"{everything} shows who has all that no rule names, and --live looks in the workspace"
    )
    raise UsageError(f"no access rule names {harmless(wanted.title)}", hint=hint)


def found_entity(wanted: Entity, candidates: Candidates | None, known: Sequence[Entity]) -> Entity:
    """Return the entity that a look-up in the workspace found, or else one that rules are about.

    Raises :class:`UsageError`.
    """
    if candidates is None or (not candidates.ids and not candidates.near):
        return find_entity(wanted, known)
    if len(candidates.ids) == 1:
        return Entity(wanted.type, candidates.ids[0], wanted.name)
    if candidates.ids:
        ids = " or ".join(f"{wanted.type.value}:{harmless(identifier)}" for identifier in candidates.ids)
        raise UsageError(f"several are called {harmless(wanted.title)}", hint=f"say which one by its id: {ids}")
    if any(wanted.name == entity.id for entity in known if entity.type is wanted.type):
        return find_entity(wanted, known)
    near = " or ".join(f"{wanted.type.value}:{harmless(name)}" for name in candidates.near)
    raise UsageError(f"the workspace has no {harmless(wanted.title)}", hint=f"did you mean {near}?")
