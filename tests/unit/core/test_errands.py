"""What may hang is asked in a thread of its own, and nobody waits for it longer than they said."""

import threading
import time

import pytest

from cohortd.core.errands import BROKE_OFF, Errand, Errands
from cohortd.core.errors import CohortdError, LedgerError

HANGS = LedgerError("it does not answer")
LONG_S = 30.0


def test_what_a_call_finds_or_raises_is_handed_on() -> None:
    def refuse() -> None:
        raise LedgerError("it cannot be read")

    errands = Errands()

    assert errands.run("a", lambda: 7, within_s=LONG_S, hangs=HANGS) == 7
    with pytest.raises(LedgerError, match="cannot be read"):
        errands.run("a", refuse, within_s=LONG_S, hangs=HANGS)


def test_what_hangs_is_given_up_at_once_and_not_asked_twice() -> None:
    errands, answers, asked = Errands(), threading.Event(), []

    def hang() -> str:
        asked.append("")
        answers.wait(LONG_S)
        return "late"

    for _ in range(3):
        with pytest.raises(LedgerError, match="does not answer"):
            errands.run("share", hang, within_s=0.01, hangs=HANGS)
    other = errands.run("another", lambda: "at once", within_s=LONG_S, hangs=HANGS)
    answers.set()

    assert (len(asked), other) == (1, "at once")
    assert errands.run("share", lambda: "again", within_s=LONG_S, hangs=HANGS) == "again"


def test_two_threads_that_ask_the_same_get_an_answer_each() -> None:
    errands, found = Errands(), []

    def ask() -> None:
        found.append(errands.run("share", lambda: time.sleep(0.01), within_s=LONG_S, hangs=HANGS))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert found == [None] * 4


def test_an_errand_that_dies_of_a_fault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    errand: Errand[float] = Errand("faulty", lambda: 1 / 0)

    assert errand.ends_within(LONG_S)
    with pytest.raises(CohortdError, match=BROKE_OFF.partition(";")[0]):
        errand.result()
