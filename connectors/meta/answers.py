"""What Meta's answer to an upload says about the rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cohortd.core.errors import RetryableError
from connectors.meta.rows import Upload

INVALID = "not a valid hash or id"


@dataclass(slots=True)
class Verdict:
    """What was not taken of one batch, over all of its uploads."""

    #: Member -> how many of their rows are known to be invalid.
    invalid_rows: dict[int, int] = field(default_factory=dict)
    #: Rows left out of which Meta did not say which they are.
    unattributed: int = 0

    def rejected(self, rows_of_member: Mapping[int, int]) -> dict[int, str]:
        """The members none of whose rows was taken."""
        return {
            member: INVALID for member, rows in self.invalid_rows.items() if rows >= rows_of_member[member]
        }

    def left_out(self, rows_of_member: Mapping[int, int]) -> int:
        """Rows left out that make no whole member.

        A member with another, valid row is on the platform and must stay in the ledger.
        """
        partly = (rows for member, rows in self.invalid_rows.items() if rows < rows_of_member[member])
        return self.unattributed + sum(partly)


def judge(answer: Mapping[str, object], upload: Upload, verdict: Verdict, *, before: int = 0) -> None:
    """Add what the answer to one upload says to the verdict.

    Args:
        before: Rows of the same session that went before: Meta counts them too.

    Raises:
        RetryableError: Meta did not say that it received every row; sending again does no harm.
    """
    received = _count(answer.get("num_received"))
    if received is None:
        raise RetryableError("Meta's answer does not say how many rows it received")
    if received - before < len(upload.data):
        raise RetryableError(f"Meta received {received - before} of {len(upload.data)} rows")
    invalid = _count(answer.get("num_invalid_entries")) or 0
    samples = set(_texts(answer.get("invalid_entry_samples")))
    known = [
        owner
        for row, owner in zip(upload.data, upload.owners, strict=True)
        if samples and samples.intersection(filter(None, row))
    ]
    for owner in known:
        verdict.invalid_rows[owner] = verdict.invalid_rows.get(owner, 0) + 1
    verdict.unattributed += max(0, invalid - len(known))


def _count(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _texts(value: object) -> Iterator[str]:
    """Every text in the samples: Meta sends them as a list or a map, of texts or of lists."""
    match value:
        case str():
            yield value
        case dict():
            for key, each in value.items():
                yield str(key)
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            return
