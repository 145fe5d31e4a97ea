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
from pathlib import Path

import pytest
from shop import Shop, open_shop

from cohortd import bootstrap
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


def test_an_event_that_was_recorded_before_a_crash_but_not_noted_is_kept_once(small: Shop) -> None:
    with _receiving(small) as receiving:
        receiving.take(Received("cmp", "", _ketch()))
        with receiving._pipeline.ledger.received._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM received_event")
        again = receiving.take(Received("cmp", "", _ketch()))

    assert again is Verdict.TAKEN
    assert (len(_records(small)), _withdrawals(small)) == (2, 1)


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


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def _until(true: object, *, seconds: float = 200) -> None:
    ends = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends, "nothing happened"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def test_the_daemon_takes_whom_an_event_names_off_every_platform(small: Shop) -> None:
    port, first = _free_port(), small.sync()
    auth = {"kind": "bearer", "secret": SECRET}
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
        _until(lambda: _listens(port))
        status = _post(port, _ketch())
        _until(lambda: not small.destinations_of(WHO))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert first.code == 0, first.err
    assert before == {"google", "ads", "meta"}
    assert (status, process.returncode) == (200, 0)
