"""Odd but valid YAML: comments, blocks, brackets, anchors and line ends in every place that people put them."""

from __future__ import annotations

import random
from collections.abc import Callable

import yaml
from yaml import events

ODD: dict[str, str] = {
    "blank_end_block": "version: 1\ngroups:\n  - name: a\n    description: |\n      one\n      two \n",
    "comment_after_moved": "version: 1\nvaults: []\ngroups: []\n# end\n",
    "comment_after_moved2": "vaults: []\ngroups: []\n\n# end\n",
    "comment_after_moved3": "vaults: []\ngroups:\n  - name: a\n# - name: b\n",
    "comment_after_moved4": "vaults:\n  - name: v\n    group: g\n  # end of vaults\n# about groups\n\ngroups: []\n# end\n# more\n\n# footer\n",
    "comment_moved5": "policy: {min_admins: 1}\nversion: 1\n# end",
    "keep_eof": "groups:\n- name: a\n  description: |+\n    one\n    two\n\n\n",
    "keep_mid": "groups:\n- description: |+\n    one\n    two\n\n\n  name: a\n- name: b\n",
    "keep_mid_one": "groups:\n- description: |+\n    one\n    two\n  name: a\n- name: b\n",
    "keep_then_section": "groups:\n- name: a\n  description: |+\n    one\n    two\n\nmembers: []\n",
    "keep_then_comment": "groups:\n- name: a\n  description: |+\n    one\n    two\n\n# c\nmembers: []\n",
    "strip": "groups:\n- name: a\n  description: |-\n    one\n    two\n\n\nmembers: []\n",
    "fold_strip": "groups:\n- name: a\n  description: >-\n    one\n    two\n\n      three\n    four\nmembers: []\n",
    "fold_keep": "groups:\n- name: a\n  description: >+\n    one\n    two\n\n      three\n    four\n\nmembers: []\n",
    "fold_2": "groups:\n- name: a\n  description: >2\n      one\n    two\nmembers: []\n",
    "fold_2_seq": "groups:\n  - name: a\n    description: >2\n        one\n      two\n",
    "lit_1": "groups:\n- name: a\n  description: |1\n     one\n   two\n",
    "lit_eof": "groups:\n- name: a\n  description: |\n    one\n    two",
    "lit_eof_keep": "groups:\n- name: a\n  description: |+\n    one\n    two",
    "fold_eof": "groups:\n- name: a\n  description: >\n    one\n    two",
    "lit_blank_lines_spaces": "groups:\n- name: a\n  description: |\n    one\n         \n    two\n       \n",
    "lit_leading_blank": "groups:\n- name: a\n  description: |\n\n\n    one\n    two\n",
    "lit_empty": "groups:\n- name: a\n  description: |\nmembers: []\n",
    "lit_empty2": "groups:\n- name: a\n  description: |+\n\n\nmembers: []\n",
    "lit_comment_after": "groups:\n- name: a\n  description: |\n    one\n  # after block\n  # more\n- name: b\n",
    "lit_comment_after2": "groups:\n- name: a\n  description: |\n    one\n# col 1\n- name: b\n",
    "lit_comment_after3": "groups:\n- description: |\n    one\n   # col 4\n  name: b\n",
    "lit_header_comment": "groups:\n- name: a\n  description: |2-  # header\n      one\n    two\n",
    "dq_multi": 'groups:\n- name: a\n  description: "one\n    two\\\n    three\n\n    four"\n',
    "sq_multi": "groups:\n- name: a\n  description: 'one\n    two\n\n    it''s'\n",
    "plain_multi": "groups:\n- name: a\n  description: one\n    two\n\n    three # c\n",
    "between_key_value": "groups:\n- name:\n    # between\n    a\n  description: # inline\n    text\n",
    "between_key_value2": "groups:\n- name:\n# col1\n    a\n  description:\n    # c\n    |\n    text\n",
    "between_dash": "groups:\n-\n  # c\n  name: a\n- # d\n  name: b\n",
    "flow_multi": "groups: [ # a\n  {name: a, # n\n   members: [x, # x\n   y]}, # end\n   # last\n]\n",
    "flow_map_multi": "workspace: {\n  # first\n  server: x, # s\n  name: t\n  # last\n} # after\n",
    "flow_trailing_comma": "manage: {groups: all,}\ngroups: [ {name: a,}, ]\n",
    "flow_empty_comment": "groups: [\n  # nothing yet\n]\nversion: 1\n",
    "flow_empty_map_comment": "manage: {\n  # nothing yet\n}\nversion: 1\n",
    "anchor": "groups:\n- &g {name: a, members: &m [x]}\n- name: b\n  members: *m\n",
    "anchor_moved": "vaults:\n- &v\n  group: g\n  name: a\ngroups:\n- name: x\nmembers: []\n",
    "anchor_scalar": "groups:\n- name: &n a\n  description: *n\n",
    "anchor_key": "groups:\n- &k name: a\n  description: *k\n",
    "alias_key": "groups:\n- name: &k description\n  *k : a\n",
    "anchor_order": "groups:\n- description: &d text\n  name: *d\n",
    "anchor_order_root": "vaults:\n- name: &n v\n  group: g\ngroups:\n- name: *n\nversion: 1\n",
    "anchor_block": "groups:\n- name: a\n  description: &d |\n    one\n    two\n- name: b\n  description: *d\n",
    "anchor_null": "groups:\n- name: a\n  description: &d\n- name: b\n  description: *d\n",
    "anchor_own_line": "groups:\n- &g\n  # c\n  name: a\n- *g\n",
    "anchor_own_line2": "groups: &g # c\n- name: a\n",
    "anchor_own_line3": "groups:\n  &g\n  # c\n  - name: a\n",
    "tag": "groups:\n- name: !!str 12\n  description: ! x\n",
    "tag_empty": "groups:\n- name: !!str\n  members: [!!str , a]\n",
    "tag_empty_key": "!!str :\n  - a\n",
    "tag_empty_key2": "a: {! : b}\n",
    "tag_key": "groups:\n- !!str name: a\n",
    "tag_anchor": "groups:\n- name: &x !!str 12\n  description: !!str &y 13\n  members: [*x, *y]\n",
    "quoted_keys": '"groups":\n- \'name\': a\n  "description": b\n',
    "quoted_key_adj": 'workspace: {"name":"a","server":"b"}\n',
    "unicode": 'groups:\n- name: \xe9 \xfc \u65e5\u672c\n  description: "\\u00e9 \\U0001F600"\n# \xfcn\xefcode\n',
    "unicode_key": "\xe9: {\xfc: 1}\n",
    "emoji": "groups:\n- description: \U0001f600 a # \U0001f600\n  name: \U0001f600\n",
    "crlf": "groups:\r\n- description: |\r\n    a\r\n    b \r\n  name: x # c\r\n# end\r\n",
    "crlf_mixed": "groups:\r\n- description: |\n    a\r\n    b\n  name: x # c\r\n",
    "cr": "groups:\r- name: a\r  description: b\r",
    "doc_start": "--- # c\nversion: 1\n",
    "doc_start2": "# a\n---\n# b\nversion: 1\n",
    "doc_start_inline": "--- {version: 1, members: []}\n",
    "doc_end": "version: 1\n...\n",
    "doc_end2": "version: 1\n... # c\n# d\n",
    "directive": "%YAML 1.2\n---\nversion: 1\n",
    "directive_inline": "%YAML 1.2\n--- {version: 1}\n",
    "root_indented": "  version: 1\n  members: []\n",
    "root_indented_comment": "  # c\n  members: []\n  # d\n  version: 1\n  # e\n",
    "root_flow_multi": "{\n  # a\n  members: [], # b\n  version: 1\n} # c\n# d\n",
    "root_anchor": "&a\nversion: 1\n",
    "root_anchor2": "--- &a\nversion: 1\n",
    "tabs_comment": "version: 1\t#\ttabs\t\n#\ttabs\nmembers: []\t\t# two\n",
    "long": "groups:\n- name: a\n  description: " + "word " * 200 + "end\n",
    "long_dq": 'groups:\n- name: a\n  description: "' + "word " * 200 + 'end"\n',
    "long_list": "groups:\n- name: a\n  members: [" + ", ".join(f"person{i}@acme.io" for i in range(40)) + "]\n",
    "long_key": "groups:\n- ? " + "k" * 1100 + "\n  : v\n",
    "explicit_key": "? groups\n: - ? name\n    : a\n    ? description # c\n    : b\n",
    "explicit_key_block": "? |\n  block key\n: v\n",
    "explicit_key_comment": "? groups\n# c\n: - name: a\n",
    "explicit_null": "? groups\n? members\n",
    "numbers": "a: '1'\nb: \"2026-01-01\"\nc: 'true'\nd: '~'\ne: 1e3\nf: 0o17\ng: +12\nh: .5\ni: '0x1f'\nj: 'no'\nk: yes\nl: '010'\n",
    "single_pair": "groups: [name: a, {name: b}]\n",
    "flow_nulls": "a: {b, c: , d: null}\ne: [~, null]\n",
    "nested_seq": "a:\n- - b\n  - - c\n    # in\n    - d\n- # x\n  - e\n",
    "nested_flow_seq": "a: [[b, [c]], {d: [e]}]\n",
    "url_flow": "workspace: {name: t, server: https://acme.io:8080}\n",
    "url_flow_comment": "workspace: {name: t, # a:b\n server: https://acme.io:8080}\n",
    "dash_null": "a:\n-\n- \n-   # c\n- b\n",
    "key_null_comment": "a: # c\nb:\n  # d\nc: 1\n",
    "comment_indent_odd": "groups:\n      # far\n- name: a\n         # far2\n  description: b\n # one\n- name: c\n       # far3\n",
    "comment_between_items": "groups:\n- name: a\n\n# col1\n\n- name: b\n  # in b\n\n  # in b 2\nmembers: []\n",
    "comment_end_no_nl": "version: 1\nmembers: []\n  # odd",
    "hash_values": "a: b#c\nd: 'e # f'\ng: \"h # i\"\nj: |\n  k # l\n#m\n",
    "same_comment_twice": "a: 1 # x\n# x\nb: 2 # x\n",
    "colon_value": "a: b:c\nd: {e: f:g}\n",
    "comment_like_scalar": "groups:\n- name: a\n  description: |\n    # not a comment\n    x\n",
    "sq_special": "a: 'x\\y'\nb: 'say \"hi\"'\nc: 'tab\there'\n",
    "dq_tab": 'a: "tab\there"\nb: x\ty\n',
    "nbsp": 'a: "x\xa0y"\nb: x\xa0y # n\xa0\n',
    "multi_line_flow_scalar": "a: [one\n  two, 'three\n  four']\n",
    "flow_in_flow_comment": "a: {b: [c, # in\n d], e: f} # out\n",
    "flow_comment_nested_key": "a: {b: # bc\n  c, d: e}\n",
    "flow_comment_before_comma": "a: [b # b\n , c # c\n , d]\n",
    "block_in_seq": "a:\n- |\n  one\n  two \n- >-\n  x\n  y\n- |+\n  z\n  w\n\n\n- b\n",
    "block_keep_last_seq": "a:\n- |+\n  z\n  w\n\nb: 1\n",
    "long_flow_map": "groups:\n- {name: " + "n" * 70 + ", description: " + "d" * 70 + "}\n",
    "long_flow_nested": "groups:\n- {name: " + "n" * 50 + ", members: [" + ", ".join(["m" * 10] * 10) + "]}\n",
    "comment_above_first_key_moved": "# all our people\nmembers: []\nversion: 1\n",
    "leading_blank_comment": "\n# a\n\nversion: 1\n",
    "tail_then_lists": "version: 1\n# tail of version\n\nmembers: []\n",
    "manage_multi": "manage:\n  # c1\n  groups: all # c2\n  # c3\n  members: all\n  # c4\n# c5\nversion: 1\n",
    "bracket_close_comment": "groups: [\n a,\n b\n # tail\n ] # after\n# next\nversion: 1\n",
    "flow_indicators": "%YAML 1.2\n--- {version: -, a: [-, b]}\n",
    "anchor_block_below": "groups:\n  &g\n  # c\n  |-\n  - name: a\n",
    "anchor_then_tagged_key": 'a:\n- &c\n  !!str "x y": b\n',
    "nbsp_first": "a: [&a \xa0x]\nb: *a\n",
    "tails_in_and_out": "vaults: []\n # a\ngroups: []\n\n    # b\n# end\n",
    "tail_then_deeper": "manage:\n  # a\n  groups: all\n  members: all\n\n  # b\n    # c\n# d\nversion: 1\n",
    "tails_out_and_in": 'x:\n  data: ["' + "l" * 130 + '", b]\n  # a\n    # b\n   # c\ny: []\n',
}


