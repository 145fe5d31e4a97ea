"""E-mail addresses."""

import re
from functools import lru_cache

import idna

from cohortd.identity.steps import Absent
from cohortd.identity.text import lower

#: Where Google itself ignores dots and what follows a plus; no other domain is known to.
GMAIL_DOMAINS = frozenset({"gmail.com", "googlemail.com"})

#: ASCII host names that IDNA leaves as they are; everything else asks the library.
_PLAIN_DOMAIN = re.compile(r"(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!$)|$))+")
_LONGEST_DOMAIN = 253


def address(value: str) -> str | Absent:
    """Lower-case, exactly one ``@``, the domain as IDNA A-labels without the root's dot."""
    if " " in value:
        return Absent("inner_white_space")
    local, at, domain = lower(value).partition("@")
    if not at:
        return Absent("no_at_sign")
    if "@" in domain:
        return Absent("more_than_one_at_sign")
    if not local:
        return Absent("empty_local_part")
    host = _host(domain)
    return host if isinstance(host, Absent) else f"{local}@{host}"


def gmail_folded(value: str) -> str | Absent:
    """At Gmail only: cut at the first plus and drop dots; the domain itself stays."""
    local, _, domain = value.rpartition("@")
    if domain not in GMAIL_DOMAINS:
        return value
    mailbox = local.partition("+")[0].replace(".", "")
    return f"{mailbox}@{domain}" if mailbox else Absent("empty_local_part")


def _host(domain: str) -> str | Absent:
    host = domain
    if len(domain) > _LONGEST_DOMAIN or not _PLAIN_DOMAIN.fullmatch(domain):
        encoded = _a_labels(domain)
        if isinstance(encoded, Absent):
            return encoded
        host = encoded
    return host if "." in host else Absent("no_dot_in_domain")


@lru_cache(maxsize=4096)  # the library is slow, and many people share a domain
def _a_labels(domain: str) -> str | Absent:
    if not domain:
        return Absent("empty_domain")
    if len(domain) > _LONGEST_DOMAIN + 1:  # with the root's dot; also keeps the library from long work
        return Absent("invalid_domain")
    try:
        # UTS 46 maps what people type (full-width letters, ideographic full stops); ß stays ß.
        return idna.encode(domain, uts46=True).decode("ascii").removesuffix(".")
    except idna.IDNAError:
        return Absent("invalid_domain")
