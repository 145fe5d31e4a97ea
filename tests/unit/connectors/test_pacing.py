"""A pacer never lets a platform see more than it allows, and keeps some of it for revocations."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from cohortd.core.errors import HeldError
from connectors.pacing import Pacer, Quota

START = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


class World:
    """A clock that moves only by waiting, and a book that outlives every pacer."""

    def __init__(self) -> None:
        self.now = START
        self.waits: list[float] = []
        self.hours: dict[tuple[str, int], int] = {}
        self.stopping = False

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        return self.stopping

    def note(self, quota: str, *, hour: int, requests: int, since: int) -> dict[int, int]:
        self.hours[quota, hour] = self.hours.get((quota, hour), 0) + requests
        return {each: n for (name, each), n in self.hours.items() if name == quota and each >= since and n}

    def pacer(self, name: str = "p", *, minute: int = 10, day: int = 1000, reserve: float = 0.0) -> Pacer:
        quota = Quota(minute, day, reserve)
        return Pacer(name, quota, clock=self.clock, book=self, wait=self.wait)


@pytest.fixture
def world() -> World:
    return World()


def request(world: World, pacer: Pacer, *, lasts_s: float = 0.0, urgent: bool = False) -> None:
    with pacer.request(urgent=urgent):
        world.now += timedelta(seconds=lasts_s)


@pytest.mark.parametrize("lasts_s", [0.0, 0.5, 7.0, 61.0])
def test_no_minute_of_the_platform_sees_more_than_it_allows_however_long_requests_take(
    world: World, lasts_s: float
) -> None:
    pacer = world.pacer()
    seen: deque[datetime] = deque()
    for number in range(60):
        began = world.now
        with pacer.request():
            # Some reach the platform as they begin, some as they end.
            world.now += timedelta(seconds=lasts_s)
            seen.append(max(seen[-1], began) if number % 2 and seen else world.now)
        while seen and world.now - seen[0] >= timedelta(minutes=1):
            seen.popleft()

        assert len(seen) <= 10


def test_a_full_minute_is_waited_out_in_one_piece(world: World) -> None:
    pacer = world.pacer()
    for _ in range(11):
        request(world, pacer, lasts_s=1)

    assert world.waits == [51.0]


def test_requests_under_way_count(world: World) -> None:
    pacer = world.pacer(minute=2)
    with pacer.request(), pacer.request():
        hold = pacer.hold(urgent=False)

    assert hold is not None
    assert hold.until == START + timedelta(minutes=1)


def test_some_of_a_minute_is_kept_for_revocations(world: World) -> None:
    pacer = world.pacer(reserve=0.2)
    for _ in range(8):
        request(world, pacer)
    regular, urgent = pacer.hold(urgent=False), pacer.hold(urgent=True)
    request(world, pacer, urgent=True)

    assert regular is not None
    assert (
        regular.why == "the quota of 10 requests a minute is used up, but for what is kept for revocations"
    )
    assert urgent is None
    assert world.waits == []


def test_a_clock_that_is_set_back_holds_nobody_up_for_longer_than_a_minute(world: World) -> None:
    pacer = world.pacer()
    for _ in range(10):
        request(world, pacer)
    world.now -= timedelta(hours=3)
    hold = pacer.hold(urgent=False)

    assert hold is not None
    assert hold.until - world.now == timedelta(minutes=1)


def test_a_used_up_day_is_not_waited_for_and_its_end_is_told(world: World) -> None:
    pacer = world.pacer(minute=1000, day=50)
    for _ in range(50):
        request(world, pacer)
    with pytest.raises(HeldError, match="50 requests a day is used up") as held:
        request(world, pacer)

    assert world.waits == []
    # Until a day after the end of the hour, and five minutes.
    assert held.value.after_s == 30 * 60 + 86_400 + 300


def test_a_day_goes_on_in_another_process_even_after_a_kill(world: World) -> None:
    first = world.pacer(minute=1000, day=50)
    for _ in range(25):
        request(world, first)
    second = world.pacer(minute=1000, day=50)
    left = 0
    while second.hold(urgent=False) is None:
        request(world, second)
        left += 1

    assert 50 - 25 - 20 < left <= 25


def test_a_process_that_ends_well_takes_back_what_it_did_not_use(world: World) -> None:
    first = world.pacer()
    for _ in range(3):
        request(world, first)
    first.close()

    assert sum(world.hours.values()) == 3


def test_a_day_is_free_again_a_day_after_its_hours(world: World) -> None:
    pacer = world.pacer(minute=1000, day=30)
    for _ in range(20):
        request(world, pacer)
    world.now += timedelta(hours=2)
    for _ in range(10):
        request(world, pacer)
    hold = pacer.hold(urgent=True)
    assert hold is not None
    world.now = hold.until
    for _ in range(20):
        request(world, pacer)
    again = pacer.hold(urgent=True)

    assert hold.until == START + timedelta(hours=24, minutes=35)
    assert again is not None
    assert again.until == hold.until + timedelta(hours=2)


def test_no_24_hours_hold_more_than_a_day_allows(world: World) -> None:
    pacer = world.pacer(minute=1000, day=40)
    made: list[datetime] = []
    while world.now < START + timedelta(days=4):
        if pacer.hold(urgent=False) is None:
            request(world, pacer)
            made.append(world.now)
        world.now += timedelta(minutes=7)

    assert all(later - earlier > timedelta(days=1) for earlier, later in zip(made, made[40:], strict=False))
    assert len(made) >= 3 * 40


def test_two_names_share_nothing_and_two_pacers_of_one_name_share_the_day(world: World) -> None:
    first = world.pacer("p", minute=1000, day=20)
    for _ in range(20):
        request(world, first)

    assert world.pacer("p", day=20).hold(urgent=False) is not None
    assert world.pacer("q", day=20).hold(urgent=False) is None


def test_who_is_asked_to_stop_does_not_wait_to_the_end(world: World) -> None:
    pacer = world.pacer(minute=1)
    request(world, pacer)
    world.stopping = True
    with pytest.raises(HeldError):
        request(world, pacer)

    assert len(world.waits) == 1


def test_the_used_share_is_that_of_the_day_or_of_the_minute_whichever_is_larger(world: World) -> None:
    pacer = world.pacer(minute=10, day=20)
    for _ in range(4):
        request(world, pacer)
    fresh = pacer.used_share()
    world.now += timedelta(minutes=2)
    later = pacer.used_share()
    with pacer.request():
        under_way = pacer.used_share()

    assert (fresh, later, under_way) == (0.4, 0.2, 0.25)
