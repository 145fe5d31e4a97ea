"""The main job with the ledger in PostgreSQL, as its user runs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_server import Server
from shop import Shop, open_shop
from sqlalchemy.engine import make_url

PASSWORD = "open-sesame"
WHO = "c00007"


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> Iterator[Shop]:
    url = make_url(server.fresh()).set(password=PASSWORD).render_as_string(hide_password=False)
    with open_shop(tmp_path / "shop", database=url) as opened:
        yield opened


def test_a_sync_sends_everybody_a_second_one_nothing_and_a_revocation_gets_out(shop: Shop) -> None:
    first, again = shop.sync(), shop.sync()
    revoked = shop.call("revoke", "--customer", WHO, "--json")

    assert (first.code, first.json["status"]) == (0, "done"), first.err
    assert sum(a["added"] for a in first.json["audiences"]) == 3 * len(shop.customers)
    assert {(a["added"], a["removed"], a["pending"]) for a in again.json["audiences"]} == {(0, 0, 0)}
    assert revoked.code == 0, revoked.out + revoked.err
    assert shop.destinations_of(WHO) == set()
    assert shop.call("log", "verify").code == 0
    assert not shop.database.exists()
    told = [shop.call(*words) for words in (["status"], ["check"], ["trace", "--customer", WHO])]
    assert [answer.code for answer in told] == [0, 0, 0]
    assert all("PostgreSQL 18" in answer.out for answer in told[:2])
    assert not any(PASSWORD in answer.out + answer.err for answer in (first, again, revoked, *told))


def test_a_killed_sync_leaves_nothing_undone_that_the_next_one_does_not_do(shop: Shop) -> None:
    process = shop.start("sync", "--wait", "--json")
    while not shop.everything_held():
        assert process.poll() is None
    process.kill()
    process.communicate()
    answer = shop.sync_until_done()

    assert answer.code == 0
    for name in ("google", "meta"):
        assert shop.on(name) == shop.expected(shop.customers, name)
    assert {(a["added"], a["removed"]) for a in shop.sync().json["audiences"]} == {(0, 0)}
