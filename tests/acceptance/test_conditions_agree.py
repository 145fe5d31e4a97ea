"""status, alerts and metrics tell the same of what needs a person: whatever goes wrong, in all three."""

import http.server
import json
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from shop import Shop

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.conditions import KINDS
from cohortd.core.delivery import RemoteStatus
from cohortd.core.times import format_time, now_utc
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.ledger import Reading, ReceivedEvent
from cohortd.monitoring.counting import Counting
from cohortd.monitoring.gauges import LedgerGauges
from cohortd.pipeline.alerting import PATIENCE, Teller
from cohortd.pipeline.looking import current_conditions
from cohortd.pipeline.wiring import Pipeline

#: How late it is when somebody looks.
LATER = timedelta(hours=40)
SYNC_ENDS = ("done", "stopped", "failed", "partial", "abandoned")


@pytest.fixture
def inbox() -> Iterator[tuple[str, list[str]]]:
    """A webhook, and what it was told."""
    told: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["message"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"json://127.0.0.1:{server.server_address[1]}", told
        server.shutdown()
        thread.join()


@contextmanager
def _opened(shop: Shop, *, at: datetime) -> Iterator[tuple[Pipeline, LedgerGauges]]:
    with open_pipeline(load_settings(str(shop.config)), clock=lambda: at) as pipeline:
        yield pipeline, LedgerGauges(pipeline, Counting())


def _counted(gauges: LedgerGauges) -> Counter[str]:
    (family,) = [each for each in gauges.collect() if each.name == "cohortd_conditions"]
    return Counter({sample.labels["kind"]: int(sample.value) for sample in family.samples})


def _revoke_what_nobody_confirms(shop: Shop) -> None:
    """One long ago and one lately; the platforms fail, and one of them is no longer in the settings."""
    shop.change(consent={"due": {"*": "38h"}})
    shop.google.faults.add(Fault(call="*", kind=FaultKind.ERROR, status="UNAVAILABLE", times=None))
    shop.meta.faults.add(Fault(call="*", status=500, times=None))
    shop.call("revoke", "--customer", "c00041")
    shop.call("erase", "--customer", "c00043")
    shop.ahead = LATER / 2
    shop.call("revoke", "--customer", "c00042")
    del shop.settings["destinations"][1]
    with closing(sqlite3.connect(shop.database)) as driver, driver:
        driver.execute("UPDATE batch SET refusals = 1 WHERE lane = 'revocation'")


def _spoil_the_settings(shop: Shop, url: str, port: int) -> None:
    """A folder for heads that is not there, a receiver that does not listen, an export never read."""
    shop.settings["sources"]["consent_export"] = {"path": "export.csv"}
    shop.change(
        alerts={"urls": [url, "json://127.0.0.1:1/never"], "events_stale_after": "1h"},
        removal_log={"heads_to": [str(shop.folder / "nowhere")]},
        receiver={
            "listen": f"127.0.0.1:{port}",
            "sources": [{"name": "cmp", "preset": "ketch", "auth": {"kind": "bearer", "secret": "x" * 32}}],
        },
    )


def _spoil_the_ledger(pipeline: Pipeline, now: datetime) -> None:
    ledger, before = pipeline.ledger, now - timedelta(hours=1)
    for job in ("polling", "settings"):
        ledger.jobs.begin(job, at=before)
        ledger.jobs.end(job, at=before, outcome="failed", detail="it could not be done")
    ended = ledger.runs.start("reconciliation", as_of=before, at=before)
    ledger.runs.finish(ended, status="failed", summary={}, at=before)
    ledger.remotes.pause_destination("meta", reason="its token has expired", cure="Make one.", at=before)
    ledger.remotes.note_leftovers("meta", "an audience of another ledger is there")
    paused, open_at = [each for each in ledger.remotes.all() if each.target.destination == "google"][:2]
    ledger.remotes.pause(paused.id, "it belongs to another account")
    ledger.readings.keep(open_at.id, Reading(before, RemoteStatus(terms=False), 0, 0))
    ledger.received.note(ReceivedEvent("cmp", "e1", b"\1" * 32), size=9, at=before, fault="no JSON")
    current = ledger.models.current()
    assert current is not None
    ledger.models.save(replace(current), next_segment_number=9, at=before, held_back="40% would move")


def _end_a_sync(pipeline: Pipeline, status: str, now: datetime) -> None:
    """The last sync ended so, and saw a model that has drifted for long and no new event."""
    model = pipeline.ledger.models.current()
    assert model is not None
    at = now - (timedelta(days=3) if status == "done" else timedelta(hours=1))
    summary = {
        "model_version": model.id,
        "stability": {"drifted": ["inertia"], "drifted_since": format_time(now - timedelta(days=30))},
        "figures": [{"table": "events", "newest": format_time(now - timedelta(days=9))}],
    }
    run = pipeline.ledger.runs.start("sync", as_of=at, at=at)
    pipeline.ledger.runs.finish(run, status=status, summary=summary, at=at)


def test_whatever_needs_a_person_is_bad_in_status_told_by_alerts_and_counted(
    synced: Shop, inbox: tuple[str, list[str]]
) -> None:
    url, told = inbox
    now = now_utc() + LATER
    _revoke_what_nobody_confirms(synced)
    with socket.create_server(("127.0.0.1", 0)) as free:
        _spoil_the_settings(synced, url, free.getsockname()[1])
    with closing(sqlite3.connect(synced.database)) as driver, driver:
        driver.execute("UPDATE erasure SET asked_at = '2020-01-01T00:00:00.000000Z'")
        driver.execute("DELETE FROM run WHERE kind = 'sync'")
    with _opened(synced, at=now) as (pipeline, _):
        _spoil_the_ledger(pipeline, now)
    seen: set[str] = set()
    for status in SYNC_ENDS:
        with _opened(synced, at=now) as (pipeline, gauges):
            _end_a_sync(pipeline, status, now)
            found, counted = current_conditions(pipeline), _counted(gauges)
            seen |= {each.kind for each in found}
            if status == "stopped":
                teller = Teller()
                teller.tell(pipeline)
                teller.tell(pipeline)
                synced.ahead = LATER
                answer = synced.call("status", "--json")
                after = _counted(LedgerGauges(pipeline, Counting()))
        assert +counted == Counter(each.kind for each in found)
        assert set(counted) == KINDS
    bad = [line for line in answer.json["checks"] if not line["ok"]]

    assert seen | {"alerts"} == KINDS
    assert answer.code == 1
    assert after["alerts"] == 1
    assert +after == Counter(kind for kind, _ in {(line["kind"], line["subject"]) for line in bad})
    assert len(told) == 2  # the second of the channel that took nothing of the first
    assert [line["subject"] for line in bad if line["detail"] not in "".join(told)] == []
    assert set(PATIENCE) <= KINDS
