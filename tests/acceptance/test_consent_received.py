"""Consent events by HTTP: kept once, acknowledged when kept, and sent within a second."""

import contextlib
import hashlib
import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from shop import Answer, Shop, open_shop

from cohortd import bootstrap
from cohortd.core.errors import LedgerError
from cohortd.core.times import now_utc
from cohortd.pipeline.receiving import Receiving
from cohortd.receiver import PRESETS, EventShape, Received, Verdict

WHO, OTHER = "c00001", "c00002"
SECRET = "a-secret-of-some-length"
#: Says neither when it was said, nor which event it is.
BARE = EventShape(customer_id=("id",), email=("email",), status=("status",))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop", customers=120) as opened:
        yield opened


@contextlib.contextmanager
def _receiving(shop: Shop) -> Iterator[Receiving]:
    settings = bootstrap.load_settings(str(shop.config))
    with bootstrap.open_pipeline(settings) as pipeline:
        yield Receiving(pipeline, {"cmp": PRESETS["ketch"], "bare": BARE})


def _ketch(who: str = WHO, status: str = "denied", **changes: object) -> bytes:
    request = {
        "regulation": "gdpr",
        "identities": [{"identitySpace": "account_id", "identityFormat": "raw", "identityValue": who}],
        "purposes": {"advertising": status, "analytics": "granted"},
        "collectedAt": 1772366400,
        **changes,
    }
    return json.dumps({"metadata": {"uid": "u1"}, "request": request}).encode()


def _records(shop: Shop) -> list[tuple]:
    return shop.query(
        "SELECT status, purpose, regulation, source, recorded_at FROM consent_record ORDER BY id"
    )


def _withdrawals(shop: Shop) -> int:
    return shop.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL")[0][0]


def test_an_event_is_recorded_with_its_source_regulation_and_evidence(small: Shop) -> None:
    with _receiving(small) as receiving:
        verdict = receiving.take(Received("cmp", "", _ketch()))

    at = "2026-03-01T12:00:00.000000Z"
    assert verdict is Verdict.TAKEN
    assert _records(small) == [
        ("denied", "advertising", "gdpr", "cmp", at),
        ("granted", "analytics", "gdpr", "cmp", at),
    ]
    assert small.query("SELECT DISTINCT evidence FROM consent_record") == [
        (hashlib.sha256(_ketch()).hexdigest(),)
    ]
    assert _withdrawals(small) == 1


def test_an_event_whose_acknowledgement_was_lost_is_kept_once(small: Shop) -> None:
    with _receiving(small) as receiving:
        first, again = (receiving.take(Received("cmp", "", _ketch())) for _ in range(2))

    assert (first, again) == (Verdict.TAKEN, Verdict.KNOWN)
    assert (len(_records(small)), _withdrawals(small)) == (2, 1)


def test_an_event_whose_note_was_forgotten_long_ago_is_still_kept_once(small: Shop) -> None:
    with _receiving(small) as receiving:
        receiving.take(Received("cmp", "", _ketch()))
        receiving._pipeline.ledger.received.forget(now_utc() + timedelta(days=1))
        again = receiving.take(Received("cmp", "", _ketch()))

    assert again is Verdict.TAKEN
    assert (len(_records(small)), _withdrawals(small)) == (2, 1)


def test_an_event_that_is_broken_off_at_any_table_leaves_nothing_and_is_taken_when_it_comes_again(
    small: Shop,
) -> None:
    """The database refuses in the midst of it, which a crash would leave as it was before."""
    tables = (
        "consent_record",
        "withdrawal",
        "suppression",
        "removal_log",
        "removal_head",
        "received_event",
    )
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    revoked = _ketch(status="revoked")
    left, answers = [], []
    with _receiving(small) as receiving:
        database = receiving._pipeline.ledger.received._database
        for table in tables:
            with database.write() as connection:
                connection.exec_driver_sql(
                    f"CREATE TRIGGER crash BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'crash'); END"
                )
            with pytest.raises(LedgerError):
                receiving.take(Received("cmp", "", revoked))
            left += small.query(f"SELECT {counts}")
            with database.write() as connection:
                connection.exec_driver_sql("DROP TRIGGER crash")
        answers = [receiving.take(Received("cmp", "", revoked)) for _ in range(2)]

    assert left == [(0,)] * len(tables)
    assert answers == [Verdict.TAKEN, Verdict.KNOWN]
    assert (len(_records(small)), _withdrawals(small)) == (2, 1)
    assert small.query("SELECT event FROM removal_log") == [("recorded",)]


