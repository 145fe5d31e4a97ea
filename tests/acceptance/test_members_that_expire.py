"""Platforms forget members; whoever may be there is there all the while."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from shop import DESTINATIONS, Shop, open_shop

DAYS = 8
AS_OF = ("--as-of", "2026-03-01")


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Shop]:
    """A shop on whose platforms a membership ends after eight days."""
    with open_shop(tmp_path / "shop", customers=120) as shop:
        for account in shop.settings["destinations"]:
            account["retention_days" if account["name"] == "meta" else "membership_days"] = DAYS
        shop.write()
        shop.sync(*AS_OF)
        yield shop


def test_nobody_is_missed_although_syncs_are_rare_and_memberships_end_soon(forgetful: Shop) -> None:
    wanted = {name: forgetful.on(name) for name in DESTINATIONS}
    missed = []
    for _ in range(3):
        forgetful.ahead += timedelta(days=3)
        missed += [name for name in DESTINATIONS if forgetful.on(name) != wanted[name]]
        forgetful.sync(*AS_OF)
    sent = forgetful.wire.sent()
    forgetful.sync(*AS_OF)

    assert all(wanted.values())
    assert missed == []
    assert forgetful.wire.sent() == sent


def test_whoever_the_platforms_forgot_while_nothing_ran_comes_back_with_the_next_sync(
    forgetful: Shop,
) -> None:
    wanted = {name: forgetful.on(name) for name in DESTINATIONS}
    forgetful.ahead += timedelta(days=DAYS + 1)
    forgotten = {name: forgetful.on(name) for name in DESTINATIONS}
    forgetful.sync(*AS_OF)

    assert not any(forgotten.values())
    assert {name: forgetful.on(name) for name in DESTINATIONS} == wanted
