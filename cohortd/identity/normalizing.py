"""One value of one field, as one family of platforms wants it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from cohortd.core.errors import SettingsError
from cohortd.core.identifiers import Family
from cohortd.core.times import now_utc
from cohortd.identity.countries import alpha2_of
from cohortd.identity.rules import FIELDS, RULES, Rule, WhenHashed
from cohortd.identity.steps import EMPTY, Absent, Where
from cohortd.identity.text import cleaned, unhashed

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, repr=False)
class Normalized:
    """What became of a value: something to send, or the reason why not. Personal data, not printed.

    ``normalized`` is None also for a value that came hashed; ``sha256`` also for a field that is
    sent as it is.
    """

    normalized: str | None
    sha256: str | None
    reason: str | None

    @property
    def sent(self) -> str | None:
        """What goes on the wire: the digest (lower-case hex), else the value; None where absent."""
        return self.sha256 or self.normalized

    def __repr__(self) -> str:
        """Show the first eight digits only."""
        return f"Normalized({self.reason or (self.sha256 or '')[:8] + '…'})"


def normalize(
    family: Family,
    field: str,
    value: str,
    *,
    region: str | None = None,
    hashed: bool = False,
    today: date | None = None,
) -> Normalized:
    """Normalize *value* and hash it where the family wants a hash; never fails on any text.

    Args:
        family: Whose rules.
        field: One of ``FIELDS``.
        value: As it stands in the source; for ``birth_year``, ``birth_month`` and ``birth_day`` an
            ISO date or the part alone.
        region: Country of the row, else the default, by code or name; decides how phone, state and
            postal code are read.
        hashed: The source says that the value is a SHA-256 already.
        today: Nobody is born later; the current day (UTC) where not given.

    Raises:
        SettingsError: There is no such field.
    """
    if field not in FIELDS:
        nearest = get_close_matches(field, FIELDS, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise SettingsError(f"there is no field {field!r}{hint} Fields: {', '.join(FIELDS)}")
    rule = RULES[family].get(field)
    if rule is None:
        return Normalized(None, None, f"not_used_by_{family}")
    return outcome(rule, value, here(region, today=today), hashed=hashed)


def here(region: str | None, *, today: date | None = None) -> Where:
    """Make what rules may know; a region that is no country counts as none."""
    return Where(alpha2_of(region) if region else None, today or now_utc().date())


def outcome(rule: Rule, value: str, where: Where, *, hashed: bool) -> Normalized:
    """Apply one rule to one value."""
    if hashed and rule.when_hashed is not WhenHashed.IGNORE:
        return _taken_as_hashed(rule, value)
    result = rule.step(value, where)
    if rule.digested and not isinstance(result, Absent):
        result = unhashed(result)  # again: what was dropped may have hidden one
    if isinstance(result, Absent):
        return _absent(result)
    return Normalized(result, hashlib.sha256(result.encode()).hexdigest() if rule.digested else None, None)


def _taken_as_hashed(rule: Rule, value: str) -> Normalized:
    found = cleaned(value)
    if isinstance(found, Absent):
        return _absent(found)
    digest = found.lower()
    if not digest:
        return _absent(EMPTY)
    if rule.when_hashed is WhenHashed.REFUSE:
        return _absent(Absent("needed_unhashed"))
    if not _HEX_DIGEST.fullmatch(digest):
        return _absent(Absent("not_hex_sha256"))
    if digest == HASH_OF_NOTHING:
        return _absent(Absent("hash_of_nothing"))
    return Normalized(None, digest, None)


def _absent(absent: Absent) -> Normalized:
    return Normalized(None, None, absent.reason)
