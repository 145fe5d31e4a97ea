"""A project's quota is kept by all runs together, and what is left of it is for revocations."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from shop import Shop, add_customer, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop at Google alone, at which four audiences hold everybody."""
    with open_shop(tmp_path / "shop") as opened:
        opened.settings["destinations"] = opened.settings["destinations"][:1]
        opened.write()
        assert opened.sync().code == 0
        yield opened


def test_a_days_quota_outlives_a_run_and_is_kept_for_revocations(shop: Shop) -> None:
    used = shop.wire.sent()["dm.audience_members.ingest"]
    before = shop.everything_held()
    # One more, and one for revocations.
    quota = {"per_day": used + 2, "reserve": 1.5 / (used + 2)}
    shop.settings["destinations"][0]["quota"] = quota
    for number in range(480, 484):
        add_customer(shop, number)
    shop.write()
    first = shop.sync()
    again = shop.sync()
    sent = shop.wire.sent()["dm.audience_members.ingest"] - used
    leaver = next(customer for customer in shop.customers if shop.known_of(customer, "google") <= before)
    revoked = shop.call("revoke", "--customer", leaver)

    assert sent == 1
    assert [answer.json["status"] for answer in (first, again)] == ["partial", "partial"]
    for answer in (first, again):
        [note] = [note for note in answer.json["notes"] if "is used up" in note]
        assert f"the quota of {used + 2} requests a day" in note
    assert not shop.known_of(leaver, "google") & shop.everything_held(), revoked.out

    shop.ahead += timedelta(hours=26)
    assert shop.sync_until_done().code == 0
    assert len(shop.everything_held()) > len(before)
