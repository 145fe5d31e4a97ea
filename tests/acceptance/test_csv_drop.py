"""Files for upload by hand: a sync writes them, somebody uploads them, and nothing claims more."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, open_shop
from wire import of_google, of_meta

from cohortd.emulators.csv_drop import ByHand

FAMILIES = {"google": of_google, "meta": of_meta}


@pytest.fixture(params=["google", "meta"])
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(tmp_path: Path, template: str) -> Iterator[Shop]:
    """A shop that writes files and sends nothing."""
    drop = {"name": "drop", "platform": "csv_drop", "folder": "drop", "template": template}
    with open_shop(tmp_path / "shop", destinations=[drop]) as found:
        yield found


@pytest.fixture
def person(shop: Shop) -> ByHand:
    return ByHand(shop.folder / "drop")


def _uploaded(person: ByHand) -> set[str]:
    return set().union(*map(person.members, person.audiences()))


def _known(shop: Shop, template: str, *, without: str = "") -> set[str]:
    rows = [row for customer, row in shop.customers.items() if customer != without]
    return set().union(*map(FAMILIES[template], rows))


def test_whoever_may_be_sent_is_in_the_files_and_a_second_sync_writes_none(
    shop: Shop, person: ByHand, template: str
) -> None:
    first = shop.sync()
    uploaded = _uploaded(person)
    before = sorted((shop.folder / "drop").rglob("*.csv"))
    second = shop.sync()

    assert (first.code, second.code) == (0, 0), first.out + first.err + second.out
    assert uploaded == _known(shop, template)
    assert len(person.audiences()) == 4
    assert [(a["added"], a["removed"]) for a in second.json["audiences"]] == [(0, 0)] * 4
    assert sorted((shop.folder / "drop").rglob("*.csv")) == before


def test_whoever_leaves_is_in_a_file_of_removals(shop: Shop, person: ByHand, template: str) -> None:
    shop.sync()
    _uploaded(person)
    leaver = min(shop.customers)
    known = _known(shop, template, without=leaver)
    del shop.customers[leaver]
    shop.write()
    answer = shop.sync()

    assert sum(a["removed"] for a in answer.json["audiences"]) == 1
    assert _uploaded(person) == known


def test_a_revocation_writes_its_removal_at_once_and_leaves_files_that_wait(
    shop: Shop, person: ByHand, template: str
) -> None:
    shop.sync()
    gone = min(shop.customers)
    answer = shop.call("revoke", "--customer", gone, "--json")
    waiting = "".join(path.read_text() for path in (shop.folder / "drop").rglob("*-add.csv"))

    assert answer.code == 0, answer.out + answer.err
    assert len(list((shop.folder / "drop").rglob("*-remove.csv"))) == 1
    assert not [key for key in FAMILIES[template](shop.customers[gone]) if key.split(":")[1] in waiting]
    assert _uploaded(person) == _known(shop, template, without=gone)


def test_nothing_says_that_a_platform_has_it(shop: Shop) -> None:
    synced = shop.sync()
    shop.call("revoke", "--customer", min(shop.customers))
    audiences = shop.call("audiences", "--json").json["audiences"]
    traced = shop.call("trace", "--customer", max(shop.customers)).out
    logged = shop.call("log", "show", "--json").json["entries"]
    status = shop.call("status", "--json").json

    assert [note for note in synced.json["notes"] if "before somebody uploads them" in note]
    assert {a["platform_state"] for a in audiences} == {
        "1 file to be uploaded by hand, 000001-add.csv first"
    }
    assert "written to a file for upload by hand" in traced
    assert [e["detail"] for e in logged if e["event"] == "confirmed"] == [
        "written to 000002-remove.csv for upload by hand"
    ]
    assert "confirmed means written for upload by hand" in str(status)


def test_no_file_can_be_read_by_others_and_none_holds_anything_raw(shop: Shop) -> None:
    shop.sync()
    files = [path for path in (shop.folder / "drop").rglob("*") if path.is_file()]
    said = "".join(path.read_text() for path in files)

    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert "canary" not in said.lower()
    assert "example.com" not in said


def test_the_other_template_needs_another_name(shop: Shop, template: str) -> None:
    shop.sync()
    other = "meta" if template == "google" else "google"
    shop.change(destinations=[{**shop.settings["destinations"][0], "template": other}])
    answer = shop.sync()

    assert answer.code == 2
    assert "another name" in answer.err
