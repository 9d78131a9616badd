"""What is wrong with entries, told as ``file:line:column: message``."""

from __future__ import annotations

import pytest

from reconciler.errors import Severity

ADMINS = "members:\n  - {email: ada@acme.io, role: admin}\n  - {email: bob@acme.io, role: admin}\n"
"""Lines 3 to 5 of a declaration; what a case adds begins at line 6."""

SCHEMA_CASES = [
    ("wokspace: {}\n", ["6:1: unknown key `wokspace`"]),
    ("groups:\n", ["6:1: `groups` has no value"]),
    ("groups: 5\n", ["6:9: `groups` must be a list, not a number"]),
    ("groups: {name: x}\n", ["6:9: `groups` must be a list, not a mapping"]),
    ("groups: [research]\n", ["6:10: `groups[0]` must be a mapping, not a string"]),
    ("groups:\n  - description: x\n", ["7:5: `groups[0]` needs `name`"]),
    ("groups:\n  - {name: 5}\n", ["7:12: `groups[0].name` must be a string, not a number (put it in quotes)"]),
    ("groups:\n  - {name: true}\n", ["7:12: `groups[0].name` must be a string, not true or false (put it in quotes)"]),
    ("groups:\n  - {name: g, members: x}\n", ["7:24: `groups[0].members` must be a list, not a string"]),
    ("groups:\n  - {name: g, members: [1]}\n", ["7:25: `groups[0].members[0]` must be a string, not a number (put it in quotes)"]),
    ("groups:\n  - {name: g, member: []}\n", ["7:15: unknown key `member`"]),
    ("groups:\n  - {name: g, members: }\n", ["7:15: `members` has no value"]),
    ("policy: {min_admins: 0}\n", ["6:22: `policy.min_admins` must be at least 1, not `0`"]),
    ("policy: {min_admins: 2.0}\n", ["6:22: `policy.min_admins` must be a whole number, not a number"]),
    ("policy: {max_removals: 20}\n", []),
    ("policy: {max_removals: 12.5%}\n", []),
    ("policy: {max_removals: {share: 20%, at_least: 3}}\n", []),
    ("policy: {max_removals: {share: 20%, at_least: some}}\n", ["6:24: `policy.max_removals` must be a number of removals, like `5`, or a share, like `20%` or `{share: 20%, at_least: 3}`"]),
    ("policy: {max_removals: {share: 20%}}\n", ["6:24: `policy.max_removals` must be a number of removals, like `5`, or a share, like `20%` or `{share: 20%, at_least: 3}`"]),
    ("policy: {protect: {credentials: [{service_account: a}]}}\n", ["6:34: `policy.protect.credentials[0]` needs `label`"]),
    ("policy: {max_removals: -1}\n", ["6:24: `policy.max_removals` must be a number of removals, like `5`, or a share, like `20%` or `{share: 20%, at_least: 3}`"]),
    ("policy: {max_removals: 120%}\n", ["6:24: `policy.max_removals` must be a number of removals, like `5`, or a share, like `20%` or `{share: 20%, at_least: 3}`"]),
    ("policy: {max_removals: true}\n", ["6:24: `policy.max_removals` must be a number of removals, like `5`, or a share, like `20%` or `{share: 20%, at_least: 3}`"]),
    ("policy: {protect: {vaults: [{name: v}]}}\n", ["6:29: `policy.protect.vaults[0]` is not right: a protected vault needs either `group` or `service_account`"]),
    ("manage: {members: some}\n", ["6:19: `manage.members` must be all or declared, not `some`"]),
    ("manage: {member: all}\n", ["6:10: unknown key `member`"]),
    ("service_accounts:\n  - {name: a, admin: no}\n", ["7:22: `service_accounts[0].admin` must be true or false, not a string"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, expires_in: 90}]}\n", ["7:52: `service_accounts[0].credentials[0].expires_in` must be a duration: a whole number and m, h, d or w, like `90d` or `12h`"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, expires_in: 0d}]}\n", ["7:52: `service_accounts[0].credentials[0].expires_in` must be a duration: a whole number and m, h, d or w, like `90d` or `12h`"]),
    ("vaults:\n  - {name: v, group: g}\n", ["7:5: `vaults[0]` is not right: a vault needs either `file` or `data`"]),
    ("vaults:\n  - {name: v, group: g, data: '', file: x}\n", ["7:5: `vaults[0]` is not right: a vault needs either `file` or `data`"]),
    ("vaults:\n  - {name: v, group: g, data: '', format: toml}\n", ["7:43: `vaults[0].format` must be hocon, json or yaml, not `toml`"]),
    ("vaults:\n  - {name: v, group: g, data: '', target: web}\n", ["7:43: `vaults[0].target` must be client, ui-storage, ssh-server, monitoring, or type:NAME with the API's own name for it"]),
    ("vaults:\n  - {name: v, group: g, data: '', send_as: json}\n", ["7:5: `vaults[0]` is not right: `send_as` applies only to `format: yaml`"]),
    ("vaults:\n  - {name: v, group: g, data: '@{A}', secrets: {A: {}}}\n", ["7:52: `vaults[0].secrets.A` is not right: a secret needs exactly one of `env`, `file` and `command`"]),
    ("vaults:\n  - {name: v, group: g, data: '@{A}', secrets: {A: {env: x, file: y}}}\n", ["7:52: `vaults[0].secrets.A` is not right: a secret needs exactly one of `env`, `file` and `command`"]),
    ("vaults:\n  - {name: v, group: g, data: '@{A}', secrets: {A: {command: []}}}\n", ["7:62: `vaults[0].secrets.A.command` must not be empty"]),
    ("vaults:\n  - {name: v, group: g, data: '@{A}', secrets: {A: {command: op read}}}\n", ["7:62: `vaults[0].secrets.A.command` must be a list, not a string"]),
]  # fmt: skip

