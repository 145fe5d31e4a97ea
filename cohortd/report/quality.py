"""How good a table is, as pages and terminals show it."""

from dataclasses import dataclass
from math import floor
from typing import Final

from cohortd.core.identifiers import Family
from cohortd.core.quality import KEY_COUNTS, Doubt, FieldQuality, SourceQuality, worst_invalid
from cohortd.report import cards

_DOUBTS: Final = {
    Doubt.DISPOSABLE: "disposable",
    Doubt.TYPING_ERROR: "mistyped domain",
    Doubt.ROLE: "of a role",
}
_KEYS: Final = {"0": "no key", "1": "one key", "2": "two keys", "3+": "three or more"}
#: From here on a score is good, or in between.
_GOOD, _FAIR = 80, 50


@dataclass(frozen=True, slots=True)
class FieldView:
    """One column of the customers."""

    name: str
    #: The share of rows that have one.
    filled: str
    present: int
    #: The share each platform can use, in the order of the view's platforms; a dash for not used.
    usable: tuple[str, ...]
    duplicates: int | None
    shared: int | None
    sharing: int | None
    #: What is wrong, or doubtful, with how many values; most first.
    amiss: tuple[tuple[int, str], ...]

    @property
    def amiss_in_short(self) -> str:
        """The most frequent fault, and how many values have others."""
        told = [f"{count:,} {words}" for count, words in self.amiss[:1]]
        rest = sum(count for count, _ in self.amiss[1:])
        return ", ".join([*told, *([f"{rest:,} other"] if rest else [])])


@dataclass(frozen=True, slots=True)
class KeysPart:
    """People with so many keys; ``start`` and ``width`` in percent of all."""

    kind: str
    people: int
    words: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class KeysView:
    """By how many keys a platform may know the customers."""

    platform: str
    parts: tuple[KeysPart, ...]


@dataclass(frozen=True, slots=True)
class QualityView:
    """One table."""

    table: str
    score: int
    tone: str
    looked_at: str
    platforms: tuple[str, ...]
    fields: tuple[FieldView, ...]
    #: Columns that are no contact fields, and the share of rows with a value.
    filled: tuple[tuple[str, str], ...]
    keys: tuple[KeysView, ...]


def quality_view(quality: SourceQuality) -> QualityView:
    """Lay out one table's account."""
    platforms = [family for family in Family if family in quality.keys]
    contacts = [each for each in quality.fields if each.platforms]
    others = [each for each in quality.fields if not each.platforms]
    return QualityView(
        table=quality.table,
        score=quality.score,
        tone="good" if quality.score >= _GOOD else "wait" if quality.score >= _FAIR else "bad",
        looked_at=_looked_at(quality),
        platforms=tuple(family.value.capitalize() for family in platforms),
        fields=tuple(_field(each, platforms, quality.counted) for each in contacts),
        filled=tuple((each.name, whole_share(each.rows, quality.counted)) for each in others),
        keys=tuple(_keys(family, quality.keys[family]) for family in platforms),
    )


def whole_share(part: int, whole: int) -> str:
    """Write a share as percent, rounded down: 100% says that nothing is missing."""
    if not whole:
        return cards.ABSENT
    return "100%" if part >= whole else f"{floor(1000 * part / whole) / 10:.1f}%"


def _looked_at(quality: SourceQuality) -> str:
    if quality.sampled:
        return f"judged by its first {quality.rows:,} rows"
    return f"{quality.usable:,} of {cards.counted(quality.rows, 'row')} usable"


def _field(each: FieldQuality, platforms: list[Family], counted: int) -> FieldView:
    usable = [
        whole_share(each.platforms[family].valid, each.present)
        if family in each.platforms
        else cards.ABSENT
        for family in platforms
    ]
    faults = [(count, cards.plain(reason)) for reason, count in worst_invalid(each).items()]
    faults += [(count, _DOUBTS[Doubt(doubt)]) for doubt, count in each.doubts.items()]
    return FieldView(
        name=each.name,
        filled=whole_share(each.rows, counted),
        present=each.present,
        usable=tuple(usable),
        duplicates=each.duplicates,
        shared=each.shared,
        sharing=each.sharing,
        amiss=tuple(sorted(faults, key=lambda fault: (-fault[0], fault[1]))),
    )


def _keys(family: Family, counts: dict[str, int]) -> KeysView:
    whole = sum(counts.values())
    parts, start = list[KeysPart](), 0.0
    for number, name in enumerate(KEY_COUNTS):
        width = round(100 * counts[name] / whole, 3) if whole else 0.0
        part = KeysPart(f"keys-{number}", counts[name], _KEYS[name], round(start, 3), width)
        parts.append(part)
        start += width
    return KeysView(family.value.capitalize(), tuple(parts))
