"""Which files a declaration consists of, and what is said of those that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.declaration.load import MAXIMUM_PROBLEMS, load
from reconciler.declaration.source import MAXIMUM_FILE_BYTES
from reconciler.errors import ExitCode, InvalidDeclarationError
from reconciler.vaults.parse import DocumentParser

ADMINS = "members:\n  - {email: ada@acme.io, role: admin}\n  - {email: bob@acme.io, role: admin}\n"
TOP = "version: 1\nworkspace: {name: acme, server: 'https://api.acme.io'}\n"


def test_a_missing_file_says_so(files) -> None:
    assert files.told() == ["workspace.yaml:1:1: this file does not exist"]


@pytest.mark.parametrize("there", ["workspace.yml", "acme/workspace.yaml"])
def test_a_missing_file_is_looked_for_under_another_ending_and_one_folder_below(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text(TOP)
    with DocumentParser() as documents, pytest.raises(InvalidDeclarationError) as found:
        load(tmp_path / "workspace.yaml", documents=documents)
    (problem,) = found.value.problems
    assert problem.hint == f"did you mean {tmp_path / there}?"


def test_a_folder_says_so(files) -> None:
    Path("workspace.yaml").mkdir()
    assert files.told() == ["workspace.yaml:1:1: this is a folder, not a file"]


def test_a_pipe_is_not_waited_for(files) -> None:
    os.mkfifo("workspace.yaml")
    assert files.told() == ["workspace.yaml:1:1: this is not a regular file"]


def test_a_100_megabyte_file_is_refused_without_being_read(files) -> None:
    with Path("workspace.yaml").open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    limit = MAXIMUM_FILE_BYTES // 1024 // 1024
    assert files.told() == [f"workspace.yaml:1:1: this file is too large: 100.0 MiB, the limit is {limit}.0 MiB"]


@pytest.mark.parametrize("name", ["a\x00b", "x" * 300])
def test_a_path_that_no_system_has_is_one_sentence(name: str, parser) -> None:
    with pytest.raises(InvalidDeclarationError) as caught:
        load(Path(name), documents=parser)
    assert caught.value.exit_code is ExitCode.INVALID_DECLARATION
    assert "cannot be read" in caught.value.problems[0].message


def test_an_empty_file_never_means_to_remove_everything(files) -> None:
    files.write("workspace.yaml", "")
    assert "this file is empty" in files.told()[0]


def test_byte_order_mark_and_windows_line_ends_are_read(files) -> None:
    files.write("workspace.yaml", b"\xef\xbb\xbf" + (TOP + ADMINS).replace("\n", "\r\n").encode())
    assert len(files.load().members) == 2


def test_included_lists_are_joined(files) -> None:
    files.write("teams/b.yaml", "groups:\n  - {name: b, members: [ada@acme.io]}\n")
    files.write("teams/a.yaml", "groups:\n  - {name: a}\n")
    declaration = files.loaded("include: [teams/*.yaml]\n" + ADMINS)
    assert [group.item.name for group in declaration.groups] == ["a", "b"]
    assert str(declaration.groups[1].place()) == "teams/b.yaml:2:5"
    assert declaration.files == ("teams/a.yaml", "teams/b.yaml", "workspace.yaml")


def test_a_pattern_that_matches_the_top_file_too_reads_it_once(files) -> None:
    files.write("more.yaml", ADMINS)
    assert len(files.loaded("include: ['*.yaml', more.yaml]\n").members) == 2


def test_hidden_files_are_not_included(files) -> None:
    files.write("teams/a.yaml", ADMINS)
    files.write("teams/.a.yaml.swp.yaml", "broken: [")
    assert len(files.loaded("include: [teams/*.yaml]\n").members) == 2


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("../*.yaml", "`../*.yaml` must stay inside the declaration's folder: `..` is not allowed"),
        ("a/../../b.yaml", "`a/../../b.yaml` must stay inside the declaration's folder: `..` is not allowed"),
        ("/etc/*.yaml", "`/etc/*.yaml` must be relative to the declaration's folder"),
        ("~/x.yaml", "`~/x.yaml` must be relative to the declaration's folder"),
        ("teams/*.yaml", "`teams/*.yaml` matches no file"),
        ("**b/*.yaml", "`**b/*.yaml` is not a valid pattern"),
        (".", "`.` must name a file"),
        ("a\\\\b", "`a\\b` must be written with `/`, not with a backslash"),
        ("out/*.yaml", "`out/*.yaml` must stay inside the declaration's folder: a symbolic link leads out of it"),
        ("a\\nb", "`a\\nb` contains a character that a path cannot have"),
    ],
)
def test_an_include_that_cannot_be_used_is_an_error(files, tmp_path_factory, pattern: str, message: str) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.yaml").write_text(ADMINS)
    Path("out").symlink_to(outside)
    assert files.told_of(f'include: ["{pattern}"]\n') == [f"workspace.yaml:3:11: {message}"]


def test_a_symbolic_link_within_the_folder_is_followed(files) -> None:
    files.write("data/members.yaml", ADMINS)
    Path("members.yaml").symlink_to("data/members.yaml")
    assert len(files.loaded("include: [members.yaml]\n").members) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\n", "`version` belongs to the top file: an included file holds only members, service_accounts, groups, vaults, access_rules"),
        ("include: [x]\n", "`include` belongs to the top file: an included file holds only members, service_accounts, groups, vaults, access_rules"),
        ("grups: []\n", "unknown key `grups`"),
    ],
)  # fmt: skip
def test_an_included_file_holds_only_lists(files, text: str, message: str) -> None:
    files.write("part.yaml", text)
    assert files.told_of("include: [part.yaml]\n") == [f"part.yaml:1:1: {message}"]


def test_all_problems_of_all_files_are_told_at_once(files) -> None:
    files.write("a.yaml", "members: [")
    files.write("b.yaml", "members:\n  - {email: nobody}\n")
    told = files.told_of("include: ['?.yaml']\nmember: []\ngroups:\n  - {name: g, members: [x@y.io]}\n")
    assert told == [
        "a.yaml:2:1: not valid YAML: did not find expected node content (while parsing a flow node)",
        "b.yaml:2:13: `nobody` is not an e-mail",
        "workspace.yaml:4:1: unknown key `member`",
    ]


def test_a_key_in_two_files_is_an_error_that_names_both_places(files) -> None:
    files.write("more.yaml", "members:\n  - {email: ADA@acme.io}\n")
    assert files.told_of("include: [more.yaml]\n" + ADMINS) == [
        "more.yaml:2:13: the member `ADA@acme.io` is declared twice, first at workspace.yaml:5:13"
    ]


def test_very_many_problems_are_counted(files) -> None:
    told = files.told_of("members:\n" + "  - {email: nobody, rol: x}\n" * 1500)
    assert len(told) == MAXIMUM_PROBLEMS + 1
    assert told[-1] == "None: and 3499 more problems"


def test_each_problem_comes_with_its_line(files) -> None:
    files.top("member: []\n")
    with pytest.raises(InvalidDeclarationError) as caught:
        files.load()
    (problem,) = caught.value.problems
    assert caught.value.excerpts[problem.place] == "member: []"
    assert problem.hint == "did you mean `members`?"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.conf", "workspace.yaml:7:33: `absent.conf`: this file does not exist"),
        ("folder", "workspace.yaml:7:33: `folder`: this is a folder, not a file"),
        ("../x.conf", "workspace.yaml:7:33: `../x.conf` must stay inside the declaration's folder: `..` is not allowed"),
        ("out/x.conf", "workspace.yaml:7:33: `out/x.conf` must stay inside the declaration's folder: a symbolic link leads out of it"),
        ("binary.conf", "binary.conf:1:1: this is a binary file, not text: it holds a NUL byte"),
        ("conflict.conf", "conflict.conf:2:1: a merge conflict was left here"),
        ("large.conf", "workspace.yaml:7:33: `large.conf`: this file is too large: 2.0 MiB, the limit is 1.0 MiB"),
        ("wrong.json", "wrong.json:2:8: the document of `v`: refused by reconciler: this is not valid JSON: expecting value"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_used_is_an_error(files, tmp_path_factory, name: str, message: str) -> None:
    Path("out").symlink_to(tmp_path_factory.mktemp("outside"))
    Path("folder").mkdir()
    files.write("binary.conf", b"a\x00b")
    files.write("large.conf", b"#" * (2 * 1024 * 1024))
    files.write("conflict.conf", "a: 1\n<<<<<<< HEAD\n")
    files.write("wrong.json", '{"a": 1,\n  "b": }\n')
    told = files.told_of(f"{ADMINS}vaults:\n  - {{name: v, group: grp, file: {name}}}\n")
    assert [line.lower() for line in told] == [message.lower()]
