"""What looks like a secret inside a string: known shapes, what follows an option or a secret word, random characters.

Strings may be shell scripts, arguments, headers, netrc or npmrc lines, URLs. It is a second net
(:mod:`reconciler.vaults.showing`): it may hide too much, and what it misses was decided by where it comes from.

Every search is linear in the length of a string: no pattern can start twice over the same characters without a bound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.vaults.secret_names import is_secret_name, speaks_about_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Span = tuple[int, int]
"""Where in a string something begins and ends."""

_REFERENCE = re.compile(r"@\{[A-Za-z_][A-Za-z0-9_-]*\}")
_MARK: Final = "\ue000"
"""Stands for each character of a reference to a secret: a reference is none itself."""

_SHAPE = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File|\bAGE-SECRET-KEY-1\w{20,}"
    r"|\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"
    r"|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bgl[a-z]{2,5}-[\w-]{16,}"
    r"|\bxox[abeprs]-[\w-]{10,}|\bxapp-[\w-]{10,}|hooks\.slack\.com/(?:services|workflows)/\w|/api/webhooks/\d+/\w"
    r"|\bsk-[\w-]{20,}|\b[sr]k_(?:live|test)_\w{10,}|\bhf_\w{20,}|\bnpm_\w{30,}|\bpypi-[\w-]{30,}|\bdckr_pat_[\w-]{10,}"
    r"|\bSG\.[\w-]{16,}|\bhv[sbr]\.[\w-]{20,}|\btskey-[\w-]{10,}|\bdo[po]_v1_\w{20,}|\bshp(?:at|ss|ca|pa)_\w{20,}"
    r"|\bnvapi-[\w-]{20,}|\blsv2_\w{10,}|\br8_\w{20,}|\bATATT[\w-]{20,}|\bATCTT[\w-]{20,}|\bglsa_\w{20,}"
    r"|\beyJ[\w-]{8,1000}\.[\w-]{8,1000}\."
    r"|(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[\w%+/=-]{16,}|\bsig=[\w%+/=-]{16,}",
    re.IGNORECASE,
)
_PGPASS = re.compile(r"(?m)^[\w.*-]{1,255}:(?:\d{1,5}|\*):[\w*-]{1,64}:[\w.@*-]{1,64}:(?P<value>\S+)$")
_SCHEME = re.compile(r"\b(?:bearer|basic)\s{1,5}(?P<value>[\w.~+/=-]{6,})", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9+=]{20,}")
_AWS_SECRET = re.compile(r"(?<![\w/+])[A-Za-z0-9/+]{40}(?![\w/+=])")
_HEX = re.compile(r"(?<![\w:@-])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?!\w)")

_PUBLIC = re.compile(
    r"\b(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}|sk-\w{3,20}@openssh\.com) {1,3}AAAA[\w+/=]*"
    r"|-----BEGIN (?:CERTIFICATE|[A-Z ]{0,20}PUBLIC KEY)-----[^-]*-----END"
)
_NAME = re.compile(r"[\w.\-]+")
_SIGN = re.compile(r"""["']?[ \t]{0,20}(?:=>|:=|[=:](?!//))[ \t]{0,20}""")
_BLOCK_VALUE = re.compile(r"(?:[|>][+-]?[ \t]{0,20})?\r?\n[ \t]{1,80}")
_SCHEMES = frozenset({"bearer", "basic", "token", "digest", "apikey", "negotiate"})
_WORD = re.compile(r"\n|&&|\|\|?|;|&|[^\s;|&]+")
_SEPARATORS = frozenset({"\n", "&&", "|", "||", ";", "&"})
_QUOTES = "\"'`,()[]{}"

_VARIABLE = re.compile(r"\$(?:\w+|\{\w+\}|\(.*)|<[^<>]*>|\{\{.*\}\}|%\(?\w*\)?s|\*+|\.\.\.")
_NOTHING = frozenset({"", "true", "false", "yes", "no", "none", "null", "on", "off"})

_PORTS = re.compile(r"(?:\[?[\d.:a-f]{0,45}\]?:)?\d{1,5}(?:-\d{1,5})?(?::\d{1,5}(?:-\d{1,5})?)?(?:/(?:tcp|udp))?")
_OTHER_P = frozenset(
    {"bash", "cp", "declare", "df", "diff", "git", "grep", "id", "install", "kill", "ls", "lsof", "make", "mkdir", "nc"}
    | {"netstat", "nmap", "patch", "perl", "pgrep", "ping", "pkill", "ps", "pytest", "read", "rsync", "ruby", "screen"}
    | {"set", "sh", "ss", "ssh", "tar", "tee", "tmux", "touch", "xargs", "zsh"}
)
"""Commands for which ``-p`` means something else than a password."""

