"""Requests of a day are counted by the hour, whoever makes them."""

from ledger_world import World


def test_hours_add_up_over_restarts_and_quotas_are_apart(world: World) -> None:
    counts = world.ledger.request_counts
    counts.note("p", hour=10, requests=20, since=0)
    counts.note("q", hour=10, requests=7, since=0)
    world.restart()
    counts = world.ledger.request_counts
    counts.note("p", hour=10, requests=-5, since=0)

    assert counts.note("p", hour=11, requests=3, since=0) == {10: 15, 11: 3}
    assert counts.note("q", hour=11, requests=0, since=0) == {10: 7}


def test_hours_that_no_longer_count_are_forgotten(world: World) -> None:
    counts = world.ledger.request_counts
    counts.note("p", hour=10, requests=20, since=0)
    now = counts.note("p", hour=40, requests=1, since=14)

    assert now == {40: 1}
    assert counts.note("p", hour=40, requests=0, since=0) == {40: 1}
