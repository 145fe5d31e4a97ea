"""How good a table is for matching people: counts of values, never a value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import floor
from typing import Any, Final

from cohortd.core.identifiers import Family

#: Keys by which a platform may know a customer, as they are counted: none, one, two, three or more.
KEY_COUNTS: Final = ("0", "1", "2", "3+")
#: Points of a customers table's score: see docs/data-quality.md.
_REACHABLE, _TWO_KEYS, _SOUND = 60, 20, 20


class Doubt(StrEnum):
    """Why a valid e-mail address is not likely to find a person; each has at most one."""

    DISPOSABLE = "disposable"
    TYPING_ERROR = "typing_error"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Validity:
    """What one family of platforms can use of a field: together every value that is there."""

    valid: int
    #: Reason -> values.
    invalid: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldQuality:
    """One column; ``address`` is Google's, made of four."""

    name: str
    #: Rows with at least one value, and values: an e-mail column may hold several a row.
    rows: int
    present: int
    #: Family -> validity, for the families that use the field.
    platforms: dict[str, Validity] = field(default_factory=dict)
    #: Valid values that are another one's repetition; None for a field that names nobody by itself.
    duplicates: int | None = None
    #: Values that several customers carry, and how often they are carried.
    shared: int | None = None
    sharing: int | None = None
    #: ``Doubt`` -> valid values; empty also where the values came hashed.
    doubts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactFigures:
    """What the contact fields of the customers are worth."""

    fields: list[FieldQuality] = field(default_factory=list)
    #: Family -> one of ``KEY_COUNTS`` -> customers.
    keys: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """One table: a score from 0 to 100, and what it comes from."""

    table: str
    score: int
    #: Rows read, and those of them that can be used.
    rows: int
    usable: int
    #: Rows in which values were counted.
    counted: int = 0
    #: Whether only the first rows were looked at.
    sampled: bool = False
    #: Reason -> rows left out.
    dropped: dict[str, int] = field(default_factory=dict)
    fields: list[FieldQuality] = field(default_factory=list)
    #: Family -> one of ``KEY_COUNTS`` -> customers; the customers table only.
    keys: dict[str, dict[str, int]] = field(default_factory=dict)


def quality_of_json(**kept: Any) -> SourceQuality:
    """Make the account again of its plain dicts and lists."""
    told = [
        FieldQuality(
            **{**one, "platforms": {name: Validity(**each) for name, each in one["platforms"].items()}}
        )
        for one in kept["fields"]
    ]
    return SourceQuality(**{**kept, "fields": told})


def score_of_rows(rows: int, usable: int) -> int:
    """Score a table of events or consent: the share of its rows that can be used."""
    return floor(100 * _share(usable, rows))


def score_of_customers(
    rows: int, keys: Mapping[str, Mapping[str, int]], fields: Iterable[FieldQuality]
) -> int:
    """Score the customers: 60 points for who has a key, 20 for who has two, 20 for sound values.

    A row that was left out has no key. Rounded down, so that 100 means that nothing is amiss.
    """
    one = _mean(_share(sum(counts.values()) - counts.get("0", 0), rows) for counts in keys.values())
    two = _mean(_share(counts.get("2", 0) + counts.get("3+", 0), rows) for counts in keys.values())
    sound = _sound_share([each for each in fields if each.duplicates is not None])
    # 60 + 20 + 20 in floating point may fall a hair short of 100.
    return floor(round(_REACHABLE * one + _TWO_KEYS * two + _SOUND * sound, 9))


def worst_invalid(quality: FieldQuality) -> dict[str, int]:
    """Reason -> values, by the family that refuses most for it: both mostly refuse the same."""
    found: dict[str, int] = {}
    for family in Family:
        for reason, count in quality.platforms.get(family, Validity(0)).invalid.items():
            found[reason] = max(count, found.get(reason, 0))
    return found


def _sound_share(fields: Iterable[FieldQuality]) -> float:
    present = faulty = 0
    for each in fields:
        present += each.present
        invalid = sum(worst_invalid(each).values())
        faulty += min(each.present, invalid + (each.duplicates or 0) + sum(each.doubts.values()))
    return _share(present - faulty, present)


def _mean(shares: Iterable[float]) -> float:
    found = list(shares)
    return sum(found) / len(found) if found else 0.0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
