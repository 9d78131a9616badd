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
        "company": store.company,
        "created": "2026-03-01T12:00:00.000000+00:00",
        "role": "admin",
        "providers": {},
        "sec_groups": [USERS_GROUP_ID, ADMINS_GROUP_ID],
        "email": "root@acme.io",
    }
    assert root.keys() - admin.call("users.get_all_ex")["users"][0].keys() == {
        "role", "providers", "sec_groups", "email",
    }  # fmt: skip


def test_auth_fields_are_not_shown_to_others(admin: Client, store: Store) -> None:
    users = as_member(admin, store).call("users.get_all_ex", include_auth=True)["users"]
    assert all("email" not in user and "role" not in user for user in users)


def test_the_plain_list_and_a_single_user_show_the_same(admin: Client) -> None:
    listed = admin.call("users.get_all_ex", include_auth=True)
    assert admin.call("users.get_all", include_auth=True, include_activity=True) == listed
    (user,) = admin.call("users.get_all")["users"]
    assert admin.call("users.get_by_id", user=user["id"]) == {"user": user}
    assert admin.refused("users.get_by_id", user="nobody") == "400/301"


def test_what_is_special_about_a_user_is_shown_where_it_is(admin: Client, store: Store) -> None:
    state = dump_workspace(store)
    fixed = Person("fixed", "fixed@acme.io", "Fixed", "admin", read_only=True)
    load_workspace(store, replace(state, people=(*state.people, fixed)))
    shown = {user["id"]: user for user in admin.call("users.get_all_ex")["users"]}
    assert [user for user, fields in shown.items() if "read_only" in fields or "support" in fields] == ["fixed"]


def test_activity_is_shown_on_request_together_with_what_only_administrators_see(
    admin: Client, store: Store, clock: Clock
) -> None:
    assert store.bootstrap
    clock.move(hours=1)
    admin.with_basic(store.bootstrap.access_key, store.bootstrap.secret_key).call("auth.login")
    user = admin.call("users.get_all_ex", include_auth=True, include_activity=True)["users"][0]
    assert "activity" not in admin.call("users.get_all_ex", include_activity=True)["users"][0]
    assert user["activity"] == {"last_credentials_login": "2026-03-01T13:00:00.000000+00:00"}


def test_service_accounts_are_listed_too_without_an_e_mail_unless_set_otherwise(admin: Client, store: Store) -> None:
    account = admin.call("auth.create_service_user", name="bot")["id"]
    listed = {user["id"]: user for user in admin.call("users.get_all_ex", include_auth=True)["users"]}
    assert "email" not in listed[account]
    assert account in ids(admin.call("permissions.get_company_users"))
    store.change_settings(list_service_users=False)
    assert account not in ids(admin.call("users.get_all_ex")) + ids(admin.call("permissions.get_company_users"))


def test_the_servers_own_users_are_listed_only_if_the_workspace_is_set_so(admin: Client, store: Store) -> None:
    assert len(ids(admin.call("users.get_all_ex"))) == 1
    store.change_settings(list_system_users=True)
    listed = {user["id"]: user for user in admin.call("users.get_all_ex", include_auth=True)["users"]}
    assert {"__root__", "__apiserver__"} <= listed.keys()
    assert not {"email", "role", "sec_groups"} & listed["__apiserver__"].keys()
    assert "__root__" not in ids(admin.call("permissions.get_company_users"))
    assert admin.refused("auth.delete_user", user="__apiserver__") == "400/301"


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
        ({"page": "0"}, "500/0"),
        ({"name": 7}, "500/0"),
        ({"page": 10**30}, "400/12"),
        ({"page_size": 0}, "400/12"),
        ({"order_by": ["shoe_size"]}, "400/14"),
        ({"order_by": ["email"]}, "400/14"),
        ({"only_fields": ["zz"]}, "400/14"),
        ({"name": "("}, "400/21"),
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


