"""Projects, queues and the like, who has access to them, and the seed that they can come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox_client import Client, as_member, member

from reconciler.declaration.values_file import read_values
from reconciler.errors import UsageError
from reconciler.sandbox.bulk import dump_workspace, load_workspace
from reconciler.sandbox.choices import ENTITY_TYPES
from reconciler.sandbox.seed import Seed, plant
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.state import Entity, Person, Rule, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.store import Store


def names(client: Client, endpoint: str, **fields: object) -> set[str]:
    answer = client.call(endpoint, **fields)
    return {entity["name"] for entity in next(iter(answer.values()))}


# Creating and reading


def test_a_project_is_created_with_those_that_it_is_in(admin: Client) -> None:
    made = admin.call("projects.create", name="Vision/Cats/Small", description="kittens", tags=["a"])["id"]
    assert names(admin, "projects.get_all_ex") == {"Vision", "Vision/Cats", "Vision/Cats/Small"}
    project = admin.call("projects.get_by_id", project=made)["project"]
    assert (project["name"], project["basename"], project["description"]) == ("Vision/Cats/Small", "Small", "kittens")
    assert (project["tags"], project["hidden"], project["created"][:10]) == (["a"], False, "2026-03-01")
    assert admin.refused("projects.create", name="Vision/Cats") == "400/801"
    assert admin.refused("projects.create") == "400/12"
    assert admin.refused("projects.get_by_id", project="unknown") == "400/10"


def test_a_queue_is_created_and_found(admin: Client) -> None:
    made = admin.call("queues.create", name="gpu", system_tags=["k8s"])["id"]
    assert admin.call("queues.get_by_id", queue=made)["queue"]["system_tags"] == ["k8s"]
    assert admin.call("queues.get_all", name="^gpu$", only_fields=["id"]) == {"queues": [{"id": made}]}
    assert admin.refused("queues.create", name="gpu") == "400/801"
    assert admin.refused("queues.get_all", only_fields=["project"]) == "400/14"


def test_what_is_hidden_is_found_only_by_those_who_ask_for_it(admin: Client) -> None:
    admin.call("projects.create", name="Vision/.datasets/cats")
    admin.call("queues.create", name="internal", system_tags=["hidden"])
    assert names(admin, "projects.get_all_ex") == {"Vision"}
    assert "Vision/.datasets/cats" in names(admin, "projects.get_all_ex", search_hidden=True)
    assert names(admin, "queues.get_all") == set()
    assert names(admin, "queues.get_all", search_hidden=True) == {"internal"}


def test_what_belongs_to_somebody_else_and_is_public_is_found_unless_not_wanted(admin: Client, store: Store) -> None:
    entities = (Entity("project", "p1", "Ours"), Entity("project", "p2", "Examples", public=True))
    load_workspace(store, Workspace(people=(Person("root", "root@acme.io", "Root", "admin"),), entities=entities))
    root = admin.with_token(store.session_for("root"))
    assert names(root, "projects.get_all_ex") == {"Ours", "Examples"}
    assert names(root, "projects.get_all_ex", allow_public=False) == {"Ours"}
    assert names(root, "projects.get_all_ex", non_public=True) == {"Ours"}
    assert root.call("projects.get_by_id", project="p2")["project"]["company"] == ""


# Access


ADA, TOM = "ada", "tom"
PEOPLE = (
    Person("root", "root@acme.io", "Root", "admin"),
    Person(ADA, "ada@acme.io", "Ada"),
    Person(TOM, "t@b.c", "Tom"),
)
ENTITIES = (
    Entity("project", "vision", "Vision"),
    Entity("project", "cats", "Vision/Cats"),
    Entity("project", "visionary", "Visionary"),
    Entity("task", "training", "training", project="cats"),
    Entity("queue", "gpu", "gpu"),
)
NONE = Rule("none", "none", "app_category", "nothing", "read", autocreated=True)
"""Keeps the rules from being made that let everybody do everything."""


def granting(*rules: tuple[str, str | None, str]) -> tuple[Rule, ...]:
    """Return rules for Ada, each of a type, an id and a permission."""
    return NONE, *(
        Rule(f"r{n}", f"r{n}", kind, entity, permission, frozenset({ADA}))
        for n, (kind, entity, permission) in enumerate(rules)
    )


@pytest.mark.parametrize(
    ("rules", "entity", "permission"),
    [
        ([], ("project", "vision"), None),
        ([("project", "vision", "read")], ("project", "vision"), "read"),
        ([("project", "vision", "read")], ("project", "cats"), "read"),
        ([("project", "vision", "read")], ("task", "training"), "read"),
        ([("project", "vision", "read")], ("project", "visionary"), None),
        ([("project", "cats", "read_write")], ("project", "vision"), None),
        ([("project", "vision", "read_write"), ("project", "cats", "read")], ("project", "cats"), "read_write"),
        ([("project", "*", "read"), ("task", "training", "read_write")], ("task", "training"), "read_write"),
        ([("task", "*", "read")], ("task", "training"), "read"),
        ([("queue", "*", "read")], ("project", "vision"), None),
        ([("project", None, "read_write")], ("project", None), "read_write"),
        ([("project", None, "read_write")], ("project", "vision"), None),
        ([("app_category", "Vision", "read")], ("app_category", "Vision"), "read_write"),
    ],
)
def test_grants_add_up_over_the_entity_what_it_is_in_and_its_type(
    admin: Client, store: Store, rules: list[tuple[str, str | None, str]],
    entity: tuple[str, str | None], permission: str | None,
) -> None:  # fmt: skip
    load_workspace(store, Workspace(people=PEOPLE, entities=ENTITIES, rules=granting(*rules)))
    asked = {"entity_type": entity[0], "entity_id": entity[1]}
    ada, tom = admin.with_token(store.session_for(ADA)), admin.with_token(store.session_for(TOM))
    for wanted, given in (("read", permission is not None), ("read_write", permission == "read_write")):
        answer = ada.ask("permissions.check_entity_access", access_permission=wanted, **asked)
        assert answer.outcome == ("200/0" if given else "403/20")
    assert tom.refused("permissions.check_entity_access", **asked) == "403/20"


def test_people_see_what_they_can_read(admin: Client, store: Store) -> None:
    rules = granting(("project", "vision", "read"))
    load_workspace(store, Workspace(people=PEOPLE, entities=ENTITIES, rules=rules))
    root, ada = admin.with_token(store.session_for("root")), admin.with_token(store.session_for(ADA))
    assert names(root, "projects.get_all") == {"Vision", "Vision/Cats", "Visionary"}
    assert names(ada, "projects.get_all") == {"Vision", "Vision/Cats"}
    assert names(ada, "projects.get_all", page=1, page_size=1) == {"Vision"}
    assert ada.refused("projects.get_by_id", project="visionary") == "400/10"
    assert (names(root, "queues.get_all"), names(ada, "queues.get_all")) == ({"gpu"}, set())


def test_access_can_be_asked_for_with_somebody_elses_token(admin: Client, store: Store) -> None:
    ada = member(admin, store)
    for rule in admin.call("permissions.get_access_rules")["rules"]:
        admin.call("permissions.delete_access_rules", rules=[rule["id"]])
    for entity_type in ENTITY_TYPES:
        asked = {"entity_type": entity_type, "entity_id": "*", "token": store.session_for(ada)}
        assert admin.refused("permissions.check_entity_access", **asked) == "403/20"


def test_everyone_may_read_and_write_everything_at_first(admin: Client, store: Store) -> None:
    ada = as_member(admin, store)
    for entity_type in ENTITY_TYPES:
        ada.call(
            "permissions.check_entity_access", entity_type=entity_type, entity_id="*", access_permission="read_write"
        )


# Seeds


def read_seed(path: Path) -> Seed:
    return read_values(Seed, path)


def write(folder: Path, text: str) -> Path:
    path = folder / "seed.yaml"
    path.write_text(text, encoding="utf-8")
    return path


SEED = """\
members:
  - {email: ada@acme.io, name: Ada, role: admin}
  - {email: tom@acme.io}
