"""Members as the rows of one upload: which keys, which values, and whose row it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import PROFILE_KEYS, unpack

#: The order of a schema; Meta takes any.
KEYS = ("EMAIL", "PHONE", *PROFILE_KEYS, "MADID", "EXTERN_ID")

_KEY_OF = {
    IdentifierKind.EMAIL: "EMAIL",
    IdentifierKind.PHONE: "PHONE",
    IdentifierKind.MOBILE_AD_ID: "MADID",
    IdentifierKind.EXTERNAL_ID: "EXTERN_ID",
}


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
    cells: list[dict[str, str]] = []
    owners: list[int] = []
    for index, member in enumerate(members):
        rows = _rows_of(member)
        cells.extend(rows)
        owners.extend([index] * len(rows))
    present = set().union(*cells) if cells else set()
    schema = tuple(key for key in KEYS if key in present)
    return Upload(schema, [[row.get(key, "") for key in schema] for row in cells], owners)


def _rows_of(member: Member) -> list[dict[str, str]]:
    by_kind: dict[IdentifierKind, list[Identifier]] = {}
    for identifier in member.identifiers:
        by_kind.setdefault(identifier.kind, []).append(identifier)
    columns = [by_kind[kind] for kind in _KEY_OF if kind in by_kind]
    longest = max((len(column) for column in columns), default=0)
    filled = [column + column[:1] * (longest - len(column)) for column in columns]
    return [_row(group) for group in zip(*filled, strict=True)]


def _row(identifiers: Sequence[Identifier]) -> dict[str, str]:
    row: dict[str, str] = {}
    for identifier in identifiers:
        values = unpack(identifier.payload)
        plain = identifier.kind in (IdentifierKind.MOBILE_AD_ID, IdentifierKind.EXTERNAL_ID)
        row[_KEY_OF[identifier.kind]] = values.get("id", "") if plain else identifier.digest.hex()
        for key in PROFILE_KEYS:
            if key in values:
                row.setdefault(key, values[key])
    return row