def mutated(text: str, choose: random.Random) -> str:
    """Return a text with comments, blanks and lines in other places; it may be no valid YAML any more."""
    for _ in range(choose.choice([1, 1, 2, 3, 5])):
        lines = text.split("\n")
        choose.choice(_MUTATIONS)(lines, choose.randrange(len(lines)), choose)
        text = "\n".join(lines)
    text = text.rstrip("\n") if choose.random() < 0.1 else text
    return text.replace("\n", "\r\n") if choose.random() < 0.05 else text


def _comment(choose: random.Random) -> str:
    return f"# said {choose.randrange(10**6)}"


def _comment_line(lines: list[str], at: int, choose: random.Random) -> None:
    lines.insert(at, " " * choose.choice([0, 0, 1, 2, 2, 3, 4, 4, 6, 8]) + _comment(choose))


def _comment_behind(lines: list[str], at: int, choose: random.Random) -> None:
    lines[at] += choose.choice([" ", "  ", "\t"]) + _comment(choose)


def _blank_line(lines: list[str], at: int, choose: random.Random) -> None:
    lines.insert(at, choose.choice(["", "  ", "    "]))


def _blanks_behind(lines: list[str], at: int, choose: random.Random) -> None:
    lines[at] += choose.choice([" ", "  "])


