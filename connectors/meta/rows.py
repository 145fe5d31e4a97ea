"""Members as the rows of one upload: which keys, which values, and whose row it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

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
#: Whose profile goes before whose, where a person's identifiers carry different ones.
_RANKS = {kind: rank for rank, kind in enumerate(_PLACE_OF)}
_PLAIN = frozenset({IdentifierKind.MOBILE_AD_ID, IdentifierKind.EXTERNAL_ID})
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
    whole: list[list[str]] = []
    owners: list[int] = []
    for index, member in enumerate(members):
        rows = _rows_of(member.identifiers)
        whole += rows
        owners += [index] * len(rows)
    present = [place for place, column in enumerate(zip(*whole, strict=True)) if any(column)]
    schema = tuple(KEYS[place] for place in present)
    return Upload(schema, _columns_of(whole, present), owners)


def _columns_of(rows: list[list[str]], places: list[int]) -> list[list[str]]:
    if len(places) == len(KEYS):
        return rows
    if len(places) == 1:
        return [[row[places[0]]] for row in rows]
    return list(map(list, map(itemgetter(*places), rows))) if rows else []


def _rows_of(identifiers: Sequence[Identifier]) -> list[list[str]]:
    kinds = {identifier.kind for identifier in identifiers}
    if len(kinds) == len(identifiers):
        # Almost everybody: one of each.
        sendable = [each for each in identifiers if each.kind in _PLACE_OF]
        return [_row(sorted(sendable, key=_rank))] if sendable else []
    columns = [[each for each in identifiers if each.kind is kind] for kind in _PLACE_OF if kind in kinds]
    longest = max(map(len, columns), default=0)
    filled = [column + column[:1] * (longest - len(column)) for column in columns]
    return [_row(group) for group in zip(*filled, strict=True)]


def _rank(identifier: Identifier) -> int:
    return _RANKS[identifier.kind]


def _row(identifiers: Sequence[Identifier]) -> list[str]:
    row = list(_BLANK)
    seen = b""
    for identifier in identifiers:
        payload = identifier.payload
        plain = identifier.kind in _PLAIN
        # A person's identifiers mostly carry the same profile.
        values = unpack(payload) if plain or payload != seen else {}
        seen = payload
        row[_PLACE_OF[identifier.kind]] = values.get("id", "") if plain else identifier.digest.hex()
        for key, value in values.items():
            place = _PROFILE_PLACES.get(key)
            if place is not None and not row[place]:
                row[place] = value
    return row
