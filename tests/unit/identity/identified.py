"""Shared by the tests of identify(): batches from rows, and its tables as values."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from cohortd.core.identifiers import Family, Identifier, IdentifierKind
from cohortd.identity import Identified, identify

TODAY = date(2026, 11, 21)
PROFILE = {
    "FN": "first_name",
    "LN": "last_name",
    "FI": "first_initial",
    "CT": "city",
    "ST": "state",
    "ZIP": "postal_code",
    "COUNTRY": "country",
    "GEN": "gender",
}
BIRTH = {"DOBY": "birth_year", "DOBM": "birth_month", "DOBD": "birth_day"}


def batch(*rows: Mapping[str, object]) -> pa.RecordBatch:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.RecordBatch.from_pydict({name: [row.get(name) for row in rows] for name in names})


def run(
    contacts: pa.RecordBatch,
    family: Family,
    *,
    region: str | None = "US",
    hashed: tuple[str, ...] = (),
    native: bool = True,
) -> Identified:
    return identify(
        contacts, family, default_region=region, hashed=frozenset(hashed), today=TODAY, native=native
    )


def found(result: Identified) -> list[tuple[int, Identifier]]:
    return [
        (one["row"], Identifier(IdentifierKind(one["kind"]), one["digest"], one["payload"]))
        for one in result.identifiers.to_pylist()
    ]


def dropped(result: Identified) -> list[tuple[int, str, str]]:
    return [(one["row"], one["field"], one["reason"]) for one in result.dropped.to_pylist()]
