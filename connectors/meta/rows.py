"""Members as the rows of one upload: which keys, which values, and whose row it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import PROFILE_KEYS, unpack

#: The order of a schema; Meta takes any.
KEYS = ("EMAIL", "PHONE", *PROFILE_KEYS, "MADID", "EXTERN_ID")

_PLACE_OF = {
    IdentifierKind.EMAIL: KEYS.index("EMAIL"),
    IdentifierKind.PHONE: KEYS.index("PHONE"),
    IdentifierKind.MOBILE_AD_ID: KEYS.index("MADID"),
    IdentifierKind.EXTERNAL_ID: KEYS.index("EXTERN_ID"),
}
_PLAIN = frozenset({IdentifierKind.MOBILE_AD_ID, IdentifierKind.EXTERNAL_ID})
#: By a kind's number, which is found faster than a kind: the column of what goes as its digest.
_HASHED_PLACES = [
    _PLACE_OF.get(IdentifierKind(number))
    if number in (IdentifierKind.EMAIL, IdentifierKind.PHONE)
    else None
    for number in range(max(IdentifierKind) + 1)
]
_PROFILE_PLACES = {key: KEYS.index(key) for key in PROFILE_KEYS}
_BLANK = ("",) * len(KEYS)


@dataclass(frozen=True, slots=True)
class Upload:
    """Rows under one schema."""

    schema: tuple[str, ...]
    data: list[list[str]]
    #: Row -> index of the member it belongs to.
    owners: list[int]

    def chunks(self, size: int) -> list["Upload"]:
        """Cut into uploads of at most *size* rows."""
        return [
            Upload(self.schema, self.data[start : start + size], self.owners[start : start + size])
            for start in range(0, len(self.data), size)
        ]


def upload_of(members: Sequence[Member]) -> Upload:
    """Build the rows of all members.

    A person's e-mails, phones and mobile ids are paired row by row; of a kind with fewer, the first
    is repeated, so that every row shares something with another and Meta sees one person. Keys that
    nobody in the batch has are left out; what a row lacks is blank. A member without an identifier
    that Meta takes has no row.
    """
    rows: list[list[str]] = []
    owners: list[int] = []
    for index, member in enumerate(members):
        row = _single(member.identifiers)
        own = [row] if row is not None else _paired(member.identifiers)
        rows += own
        owners += [index] * len(own)
    columns = list(zip(*rows, strict=True))
    present = [place for place, column in enumerate(columns) if any(column)]
    data = list(map(list, zip(*(columns[place] for place in present), strict=True)))
    return Upload(tuple(KEYS[place] for place in present), data, owners)


def _single(identifiers: Sequence[Identifier]) -> list[str] | None:
    """The row of somebody who has one e-mail, one phone, one profile, as almost everybody; else None."""
    row = list(_BLANK)
    profile: bytes | None = None
    for identifier in identifiers:
        place = _HASHED_PLACES[identifier.kind]
        if place is None or row[place]:
            return None
        row[place] = identifier.digest.hex()
        if identifier.payload != profile:
            if profile is not None:
                return None
            profile = identifier.payload
    if profile:
        _fill(row, unpack(profile))
    return row if identifiers else None


def _paired(identifiers: Sequence[Identifier]) -> list[list[str]]:
    columns = [[each for each in identifiers if each.kind is kind] for kind in _PLACE_OF]
    longest = max(map(len, columns))
    filled = [column + column[:1] * (longest - len(column)) for column in columns if column]
    return [_row(group) for group in zip(*filled, strict=True)]


def _row(identifiers: Sequence[Identifier]) -> list[str]:
    row = list(_BLANK)
    for identifier in identifiers:
        values = unpack(identifier.payload)
        plain = identifier.kind in _PLAIN
        row[_PLACE_OF[identifier.kind]] = values.get("id", "") if plain else identifier.digest.hex()
        _fill(row, values)
    return row


def _fill(row: list[str], values: Mapping[str, str]) -> None:
    """Put a profile where nothing stands yet."""
    for key, value in values.items():
        place = _PROFILE_PLACES.get(key)
        if place is not None and not row[place]:
            row[place] = value