def _swap(lines: list[str], at: int, choose: random.Random) -> None:
    other = choose.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _other_block(lines: list[str], at: int, choose: random.Random) -> None:
    lines[at] = lines[at].replace(": |", ": " + choose.choice([">", "|+", ">-", "|2", ">2+", "|-"]))


def _split_brackets(lines: list[str], at: int, choose: random.Random) -> None:
    end = max(lines[at].find(char) for char in "[{,") + 1
    if end:
        comment = choose.choice([f" {_comment(choose)}", ""])
        lines[at] = f"{lines[at][:end]}{comment}\n{' ' * choose.choice([2, 4, 6, 8])}{lines[at][end:]}"


def _split_pair(lines: list[str], at: int, choose: random.Random) -> None:
    key, colon, value = lines[at].partition(": ")
    if colon:
        behind = choose.choice(["", f"  {_comment(choose)}"])
        between = choose.choice(["", f"{' ' * choose.randrange(9)}{_comment(choose)}\n"])
        indent = len(key) - len(key.lstrip()) + choose.choice([2, 4, 6])
        lines[at] = f"{key}:{behind}\n{between}{' ' * indent}{value}"


def _move_section(lines: list[str], _: int, choose: random.Random) -> None:
    tops = [number for number, line in enumerate(lines) if line[:1].isalpha()]
    if len(tops) > 1:
        first = choose.randrange(len(tops) - 1)
        lines[tops[first] :] = [*lines[tops[first + 1] :], *lines[tops[first] : tops[first + 1]]]


