"""A person who asked to be erased is gone everywhere, and stays out."""

from pathlib import Path

import pyarrow.parquet as pq
from shop import DESTINATIONS, Shop, open_shop

WHO, OTHER = "c00041", "c00042"


def _named_in_files(shop: Shop, customer: str) -> list[str]:
    files = [path for folder in ("decisions", "assignments") for path in _files(shop, folder)]
    return [
        path.parent.name
        for path in files
        if customer in pq.read_table(path, columns=["customer_id"]).column(0).to_pylist()
    ]


def _files(shop: Shop, folder: str) -> list[Path]:
    return sorted((shop.data_dir / folder).glob("*.parquet"))


def test_a_person_is_erased_everywhere_and_not_added_again(tmp_path: Path) -> None:
    with open_shop(tmp_path / "shop", customers=240) as shop:
        del shop.settings["destinations"][1]
        shop.write()
        assert shop.sync().code == 0
        named_before = _named_in_files(shop, WHO)
        useless = _files(shop, "decisions")[0].with_name("0000.parquet")
        broken = _files(shop, "assignments")[0].with_name("0000.parquet")
        for path in (useless, broken):
            path.write_bytes(b"what a full disk left")
        asked = shop.call("erase", "--customer", WHO, "--reason", "letter of May", "--json")
        halted = shop.sync()  # a file that cannot be read holds up the erasure and nothing else
        unfinished = shop.call("erase", "--status", asked.json["erasure"], "--json").json["erasures"][0]
        is_left = useless.exists()
        broken.unlink()
        del shop.customers[WHO]
        shop.events = [event for event in shop.events if event["customer_id"] != WHO]
        shop.consent = [record for record in shop.consent if record["customer_id"] != WHO]
        shop.write()
        ended = shop.sync()
        finished = shop.call("erase", "--status", asked.json["erasure"], "--json").json["erasures"][0]
        said = shop.call("erase", "--status").out
        trace = shop.call("trace", "--customer", WHO, "--no-why", "--json").json

        assert (asked.code, halted.code, ended.code) == (0, 0, 0), asked.out + halted.out + ended.out
        assert sorted(set(named_before)) == ["assignments", "decisions"]
        assert {one["destination"] for one in asked.json["recipients"]} == {"google", "meta"}
        assert "The customers table has this person now" in asked.json["to_do"][0]
        assert (unfinished["status"], unfinished["waiting"], is_left) == ("open", 0, False)
        assert finished["status"] == "finished"
        assert {one["state"] for one in finished["recipients"]} == {"removed"}
        assert finished["erased"]["history"] > 0
        assert f"Erasure {asked.json['erasure']}" in said
        assert _named_in_files(shop, WHO) == []
        assert (trace["memberships"], trace["history"], trace["decisions"]) == ([], [], [])
        assert (trace["removals"], shop.call("log", "verify").code) == ([], 0)
        assert "canary" not in (asked.out + said + ended.out).lower()


def test_who_is_still_in_the_tables_stays_out(synced: Shop) -> None:
    asked = synced.call("erase", "--email", synced.customers[OTHER]["email"], "--json")
    first = synced.sync()
    second = synced.sync()
    status = synced.call("erase", "--status", "--json").json["erasures"]

    assert (asked.code, first.code, second.code) == (0, 0, 0), asked.out
    assert [each["status"] for each in status] == ["finished"]
    assert synced.destinations_of(OTHER) == set()
    assert synced.destinations_of(WHO) == set(DESTINATIONS)


def test_erase_asks_for_one_person_and_knows_its_ids(shop: Shop) -> None:
    nobody = shop.call("erase")
    unknown = shop.call("erase", "--status", "feed")
    none = shop.call("erase", "--status")

    assert (nobody.code, unknown.code, none.code) == (2, 2, 0)
    assert "there is no erasure feed" in unknown.err
    assert none.out == "No erasure was asked for.\n"
