"""Whether all is well, line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cohortd.core.conditions import kind_of
from cohortd.core.delivery import AccessCheck


@dataclass(frozen=True, slots=True)
class Health:
    """Lines of ``status``; all well when every line is."""

    lines: tuple[AccessCheck, ...]
    #: Every job's timetable, last time and next.
    jobs: Sequence[Mapping[str, object]] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing needs a person."""
        return all(line.ok for line in self.lines)

    def as_json(self) -> dict[str, object]:
        """The answer of ``status --json``."""
        return {
            "status": "ok" if self.ok else "attention",
            "checks": [_check(line) for line in self.lines],
            "jobs": list(self.jobs),
        }


def _check(line: AccessCheck) -> dict[str, object]:
    """A line; what needs a person has the kind by which alerts and metrics tell it."""
    told: dict[str, object] = {
        "subject": line.subject,
        "ok": line.ok,
        "detail": line.detail,
        "cure": line.cure,
    }
    return told if line.ok else {**told, "kind": kind_of(line)}