def _indent(lines: list[str], at: int, choose: random.Random) -> None:
    lines[at] = " " * choose.choice([1, 2, 3]) + lines[at]


_MUTATIONS: list[Callable[[list[str], int, random.Random], None]] = [
    *(_comment_line, _comment_line, _comment_behind, _blank_line, _blanks_behind, _swap),
    *(_other_block, _split_brackets, _split_pair, _move_section, _indent),
]

_STRINGS = [
    *("a", "b c", "it's", 'say "hi"', "x: y", "# no", "- a", "1", "1e3", "true", "null", "~", "", "\u00e9 \u00fc", "-"),
    *("one\ntwo\n", "one\n\ntwo", " lead", "trail ", "\n", "\n\na", "a\n ", "  x\n y\n", "tab\tx", "long " * 30 + "x"),
    *("a#b", "a: b\nc: d\n", "{x}", "[y]", "*a", "&b", "!c", "%d", "@e", "`f", "2026-01-01", "010", "0x1f", "|", ">"),
    *("k:\n  - v\n", "a\n\n\n", "end\n\n", "\u00a0x", "\\", "'", "''", '"', "a\\nb", "http://x:1/", "text # c", "?"),
]
_KEYS = ["name", "description", "members", "groups", "vaults", "version", "data", "x y", "\u00e9", "1k", "a: b", "'q'"]


