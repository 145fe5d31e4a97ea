"""How long revocations took is told of the whole removal log, or not at all."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from cohortd.core.errors import LedgerUnreachableError
from cohortd.ledger import Confirmation
from cohortd.monitoring import revocation_times
from cohortd.monitoring.revocation_times import RevocationTimes

TAKES = (0.5, 1.0, 70.0, 10_000_000.0)


@dataclass
class Log:
    """A removal log that can be slow, or out of reach."""

    confirmed: list[float] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)
    is_reached: bool = True

    def confirmed_after(self, seq: int, *, limit: int) -> Sequence[Confirmation]:
        assert self.answers.wait(30)
        if not self.is_reached:
            raise LedgerUnreachableError
        found = [Confirmation(at, "meta", took) for at, took in enumerate(self.confirmed, start=1)]
        return found[seq : seq + limit]


def told(times: RevocationTimes) -> dict[tuple[str, str], float] | None:
    family = times.family()
    if family is None:
        return None
    return {
        (
            sample.labels["destination"],
            sample.labels.get("le", sample.name.rpartition("_")[2]),
        ): sample.value
        for sample in family.samples
    }


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(revocation_times, "_PAGE", 3)
    found = Log(list(TAKES))
    found.answers.set()
    return found


def test_each_is_counted_below_every_bound_that_it_kept(log: Log) -> None:
    times = RevocationTimes(log, ["google", "meta"])  # type: ignore[arg-type]
    first = told(times)
    log.confirmed.append(2.0)
    then = told(times)

    assert first is not None
    assert then is not None
    assert [first["meta", le] for le in ("1.0", "5.0", "60.0", "300.0", "604800.0", "+Inf")] == [
        2,
        2,
        2,
        3,
        3,
        4,
    ]
    assert (first["meta", "count"], first["meta", "sum"]) == (4, sum(TAKES))
    assert (first["google", "+Inf"], first["google", "sum"]) == (0, 0)
    assert (then["meta", "1.0"], then["meta", "5.0"], then["meta", "+Inf"]) == (2, 3, 5)


def test_a_long_log_is_not_told_in_parts(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation_times, "_FIRST_S", 0.01)
    log.answers.clear()
    times = RevocationTimes(log, ["meta"])  # type: ignore[arg-type]
    before = told(times)
    log.answers.set()
    monkeypatch.setattr(revocation_times, "_FIRST_S", 30.0)
    after = told(times)

    assert before is None
    assert after is not None
    assert after["meta", "+Inf"] == len(TAKES)


def test_a_ledger_out_of_reach_is_read_on_when_it_is_back(log: Log) -> None:
    log.is_reached = False
    times = RevocationTimes(log, ["meta"])  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(LedgerUnreachableError):
            told(times)
    log.is_reached = True
    after = told(times)

    assert after is not None
    assert after["meta", "+Inf"] == len(TAKES)
