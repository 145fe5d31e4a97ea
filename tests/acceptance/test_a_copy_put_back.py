"""An older copy of the ledger is put back while people were added and revoked since."""

from shop import Shop, add_customer, grant


def _copy(shop: Shop) -> dict:
    return {file: file.read_bytes() for file in shop.data_dir.glob("cohortd.db*")}


def _put_back(shop: Shop, copy: dict) -> None:
    for file in shop.data_dir.glob("cohortd.db*"):
        file.unlink()
    for file, content in copy.items():
        file.write_bytes(content)


def test_who_came_and_revoked_since_is_off_everywhere_and_nobody_else_is_lost(synced: Shop) -> None:
    copy = _copy(synced)
    came = [add_customer(synced, number) for number in range(480, 488)]
    synced.write()
    synced.sync()
    revoked, stays = came[0], came[1:]
    _put_back(synced, copy)
    synced.consent.append(grant(revoked, at="2026-02-01T00:00:00Z", status="revoked"))
    synced.write()
    first, second = synced.sync(), synced.sync()
    everybody_else = synced.customers.keys() - {revoked}

    assert (first.code, second.code) == (1, 0), first.out + second.out
    assert [note for note in first.json["notes"] if "an older copy of the ledger was put back" in note]
    assert synced.destinations_of(revoked) == set()
    for name in ("google", "ads", "meta"):
        assert synced.on(name) == synced.expected(everybody_else, name)
    assert all(synced.destinations_of(customer) for customer in stays)
    assert synced.unknown_to_ledger() == {}


def test_who_revoked_by_command_before_the_copy_is_taken_off_once_more(synced: Shop) -> None:
    synced.call("revoke", "--customer", "c00041")
    copy = _copy(synced)
    synced.sync()
    _put_back(synced, copy)
    answer = synced.sync()

    assert answer.code == 1
    assert [note for note in answer.json["notes"] if "an older copy of the ledger was put back" in note]
    assert synced.destinations_of("c00041") == set()
