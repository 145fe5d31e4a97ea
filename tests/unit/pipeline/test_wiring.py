"""Waits between polls grow and are capped."""

from cohortd.pipeline.wiring import PollPolicy


def test_polls_come_after_the_first_wait_then_later_each_time_up_to_the_longest() -> None:
    policy = PollPolicy(first_s=1800, factor=1.3, max_s=3600, give_up_s=86400)

    assert [round(policy.next_s(polls)) for polls in range(5)] == [1800, 2340, 3042, 3600, 3600]
