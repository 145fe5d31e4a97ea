"""What a stream of contacts is worth to each family of platforms: counts of values, never a value."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.identifiers import Family, IdentifierKind
from cohortd.core.quality import KEY_COUNTS, ContactFigures, Doubt, FieldQuality, Validity
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.identity.identifying import Identified
from cohortd.identity.mailboxes import doubts
from cohortd.identity.occurrences import Occurrences, Repeated

#: What each family reads of a row.
USED: Final[Mapping[Family, frozenset[str]]] = {
    Family.GOOGLE: frozenset({"email", "phone", "first_name", "last_name", "postal_code", "country"}),
    Family.META: frozenset(CONTACT_FIELDS),
}
ADDRESS: Final = "address"
_ADDRESS_PARTS: Final = ("first_name", "last_name", "postal_code", "country")
_KINDS: Final[Mapping[str, IdentifierKind]] = {
    "email": IdentifierKind.EMAIL,
    "phone": IdentifierKind.PHONE,
    ADDRESS: IdentifierKind.ADDRESS,
    "mobile_ad_id": IdentifierKind.MOBILE_AD_ID,
    "external_id": IdentifierKind.EXTERNAL_ID,
}
#: With both names, one of these makes a profile by which Meta may know somebody.
_TELLING: Final = ("postal_code", "city", "birth_date")

Mask = npt.NDArray[np.bool_]


def match_keys(contacts: pa.RecordBatch, identified: Identified, family: Family) -> npt.NDArray[np.uint8]:
    """Count the independent keys by which the family may know each row: its match confidence.

    Google: e-mail, phone, address. Meta: e-mail, phone, mobile ad id, external id, and, beside one
    of these, a profile of both names with a postal code, city or birth date. Two e-mails are one.
    """
    rows, kinds = _integers(identified.identifiers["row"]), _integers(identified.identifiers["kind"])
    keys = np.zeros(contacts.num_rows, dtype=np.uint8)
    for kind in _KINDS.values():
        has = np.zeros(contacts.num_rows, dtype=np.bool_)
        has[rows[kinds == kind]] = True
        keys += has
    if family is Family.META:
        keys += (keys > 0) & _has_profile(contacts, identified)
    return keys


class ContactQuality:
    """The account of one stream of contacts, batch by batch.

    Which values repeat is counted by digests in scratch files: see ``Occurrences``.
    """

    def __init__(self, folder: Path, families: Iterable[Family], *, hashed: Collection[str] = ()) -> None:
        """Begin with no row.

        Args:
            folder: For scratch files; they are gone after ``close``.
            families: Whose rules will be told of by ``identified``.
            hashed: Columns that hold SHA-256 already: nobody can doubt those.
        """
        self._families = tuple(families)
        self._hashed = frozenset(hashed)
        self._rows: Counter[str] = Counter()
        self._present: Counter[str] = Counter()
        self._invalid: dict[tuple[Family, str], Counter[str]] = defaultdict(Counter)
        self._doubts: Counter[Doubt] = Counter()
        self._keys: dict[Family, Counter[str]] = {family: Counter() for family in self._families}
        self._addresses = False
        self._occurrences = {
            kind: Occurrences(folder / f"occurrences-{kind:d}") for kind in _KINDS.values()
        }

    def __enter__(self) -> Self:
        """Use as ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the scratch files."""
        self.close()

    def close(self) -> None:
        """Forget the scratch files."""
        for occurrences in self._occurrences.values():
            occurrences.close()

    def read(self, contacts: pa.RecordBatch) -> None:
        """Count what is there."""
        for name in (name for name in CONTACT_FIELDS if name in contacts.schema.names):
            column = contacts.column(name)
            self._rows[name] += len(column) - column.null_count
            values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
            self._present[name] += len(values) - values.null_count
        if "email" in contacts.schema.names and "email" not in self._hashed:
            self._doubts += doubts(contacts.column("email"))
        self._addresses = self._addresses or all(p in contacts.schema.names for p in _ADDRESS_PARTS)

    def identified(
        self, family: Family, contacts: pa.RecordBatch, found: Identified
    ) -> npt.NDArray[np.uint8]:
        """Count what the family can use of it; return every row's match confidence."""
        for row in found.dropped.group_by(["field", "reason"]).aggregate([([], "count_all")]).to_pylist():
            self._invalid[family, row["field"]][row["reason"]] += row["count_all"]
        kinds = _integers(found.identifiers["kind"])
        for kind, occurrences in self._occurrences.items():
            if self._teller(kind) is family:
                of_kind = found.identifiers["digest"].filter(pa.array(kinds == kind))
                occurrences.add(of_kind.combine_chunks())
        keys = match_keys(contacts, found, family)
        counts = np.bincount(keys, minlength=len(KEY_COUNTS))
        several = len(KEY_COUNTS) - 1
        for name, number in zip(KEY_COUNTS, [*counts[:several], counts[several:].sum()], strict=True):
            self._keys[family][name] += int(number)
        return keys

    def figures(self) -> ContactFigures:
        """Every column that is there, Google's address where its four parts are, and the keys."""
        repeated = {kind: occurrences.count() for kind, occurrences in self._occurrences.items()}
        fields = [self._field(name, repeated) for name in CONTACT_FIELDS if name in self._rows]
        if self._addresses and Family.GOOGLE in self._families:
            fields.append(self._address(repeated[IdentifierKind.ADDRESS]))
        keys = {
            str(family): {name: counts[name] for name in KEY_COUNTS}
            for family, counts in self._keys.items()
        }
        return ContactFigures(fields, keys)

    def _field(self, name: str, repeated: Mapping[IdentifierKind, Repeated]) -> FieldQuality:
        platforms = {
            str(family): _validity(self._present[name], self._invalid[family, name])
            for family in self._families
            if name in USED[family]
        }
        told = repeated[_KINDS[name]] if name in _KINDS and platforms else None
        valid = platforms[str(self._teller(_KINDS[name]))].valid if told else 0
        return FieldQuality(
            name=name,
            rows=self._rows[name],
            present=self._present[name],
            platforms=platforms,
            # What a person has twice is sent once: no identifier tells of it, but the values do.
            duplicates=valid - told.distinct if told else None,
            shared=told.shared if told else None,
            sharing=told.sharing if told else None,
            doubts={str(doubt): self._doubts[doubt] for doubt in Doubt if self._doubts[doubt]}
            if name == "email"
            else {},
        )

    def _address(self, told: Repeated) -> FieldQuality:
        invalid = self._invalid[Family.GOOGLE, ADDRESS]
        present = told.total + invalid.total()
        return FieldQuality(
            name=ADDRESS,
            rows=present,
            present=present,
            platforms={str(Family.GOOGLE): _validity(present, invalid)},
            duplicates=told.total - told.distinct,
            shared=told.shared,
            sharing=told.sharing,
        )

    def _teller(self, kind: IdentifierKind) -> Family | None:
        """Whose digests tell which values are the same: Google's where it has them, as it folds Gmail's."""
        if kind is IdentifierKind.ADDRESS:
            order: tuple[Family, ...] = (Family.GOOGLE,)
        elif kind in {IdentifierKind.EMAIL, IdentifierKind.PHONE}:
            order = (Family.GOOGLE, Family.META)
        else:
            order = (Family.META,)
        return next((family for family in order if family in self._families), None)


def _validity(present: int, invalid: Mapping[str, int]) -> Validity:
    return Validity(present - sum(invalid.values()), dict(sorted(invalid.items())))


def _has_profile(contacts: pa.RecordBatch, identified: Identified) -> Mask:
    usable = {name: _usable(contacts, identified, name) for name in ("first_name", "last_name", *_TELLING)}
    telling: Mask = np.logical_or.reduce([usable[name] for name in _TELLING])
    return usable["first_name"] & usable["last_name"] & telling


def _usable(contacts: pa.RecordBatch, identified: Identified, name: str) -> Mask:
    """Which rows have a value of a field that is one a row, and it was not dropped."""
    if name not in contacts.schema.names:
        return np.zeros(contacts.num_rows, dtype=np.bool_)
    there: Mask = np.array(contacts.column(name).is_valid(), dtype=np.bool_)
    there[_integers(identified.dropped.filter(pc.equal(identified.dropped["field"], name))["row"])] = False
    return there


def _integers(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return np.asarray(column.cast(pa.int64()), dtype=np.int64)
