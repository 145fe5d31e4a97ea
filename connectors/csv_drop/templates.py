"""The two platforms' templates for upload by hand, and members as their rows.

- Google: ``Email, Phone, First Name, Last Name, Country, Zip``; country and postal code are not hashed,
  all else is (support.google.com/google-ads/answer/7659867). An address needs all four of its columns.
- Meta: ``email, phone, madid, fn, ln, zip, ct, st, country, doby, gen``; the mobile advertiser id is not
  hashed, all else is (facebook.com/business/help/2082575038703844). The template has no column for an
  external id, nor for the day and month of birth apart.

A cell that is not hashed is written only if it is what its column holds: a spreadsheet runs text that
begins with ``=`` as a formula. No such value was ever written, so there is none to take back either.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from cohortd.core.identifiers import Family, Identifier, IdentifierKind, Member
from cohortd.core.payloads import ADDRESS_KEYS, unpack

Cells = Mapping[str, str]

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_POSTAL_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,15}")
_MOBILE_AD_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_ADDRESS: Final = dict(zip(ADDRESS_KEYS, ("First Name", "Last Name", "Country", "Zip"), strict=True))
_FORMS: Final = {"Country": _COUNTRY, "Zip": _POSTAL_CODE}
#: Meta's keys, and the columns of its template.
_PROFILE: Final = {
    "FN": "fn",
    "LN": "ln",
    "ZIP": "zip",
    "CT": "ct",
    "ST": "st",
    "COUNTRY": "country",
    "DOBY": "doby",
    "GEN": "gen",
}


@dataclass(frozen=True, slots=True)
class Template:
    """A platform's form of a file."""

    platform: str
    header: tuple[str, ...]
    #: The columns that together are one identifier.
    keys: tuple[tuple[str, ...], ...]
    #: Whether a person's first e-mail stands in each of their rows, so that these are one person.
    repeats: bool
    #: An identifier's cells; empty where the template has no place for it, or it is not of its form.
    cells_of: Callable[[Identifier], Cells]


@dataclass(slots=True)
class Table:
    """The rows of a batch."""

    rows: list[list[str]] = field(default_factory=list)
    #: Members of whom nothing could be written, as indices into the batch.
    absent: list[int] = field(default_factory=list)


def table_of(template: Template, members: Sequence[Member]) -> Table:
    """Write members as rows; one with several e-mails has several."""
    table = Table()
    for index, member in enumerate(members):
        rows = _rows_of(template, member)
        table.rows += rows
        if not rows:
            table.absent.append(index)
    return table


def keys_of(template: Template, row: Sequence[str]) -> list[tuple[str, ...]]:
    """The identifiers in a row, each as its column's name and its cells."""
    cells = dict(zip(template.header, row, strict=True))
    found = [(columns[0], *(cells[name] for name in columns)) for columns in template.keys]
    return [key for key in found if any(key[1:])]


def without(
    template: Template, rows: Sequence[Sequence[str]], gone: set[tuple[str, ...]]
) -> list[list[str]]:
    """Rows without the identifiers *gone*, and without those that hold no other."""
    left = []
    for row in rows:
        cells = dict(zip(template.header, row, strict=True))
        for columns in template.keys:
            if (columns[0], *(cells[name] for name in columns)) in gone:
                cells |= dict.fromkeys(columns, "")
        if any(cells[name] for columns in template.keys for name in columns):
            left.append(list(cells.values()))
    return left


def _rows_of(template: Template, member: Member) -> list[list[str]]:
    columns: dict[IdentifierKind, list[Cells]] = {}
    for identifier in member.identifiers:
        if cells := template.cells_of(identifier):
            columns.setdefault(identifier.kind, []).append(cells)
    rows = []
    for group in zip_longest(*columns.values(), fillvalue=None):
        filled = [
            cells if cells is not None else column[0] if template.repeats else {}
            for cells, column in zip(group, columns.values(), strict=True)
        ]
        merged = {name: value for cells in reversed(filled) for name, value in cells.items()}
        rows.append([merged.get(name, "") for name in template.header])
    return rows


def _google_cells(identifier: Identifier) -> Cells:
    match identifier.kind:
        case IdentifierKind.EMAIL:
            return {"Email": identifier.digest.hex()}
        case IdentifierKind.PHONE:
            return {"Phone": identifier.digest.hex()}
        case IdentifierKind.ADDRESS:
            values = unpack(identifier.payload)
            cells = {column: values.get(key, "") for key, column in _ADDRESS.items()}
            is_written_so = all(_FORMS.get(name, _HASH).fullmatch(cell) for name, cell in cells.items())
            return cells if is_written_so else {}
        case _:
            return {}


def _meta_cells(identifier: Identifier) -> Cells:
    values = unpack(identifier.payload)
    match identifier.kind:
        case IdentifierKind.EMAIL:
            key = {"email": identifier.digest.hex()}
        case IdentifierKind.PHONE:
            key = {"phone": identifier.digest.hex()}
        case IdentifierKind.MOBILE_AD_ID if _MOBILE_AD_ID.fullmatch(values.get("id", "")):
            key = {"madid": values["id"]}
        case _:
            return {}
    profile = {column: values.get(name, "") for name, column in _PROFILE.items()}
    return key | {column: value for column, value in profile.items() if _HASH.fullmatch(value)}


TEMPLATES: Final = {
    Family.GOOGLE: Template(
        "Google Ads",
        header=("Email", "Phone", *_ADDRESS.values()),
        keys=(("Email",), ("Phone",), tuple(_ADDRESS.values())),
        repeats=False,
        cells_of=_google_cells,
    ),
    Family.META: Template(
        "Meta",
        header=("email", "phone", "madid", *_PROFILE.values()),
        keys=(("email",), ("phone",), ("madid",)),
        repeats=True,
        cells_of=_meta_cells,
    ),
}
