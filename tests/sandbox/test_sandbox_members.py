"""Members: reading them, inviting, roles, adding and removing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_client import Client, Clock, as_member, member

from reconciler.sandbox.bulk import dump_workspace, load_workspace
from reconciler.sandbox.choices import ADMINS_GROUP_ID, USERS_GROUP_ID
from reconciler.sandbox.errors import NotInvitedError
from reconciler.sandbox.state import Person, Workspace
from reconciler.sandbox.whitelist import accept_invitation

if TYPE_CHECKING:
    from reconciler.sandbox.store import Store


def many(store: Store, count: int) -> None:
    people = tuple(Person(f"p{n:05}", f"p{n}@acme.io", f"Person {n:05}") for n in range(count))
    load_workspace(store, Workspace(people=(*people, Person("root", "root@acme.io", "Root", "admin"))))


def ids(data: dict[str, Any]) -> list[str]:
    return [user["id"] for user in data["users"]]


# Reading


def test_auth_fields_are_shown_to_administrators_who_ask(admin: Client, store: Store) -> None:
    root = admin.call("users.get_all_ex", include_auth=True)["users"][0]
    assert root == {
        "id": store.bootstrap and store.bootstrap.user,
        "name": "Root",
        "company": {"id": store.company},
        "read_only": False,
        "support": False,
        "created": "2026-03-01T12:00:00.000000+00:00",
        "role": "admin",
        "providers": [],
        "sec_groups": [USERS_GROUP_ID, ADMINS_GROUP_ID],
        "email": "root@acme.io",
    }
    assert root.keys() - admin.call("users.get_all_ex")["users"][0].keys() == {
        "created", "role", "providers", "sec_groups", "email",
    }  # fmt: skip


def test_auth_fields_are_not_shown_to_others(admin: Client, store: Store) -> None:
    users = as_member(admin, store).call("users.get_all_ex", include_auth=True)["users"]
    assert all("email" not in user and "role" not in user for user in users)


def test_the_plain_list_gives_the_company_as_text(admin: Client, store: Store) -> None:
    user = admin.call("users.get_all", include_auth=True)["users"][0]
    assert user == {"id": user["id"], "name": "Root", "company": store.company}


def test_activity_is_shown_on_request(admin: Client, store: Store, clock: Clock) -> None:
    assert store.bootstrap
    clock.move(hours=1)
    admin.with_basic(store.bootstrap.access_key, store.bootstrap.secret_key).call("auth.login")
    user = admin.call("users.get_all_ex", include_activity=True)["users"][0]
    assert user["activity"] == {"last_credentials_login": "2026-03-01T13:00:00.000000+00:00"}


def test_service_accounts_are_listed_too_without_an_e_mail_unless_set_otherwise(admin: Client, store: Store) -> None:
    account = admin.call("auth.create_service_user", name="bot")["id"]
    listed = {user["id"]: user for user in admin.call("users.get_all_ex", include_auth=True)["users"]}
    assert "email" not in listed[account]
    assert account in ids(admin.call("permissions.get_company_users"))
    store.change_settings(list_service_users=False)
    assert account not in ids(admin.call("users.get_all_ex")) + ids(admin.call("permissions.get_company_users"))


def test_company_users_have_id_name_email_and_role(admin: Client, store: Store) -> None:
    assert store.bootstrap
    root = {"id": store.bootstrap.user, "name": "Root", "email": "root@acme.io", "role": "admin"}
    assert admin.call("permissions.get_company_users") == {"users": [root]}


@pytest.mark.parametrize(
    ("fields", "first", "count"),
    [
        ({}, "p00000", 500),
        ({"page": 0, "page_size": 2}, "p00000", 2),
        ({"page": 3, "page_size": 100}, "p00300", 100),
        ({"page": 1, "page_size": 1000}, "p00500", 500),
        ({"page": 2}, "p01000", 201),
        ({"page_size": 5000}, "p00000", 500),
        ({"page": 2, "page_size": 600}, "p01000", 201),
    ],
)
def test_a_page_is_silently_cut_to_500_and_shifts_the_next(
    admin: Client, store: Store, fields: dict[str, int], first: str, count: int
) -> None:
    many(store, 1200)
    answer = admin.with_token(store.session_for("root")).call("users.get_all_ex", **fields)
    assert answer.keys() == {"users"}
    assert (ids(answer)[0], len(ids(answer))) == (first, count)


def test_the_page_after_the_last_is_empty(admin: Client) -> None:
    assert admin.call("users.get_all_ex", page=1, page_size=1) == {"users": []}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"page": -1}, "400/12"),
        ({"page": "0"}, "400/12"),
        ({"page": 10**30}, "400/12"),
        ({"page_size": 0}, "400/12"),
        ({"order_by": ["shoe_size"]}, "400/14"),
        ({"order_by": "name"}, "400/12"),
        ({"name": "("}, "400/12"),
        ({"id": "x"}, "400/12"),
        ({"include_auth": 1}, "400/12"),
    ],
)
def test_bad_list_fields_are_refused(admin: Client, fields: dict[str, object], outcome: str) -> None:
    assert admin.refused("users.get_all_ex", **fields) == outcome


def test_lists_can_be_ordered_filtered_and_cut_to_fields(admin: Client, store: Store) -> None:
    many(store, 30)
    root = admin.with_token(store.session_for("root"))
    assert ids(root.call("users.get_all_ex", order_by=["-name"]))[:2] == ["root", "p00029"]
    assert ids(root.call("users.get_all_ex", name="^Person 0000[12]$")) == ["p00001", "p00002"]
    assert ids(root.call("users.get_all_ex", name="son 00017")) == ["p00017"]
    assert root.call("users.get_all_ex", id=["p00003", "nobody"], only_fields=["name", "email"], include_auth=True) == {
        "users": [{"id": "p00003", "name": "Person 00003", "email": "p3@acme.io"}]
    }


def test_role_options_are_the_assignable_roles(admin: Client) -> None:
    options = admin.call("users.get_role_options")["roles"]
    assert [option["role"] for option in options] == ["admin", "user", "consumer"]
    assert all(option["display_name"] for option in options)


# Invitations


def test_a_pending_entry_shows_nothing_but_the_documented_fields(admin: Client) -> None:
    assert admin.call("login.add_whitelist_entries", emails=["a@acme.io"], role="admin") == {"added": ["a@acme.io"]}
    assert admin.call("login.get_settings") == {
        "domains": [],
        "whitelist_entries": [{"email": "a@acme.io", "status": "pending", "added": "2026-03-01T12:00:00.000000+00:00"}],
    }


def test_accepting_makes_an_active_user_with_the_invitations_role(admin: Client, store: Store, clock: Clock) -> None:
    admin.call("login.add_whitelist_entries", emails=["a@acme.io"], role="consumer")
    clock.move(days=1)
    user = accept_invitation(store, "a@acme.io", "Ada")
    assert admin.call("login.get_settings")["whitelist_entries"] == [
        {
            "email": "a@acme.io",
            "status": "accepted",
            "added": "2026-03-01T12:00:00.000000+00:00",
            "accepted": "2026-03-02T12:00:00.000000+00:00",
            "user": {"id": user, "name": "Ada", "role": "consumer"},
        }
    ]
    shown = admin.call("users.get_all_ex", id=[user], include_auth=True)["users"][0]
    assert (shown["email"], shown["role"], shown["sec_groups"]) == ("a@acme.io", "consumer", [USERS_GROUP_ID])


@pytest.mark.parametrize("email", ["stranger@acme.io", "root@acme.io", "A@acme.io"])
def test_nobody_else_can_accept(admin: Client, store: Store, email: str) -> None:
    admin.call("login.add_whitelist_entries", emails=["a@acme.io"])
    with pytest.raises(NotInvitedError, match="no pending invitation"):
        accept_invitation(store, email)


def test_inviting_someone_again_adds_nothing(admin: Client, store: Store) -> None:
    member(admin, store, "active@acme.io")
    admin.call("login.add_whitelist_entries", emails=["pending@acme.io"], role="user")
    emails = ["active@acme.io", "pending@acme.io", "root@acme.io", "new@acme.io", "new@acme.io"]
    assert admin.call("login.add_whitelist_entries", emails=emails, role="admin") == {"added": ["new@acme.io"]}
    roles = {invitation.email: invitation.role for invitation in dump_workspace(store).invitations}
    assert roles == {"active@acme.io": "user", "pending@acme.io": "user", "new@acme.io": "admin"}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, "400/12"),
        ({"emails": "a@acme.io"}, "400/12"),
        ({"emails": ["a@acme.io"], "role": "superuser"}, "400/12"),
        ({"emails": ["a@acme.io"], "role": "annotator"}, "400/12"),
        ({"emails": ["a"]}, "400/22"),
        ({"emails": ["a@b c"]}, "400/22"),
        ({"emails": [""]}, "400/22"),
        ({"emails": ["a@acme..io"]}, "400/22"),
    ],
)
def test_bad_invitations_are_refused(admin: Client, fields: dict[str, object], outcome: str) -> None:
    assert admin.refused("login.add_whitelist_entries", **fields) == outcome


def test_the_legacy_form_invites_an_administrator(admin: Client, store: Store) -> None:
    admin.call("login.add_whitelist_entries", emails=["a@acme.io"], is_admin=True)
    assert dump_workspace(store).invitations[0].role == "admin"


def test_only_pending_entries_can_be_removed(admin: Client, store: Store) -> None:
    member(admin, store, "active@acme.io")
    admin.call("login.add_whitelist_entries", emails=["pending@acme.io"])
    emails = ["active@acme.io", "pending@acme.io", "unknown@acme.io"]
    assert admin.call("login.remove_whitelist_entries", emails=emails) == {"removed": ["pending@acme.io"]}
    assert [entry["email"] for entry in admin.call("login.get_settings")["whitelist_entries"]] == ["active@acme.io"]


def test_domains_are_replaced_as_a_whole(admin: Client) -> None:
    assert admin.call("login.set_domains", domains=["acme.io", "acme.com"]) == {}
    assert admin.call("login.get_settings")["domains"] == ["acme.io", "acme.com"]
    admin.call("login.set_domains", domains=[])
    assert admin.call("login.get_settings")["domains"] == []


def test_an_invitation_past_the_maximum_is_refused_with_a_clear_message(admin: Client, store: Store) -> None:
    store.change_settings(maximum_members=3)
    admin.call("auth.create_service_user", name="does not count")
    answer = admin.ask("login.add_whitelist_entries", emails=["a@acme.io", "b@acme.io", "c@acme.io"])
    assert answer.outcome == "400/16"
    assert "at most 3 members" in answer.meta["result_msg"]
    admin.call("login.add_whitelist_entries", emails=["a@acme.io", "b@acme.io"])
    assert admin.refused("auth.add_user", email="c@acme.io", name="C") == "400/16"
    accept_invitation(store, "a@acme.io")


# Roles and details


def test_setting_a_role_says_whether_anything_changed(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    assert admin.call("users.set_role", user=ada, role="admin") == {"updated": 1}
    assert admin.call("users.set_role", user=ada, role="admin") == {"updated": 0}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"role": "user"}, "400/12"),
        ({"user": "ada"}, "400/12"),
        ({"user": "nobody", "role": "user"}, "400/301"),
        ({"user": "ada", "role": "superuser"}, "400/12"),
        ({"user": "ada", "role": None}, "400/12"),
        ({"user": "fixed", "role": "user"}, "400/301"),
        ({"user": "helper", "role": "user"}, "400/301"),
    ],
)
def test_roles_that_cannot_be_set(admin: Client, store: Store, fields: dict[str, object], outcome: str) -> None:
    special = (
        Person("ada", "ada@acme.io", "Ada"),
        Person("fixed", "fixed@acme.io", "Fixed", "admin", read_only=True),
        Person("helper", "help@acme.io", "Helper", "admin", support=True),
    )
    state = dump_workspace(store)
    load_workspace(store, replace(state, people=state.people + special))
    assert admin.refused("users.set_role", **fields) == outcome
    if outcome == "400/301":
        assert admin.refused("auth.delete_user", user=fields["user"]) == outcome


def test_details_are_updated_where_they_differ(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    assert admin.call("users.update", user=ada, name="Ada", given_name="A", family_name=None) == {
        "updated": 1,
        "fields": {"name": "Ada", "given_name": "A"},
    }
    assert admin.call("users.update", user=ada, name="Ada") == {"updated": 0, "fields": {}}
    shown = admin.call("users.get_all_ex", id=[ada])["users"][0]
    assert (shown["name"], shown["given_name"]) == ("Ada", "A")


def test_others_details_are_for_administrators(admin: Client, store: Store) -> None:
    ada, tom = member(admin, store), member(admin, store, "tom@acme.io")
    client = admin.with_token(store.session_for(ada))
    assert client.call("users.update", user=ada, name="Ada")["updated"] == 1
    assert client.refused("users.update", user=tom, name="T") == "403/20"
    assert admin.refused("users.update", user="nobody", name="T") == "400/301"
    assert admin.refused("users.update", user=tom, name="") == "400/12"


# Adding and removing


def test_adding_a_user_answers_the_id_and_the_password(admin: Client) -> None:
    made = admin.call("auth.add_user", email="a@acme.io", name="Ada", given_name="A")
    assert made["secret"]
    user = admin.call("users.get_all_ex", id=[made["id"]], include_auth=True)["users"][0]
    assert (user["email"], user["role"], user["given_name"]) == ("a@acme.io", "user", "A")
    assert admin.call("auth.add_user", email="b@acme.io", name="B", secret_key="given")["secret"] == "given"


def test_adding_someone_who_was_invited_accepts_the_invitation(admin: Client) -> None:
    admin.call("login.add_whitelist_entries", emails=["a@acme.io"])
    user = admin.call("auth.add_user", email="a@acme.io", name="Ada")["id"]
    assert admin.call("login.get_settings")["whitelist_entries"][0]["user"]["id"] == user


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"email": "root@acme.io", "name": "Again"}, "400/801"),
        ({"email": "nonsense", "name": "N"}, "400/800"),
        ({"email": "a@acme.io"}, "400/12"),
        ({"name": "N"}, "400/12"),
    ],
)
def test_users_that_cannot_be_added(admin: Client, fields: dict[str, str], outcome: str) -> None:
    assert admin.refused("auth.add_user", **fields) == outcome


def test_e_mails_are_compared_as_they_are_written(admin: Client) -> None:
    admin.call("auth.add_user", email="Root@acme.io", name="Another")


def test_removing_someone_takes_all_that_was_theirs(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    mine = admin.acting_as(ada)
    keys = mine.call("auth.create_credentials")["credentials"]
    mine.call("users.add_or_update_vault", vault={"data": "a: 1"})
    group = admin.call("permissions.add_or_update_user_group", name="g", users=[ada])["id"]
    admin.call(
        "permissions.add_or_update_access_rule",
        name="r", description="", entity_type="queue", entity_id="*", access_permission="read", users=[ada], groups=[],
    )  # fmt: skip
    assert admin.call("auth.delete_user", user=ada) == {"deleted": True}
    assert admin.with_basic(keys["access_key"], keys["secret_key"]).refused("auth.login") == "401/22"
    state = dump_workspace(store)
    assert (state.vaults, state.invitations) == ((), ())
    assert next(found for found in state.groups if found.id == group).users == frozenset()
    assert state.rules[-1].users == frozenset()
    assert admin.refused("auth.delete_user", user=ada) == "400/301"


def test_someone_removed_can_rejoin_only_by_a_new_invitation(admin: Client, store: Store) -> None:
    admin.call("auth.delete_user", user=member(admin, store))
    with pytest.raises(NotInvitedError):
        accept_invitation(store, "ada@acme.io")
    member(admin, store)


def test_a_hosted_server_neither_adds_nor_removes_people(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    account = admin.call("auth.create_service_user", name="bot")["id"]
    store.change_settings(on_premises=False)
    assert admin.refused("auth.add_user", email="b@acme.io", name="B") == "404/0"
    assert admin.refused("auth.delete_user", user=ada) == "400/1"
    admin.call("auth.delete_user", user=account)