NAME_CASES = [
    ("groups:\n  - {name: ''}\n", ["7:12: the name `` is empty"]),
    ("groups:\n  - {name: ' '}\n", ["7:12: the name ` ` is empty"]),
    ("groups:\n  - {name: ' a'}\n", ["7:12: the name ` a` begins or ends with a space"]),
    ('groups:\n  - {name: "a\\nb"}\n', ["7:12: the name `a\\nb` holds a line break, or a control, invisible or direction-changing character"]),
    ('groups:\n  - {name: "\\e[31mred"}\n', ["7:12: the name `\\x1b[31mred` holds a line break, or a control, invisible or direction-changing character"]),
    ("groups:\n  - {name: a\u202eb}\n", ["7:12: the name `a\\u202eb` holds a line break, or a control, invisible or direction-changing character"]),
    (f"groups:\n  - {{name: {'x' * 201}}}\n", [f"7:12: the name `{'x' * 79}…` is longer than 200 characters"]),
    ('groups:\n  - {name: a, description: "x\\ty"}\n', ["7:28: the description holds a control or invisible character"]),
    ("service_accounts:\n  - {name: ' a'}\n", ["7:12: the name ` a` begins or ends with a space"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: ''}]}\n", ["7:37: the label `` is empty"]),
    ("service_accounts:\n  - {name: a, vault: {name: '', data: 'a: 1'}}\n", ["7:29: the name `` is empty"]),
    ("groups: [{name: g}]\nvaults:\n  - {name: v, group: g, format: yaml, data: \"a: ['']\"}\n", ["8:45: the document of `v` cannot be sent as json: a[0] is an empty string in a list, which clients drop"]),
    ("vaults:\n  - {name: '', group: g, data: 'a: 1'}\n", ["7:12: the name `` is empty"]),
    ("groups:\n  - {name: Research}\n  - {name: RESEARCH}\n", ["8:12: the group `RESEARCH` is declared twice, first at workspace.yaml:7:12"]),
    ("groups:\n  - {name: Straße}\n  - {name: STRASSE}\n", []),
    ("groups:\n  - {name: Ärzte}\n  - {name: ÄRZTE}\n", ["8:12: the group `ÄRZTE` is declared twice, first at workspace.yaml:7:12"]),
    ("groups:\n  - {name: \uff21}\n  - {name: a}\n", ["8:12: the group `a` is declared twice, first at workspace.yaml:7:12"]),
    ("service_accounts:\n  - {name: a}\n  - {name: A}\n", ["8:12: the service account `A` is declared twice, first at workspace.yaml:7:12"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l}, {label: L}]}\n", ["7:49: the label `L` is given twice, first at workspace.yaml:7:37"]),
    ("vaults:\n  - {name: v, group: g, data: 'a: 1'}\n  - {name: V, group: G, data: 'a: 1'}\n", ["8:12: the vault `V` of `G` is declared twice, first at workspace.yaml:7:12"]),
    ("vaults:\n  - {name: v, group: g, data: 'a: 1'}\n  - {name: v, group: h, data: 'a: 1'}\n", []),
    ("groups:\n  - {name: users}\n", ["7:12: `users` is a built-in group that cannot be declared: everyone is in it"]),
    ("groups:\n  - {name: Admins}\n", ["7:12: `Admins` is a built-in group that cannot be declared: who is in it follows from `role: admin`"]),
    ("groups:\n  - {name: Queue admins, members: [ada@acme.io]}\n", []),
    ("groups:\n  - {name: Queue admins, description: x}\n", ["7:26: `Queue admins` is a built-in group: its description cannot be changed"]),
    ("groups:\n  - {name: a, was: Queue Admins}\n", ["7:20: `Queue Admins` is a built-in group: it cannot be renamed"]),
    ("groups:\n  - {name: Queue admins, was: b}\n", ["7:31: `Queue admins` is a built-in group: nothing can be renamed to it"]),
    ("groups:\n  - {name: a, was: A}\n", ["7:20: `A` is its name already"]),
    ("groups:\n  - {name: a, was: b}\n  - {name: b}\n", ["7:20: `b` is still declared: a rename needs a name that is no longer used"]),
    ("groups:\n  - {name: a, was: b}\n  - {name: b, was: a}\n", ["7:20: `b` is still declared: a rename needs a name that is no longer used", "8:20: `a` is still declared: a rename needs a name that is no longer used"]),
    ("groups:\n  - {name: a, was: c}\n  - {name: b, was: C}\n", ["8:20: `C` was already renamed at workspace.yaml:7:20"]),
    ("vaults:\n  - {name: a, group: g, was: c, data: 'a: 1'}\n  - {name: b, group: h, was: c, data: 'a: 1'}\n", []),
    ("service_accounts:\n  - {name: a, was: ''}\n", ["7:20: the former name `` is empty"]),
]  # fmt: skip

