"""What platforms say is kept over time: a reading a day, and every change."""

from dataclasses import replace
from datetime import timedelta

import pytest
from ledger_world import GOOGLE, NOW, World

from cohortd.core.delivery import Flag, RemoteStatus
from cohortd.ledger import Reading

OPEN = RemoteStatus(1_000, 1_200, "47%", "open", usable=True, eligible={"search": True, "display": False})
CLOSED = replace(OPEN, state="closed", flags=(Flag.CLOSED,), cure="Open it.", usable=False)


def made(world: World) -> int:
    remotes = world.ledger.remotes
    remote = remotes.intend(GOOGLE, platform="google_data_manager", account="1", name="A", at=NOW)
    remotes.attach(remote.id, "77", at=NOW)
    return remote.id


def keep(world: World, remote_pk: int, hours: float, status: RemoteStatus) -> None:
    at = NOW + timedelta(hours=hours)
    world.ledger.readings.keep(remote_pk, Reading(at, status, confirmed=90, held=100))


@pytest.mark.parametrize(
    ("looks", "kept"),
    [
        pytest.param([(0, OPEN), (1, OPEN), (2, OPEN)], [2], id="the last of a day"),
        pytest.param([(0, OPEN), (1, replace(OPEN, size_lower=7, match_rate="50%"))], [1], id="numbers"),
        pytest.param([(0, OPEN), (1, CLOSED), (2, CLOSED), (3, OPEN)], [0, 2, 3], id="every change"),
        pytest.param([(0, OPEN), (24, OPEN), (48, OPEN)], [0, 24, 48], id="each day"),
        pytest.param([(2, OPEN), (2, CLOSED)], [2], id="one of a second"),
        pytest.param([(2, OPEN), (1, CLOSED)], [1, 2], id="a clock that was set back"),
    ],
)
def test_one_reading_a_day_is_kept_and_every_change(
    world: World, looks: list[tuple[float, RemoteStatus]], kept: list[float]
) -> None:
    remote_pk = made(world)
    for hours, status in looks:
        keep(world, remote_pk, hours, status)
    found = world.ledger.readings.since(NOW - timedelta(days=1))[remote_pk]

    assert [(each.at - NOW) / timedelta(hours=1) for each in found] == kept


def test_a_reading_comes_back_as_it_was_and_is_forgotten_after_400_days(world: World) -> None:
    remote_pk = made(world)
    keep(world, remote_pk, 0, CLOSED)
    keep(world, remote_pk, 24 * 399, OPEN)
    first, _ = world.ledger.readings.since(NOW)[remote_pk]
    world.ledger.readings.forget(NOW + timedelta(days=401))
    left = world.ledger.readings.since(NOW)[remote_pk]

    assert (first.status, first.confirmed, first.held) == (CLOSED, 90, 100)
    assert [each.status for each in left] == [OPEN]


def test_the_readings_of_an_audience_that_was_given_up_are_not_its_successors(world: World) -> None:
    remote_pk = made(world)
    keep(world, remote_pk, 0, OPEN)
    world.ledger.renew(remote_pk, now=NOW, detail="gone")

    assert remote_pk not in world.ledger.readings.since(NOW)


def test_a_renamed_audience_keeps_its_name_when_it_is_meant_anew(world: World) -> None:
    remote_pk = made(world)
    remotes = world.ledger.remotes
    remotes.rename(remote_pk, "B")
    again = remotes.intend(GOOGLE, platform="google_data_manager", account="1", name="C", at=NOW)

    assert again.name == "B"
