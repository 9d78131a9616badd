"""What rules may ask about: the fields of each subject, with their types. docs/reference/policy.md lists them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.frozen import Frozen
from reconciler.model.policy import RuleSubject

if TYPE_CHECKING:
    from collections.abc import Mapping


class FieldType(StrEnum):
    """The type of a field, as people name it."""

    TEXT = "string"
    NUMBER = "number"
    FLAG = "true or false"
    TEXTS = "list of strings"


class RuleField(Frozen):
    """One field of a subject: its type, and what it says."""

    type: FieldType
    meaning: str


Value = str | int | bool | list[str]
"""The value of a field: plain data, without anything of Python within reach of an expression."""

_TEXT, _NUMBER, _FLAG, _TEXTS = FieldType.TEXT, FieldType.NUMBER, FieldType.FLAG, FieldType.TEXTS

FIELDS: Final[Mapping[RuleSubject, Mapping[str, RuleField]]] = {
    RuleSubject.MEMBER: {
        "email": RuleField(_TEXT, "the e-mail, in lower case"),
        "domain": RuleField(_TEXT, "what follows the @ of the e-mail"),
        "name": RuleField(_TEXT, 'the name; "" if it is not declared'),
        "role": RuleField(_TEXT, "admin, user or consumer"),
        "admin": RuleField(_FLAG, "whether the role is admin"),
        "groups": RuleField(_TEXTS, "names of the groups that name this member"),
    },
    RuleSubject.SERVICE_ACCOUNT: {
        "name": RuleField(_TEXT, "the name"),
        "admin": RuleField(_FLAG, "whether it is an admin"),
        "impersonation": RuleField(_FLAG, "whether it may run tasks as their owner"),
        "groups": RuleField(_TEXTS, "names of the groups that name this account"),
        "credentials": RuleField(_TEXTS, "labels of its declared credentials"),
    },
    RuleSubject.CREDENTIAL: {
        "account": RuleField(_TEXT, "the name of the service account"),
        "label": RuleField(_TEXT, "the label"),
        "ends": RuleField(_FLAG, "whether `expires_in` is declared"),
        "lifetime_days": RuleField(_NUMBER, "`expires_in` in days, rounded up; 0 if it is not declared"),
        "rotates": RuleField(_FLAG, "whether `rotate_before` is declared"),
        "rotate_before_days": RuleField(_NUMBER, "`rotate_before` in days, rounded up; 0 if it is not declared"),
        "delivery": RuleField(_TEXT, 'file, env_file, command or kubernetes_secret; "" if it is not declared'),
    },
    RuleSubject.GROUP: {
        "name": RuleField(_TEXT, "the name"),
        "description": RuleField(_TEXT, 'the description; "" if it is not declared'),
        "members": RuleField(_TEXTS, "e-mails of its members, in lower case; empty if they are not managed"),
        "domains": RuleField(_TEXTS, "the different domains of these e-mails"),
        "service_accounts": RuleField(_TEXTS, "names of its service accounts; empty if they are not managed"),
        "built_in": RuleField(_FLAG, "whether it is built in, like Queue admins"),
    },
    RuleSubject.VAULT: {
        "name": RuleField(_TEXT, "the name"),
        "owner": RuleField(_TEXT, "the name of the group or service account"),
        "owner_kind": RuleField(_TEXT, "group or service_account"),
        "target": RuleField(_TEXT, "the API's type: config for client"),
        "format": RuleField(_TEXT, "hocon, json or yaml: what is sent"),
        "enabled": RuleField(_FLAG, "whether it reaches anybody"),
        "secrets": RuleField(_NUMBER, "how many declared secrets its document uses"),
    },
    RuleSubject.ACCESS_RULE: {
        "name": RuleField(_TEXT, "the name"),
        "description": RuleField(_TEXT, 'the description; "" if it is not declared'),
        "type": RuleField(_TEXT, "project, queue and so on"),
        "entity": RuleField(_TEXT, "the name of the entity, or its id; * for all of the type"),
        "permission": RuleField(_TEXT, "read or read_write"),
        "members": RuleField(_TEXTS, "e-mails of the members that it names, in lower case"),
        "service_accounts": RuleField(_TEXTS, "names of the service accounts that it names"),
        "groups": RuleField(_TEXTS, "names of the groups that it names"),
        "everyone": RuleField(_FLAG, "whether it names the group Users, which everyone is in"),
    },
    RuleSubject.GAIN: {
        "principal": RuleField(_TEXT, 'the e-mail in lower case, or the service account\'s name; "everyone"'),
        "kind": RuleField(_TEXT, "member, service_account or everyone"),
        "domain": RuleField(_TEXT, 'what follows the @ of the e-mail; "" where there is none'),
        "aspect": RuleField(_TEXT, "workspace, role, admin, impersonation, credential, group, access or vault"),
        "subject": RuleField(_TEXT, "what is gained: a group, a vault, or an entity like `project Vision`"),
        "before": RuleField(_TEXT, 'what was there before; "" for nothing'),
        "after": RuleField(_TEXT, "what will be there: admin, member, read, read_write, reached and so on"),
        "via": RuleField(_TEXTS, "the access rules and groups that it comes through"),
        "weight": RuleField(_TEXT, "critical, sensitive or routine"),
        "values": RuleField(_NUMBER, "how many values a vault brings"),
        "secrets": RuleField(_NUMBER, "how many of them are secrets"),
    },
}
"""The fields by subject. An expression writes them with the subject in front: ``member.email``."""