REFERENCE_CASES = [
    ("groups:\n  - {name: g, members: [ADA@acme.io]}\n", []),
    ("groups:\n  - {name: g, members: [aba@acme.io]}\n", ["7:25: `aba@acme.io` is not a declared member"]),
    ("groups:\n  - {name: g, members: [ada@acme.io, Ada@acme.io]}\n", ["7:38: `Ada@acme.io` is named twice in this group, first at workspace.yaml:7:25"]),
    ("groups:\n  - {name: g, service_accounts: [bot]}\n", []),
    ("service_accounts: []\ngroups:\n  - {name: g, service_accounts: [bot]}\n", ["8:34: `bot` is not a declared service account"]),
    ("service_accounts: []\nmanage: {service_accounts: declared}\ngroups:\n  - {name: g, service_accounts: [bot]}\n", []),
    ("service_accounts: []\nmanage: {service_accounts: declared}\ngroups:\n  - {name: g, service_accounts: ['']}\n", ["9:34: `` is empty"]),
    ("manage: {members: declared}\ngroups:\n  - {name: g, members: [zed@acme.io]}\n", []),
    ("manage: {members: declared}\ngroups:\n  - {name: g, members: [zed]}\n", ["8:25: `zed` is not an e-mail"]),
    ("groups: []\nvaults:\n  - {name: v, group: g, data: 'a: 1'}\n", ["8:22: `g` is not a declared group"]),
    ("vaults:\n  - {name: v, group: g, data: 'a: 1'}\n", []),
    ("groups: []\nvaults:\n  - {name: v, group: Users, data: 'a: 1'}\n", []),
    ("groups:\n  - {name: g, description: 5}\nvaults:\n  - {name: v, group: g, data: 'a: 1'}\n", ["7:28: `groups[0].description` must be a string, not a number (put it in quotes)"]),
    ("groups:\n  - {name: g, was: [x]}\n  - {name: 7}\nvaults:\n  - {name: v, group: g, data: 'a: 1'}\n", ["7:20: `groups[0].was` must be a string, not a list", "8:12: `groups[1].name` must be a string, not a number (put it in quotes)"]),
    ("policy: {min_admins: 3}\n", ["6:22: 2 admins are declared, `policy.min_admins` wants at least 3"]),
    ("policy: {min_admins: 3}\nmanage: {members: declared}\n", []),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, expires_in: 14d, rotate_before: 2w}]}\n", ["7:72: `rotate_before` must be shorter than `expires_in`: the key would be replaced at every run"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, rotate_before: 2w}]}\n", ["7:55: `rotate_before` needs `expires_in`: without a lifetime there is no end"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, deliver: {file: out/x}}, {label: m, deliver: {file: out/./x}}]}\n", ["7:92: `out/./x` already receives another key, at workspace.yaml:7:56"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, deliver: {file: ./workspace.yaml}}]}\n", ["7:56: `./workspace.yaml` is part of the declaration or of its record, and would be overwritten"]),
    ("service_accounts:\n  - {name: a, credentials: [{label: l, deliver: {file: .git/config}}]}\n", ["7:56: `.git/config` is part of the declaration or of its record, and would be overwritten"]),
    ("service_accounts:\n  - {name: a, vault: {data: 'a: @{S}', secrets: {S: {file: s.txt}}}, credentials: [{label: l, deliver: {file: s.txt}}]}\n", ["7:111: `s.txt` is part of the declaration or of its record, and would be overwritten"]),
]  # fmt: skip

