"""Members and groups."""

from __future__ import annotations

from drift_situation import (
    ALL,
    BOB_LEAVES,
    CONFLICT,
    NEW_GROUP,
    NO_BOB,
    NO_READERS,
    OUTSIDE,
    PENDING,
    ROLE,
    Situation,
    edit,
)
from drift_team import (
    group_with,
    remove_group,
    remove_member,
    rename_user,
    set_role,
)

PEOPLE = (
    Situation("nothing moved"),
    # Members
    Situation(
        "a role changed outside", lambda s: set_role(s, "bob@acme.io", "consumer"), expected={"bob@acme.io": OUTSIDE}
    ),
    Situation("a role changed in the file", edit=ROLE, expected={"bob@acme.io": PENDING}),
    Situation(
        "a role changed the same way on both sides",
        lambda s: set_role(s, "bob@acme.io", "consumer"),
        ROLE,
        agreeing=("bob@acme.io",),
    ),
    Situation(
        "a role changed differently on both sides",
        lambda s: set_role(s, "bob@acme.io", "admin"),
        ROLE,
        {"bob@acme.io": CONFLICT},
    ),
    Situation(
        "a name changed outside", lambda s: rename_user(s, "ada@acme.io", "Eve"), expected={"ada@acme.io": OUTSIDE}
    ),
    Situation(
        "a name outside and a role in the file",
        lambda s: rename_user(s, "ada@acme.io", "Eve"),
        edit("name: Ada}", "name: Ada, role: consumer}"),
        {"ada@acme.io": CONFLICT},
        {"ada@acme.io": {"name": OUTSIDE, "role": PENDING}},
    ),
    Situation("a member added outside", lambda s: s.add_member("eve@acme.io"), expected={"eve@acme.io": OUTSIDE}),
    Situation(
        "a member removed outside",
        lambda s: remove_member(s, "bob@acme.io"),
        expected={"bob@acme.io": OUTSIDE},
    ),
    Situation(
        "a member added in the file",
        edit=edit("members:\n  - {email: root", "members:\n  - {email: new@acme.io}\n  - {email: root"),
        expected={"new@acme.io": PENDING},
    ),
    Situation(
        "a member removed in the file",
        edit=NO_BOB,
        expected={"bob@acme.io": PENDING, "operators": PENDING, "readers": PENDING},
    ),
    Situation(
        "a member removed on both sides",
        lambda s: remove_member(s, "bob@acme.io"),
        NO_BOB,
        agreeing=("operators", "readers"),
    ),
    Situation(
        "a member removed in the file and promoted outside",
        lambda s: set_role(s, "bob@acme.io", "admin"),
        NO_BOB,
        {"bob@acme.io": CONFLICT, "operators": PENDING, "readers": PENDING},
    ),
    Situation(
        "an invitation sent outside",
        lambda s: s.call("login.add_whitelist_entries", emails=["x@acme.io"], role="user"),
        expected={"x@acme.io": OUTSIDE},
    ),
    # Groups
    Situation(
        "somebody joined a group outside",
        lambda s: group_with(s, *ALL, "root@acme.io"),
        expected={"operators": OUTSIDE},
        parts={"operators": {"members root@acme.io": OUTSIDE}},
    ),
    Situation(
        "somebody left a group outside",
        lambda s: group_with(s, "ada@acme.io", "agent"),
        expected={"operators": OUTSIDE},
    ),
    Situation("somebody leaves a group in the file", edit=BOB_LEAVES, expected={"operators": PENDING}),
    Situation(
        "somebody left a group on both sides",
        lambda s: group_with(s, "ada@acme.io", "agent"),
        BOB_LEAVES,
        agreeing=("operators",),
    ),
    Situation(
        "one joined outside, another leaves in the file",
        lambda s: group_with(s, *ALL, "root@acme.io"),
        BOB_LEAVES,
        {"operators": CONFLICT},
        {"operators": {"members root@acme.io": OUTSIDE, "members bob@acme.io": PENDING}},
    ),
    Situation(
        "an account left a group outside",
        lambda s: group_with(s, "ada@acme.io", "bob@acme.io"),
        expected={"operators": OUTSIDE},
        parts={"operators": {"service_accounts agent": OUTSIDE}},
    ),
    Situation(
        "a description changed outside",
        lambda s: group_with(s, *ALL, description="Hm"),
        expected={"operators": OUTSIDE},
    ),
    Situation(
        "a description changed differently on both sides",
        lambda s: group_with(s, *ALL, description="Hm"),
        edit("Who runs it", "Who keeps it"),
        {"operators": CONFLICT},
    ),
    Situation("a group made outside", lambda s: s.set_group("shadow", "bob@acme.io"), expected={"shadow": OUTSIDE}),
    Situation("a group made in the file", edit=NEW_GROUP, expected={"makers": PENDING}),
    Situation("a group made the same way on both sides", lambda s: s.set_group("makers", "ada@acme.io"), NEW_GROUP),
    Situation(
        "a group made differently on both sides",
        lambda s: s.set_group("makers", "bob@acme.io"),
        NEW_GROUP,
        {"makers": "unknown"},
    ),
    Situation("a group removed outside", lambda s: remove_group(s, "readers"), expected={"readers": OUTSIDE}),
    Situation("a group removed in the file", edit=NO_READERS, expected={"readers": PENDING}),
    Situation("a group removed on both sides", lambda s: remove_group(s, "readers"), NO_READERS),
    Situation(
        "a group removed in the file and joined outside",
        lambda s: s.set_group("readers", "ada@acme.io", "bob@acme.io"),
        NO_READERS,
        {"readers": CONFLICT},
    ),
    Situation(
        "a group removed outside and changed in the file",
        lambda s: remove_group(s, "readers"),
        edit("{name: readers, members: [bob@acme.io]}", "{name: readers, members: [ada@acme.io]}"),
        {"readers": CONFLICT},
    ),
    Situation(
        "a group renamed in the file",
        edit=edit("{name: readers,", "{name: watchers, was: readers,"),
        expected={"watchers": PENDING},
    ),
    Situation(
        "a group renamed in the file and joined outside",
        lambda s: s.set_group("readers", "ada@acme.io", "bob@acme.io"),
        edit("{name: readers,", "{name: watchers, was: readers,"),
        {"watchers": CONFLICT},
        {"watchers": {"name": PENDING, "members ada@acme.io": OUTSIDE}},
    ),
)
