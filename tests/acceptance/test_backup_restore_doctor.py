"""The state is copied while cohortd works, put back, and examined."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager

from shop import Shop, add_customer, grant

import config
from cohortd.bootstrap import open_pipeline
from cohortd.daemon.work import Work


@contextmanager
def _somebody_leads(shop: Shop) -> Iterator[None]:
    with (shop.data_dir / "cohortd.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_a_copy_made_beside_a_process_that_leads_takes_nobody_off_but_who_revoked(synced: Shop) -> None:
    synced.call("revoke", "--customer", "c00041")
    with _somebody_leads(synced):
        made = synced.call("backup", str(synced.folder / "copies"), "--keep", "2", "--json")
        refused = synced.call("restore", made.json["folder"])
    came = add_customer(synced, 480)
    synced.write()
    synced.sync()
    synced.consent.append(grant(came, at="2026-02-01T00:00:00Z", status="revoked"))
    synced.write()
    restored = synced.call("restore", made.json["folder"])
    first, second = synced.sync(), synced.sync()
    everybody_else = synced.customers.keys() - {came, "c00041"}

    assert (made.code, made.json["is_whole"], refused.code, restored.code) == (0, True, 1, 0), restored.err
    assert (first.code, second.code) == (1, 0), first.out + second.out
    assert synced.destinations_of(came) == synced.destinations_of("c00041") == set()
    for name in ("google", "ads", "meta"):
        assert synced.on(name) == synced.expected(everybody_else, name)
    assert synced.unknown_to_ledger() == {}


def _told(shop: Shop, *options: str) -> tuple[int, dict[str, dict]]:
    answer = shop.call("doctor", "--json", *options)
    # Where the tests run is the machine's business.
    lines = {line["subject"]: line for line in json.loads(answer.out)["checks"]}
    return answer.code, {
        name: line for name, line in lines.items() if not name.startswith(("file system", "room"))
    }


def test_doctor_finds_nothing_in_a_state_that_is_sound_and_says_what_is_not(synced: Shop) -> None:
    _, sound = _told(synced, "--deep")
    key = synced.data_dir / "keys" / "removal-log.pem"
    synced.data_dir.chmod(0o755)
    key.chmod(0o644)
    (synced.data_dir / "work" / "run-left").mkdir(parents=True)
    code, found = _told(synced)

    assert [line for line in sound.values() if not line["ok"]] == []
    assert {
        "data_dir",
        "permissions",
        "ledger",
        "removal log",
        "clock",
        "clock of meta",
        "work",
    } <= sound.keys()
    assert code == 1
    assert {name for name, line in found.items() if not line["ok"]} == {"permissions", "ledger"}
    assert all(line["cure"] for line in found.values() if not line["ok"])
    key.chmod(0o600)
    synced.data_dir.chmod(0o700)
    assert {name for name, line in _told(synced)[1].items() if not line["ok"]} == {"leftovers"}


def test_doctor_makes_no_ledger_where_it_or_its_volume_is_missing(shop: Shop) -> None:
    code, found = _told(shop)
    was_made = shop.data_dir.exists()
    shop.data_dir.mkdir(mode=0o700)
    (shop.data_dir / "leader-epoch.json").write_text("{}")
    lost_code, lost = _told(shop)

    assert (code, list(found), was_made) == (1, ["data_dir"], False)
    assert (lost_code, [name for name, line in lost.items() if not line["ok"]]) == (1, ["ledger"])
    assert not (shop.data_dir / "cohortd.db").exists()


def test_the_daemon_makes_copies_where_the_settings_say_and_deletes_the_oldest(synced: Shop) -> None:
    synced.change(backup={"to": "copies", "keep": 2})
    with open_pipeline(config.load(synced.config)) as pipeline:
        work = Work(pipeline, epoch=0)
        ended = [work.backup() for _ in range(3)]

    assert "backup" in pipeline.turns
    assert ended == ["done", "done", "done"]
    assert [(folder / "cohortd.db").exists() for folder in (synced.folder / "copies").iterdir()] == [
        True,
        True,
    ]