def test_of_one_event_that_comes_many_times_at_once_one_is_taken(small: Shop) -> None:
    verdicts: list[Verdict] = []
    with _receiving(small) as receiving:
        threads = [
            threading.Thread(target=lambda: verdicts.append(receiving.take(Received("cmp", "", _ketch()))))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(verdicts) == [*[Verdict.KNOWN] * 5, Verdict.TAKEN]
    assert (len(_records(small)), _withdrawals(small)) == (2, 1)


def test_the_same_words_said_again_later_count_again(small: Shop) -> None:
    """Without an id or a time, nobody can tell whether an event was repeated or meant once more."""
    body = json.dumps({"id": WHO, "status": "revoked"}).encode()
    with _receiving(small) as receiving:
        verdicts = [receiving.take(Received("bare", "", body)) for _ in range(2)]
        named = [receiving.take(Received("bare", "msg_1", body)) for _ in range(2)]

    assert [*verdicts, *named] == [*[Verdict.TAKEN] * 3, Verdict.KNOWN]
    assert _withdrawals(small) == 3


def test_an_id_that_is_used_for_another_event_loses_neither(small: Shop) -> None:
    with _receiving(small) as receiving:
        verdicts = [receiving.take(Received("cmp", "msg_1", _ketch(who))) for who in (WHO, OTHER)]

    assert verdicts == [Verdict.TAKEN, Verdict.TAKEN]
    assert _withdrawals(small) == 2


def test_a_senders_own_id_hides_nobody_whose_address_it_names(synced: Shop) -> None:
    body = json.dumps(
        {"id": "theirs-778", "email": synced.customers["c00042"]["email"], "status": "revoked"}
    )
    with _receiving(synced) as receiving:
        verdict = receiving.take(Received("bare", "", body.encode()))
    answer = synced.sync()

    assert (verdict, answer.code) == (Verdict.TAKEN, 0)
    assert synced.destinations_of("c00042") == set()


@pytest.mark.parametrize(
    ("raw", "revoked", "fault"),
    [
        (_ketch(purposes="all of them"), 1, "it says nothing of any purpose"),
        (_ketch(status="granted", collectedAt="soon"), 1, "a grant bears no readable time"),
        (_ketch(who=""), 0, "it names nobody"),
        (b"{", 0, "it is no JSON"),
    ],
)
def test_an_event_that_cannot_be_read_is_put_aside_and_takes_back_whom_it_names(
    small: Shop, raw: bytes, revoked: int, fault: str
) -> None:
    with _receiving(small) as receiving:
        verdict = receiving.take(Received("cmp", "", raw))
    listed = small.call("consent", "parked", "--json").json["parked"]
    told = [
        line
        for line in small.call("status", "--json").json["checks"]
        if line["subject"] == "consent events"
    ]
    small.call("consent", "parked", "--seen")
    after = small.call("consent", "parked", "--json").json["parked"]

    assert verdict is Verdict.PARKED
    assert [(row["source"], row["fault"], len(row["subjects"])) for row in listed] == [
        ("cmp", fault, revoked)
    ]
    assert [line["ok"] for line in told] == [False]
    assert after == []
    assert [row[0] for row in _records(small)] == ["revoked"] * revoked
    assert _withdrawals(small) == revoked


def test_nothing_of_an_event_is_kept_that_reaches_anybody(small: Shop) -> None:
    email = small.customers[WHO]["email"]
    with _receiving(small) as receiving:
        for raw in ({"email": email, "status": "revoked"}, {"email": email}):
            receiving.take(Received("bare", "", json.dumps(raw).encode()))
    kept = b"".join(path.read_bytes() for path in small.data_dir.rglob("*") if path.is_file())

    assert _withdrawals(small) == 2
    assert b"canary" not in kept


def test_what_a_withdrawn_person_carries_now_is_read_afterwards(small: Shop) -> None:
    """Nobody was ever sent, so the ledger alone would keep the address back, but not the phone."""
    raw = json.dumps({"email": small.customers[WHO]["email"], "status": "revoked"}).encode()
    kinds = "SELECT DISTINCT kind FROM suppression ORDER BY kind"
    with _receiving(small) as receiving:
        receiving.take(Received("bare", "", raw))
        before = small.query(kinds)
        receiving.close()
        carrying = threading.Thread(target=receiving.carry, kwargs={"stop": lambda: False})
        carrying.start()
        carrying.join()
        after = small.query(kinds)

    assert before == [(1,)]
    assert {(0,), (1,), (2,), (3,)} <= set(after)


def _post(port: int, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    connection.request("POST", "/consent/cmp", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def _until(true: object, *, seconds: float = 200) -> None:
    ends = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends, "nothing happened"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def test_the_daemon_takes_whom_an_event_names_off_every_platform_once_its_port_is_free(
    small: Shop,
) -> None:
    """Until then it runs without the receiver, sends what is revoked otherwise, and says so."""
    first = small.sync()
    auth = {"kind": "bearer", "secret": SECRET}
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    small.change(
        receiver={
            "listen": f"127.0.0.1:{port}",
            "sources": [{"name": "cmp", "auth": auth, "preset": "ketch"}],
        },
        schedule={"sync": None, "recluster": None, "revocations": None},
    )
    before = small.destinations_of(WHO)
    process = small.start("run")
    try:
        while "server_not_opened" not in process.stderr.readline():
            assert process.poll() is None
        small.call("revoke", "--customer", OTHER)
        _until(lambda: not small.destinations_of(OTHER))
        told = _line(small.call("status", "--json"), "receiver")
        taken.close()
        _until(lambda: _listens(port))
        now = _line(small.call("check", "--json"), "receiver")
        status = _post(port, _ketch())
        _until(lambda: not small.destinations_of(WHO))
    finally:
        taken.close()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert first.code == 0, first.err
    assert before == {"google", "ads", "meta"}
    assert (told["ok"], now["ok"]) == (False, True)
    assert (status, process.returncode) == (200, 0)


def _line(answer: Answer, subject: str) -> dict:
    return next(line for line in answer.json["checks"] if line["subject"] == subject)
