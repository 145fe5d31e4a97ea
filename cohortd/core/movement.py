"""Who went from which segment to which between two runs, as counts."""

from dataclasses import dataclass, field

#: A smaller count is told only as fewer than this: it may point at somebody.
SHOWN_FROM = 10


@dataclass(frozen=True, slots=True)
class Flow:
    """So many customers were in one segment at the last applied run and are in this one now."""

    #: Empty for customers who were in none.
    before: str
    now: str
    customers: int


@dataclass(frozen=True, slots=True)
class Movement:
    """All flows between two runs, and what the segments are called; some are gone by now."""

    flows: tuple[Flow, ...]
    names: dict[str, str] = field(default_factory=dict)

    @property
    def moved(self) -> int:
        """Customers who were in one segment and are in another."""
        return sum(each.customers for each in self.flows if each.before and each.before != each.now)

    @property
    def known(self) -> int:
        """Customers who were in a segment before."""
        return sum(each.customers for each in self.flows if each.before)
