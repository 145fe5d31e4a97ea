"""The last defence of what leaves the process in words: logs, alerts.

Nothing personal is ever put into a line. Should it happen all the same, by a library's error or by a
mistake of ours, what looks like a contact, a digest or a secret is taken out here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

#: Stands for what was taken out.
HIDDEN: Final = "[hidden]"
#: How many digits of a digest may be seen.
_SHOWN: Final = 8
#: Deeper values are left out.
_DEEPEST: Final = 6
#: How many values of a list are looked at; the rest is left out.
_LONGEST: Final = 100

#: Words of a key, in the singular, under which nothing is ever shown.
DENIED: Final = frozenset(
    (
        *(
            "token",
            "secret",
            "password",
            "passwd",
            "pwd",
            "credential",
            "authorization",
            "cookie",
            "bearer",
        ),
        *("apikey", "payload", "body"),
        *("email", "mail", "phone", "mobile", "firstname", "lastname", "birthdate", "contact"),
        *("identifier", "digest"),
    )
)
#: The same in two words.
_DENIED_PAIRS: Final = frozenset(
    {("api", "key"), ("private", "key"), ("first", "name"), ("last", "name"), ("birth", "date")}
)
#: Keys whose digits are ids of accounts, audiences and requests, never a phone.
_IDS: Final = frozenset({"id", "account", "request", "batch", "epoch", "run", "at", "version"})

#: Longer words are cut, so that no pattern has long to look; the second is what is shown of them.
_MOST_READ: Final = 4000
_MOST_SHOWN: Final = 2000

_AT: Final = r"(?:[@\uff20\ufe6b]|%40)"
_SEPARATOR: Final = r"[\s().\-/\u00a0\u2010-\u2013]"
#: Not behind what makes it a part of an id, a path, a time or a fraction; the second also not of 1,234,567.
_START: Final = r"(?<![\w/+])(?<![0-9a-fA-F]-)(?<!\d[.:])"
_GROUPS_START: Final = _START + r"(?<!\d,)"
#: An extension may follow a phone.
_END: Final = r"(?!(?!x|ext)\w)"

#: Addresses whose path tells where something is; of any other all is hidden but its kind: to Apprise a
#: whole URL is a secret (slack://..., tgram://...).
_TELLING: Final = (
    "https?|grpcs?|postgresql|postgres|mysql|mssql|sqlite|duckdb|snowflake|bigquery|s3a?|gs|gcs|az|abfss?|file|ftps?|sftp"
    "|smtps?|tcp|unix"
)
#: Hosts and paths by which services take messages: whoever knows the rest may send them.
_HOOKS: Final = r"(?:hook|/bot\d|/workflows/|/triggers/)"

Change: TypeAlias = "str | Callable[[re.Match[str]], str]"


def _first(found: re.Match[str]) -> str:
    return f"{found[0][:_SHOWN]}\u2026"


#: In this order: a secret may hold what looks like an e-mail, and a digest what looks like a phone.
_SECRETS: Final[tuple[tuple[re.Pattern[str], Change], ...]] = (
    (re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(rf"(?i)\b(?!(?:{_TELLING})://)([a-z][\w+.-]{{0,30}}://)[^\s\"'<>)]+"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)\b(https?://)(?=[^\s\"'<>)]*{_HOOKS})[^\s\"'<>)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(\b[A-Za-z][\w+.-]{0,30}://)[^\s/?#]*" + _AT), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)((?:token|secret|passw(?:or)?d|pwd|api[_-]?key|signature|(?<![A-Za-z])sig(?=[=\"'])|credential|email|phone)[\w-]{0,40}"
            r"(?:[\"']\s*[:,]\s*|\s*=\s*)[\"']?)[^\s\"'&,;)}\]]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)[^\s\"']+(?:\s+[^\s\"',]+)?"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer\s+)(?=\S{16}|\S*\d)[\w.~+/=-]+"), rf"\1{HIDDEN}"),
    (
        re.compile(r"(?i)\b((?:set-)?cookie[\"']?\s*[:=]\s*[\"']?)[^\s\"';]+(?:;\s*[^\s\"';]+)*"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(AUTH (?:PLAIN|LOGIN|CRAM-MD5|XOAUTH2) )\S+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
    # An AWS secret key, which has slashes like a path, but begins with none.
    (
        re.compile(
            r"(?<![\w/+.=-])(?=[\w/+]{0,39}?[a-z])(?=[\w/+]{0,39}?[A-Z])(?=[\w/+]{0,39}?\d)[A-Za-z0-9+]"
            r"[A-Za-z0-9/+]{39}(?![\w/+.=-])"
        ),
        HIDDEN,
    ),
    (re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]+)*"), HIDDEN),
    (re.compile(r"\b(?:ya29\.|GOCSPX-|1//0|EAA(?=[A-Za-z0-9]{12}))[\w./-]+"), HIDDEN),
)
_PEOPLE: Final[tuple[tuple[re.Pattern[str], Change], ...]] = (
    (re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32,}"), _first),
    (re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{43,}=+"), _first),
    # Opaque and long: all three kinds of character, as tokens and unpadded digests have them.
    (
        re.compile(
            r"(?<![\w+-])(?=[\w+-]{0,60}?[a-z])(?=[\w+-]{0,60}?[A-Z])(?=[\w+-]{0,60}?\d)[A-Za-z0-9_+-]{40,}"
        ),
        _first,
    ),
    (
        re.compile(r"(?:\"[^\"\n]{1,64}\"|[^\s<>\"'(),;:=\[\]{}]{1,64})" + _AT + r"[^\s<>\"'(),;\[\]{}]+"),
        HIDDEN,
    ),
    (
        re.compile(rf"(?:\+|(?<![\w:.,])00(?=[1-9])){_SEPARATOR}?\d(?:{_SEPARATOR}{{0,3}}\d){{6,14}}"),
        HIDDEN,
    ),
)
#: Also what might be an id: left alone under the keys of ids.
_NUMBERS: Final = (
    re.compile(rf"\(\d{{2,5}}\)[\s.-]?\d(?:[\s.-]?\d){{5,10}}{_END}"),
    re.compile(rf"{_START}0\d{{1,5}}[\s./-]+\d(?:[\s./-]?\d){{4,10}}{_END}"),
    # Groups of digits; no date, no address of a machine, no fraction.
    re.compile(
        rf"{_GROUPS_START}(?!\d{{4}}-\d\d-\d\d(?!\d))(?!\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![.\d]))(?!\d+\.\d+(?![.\d]))"
        rf"(?=(?:[ .\-]?\d){{8,15}}{_END})\d{{2,5}}(?:[ .\-]\d{{2,8}}){{1,6}}{_END}"
    ),
    re.compile(rf"{_START}\d{{9,15}}{_END}"),
)
#: What a line must hold for any of it to be worth a look.
_SUSPECT: Final = re.compile(
    _AT
    + rf"|\d(?:{_SEPARATOR}{{0,3}}\d){{6}}|=|://|-----BEGIN|[A-Za-z0-9_+/-]{{32}}"
    + r"|(?i:bearer|authorization|token|secret|passw|pwd|api[_-]?key|email|phone|cookie)"
    + r"|eyJ|ya29|GOCSPX|1//0|EAA|AUTH |AKIA|ASIA"
)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes out of words and values what must not be seen."""

    #: Account ids of the settings: digits that are nobody's phone.
    spared: frozenset[str] = frozenset()

    def text(self, text: str, *, is_id: bool = False) -> str:
        """Hide what looks like a contact or a secret; show the first digits of what looks like a digest.

        Args:
            text: Any.
            is_id: Whether plain digits in it are an id, by the key it stands under.
        """
        text = text if len(text) <= _MOST_READ else text[:_MOST_READ]
        if not _SUSPECT.search(text):
            return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}\u2026"
        for pattern, change in (*_SECRETS, *_PEOPLE):
            text = pattern.sub(change, text)
        for pattern in () if is_id else _NUMBERS:
            text = pattern.sub(self._unless_spared, text)
        return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}\u2026"

    def value(self, key: str, value: object, *, depth: int = 0) -> object:  # noqa: C901, PLR0911 - a case a kind
        """Return what of a value may be shown under a key; objects are shown as text, errors by kind."""
        match value:
            case None:
                return None
            case _ if depth > _DEEPEST or is_denied(key):
                return HIDDEN
            case str():
                return self.text(value, is_id=_is_id(key))
            case bool() | int() | float():
                return value
            case BaseException():
                return type(value).__name__
            case bytes() | bytearray() | memoryview():
                return f"{len(value)} bytes"
            case Mapping():
                return self._mapping(value, depth + 1)
            case list() | tuple() | set() | frozenset():
                return [self.value(key, each, depth=depth + 1) for each in list(value)[:_LONGEST]]
            case _:
                return self.text(str(value), is_id=_is_id(key))

    def _mapping(self, value: Mapping[object, object], depth: int) -> dict[str, object]:
        return {
            self.text(str(name)): self.value(str(name), each, depth=depth)
            for name, each in list(value.items())[:_LONGEST]
        }

    def _unless_spared(self, found: re.Match[str]) -> str:
        return found[0] if found[0].replace("-", "") in self.spared else HIDDEN


@lru_cache(maxsize=512)
def is_denied(key: str) -> bool:
    """Whether nothing is ever shown under this key: one of its words names a contact or a secret."""
    words = _words_of(key)
    return any(word in DENIED for word in words) or any(pair in _DENIED_PAIRS for pair in pairwise(words))


@lru_cache(maxsize=512)
def _is_id(key: str) -> bool:
    words = _words_of(key)
    return bool(words) and words[-1] in _IDS


def _words_of(key: str) -> list[str]:
    """Its words in lower case and in the singular."""
    parts = re.split(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])", key)
    return [part.lower().removesuffix("s") for part in parts if part]
