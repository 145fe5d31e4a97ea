"""What a daemon says of itself by HTTP: whether it lives, whether it can work, and what it did."""

import json
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families
from shop import GOOGLE_ACCOUNT, META_ACCOUNT, TOKEN, Shop
from wire import sha256

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.times import now_utc
from cohortd.emulators.faults import Fault
from cohortd.monitoring.opening import observing, open_monitoring
from cohortd.pipeline.syncing import SyncCall, sync
from cohortd.pipeline.wiring import Pipeline


@dataclass
class Watched:
    """A pipeline as the daemon has it, and what it says of itself."""

    pipeline: Pipeline
    port: int

    def ask(self, path: str) -> tuple[int, str]:
        return _ask(self.port, path)

    def metrics(self) -> Mapping[tuple[str, ...], float]:
        """Name and values of the labels, in their alphabet's order -> value."""
        status, text = self.ask("/metrics")
        assert status == 200
        return {
            (sample.name, *(sample.labels[key] for key in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@contextmanager
def _watched(shop: Shop, *, later: timedelta = timedelta()) -> Iterator[Watched]:
    shop.change(monitoring={"listen": "127.0.0.1:0"})
    settings = load_settings(str(shop.config))
    with ExitStack() as stack:
        observer = stack.enter_context(observing(settings, is_daemon=True))
        pipeline = stack.enter_context(
            open_pipeline(settings, clock=lambda: now_utc() + later, observer=observer)
        )
        listening = stack.enter_context(open_monitoring(settings, pipeline))
        assert listening is not None
        assert listening.listens.wait(30)
        yield Watched(pipeline, listening.port)


def _ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_metrics_tell_a_revocation_a_guard_stop_and_nobody(synced: Shop) -> None:
    gone = next(iter(synced.customers))
    before = dict(synced.customers)
    with _watched(synced) as watched:
        watched.pipeline.observer.led(leads=True)
        assert synced.call("revoke", "--customer", gone).code == 0
        with watched.pipeline.ledger.leadership() as epoch:
            done = sync(watched.pipeline, SyncCall(wait_s=30), epoch=epoch)
        for customer in list(synced.customers)[240:]:
            del synced.customers[customer]
        synced.write()
        with watched.pipeline.ledger.leadership() as epoch:
            stopped = sync(watched.pipeline, SyncCall(wait_s=30), epoch=epoch)
        told = watched.metrics()
        text = watched.ask("/metrics")[1]
    with _watched(synced) as standby:
        after = standby.metrics()

    assert _of_revocations(after) == _of_revocations(told)
    assert (done.status, stopped.status) == ("done", "stopped")
    assert told["cohortd_leader",] == told["cohortd_ledger_up",] == 1
    assert told["cohortd_guard_stops_total", "source_drop"] == 1
    assert told["cohortd_guard_stops_total", "approval"] == 0
    assert told["cohortd_runs_total", "sync", "stopped"] == 1
    assert told["cohortd_runs_total", "sync", "done"] == 1
    # The second was stopped before anything was counted: these are the first one's.
    assert told["cohortd_source_rows", "kept", "customers"] == len(before)
    assert told["cohortd_sync_lag_seconds",] > 0
    for name in ("google", "ads", "meta"):
        assert told["cohortd_revocation_confirmed_seconds_count", name] == 1
        assert told["cohortd_revocations_open", name] == 0
        assert told["cohortd_revocations_overdue", name] == 0
    members = {key[2]: 0.0 for key in told if key[0] == "cohortd_members"}
    for key, value in told.items():
        if key[0] == "cohortd_members" and key[3] == "present":
            members[key[2]] += value
    assert members == dict.fromkeys(("google", "ads", "meta"), float(len(before) - 1))
    _hold_nobody(text, before)


def _of_revocations(told: Mapping[tuple[str, ...], float]) -> Mapping[tuple[str, ...], float]:
    """How long they took: the same from a process that began later, and that never led."""
    return {key: told[key] for key in told if key[0].startswith("cohortd_revocation_confirmed_seconds")}


def _hold_nobody(text: str, customers: Mapping[str, Mapping[str, str]]) -> None:
    for secret in (TOKEN, GOOGLE_ACCOUNT, META_ACCOUNT.removeprefix("act_")):
        assert secret not in text
    for customer, row in customers.items():
        assert customer not in text
        assert not any(row[key] and row[key] in text for key in ("email", "phone"))
        assert sha256(row["email"])[:8] not in text


def test_open_and_late_revocations_are_told_while_a_platform_does_not_confirm(synced: Shop) -> None:
    gone = next(iter(synced.customers))
    synced.meta.faults.add(Fault(call="*", status=500, times=None))
    synced.call("revoke", "--customer", gone)
    with _watched(synced) as now:
        told = now.metrics()
    with _watched(synced, later=timedelta(days=4)) as later:
        late, (status, ready) = later.metrics(), later.ask("/readyz")

    assert (told["cohortd_revocations_open", "meta"], told["cohortd_revocations_overdue", "meta"]) == (1, 0)
    assert late["cohortd_revocations_overdue", "meta"] == 1
    assert late["cohortd_revocation_oldest_open_seconds", "meta"] > 4 * 86_400
    assert late["cohortd_sync_lag_seconds",] > 4 * 86_400
    assert (status, json.loads(ready)["fresh"]) == (503, False)


def test_leader_and_standby_are_ready_and_say_which_they_are(synced: Shop) -> None:
    with _watched(synced) as watched:
        watched.pipeline.observer.turned("main")
        standby = watched.ask("/readyz")
        watched.pipeline.observer.led(leads=True)
        leader = watched.ask("/readyz")
        healthy = watched.ask("/healthz?from=a-balancer")
        elsewhere, changing = watched.ask("/"), _ask(watched.port, "/metrics", "POST")

    assert [(status, json.loads(body)["role"]) for status, body in (standby, leader)] == [
        (200, "standby"),
        (200, "leader"),
    ]
    assert json.loads(leader[1])["ledger"] == {
        "reachable": True,
        "migrated": True,
        "writable": True,
        "fault": "",
    }
    assert 0 < json.loads(leader[1])["last_sync_age_s"] < 86_400
    assert (healthy[0], json.loads(healthy[1])["stuck"]) == (200, [])
    assert (elsewhere[0], changing[0]) == (404, 405)


def test_a_loop_that_stands_still_is_told(synced: Shop) -> None:
    with _watched(synced) as watched:
        counting = watched.pipeline.observer
        counting.led(leads=True)
        counting.pulse.beats["scheduler"] = time.monotonic() - 121  # type: ignore[attr-defined]
        status, body = watched.ask("/healthz")
        ready = watched.ask("/readyz")

    assert (status, json.loads(body)["stuck"]) == (503, ["scheduler"])
    assert ready[0] == 503


def test_the_daemon_answers_and_a_health_check_asks_it(synced: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    synced.change(monitoring={"listen": f"127.0.0.1:{port}"})
    process = synced.start("run")
    try:
        _until_ready(port)
        alive = synced.call("status", "--health", "--json")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate(timeout=30)
    ended = synced.call("status", "--health", "--json")

    assert (alive.code, [check["subject"] for check in alive.json["checks"]]) == (0, ["ledger", "daemon"])
    assert process.returncode == 0
    assert (ended.code, [check["ok"] for check in ended.json["checks"]]) == (1, [True, False])


def _until_ready(port: int) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        try:
            if json.loads(_ask(port, "/readyz")[1])["role"] == "leader":
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("the daemon does not answer")


def test_traces_reach_a_collector_and_tell_nobody(synced: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    synced.change(monitoring={"traces": True})
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        answer = synced.call("revoke", "--customer", next(iter(synced.customers)))
        answer = synced.sync()
        server.shutdown()
        thread.join()
    told = b"".join(bodies).decode("utf-8", "replace")

    assert answer.code == 0, answer.err
    for step in ("sync", "revocations", "read", "cluster", "decide", "compare", "send", "report", "apply"):
        assert f"cohortd.{step}" in told
    _hold_nobody(told, synced.customers)