projects: [Vision/Cats, Vision]
queues: [gpu]
datasets: [frames]
apps: [autoscaler]
"""


def test_a_seed_creates_what_there_is_not_and_leaves_the_rest(tmp_path: Path, store: Store) -> None:
    seed = read_seed(write(tmp_path, SEED))
    store.add_entity("queue", "gpu", "given")
    assert (plant(store, seed), plant(store, seed)) == (6, 0)
    state = dump_workspace(store)
    people = {person.email: (person.name, person.role) for person in state.people}
    assert people["ada@acme.io"] == ("Ada", "admin")
    assert people["tom@acme.io"] == ("tom", "user")
    assert {(entity.type, entity.name) for entity in state.entities} == {
        ("project", "Vision"), ("project", "Vision/Cats"), ("queue", "gpu"), ("dataset", "frames"), ("app", "autoscaler"),
    }  # fmt: skip
    assert {entity.id for entity in state.entities} >= {"given", "autoscaler"}


def test_a_seed_may_set_limits_and_switches(tmp_path: Path, store: Store) -> None:
    store.change_settings(max_credentials=2)
    plant(store, read_seed(write(tmp_path, "queues: []\n")))
    assert store.settings == Settings(max_credentials=2)
    features = "[service_users, config_vault]"
    plant(store, read_seed(write(tmp_path, f"settings: {{api_version: '2.36', features: {features}}}\n")))
    assert store.settings == Settings(api_version="2.36", features=("service_users", "config_vault"))


@pytest.mark.parametrize("text", ["", "# nothing\n", "projects: []\n"])
def test_a_seed_may_ask_for_nothing(tmp_path: Path, store: Store, text: str) -> None:
    assert plant(store, read_seed(write(tmp_path, text))) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- Vision\n", "seed.yaml:1:1: "),
        ("projects: [a]\nqueues: gpu\n", "seed.yaml:2:9: `queues` must be a list"),
        ("projects:\n  - a\n  - 7\n", "seed.yaml:3:5: `projects[1]` must be"),
        ("members:\n  - email: b@b.c\n    role: king\n", "seed.yaml:3:11: `members[0].role` must be"),
        ("members:\n  - {name: Ada}\n", "seed.yaml:2:5: `members[0]` needs `email`"),
        ("proyects: [a]\n", "seed.yaml:1:1: "),
        ("settings: {shoe_size: 43}\n", "seed.yaml:1:23: `settings.shoe_size` "),
        ("settings: {max_credentials: many}\n", "seed.yaml:1:29: `settings.max_credentials` is not right"),
        ("projects: [a\n", "seed.yaml:2:1: "),
        ("projects: [a]\nprojects: [b]\n", "seed.yaml:2:1: "),
    ],
)
def test_a_seed_that_is_wrong_says_where(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_seed(write(tmp_path, text))
    assert problem in str(caught.value)


def test_a_seed_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_seed(tmp_path / "seed.yaml")