def emitted(choose: random.Random) -> str:
    """Return what another library writes in styles chosen at random, with anchors, tags, narrow lines and comments."""
    found = [events.StreamStartEvent(), events.DocumentStartEvent(explicit=choose.random() < 0.3)]
    _mapping(choose, 0, found, [], None)
    found += [events.DocumentEndEvent(explicit=choose.random() < 0.2), events.StreamEndEvent()]
    width, indent = choose.choice([20, 40, 80, 1000]), choose.choice([2, 2, 3, 4, 7])
    text = yaml.emit(found, Dumper=yaml.Dumper, width=width, indent=indent, allow_unicode=choose.random() < 0.8)
    lines = text.split("\n")
    for _ in range(choose.choice([0, 0, 1, 2, 3])):
        _comment_line(lines, choose.randrange(len(lines)), choose)
    return "\n".join(lines)


def _node(choose: random.Random, depth: int, found: list[events.Event], anchors: list[str]) -> None:
    anchor = f"a{len(anchors)}_{choose.randrange(999)}" if choose.random() < 0.06 else None
    kind = choose.random()
    if anchors and choose.random() < 0.06:
        found.append(events.AliasEvent(choose.choice(anchors)))
        return
    if kind < 0.5 or depth > 3:
        _scalar(choose, choose.choice(_STRINGS), found, anchor)
    elif kind < 0.75:
        found.append(events.SequenceStartEvent(anchor, None, implicit=True, flow_style=choose.random() < 0.4))
        for _ in range(choose.randrange(4)):
            _node(choose, depth + 1, found, anchors)
        found.append(events.SequenceEndEvent())
    else:
        _mapping(choose, depth, found, anchors, anchor)
    if anchor:
        anchors.append(anchor)


def _scalar(choose: random.Random, value: str, found: list[events.Event], anchor: str | None) -> None:
    style = choose.choice([None, None, "'", '"', "|", ">"]) if value else "'"
    is_tagged = choose.random() < 0.05
    tag, implicit = ("tag:yaml.org,2002:str", (False, False)) if is_tagged else (None, (True, True))
    found.append(events.ScalarEvent(anchor, tag, implicit, value, style=style))


def _mapping(
    choose: random.Random, depth: int, found: list[events.Event], anchors: list[str], anchor: str | None
) -> None:
    found.append(events.MappingStartEvent(anchor, None, implicit=True, flow_style=choose.random() < 0.3))
    for key in choose.sample(_KEYS, choose.randrange(5)):
        _scalar(choose, key, found, None)
        _node(choose, depth + 1, found, anchors)
    found.append(events.MappingEndEvent())