RULE = "access_rules:\n  - {name: r, permission: read, groups: [Users], "
FOR = "access_rules:\n  - {name: r, permission: read, resource: {project: P}, "
ONE_OF = "`access_rules[0].resource` is not right: `resource` needs exactly one of `project`, `task`, `model`, `queue`, `dataset`, `dataview`, `route`, `app`, `app_category`"
REFERENCE = '`access_rules[0].resource.project` must be a name in quotes, "*" for all, or {id: …} with the server\'s id'

ACCESS_CASES = [
    ("access_rules: []\n", []),
    ("access_rules:\n", ["6:1: `access_rules` has no value"]),
    (RULE + "resource: {project: P}}\n", []),
    (RULE + "resource: {queue: '*'}}\n", []),
    (RULE + "resource: {dataset: {id: x}}}\n", []),
    ("access_rules:\n  - {permission: read, groups: [Users]}\n", ["7:5: `access_rules[0]` needs `name`", "7:5: `access_rules[0]` needs `resource`"]),
    ("access_rules:\n  - {name: r, groups: [Users], resource: {project: P}}\n", ["7:5: `access_rules[0]` needs `permission`"]),
    ("access_rules:\n  - {name: r, groups: [Users], resource: {project: P}, permission: write}\n", ["7:68: `access_rules[0].permission` must be read or read_write, not `write`"]),
    (RULE + "resource: P}\n", ["7:60: `access_rules[0].resource` must be a mapping, not a string"]),
    (RULE + "resource: {}}\n", [f"7:60: {ONE_OF}"]),
    (RULE + "resource: {project: P, queue: Q}}\n", [f"7:60: {ONE_OF}"]),
    (RULE + "resource: {projet: P}}\n", ["7:61: unknown key `projet`"]),
    (RULE + "resource: {project: 5}}\n", [f"7:70: {REFERENCE}"]),
    (RULE + "resource: {project: ''}}\n", [f"7:70: {REFERENCE}"]),
    (RULE + "resource: {project: {name: P}}}\n", [f"7:70: {REFERENCE}"]),
    (RULE + "resource: {project: {id: 5}}}\n", [f"7:70: {REFERENCE}"]),
    (RULE + "resource: {project: ' P'}}\n", ["7:70: the project ` P` begins or ends with a space"]),
    (RULE + 'resource: {queue: {id: "a\\nb"}}}\n', ["7:68: the queue `a\\nb` holds a line break, or a control, invisible or direction-changing character"]),
    (FOR + "}\n", ["7:5: the access rule `r` gives access to nobody"]),
    (FOR + "members: [], groups: []}\n", ["7:5: the access rule `r` gives access to nobody"]),
    (FOR + "members: 5}\n", ["7:66: `access_rules[0].members` must be a list, not a number"]),
    (FOR + "members: [aba@acme.io]}\n", ["7:67: `aba@acme.io` is not a declared member"]),
    (FOR + "members: [ada@acme.io, ADA@acme.io]}\n", ["7:80: `ADA@acme.io` is named twice in this access rule, first at workspace.yaml:7:67"]),
    (FOR + "service_accounts: [bot]}\n", []),
    ("service_accounts: []\n" + FOR + "service_accounts: [bot]}\n", ["8:76: `bot` is not a declared service account"]),
    (FOR + "groups: [g]}\n", []),
    ("groups: []\n" + FOR + "groups: [g]}\n", ["8:66: `g` is not a declared group"]),
    ("groups: []\n" + FOR + "groups: [users, Admins, Queue admins]}\n", []),
    ("groups: []\n" + FOR + "groups: [Users, users]}\n", ["8:73: `users` is named twice in this access rule, first at workspace.yaml:8:66"]),
    (FOR + "groups: ['']}\n", ["7:66: `` is empty"]),
    (FOR + "groups: [Users]}\n  - {name: R, permission: read, resource: {queue: Q}, groups: [Users]}\n", ["8:12: the access rule `R` is declared twice, first at workspace.yaml:7:12"]),
    (FOR + "groups: [Users], was: R}\n", ["7:79: `R` is its name already"]),
    (FOR + 'groups: [Users], description: "x\\ty"}\n', ["7:87: the description holds a control or invisible character"]),
    (FOR + "groups: [Users], group: []}\n", ["7:74: unknown key `group`"]),
    ("access_rules:\n  - {name: ' r', permission: read, resource: {project: P}, groups: [Users]}\n", ["7:12: the name ` r` begins or ends with a space"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*SCHEMA_CASES, *NAME_CASES, *REFERENCE_CASES, *ACCESS_CASES])
def test_a_declaration_is_told_what_is_wrong_and_where(files, text: str, expected: list[str]) -> None:
    if not expected:
        assert files.loaded(ADMINS + text) is not None
        return
    assert files.told_of(ADMINS + text) == [f"workspace.yaml:{line}" for line in expected]


@pytest.mark.parametrize(
    "email",
    ["ada", "ada@", "@acme.io", "ada@acme", "a b@acme.io", "a@b@acme.io", "<ada@acme.io>", "ada@acme..io", "ada@-acme.io", "ada@acme.io.", "mailto:ada@acme.io", "ada@acme_x.io,bob@acme.io", f"{'x' * 65}@acme.io"],
)  # fmt: skip
def test_an_email_that_is_not_one_is_refused(files, email: str) -> None:
    told = files.told_of(f"manage: {{members: declared}}\nmembers:\n  - {{email: '{email}'}}\n")
    assert len(told) == 1
    assert told[0].startswith("workspace.yaml:5:13: ")
    assert told[0].endswith("is not an e-mail")


@pytest.mark.parametrize(
    "email",
    ["ada@acme.io", "a.d+a@sub.acme.co.uk", "ada@bücher.example", "root@localhost", "o'neil@acme.io", "a_b-c@x-y.io"],
)
def test_an_email_that_is_one_passes(files, email: str) -> None:
    assert files.loaded(f'manage: {{members: declared}}\nmembers:\n  - {{email: "{email}"}}\n').members


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("workspace: {name: x, server: 'https://a.io'}\n", ["1:1: the file needs `version`"]),
        ("version: 2\nworkspace: {name: x, server: 'https://a.io'}\n", ["1:10: `version` must be 1"]),
        ("version: true\nworkspace: {name: x, server: 'https://a.io'}\n", ["1:10: `version` must be 1"]),
        ("version: '1'\nworkspace: {name: x, server: 'https://a.io'}\n", ["1:10: `version` must be 1"]),
        ("version: 1\n", ["1:1: the file needs `workspace`"]),
        ("version: 1\nworkspace: acme\n", ["2:12: `workspace` must be a mapping, not a string"]),
        ("version: 1\nworkspace: {name: x}\n", ["2:1: `workspace` needs `server`"]),
        ("version: 1\nworkspace: {name: x, server: api.clear.ml}\n", ["2:30: `workspace.server` must be a URL, like `https://api.clear.ml`"]),
        ("version: 1\nworkspace: {name: x, server: 'https://k:s@a.io'}\n", ["2:30: `workspace.server` must not contain credentials: use the environment, an option or clearml.conf"]),
        ("version: 1\nworkspace: {name: x, server: 'https://a.io:99999'}\n", ["2:30: `workspace.server` is not a valid URL"]),
    ],
)  # fmt: skip
def test_the_head_of_a_declaration_is_checked(files, text: str, expected: list[str]) -> None:
    files.write("workspace.yaml", text)
    assert files.told() == [f"workspace.yaml:{line}" for line in expected]


