"""The main job on a small shop, as its user runs it."""

from shop import Shop


def test_a_first_sync_sends_everybody_with_consent_and_a_second_one_sends_nothing(shop: Shop) -> None:
    first = shop.sync()
    again = shop.sync()

    assert (first.code, first.json["status"]) == (0, "done"), first.err
    assert sum(a["added"] for a in first.json["audiences"]) == 3 * len(shop.customers)
    assert [(a["added"], a["removed"], a["pending"]) for a in again.json["audiences"]] == [(0, 0, 0)] * 12
