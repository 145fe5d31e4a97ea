"""What normalization rules are made of: small pure steps, run in order until one gives up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Absent:
    """A value that cannot be used, and why; a result, not an error."""

    #: snake_case; every one is explained in docs/normalization.md.
    reason: str


@dataclass(frozen=True, slots=True)
class Where:
    """What a rule may know besides the value itself."""

    #: ISO 3166-1 alpha-2, upper-case: the row's country, else the configured default region.
    region: str | None
    today: date


Step = Callable[[str], str | Absent]
PlacedStep = Callable[[str, Where], str | Absent]
#: A placed step for many values, each with its place.
ColumnStep = Callable[[Sequence[str], Sequence[Where]], list[str | Absent]]

EMPTY = Absent("empty")


def chain(*steps: Step) -> PlacedStep:
    """Run *steps* in order, wherever the row is; an empty result anywhere is absent."""

    def run(value: str, _where: Where) -> str | Absent:
        for step in steps:
            result = step(value)
            if isinstance(result, Absent):
                return result
            if not result:
                return EMPTY
            value = result
        return value

    return run


def then(first: PlacedStep, second: PlacedStep) -> PlacedStep:
    """Run two rules in order, both knowing where the row is; an empty result is absent."""

    def run(value: str, where: Where) -> str | Absent:
        result = first(value, where)
        if isinstance(result, Absent):
            return result
        return second(result, where) or EMPTY

    return run