def test_an_empty_list_of_members_leaves_too_few_admins(files) -> None:
    assert files.told_of("members: []\n") == [
        "workspace.yaml:3:1: no admin is declared, `policy.min_admins` wants at least 2"
    ]


def test_a_list_that_no_file_mentions_is_no_problem(files) -> None:
    assert files.loaded("").members is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("policy: {protect: {members: [root@acme.io]}}\n", "6:30: the protected member `root@acme.io` is not declared: a plan would have to remove it"),
        ("policy: {protect: {access_rules: [r]}}\naccess_rules: []\n", "6:35: the protected access rule `r` is not declared: a plan would have to remove it"),
        ("manage: {access_rules: all}\n", "6:10: no file lists access_rules, so they are not managed, whatever this says"),
        ("manage: {groups: all}\n", "6:10: no file lists groups, so they are not managed, whatever this says"),
        ("vaults:\n  - {name: v, group: g, data: 'a: 1', secrets: {A: {env: A}}}\n", "7:49: the secret `A` is declared and not used in the document"),
    ],
)  # fmt: skip
def test_what_is_only_odd_is_a_warning(files, text: str, expected: str) -> None:
    (warning,) = files.loaded(ADMINS + text).warnings
    assert f"{warning.place}: {warning.message}" == f"workspace.yaml:{expected}"
    assert warning.severity is Severity.WARNING


