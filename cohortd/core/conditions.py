"""What needs a person, under keys that stay the same for as long as it does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cohortd.core.delivery import AccessCheck

#: Every kind that there is, so that metrics can tell of each that there is none of it.
KINDS: Final = frozenset(
    {
        *("sync_stopped", "sync_failed", "sync_silent", "sync_partial", "sync_abandoned"),
        *("source_stale", "consent_unread", "consent_export"),
        *("segments", "re-clustering"),
        *("destination", "destination_leftovers", "destination_terms", "audience"),
        *("revocations_due_soon", "revocations_late", "revocations_unconfirmed"),
        *("revocations_refused", "revocations_nowhere"),
        *("erasures", "removal_log_heads"),
        *("job", "settings", "receiver", "alerts"),
    }
)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that needs a person: of what, what happened, what to do."""

    #: Of which kind, one of ``KINDS``: a word that does not change with its counts and times.
    kind: str
    subject: str
    detail: str
    cure: str = ""

    @property
    def key(self) -> str:
        """By which it is known as the same again."""
        return f"{self.kind}: {self.subject}"

    @property
    def sentence(self) -> str:
        """What happened, and what to do."""
        said = f"{self.subject}: {self.detail}"
        return f"{said}\n{self.cure}" if self.cure else said


def conditions_of(lines: Iterable[AccessCheck]) -> tuple[Condition, ...]:
    """Turn lines as ``status`` shows them into conditions, one a key.

    ``status``, alerts and metrics agree by this: what is BAD there is a condition, and nothing else is.
    """
    found: dict[str, Condition] = {}
    for line in lines:
        if line.ok:
            continue
        new = Condition(kind_of(line), line.subject, line.detail, line.cure)
        old = found.get(new.key)
        found[new.key] = new if old is None else _both(old, new)
    return tuple(found.values())


def _both(one: Condition, other: Condition) -> Condition:
    cures = dict.fromkeys(cure for cure in (one.cure, other.cure) if cure)
    return Condition(one.kind, one.subject, f"{one.detail}; {other.detail}", " ".join(cures))


def kind_of(line: AccessCheck) -> str:
    """Name the kind of what a line tells: where it does not say, by its subject's first word, and what a
    colon says of it: ``destination google: terms``.
    """
    named, _, aspect = line.subject.partition(": ")
    return line.kind or "_".join([named.split(" ")[0], *aspect.split()]).lower()
