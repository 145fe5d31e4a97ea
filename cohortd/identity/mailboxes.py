"""E-mail addresses that are valid and all the same not likely to find a person."""

import csv
from collections import Counter
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from disposable_email_domains import blocklist

from cohortd.core.quality import Doubt
from cohortd.identity.emails import address
from cohortd.identity.steps import Absent
from cohortd.identity.text import cleaned

#: Ends of addresses that no domain has: ``.con`` and the like. ``.co`` and ``.cm`` are countries.
_NO_ENDS = frozenset({"ccom", "cmo", "comm", "con", "conm", "coom", "cpm", "nte", "ocm", "vom", "xom"})
_DOMAINS_KEPT = 65_536
_FINE = ""
_NO_DOMAIN = "no_domain"


def doubts(emails: pa.Array) -> Counter[Doubt]:
    """Count addresses by their doubt; what is no address counts nowhere.

    Args:
        emails: Text, or lists of text.
    """
    if pa.types.is_list(emails.type) or pa.types.is_large_list(emails.type):
        emails = pc.list_flatten(emails)
    mailboxes, domains = _parted(_tidy(emails.drop_null()))
    distinct = domains.dictionary_encode()
    codes = np.asarray(distinct.indices)
    standings = [_standing(domain) for domain in distinct.dictionary.to_pylist()]
    found: Counter[Doubt] = Counter()
    for standing, count in zip(standings, np.bincount(codes, minlength=len(standings)), strict=True):
        if standing not in (_FINE, _NO_DOMAIN):
            found[Doubt(standing)] += int(count)
    fine = np.array([standing == _FINE for standing in standings], dtype=np.bool_)[codes]
    found[Doubt.ROLE] = int(np.count_nonzero(fine & np.asarray(_is_role(mailboxes))))
    return +found


@lru_cache(maxsize=_DOMAINS_KEPT)
def _standing(domain: str) -> str:
    whole = address(f"x@{domain}")
    if isinstance(whole, Absent):
        return _NO_DOMAIN
    host = whole.partition("@")[2]
    labels = host.split(".")
    if host in _typing_errors() or labels[-1] in _NO_ENDS:
        return Doubt.TYPING_ERROR
    disposable = any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
    return Doubt.DISPOSABLE if disposable else _FINE


def _tidy(texts: pa.Array) -> pa.Array:
    """Lower-case, without what identity drops; the few that are not ASCII one by one."""
    texts = texts.cast(pa.string())
    plain = pc.string_is_ascii(texts)
    if pc.all(plain, min_count=0).as_py():
        return pc.utf8_trim_whitespace(pc.ascii_lower(texts))
    others = [cleaned(text) for text in texts.filter(pc.invert(plain)).to_pylist()]
    read = pa.array([other.lower() for other in others if isinstance(other, str)], pa.string())
    return pa.concat_arrays([pc.utf8_trim_whitespace(pc.ascii_lower(texts.filter(plain))), read])


def _parted(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """What stands before and after the at sign, of those texts that have one, and no white space."""
    whole = pc.and_(
        pc.equal(pc.count_substring(texts, "@"), 1),
        pc.invert(pc.match_substring_regex(texts, r"[\s\x0b\x1c-\x1f]|^@")),
    )
    parts = pc.list_flatten(pc.split_pattern(texts.filter(whole), "@"))
    places = np.arange(0, len(parts), 2)
    return parts.take(pa.array(places)), parts.take(pa.array(places + 1))


def _is_role(mailboxes: pa.Array) -> pa.Array:
    """Tell whose name is a function's and no person's, whatever tag follows it."""
    return pc.is_in(pc.replace_substring_regex(mailboxes, r"\+.*$", ""), value_set=_roles())


@cache
def _roles() -> pa.Array:
    return pa.array([row["name"] for row in _table("role_names.csv")])


@cache
def _typing_errors() -> frozenset[str]:
    return frozenset(
        domain for row in _table("typing_errors.csv") for domain in row["typing_errors"].split("|")
    )


def _table(name: str) -> list[dict[str, str]]:
    text = (files(__package__) / "tables" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