def test_a_filter_may_be_a_single_value_and_an_empty_one_leaves_out_nobody(admin: Client, store: Store) -> None:
    many(store, 3)
    root = admin.with_token(store.session_for("root"))
    assert ids(root.call("users.get_all_ex", id="p00001")) == ["p00001"]
    assert ids(root.call("users.get_all_ex", order_by="-name"))[0] == "root"
    assert len(ids(root.call("users.get_all_ex", id=[]))) == 4
    (user,) = root.call("users.get_all_ex", id="root", only_fields=["-created", "-company"])["users"]
    assert user == {"id": "root", "name": "Root"}


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


@pytest.mark.parametrize("email", ["stranger@acme.io", "root@acme.io"])
def test_nobody_else_can_accept(admin: Client, store: Store, email: str) -> None:
    admin.call("login.add_whitelist_entries", emails=["a@acme.io"])
    with pytest.raises(NotInvitedError, match="no pending invitation"):
        accept_invitation(store, email)


def test_an_identity_provider_may_spell_the_address_its_own_way(admin: Client, store: Store) -> None:
    admin.call("login.add_whitelist_entries", emails=["ada@acme.io"], role="admin")
    user = accept_invitation(store, "Ada@Acme.io")
    assert dump_workspace(store).people[-1] == Person(user, "Ada@Acme.io", "Ada", "admin")
    assert [entry["status"] for entry in admin.call("login.get_settings")["whitelist_entries"]] == ["accepted"]


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


def test_a_server_before_2_37_knows_no_role_of_an_entry(admin: Client, store: Store) -> None:
    store.change_settings(api_version="2.36")
    admin.call("login.add_whitelist_entries", emails=["a@acme.io"], role="admin")
    admin.call("login.add_whitelist_entries", emails=["b@acme.io"], role="user", is_admin=True)
    assert [invitation.role for invitation in dump_workspace(store).invitations] == ["user", "admin"]


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


def test_any_role_can_be_given_by_editing_a_user(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    assert admin.call("auth.edit_user", user=ada, role="annotator") == {"updated": 1, "fields": {"role": "annotator"}}
    assert admin.call("auth.edit_user", user=ada, role="annotator") == {"updated": 0, "fields": {}}
    assert admin.call("auth.edit_user", user=ada) == {"updated": 0, "fields": {}}
    assert admin.refused("auth.edit_user", user=ada, role="guest") == "400/12"
    assert admin.call("users.get_all_ex", id=[ada], include_auth=True)["users"][0]["role"] == "annotator"


def test_updated_counts_who_was_found_whether_or_not_anything_changed(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    for _ in range(2):
        assert admin.call("users.update", user=ada, name="Ada", given_name="A", family_name=None) == {
            "updated": 1,
            "fields": {"name": "Ada", "given_name": "A"},
        }
    assert admin.call("users.update", user="nobody", name="N") == {"updated": 0, "fields": {"name": "N"}}
    shown = admin.call("users.get_all_ex", id=[ada])["users"][0]
    assert (shown["name"], shown["given_name"]) == ("Ada", "A")


def test_others_details_are_for_administrators(admin: Client, store: Store) -> None:
    ada, tom = member(admin, store), member(admin, store, "tom@acme.io")
    client = admin.with_token(store.session_for(ada))
    assert client.call("users.update", user=ada, name="Ada")["updated"] == 1
    assert client.refused("users.update", user=tom, name="T") == "403/20"
    assert admin.call("users.update", user=tom, name="")["updated"] == 1


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


def test_someone_removed_stays_listed_without_e_mail_and_outside_users(admin: Client, store: Store) -> None:
    ada, bot = member(admin, store), admin.call("auth.create_service_user", name="bot")["id"]
    for user in (ada, bot):
        admin.call("auth.delete_user", user=user)
        (listed,) = admin.call("users.get_all_ex", include_auth=True, id=[user])["users"]
        assert listed.keys() == {"id", "name", "company", "created"}
        assert user not in ids(admin.call("permissions.get_user_groups", groups=[USERS_GROUP_ID])["groups"][0])
        assert user not in ids(admin.call("permissions.get_company_users"))
        assert admin.refused("permissions.add_or_update_user_group", name="g", users=[user]) == "400/301"
    assert admin.call("users.get_service_users")["users"] == []


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