_ATTACHED_P = frozenset(
    {"mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "sshpass", "7z", "7za"}
)
_OPTIONS_OF: Final = {
    "redis-cli": "-a",
    "ldapsearch": "-w",
    "ldapadd": "-w",
    "ldapmodify": "-w",
    "ssh-keygen": "-N",
    "zip": "-P",
    "unzip": "-P",
    "ipmitool": "-P",
    "sqlcmd": "-P",
    "bcp": "-P",
    "impala-shell": "-w",
}
"""What some commands call their password."""

_BEFORE_COMMAND = frozenset({"sudo", "env", "exec", "time", "nohup", "then", "do", "else", "-c"})
_SETTING = frozenset({"login", "machine", "set", "config", "configure", "add", "auth", "authtoken", "export", "user"})
"""Words of commands, and of netrc, that what follows a secret word belongs to."""

_FROM_INPUT = re.compile(
    r"--?(?:password|pass|token|with-token|stdin)(?:-stdin)?\b|\bchpasswd\b|\bsudo\s{1,5}-S\b|-fd\b"
)
_PRINTING = frozenset({"echo", "printf", "<<<"})

_PART = re.compile(r"[^\W_]+")


def looks_like_secret(text: str) -> bool:
    """Return whether there is something in a string that looks like a secret."""
    return any(True for _ in secret_spans(text))


def secret_spans(text: str) -> Iterator[Span]:
    """Yield where a string seems to hold a secret; references to secrets do not count."""
    text = _REFERENCE.sub(lambda match: _MARK * len(match.group()), text)
    yield from (match.span() for match in _SHAPE.finditer(text))
    yield from (match.span("value") for match in _SCHEME.finditer(text) if not is_ordinary(match["value"]))
    yield from (match.span("value") for match in _PGPASS.finditer(text))
    yield from _users_in_urls(text)
    yield from _assigned(text)
    yield from _random(text)
    if " " in text or "\n" in text or "\t" in text:
        matches = list(_WORD.finditer(text))
        words = [match.group() for match in matches]
        yield from (matches[index].span() for index in _following(words))
        if _FROM_INPUT.search(text):
            yield from (matches[index].span() for index in _printed(words))


def secret_items(items: Sequence[str]) -> Iterator[int]:
    """Yield which strings of a list are secret for what stands before them: the argument after ``--password``."""
    yield from _following([_REFERENCE.sub(lambda match: _MARK * len(match.group()), item) for item in items])


def is_ordinary(value: str) -> bool:
    """Return whether a value is made of everyday parts: words, small numbers, versions; not of random characters."""
    if _users_of(value):
        return False
    return all(_is_everyday(part) for part in _PART.findall(value)) and not any(True for _ in _random(value))


def _is_everyday(part: str) -> bool:
    if part.isdigit():
        return len(part) <= 12
    if not part.isalpha():
        return len(part) <= 5  # as in v2, k8s and cu118
    return len(part) <= 24 and (part.islower() or part.isupper() or part[1:].islower())


def _is_nothing(value: str) -> bool:
    """Return whether a value stands for another one, or for none."""
    bare = value.strip(_QUOTES).strip("\"'")
    stripped = value.strip("\"'`,")
    if bare.strip(_MARK).lower() in _NOTHING:
        return True
    return _VARIABLE.fullmatch(stripped.strip(_MARK)) is not None or _VARIABLE.fullmatch(bare) is not None


def _users_in_urls(text: str) -> Iterator[Span]:
    """Yield the user info of URLs, of any length; of a bare user name only where it may be a token."""
    start = text.find("://")
    while start >= 0:
        begin = start + 3
        following = text.find("://", begin)
        end = len(text) if following < 0 else following
        yield from _user_info(text, start, begin, end)
        start = following


def _user_info(text: str, sign: int, begin: int, end: int) -> Iterator[Span]:
    word = re.match(r"[^\s\"'<>`]*", text[begin:end])
    rest = word.group() if word else ""
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if not at:
        host, colon, port = authority.partition(":")
        if not (colon and port and not port.isdigit() and host and "@" in rest):
            return
        user = rest.rpartition("@")[0]  # a password with an unescaped slash
    name, colon, password = user.partition(":")
    if not colon and (name.lower() == "git" or text[max(0, sign - 10) : sign].lower().endswith("ssh")):
        return
    secret, offset = (password, len(name) + 1) if password else (name, 0)
    if not _is_nothing(secret):
        yield begin + offset, begin + offset + len(secret)


def _users_of(value: str) -> bool:
    return any(True for _ in _users_in_urls(value))


def _assigned(text: str) -> Iterator[Span]:
    """Yield the values after ``name=`` and ``name:`` where the name says that they are secret."""
    for match in _NAME.finditer(text):
        sign = _SIGN.match(text, match.end())
        name = match.group().strip(".-")
        if sign is None or not name or not is_secret_name(name.rpartition(".")[2] or name):
            continue
        if speaks_about_secret(name):
            continue
        block = _BLOCK_VALUE.match(text, sign.end())
        begin, end = _word_at(text, block.end() if block else sign.end())
        while text[begin:end].strip("\"'").lower() in _SCHEMES:
            begin, end = _word_at(text, end)
        if not _is_nothing(text[begin:end]):
            yield begin, end


_VALUE_WORD = re.compile(r"[ \t]{0,20}([^\s,;&|]*)")


def _word_at(text: str, start: int) -> Span:
    match = _VALUE_WORD.match(text, start)
    return match.span(1) if match and match.group(1) else (start, start)


def _following(words: Sequence[str]) -> Iterator[int]:
    """Yield which words are secret for the option or the word before them."""
    command, setting, login = "", False, False
    for index, word in enumerate(words):
        if word in _SEPARATORS:
            command, login = "", False
            setting = setting and word == "\n"  # netrc has a line for each word
            continue
        bare = word.strip(_QUOTES)
        if not command and bare not in _BEFORE_COMMAND and "=" not in bare:
            command = bare.rpartition("/")[2] or bare
        if _is_nothing(word):
            continue
        setting, login = setting or bare.lower() in _SETTING, login or bare == "login"
        attached = bare.startswith("-p=") or (re.match("-p[^-]", bare) and (login or command in _ATTACHED_P))
        if attached and not _is_nothing(bare[2:].lstrip("=")) and not _PORTS.fullmatch(bare[2:].lstrip("=")):
            yield index
        if _is_user(bare):
            yield index
        if index + 1 < len(words) and words[index + 1] not in _SEPARATORS:
            value = words[index + 1]
            if not _is_nothing(value) and _announces(bare, value, command, setting=setting):
                yield index + 1


def _announces(word: str, value: str, command: str, *, setting: bool) -> bool:
    """Return whether a word says of the one after it that it is a secret."""
    if word in {"-p", "-P"} and command not in _OTHER_P:
        return not _PORTS.fullmatch(value.strip(_QUOTES)) and (
            setting or not value.strip(_QUOTES).startswith(("/", "~", "."))
        )
    if word in {"--key", "login"}:
        return not re.search(r"^-|[./:]", value) and any(map(str.isdigit, value)) and not is_ordinary(value)
    if word in {"-u", "-U", "--user", "--proxy-user"}:
        return _is_pair(value.strip("\"'"))
    if _OPTIONS_OF.get(command) == word:
        return True
    if "=" in word or "://" in word or word.endswith(":") or word.lower() == "auth":
        return False
    if value.startswith("-") or not is_secret_name(word) or speaks_about_secret(word):
        return False
    if word.startswith("-") or setting:
        return True
    return not is_secret_name(value) and not (is_ordinary(value) and value.strip(_QUOTES + ".").isalpha())


def _is_user(word: str) -> bool:
    """Return whether an option holds its user and password: ``-urobot:x``, ``--user=robot:x``."""
    option, sign, value = word.partition("=")
    if sign and option in {"--user", "--proxy-user"}:
        return _is_pair(value)
    return word.startswith("-u") and len(word) > 2 and not word.startswith("-u=") and _is_pair(word[2:])


def _is_pair(value: str) -> bool:
    """Return whether a value is a user name and a password, and not two ids or a user and its group."""
    user, sign, password = value.partition(":" if ":" in value else "%")
    if not sign or _is_nothing(password):
        return False
    return user != password and not (user.isdigit() and password.isdigit())


def _printed(words: Sequence[str]) -> Iterator[int]:
    """Yield what is printed, in a text in which a command reads a password from its input."""
    printing = False
    for index, word in enumerate(words):
        if word in _SEPARATORS:
            printing = False
        elif word in _PRINTING:
            printing = True
        elif printing and not word.startswith("-") and not _is_nothing(word):
            yield index


def _random(text: str) -> Iterator[Span]:
    """Yield runs of characters that nobody writes by hand, and that are no public key."""
    text = _PUBLIC.sub(lambda match: " " * len(match.group()), text)
    for match in _RUN.finditer(text):
        run = match.group()
        if any(map(str.isdigit, run)) and any(map(str.isupper, run)) and any(map(str.islower, run)):
            yield match.span()
    for match in _AWS_SECRET.finditer(text):
        run = match.group()
        if any(map(str.isdigit, run)) and any(map(str.isupper, run)) and any(map(str.islower, run)):
            yield match.span()
    yield from (match.span() for match in _HEX.finditer(text))
