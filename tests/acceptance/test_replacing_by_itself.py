"""Most of an audience leaves: the plan says that everybody else is sent anew, and guards hold as ever."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from shop import Shop, open_shop

from connectors.google_data_manager import connector as data_manager
from connectors.meta import connector as meta

ROWS = 5
REMOVED = ("dm.audience_members.remove", "users.remove")


@pytest.fixture
def shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Three quarters of the customers have lost their contact fields; requests hold five members."""
    limits = replace(data_manager._LIMITS, rows_per_batch=ROWS, minimum_size=1)
    monkeypatch.setattr(data_manager, "_LIMITS", limits)
    monkeypatch.setattr(meta, "MINIMUM_SIZE", 1)
    monkeypatch.setattr(meta, "ROWS_PER_REQUEST", ROWS)
    with open_shop(tmp_path / "shop", customers=120) as shop:
        shop.settings["audiences"] = {"minimum_size": 3, "minimum_share": 0.0}
        shop.settings["destinations"] = [a for a in shop.settings["destinations"] if a["name"] != "ads"]
        shop.write()
        shop.sync()
        for customer in list(shop.customers)[:90]:
            shop.customers[customer] |= dict.fromkeys(("email", "phone", "first_name"), "")
        shop.write()
        yield shop


def plan(shop: Shop, **changes: object) -> dict:
    for account in shop.settings["destinations"]:
        account.update(changes)
    shop.write()
    return shop.call("plan", "--json").json


def test_the_plan_says_it_a_guard_stops_it_and_once_approved_it_is_done(shrunk: Shop) -> None:
    before = {name: shrunk.on(name) for name in ("google", "meta")}
    forbidden = plan(shrunk, replace_when_cheaper=False)
    planned = plan(shrunk, replace_when_cheaper=True)
    stopped = shrunk.sync()
    untouched = {name: shrunk.on(name) for name in before} == before
    done = shrunk.sync("--approve", planned["plan_id"])
    sent = shrunk.wire.sent()
    calm = shrunk.sync()

    assert forbidden["plan_id"] == planned["plan_id"]
    assert [sum("instead of" in note for note in each["notes"]) for each in (forbidden, planned)] == [0, 8]
    assert stopped.code == 3
    assert untouched
    assert done.code == 0, done.out
    assert any("sent anew" in note for note in done.json["notes"])
    for name in before:
        assert shrunk.on(name) == shrunk.expected(shrunk.customers, name)
        audiences = [each for each in done.json["audiences"] if each["destination"] == name]
        assert sum(each["removed"] for each in audiences) == 90
        assert not any(each["pending"] for each in audiences)
    assert not any(sent[name] for name in REMOVED)
    assert calm.code == 0
    assert shrunk.wire.sent() == sent
