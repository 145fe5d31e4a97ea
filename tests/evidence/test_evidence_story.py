"""The cycle of the kills, undisturbed or with one thing gone wrong; quick enough for every mutant."""

from pathlib import Path

import pytest

from cohortd.core.delivery import BatchState
from cohortd.core.errors import NotLeaderError
from tests.evidence.business import Business
from tests.evidence.laws import check_all, check_log, settle_down
from tests.evidence.points import nothing
from tests.evidence.stand_in import Verdict
from tests.evidence.story import DESIRED, live


@pytest.fixture
def business(tmp_path: Path) -> Business:
    made = Business(tmp_path)
    made.desired = dict(DESIRED)
    yield made
    made.ledger.close()


def test_the_undisturbed_cycle_keeps_every_law(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()

    assert live(ours, foreign=theirs, listen=nothing, life=0)


@pytest.mark.parametrize(
    ("verdict", "concurrency"),
    [
        *((verdict, 1) for verdict in Verdict),
        *((verdict, 3) for verdict in (Verdict.LOSE_HALF, Verdict.QUOTA, Verdict.TOKEN_EXPIRED)),
    ],
)
def test_one_fault_at_each_platform_delays_and_loses_nothing(
    business: Business, verdict: Verdict, concurrency: int
) -> None:
    business.concurrency = concurrency
    business.use(business.ledger)
    business.sync()
    business.after(hours=1)
    business.revoke("a")
    business.desired.pop("d")
    business.desired["h"] = "s2"
    for platform in business.platforms.values():
        platform.verdicts.append(verdict)
    business.sync()
    settle_down(business)

    check_all(business)


def test_what_was_accepted_counts_only_when_it_is_confirmed(business: Business) -> None:
    business.desired = {"c": "s1", "d": "s1", "e": "s1"}
    business.sync()
    business.after(hours=1)
    business.platforms["google"].verdicts.append(Verdict.WORKING)
    with business.delivery() as delivery:
        delivery.poll()

    assert [batch.state for batch in business.ledger.outbox.open_batches()] == [BatchState.ACCEPTED]


def test_nobody_is_fed_to_an_audience_below_its_floor(business: Business) -> None:
    business.desired = {"c": "s1", "e": "s2", "f": "s2"}
    business.sync()
    settle_down(business)

    check_all(business)
    assert {remote.target.audience for remote in business.ledger.remotes.all()} == {"s2"}


def test_an_old_leader_is_refused_when_it_settles(business: Business) -> None:
    def take_over(_: object) -> None:
        (business.folder / "cohortd.db.lock").unlink()
        with business.open() as other, other.leadership():
            pass

    business.platforms["meta"].heard = take_over

    with pytest.raises(NotLeaderError):
        business.sync()


def test_the_log_verifies_after_many_revocations(business: Business) -> None:
    business.sync()
    for name in "abc":
        business.revoke(name)
        business.send_revocations()

    check_log(business.ledger, business.sealer.public_key)