def test_wrong_kinds_of_reference_are_explained(files) -> None:
    files.top(ADMINS + "service_accounts: [{name: bot}]\ngroups:\n  - {name: g, members: [bot, adaa@acme.io]}\n")
    assert [problem.hint for problem in files.problems()] == [
        "it is a service account: name it under `service_accounts`",
        "did you mean `ada@acme.io`?",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("data: |\n      a: 1\n      b: '@{X}'\n", "11:11: the secret `X` is used here and not declared"),
        ("data: |\n      a: 1\n        b: @{X}\n", "11:12: the secret `X` is used here and not declared"),
        ("data: 'a: \"@{X}\"'\n", "9:16: the secret `X` is used here and not declared"),
        ("data: \"a = @{X}\"\n", "9:16: the secret `X` is used here and not declared"),
        ("file: doc.conf\n", "doc.conf:2:6: the secret `X` is used here and not declared"),
    ],
)  # fmt: skip
def test_an_undeclared_secret_is_told_at_its_place_in_the_document(files, data: str, expected: str) -> None:
    files.write("doc.conf", 'a: 1\nb: " @{X}"\n# @{Y} in a comment is none\n')
    told = files.told_of(f"{ADMINS}vaults:\n  - name: v\n    group: g\n    {data}")
    assert told == [expected if expected.startswith("doc") else f"workspace.yaml:{expected}"]


def test_inline_documents_that_do_not_parse_are_told_at_their_line(files) -> None:
    told = files.told_of(
        ADMINS + 'vaults:\n  - name: v\n    group: g\n    format: json\n    data: |\n      {"a": 1,\n       "b": }\n'
    )
    assert len(told) == 1
    assert told[0].startswith("workspace.yaml:12:13: the document of `v`: ")


def test_a_document_is_never_quoted_in_an_excerpt(files) -> None:
    from reconciler.errors import InvalidDeclarationError

    files.top(
        ADMINS + 'vaults:\n  - name: v\n    group: g\n    format: json\n    data: |\n      {"password": hunter2}\n'
    )
    with pytest.raises(InvalidDeclarationError) as caught:
        files.load()
    assert "hunter2" not in str([caught.value.excerpts, *caught.value.problems])
