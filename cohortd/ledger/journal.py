"""Lines of the removal log, gathered while a transaction of the ledger writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final

from cohortd.core.removals import BY_HAND, KEYED_SINCE, REPEATED, RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger.log_reading import FIELDS

_NUMBERS: Final = frozenset({"batch", "schema_version", "attempts"})
#: Whatever an entry does not tell.
_BLANK: Final = {name: 0 if name in _NUMBERS else "" for name in FIELDS}
SCHEMA_VERSION: Final = KEYED_SINCE


@dataclass(slots=True)
class Journal:
    """Entries of one transaction, sealed when it commits."""

    lines: list[dict[str, object]] = field(default_factory=list)

    def note(
        self, event: RemovalEvent, *, at: datetime, withdrawal: "Cause", place: Mapping[str, object]
    ) -> None:
        """Write one line.

        Args:
            place: Fields of the remote audience and batch, absent where there is none.
        """
        happened = format_time(at)
        line: dict[str, object] = {
            **_BLANK,
            "schema_version": SCHEMA_VERSION,
            "at": happened,
            "event": event.value,
            **withdrawal.told(),
            **place,
        }
        if str(line["detail"]).startswith(REPEATED):
            line["due_at"] = ""  # what it repeats has the clock
        is_confirmed = event is RemovalEvent.CONFIRMED and BY_HAND not in str(line["detail"])
        if is_confirmed and line["due_at"]:
            line["on_time"] = "yes" if happened <= str(line["due_at"]) else "no"
        self.lines.append(line)


@dataclass(frozen=True, slots=True)
class Cause:
    """What a line of the log says of the withdrawal it belongs to."""

    subject: str
    trigger: str
    source: str
    event_time: str
    regulation: str
    legal_basis: str
    purpose: str
    #: What decided: the record's status is the name of the rule.
    rule: str
    evidence: str
    received_at: str
    #: Blank where the withdrawal has no clock.
    due_at: str
    operator: str

    def told(self) -> dict[str, str]:
        """Its fields; ``asdict`` would take longer than all the rest of a line."""
        return {name: getattr(self, name) for name in _OF_CAUSE}


_OF_CAUSE: Final = tuple(each.name for each in fields(Cause))
