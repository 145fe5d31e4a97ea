"""People are told once, again when it lasts, and when it is over, over restarts and dead channels."""

import http.server
import json
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cohortd.alerts import open_channels
from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.cli.entry import run
from cohortd.core.conditions import Condition, conditions_of
from cohortd.core.delivery import AccessCheck
from cohortd.core.redaction import Redactor
from cohortd.ledger import Told
from cohortd.pipeline import alerting
from cohortd.pipeline.alert_policy import AlertPolicy
from cohortd.pipeline.channels import channel_lines, try_channels
from cohortd.pipeline.looking import status_of
from tests.unit.pipeline.alert_services import Installation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PAUSED = Condition(
    "destination", "destination meta", "paused since 11:58: the token has expired", "Make a new one."
)
STOPPED = Condition("sync_stopped", "last sync", "stopped, 12:00")
FAILED = Condition("sync_failed", "last sync", "failed, 13:00")


def told(
    condition: Condition, *, at: datetime | None = NOW, gone_at: datetime | None = None
) -> dict[str, Told]:
    known = Told(condition.key, condition.subject, condition.detail, NOW, at, gone_at)
    return {condition.key: known}


def test_what_is_bad_in_status_is_a_condition_under_a_key_that_stays() -> None:
    lines = [
        AccessCheck("ledger", ok=True, detail="opened"),
        AccessCheck("destination meta", ok=False, detail="paused since 11:58", cure="Make a new token."),
        AccessCheck("destination meta: terms", ok=False, detail="not accepted"),
        AccessCheck("audience s1 on meta", ok=False, detail="flagged", cure="Look."),
        AccessCheck("audience s1 on meta", ok=False, detail="too small", cure="Look."),
        AccessCheck("last sync", ok=False, detail="stopped", kind="sync_stopped"),
    ]

    assert [(each.key, each.detail, each.cure) for each in conditions_of(lines)] == [
        ("destination: destination meta", "paused since 11:58", "Make a new token."),
        ("destination_terms: destination meta: terms", "not accepted", ""),
        ("audience: audience s1 on meta", "flagged; too small", "Look."),
        ("sync_stopped: last sync", "stopped", ""),
    ]


def test_what_is_new_is_told_and_what_was_told_is_not_until_it_lasts() -> None:
    def due(known: dict[str, Told], now: datetime) -> list[Condition]:
        return list(alerting.decide(known, [PAUSED], now=now, repeat_after=DAY).trouble)

    assert due({}, NOW) == [PAUSED]
    assert due(told(PAUSED, at=None), NOW) == [PAUSED]
    assert due(told(PAUSED), NOW + DAY - MINUTE) == []
    assert due(told(PAUSED), NOW + DAY) == [PAUSED]


def test_what_is_over_is_told_when_it_has_been_so_for_a_while() -> None:
    first = alerting.decide(told(PAUSED), [], now=NOW, repeat_after=DAY)
    soon = alerting.decide(first.known, [], now=NOW + 14 * MINUTE, repeat_after=DAY)
    again = alerting.decide(soon.known, [PAUSED], now=NOW + 14 * MINUTE, repeat_after=DAY)
    later = alerting.decide(soon.known, [], now=NOW + 15 * MINUTE, repeat_after=DAY)

    assert (first.over, soon.over, again.over, again.trouble) == ([], [], [], [])
    assert again.known[PAUSED.key].gone_at is None
    assert [each.key for each in later.over] == [PAUSED.key]
    assert later.known == {}


def test_what_was_never_told_is_not_told_to_be_over() -> None:
    decision = alerting.decide(told(PAUSED, at=None), [], now=NOW + DAY, repeat_after=DAY)

    assert (decision.over, decision.known) == ([], {})


def test_what_turned_into_something_else_about_the_same_is_not_told_to_be_over() -> None:
    known = told(STOPPED, gone_at=NOW - DAY)
    decision = alerting.decide(known, [FAILED], now=NOW, repeat_after=DAY)

    assert (decision.trouble, decision.over) == ([FAILED], [])
    assert list(decision.known) == [FAILED.key]


@dataclass
class Inbox:
    """A webhook on this machine."""

    port: int
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://user:s3cret-pass@127.0.0.1:{self.port}/hidden-path"


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    # import-linter, in a test of its own, switches off every logger there is; Apprise's says the status.
    monkeypatch.setattr(logging.getLogger("apprise"), "disabled", False)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.status == 200:
                found.got.append(json.loads(body))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Inbox(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def installation(tmp_path: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Nothing but what a test says needs anybody."""
    monkeypatch.setattr(
        alerting, "current_conditions", lambda pipeline: conditions_of(pipeline.alerts.more())
    )
    (channel,) = open_channels([inbox.url], redactor=Redactor())
    found = Installation(tmp_path, AlertPolicy(channels=(channel,)))
    yield found
    found.ledger.close()


def _titles(inbox: Inbox) -> list[tuple[str, str]]:
    return [(each["type"], each["title"]) for each in inbox.got]


def test_a_restart_repeats_nothing_and_the_end_is_told(installation: Installation, inbox: Inbox) -> None:
    installation.tell(PAUSED)
    installation.ledger.close()
    installation.open()
    installation.tell(PAUSED, after=MINUTE)
    installation.tell(after=MINUTE)
    installation.tell(after=alerting.RECOVERED_AFTER)
    installation.tell(after=MINUTE)

    assert _titles(inbox) == [
        ("warning", "cohortd: destination meta needs somebody"),
        ("success", "cohortd: destination meta is over"),
    ]
    assert inbox.got[0]["message"] == f"{PAUSED.subject}: {PAUSED.detail}\n{PAUSED.cure}"
    assert PAUSED.detail in inbox.got[1]["message"]


def test_what_lasts_is_told_again_as_such(installation: Installation, inbox: Inbox) -> None:
    installation.tell(PAUSED, STOPPED)
    installation.tell(PAUSED, after=DAY)

    assert inbox.got[0]["title"] == "cohortd: destination meta and 1 more needs somebody"
    assert inbox.got[1]["message"].startswith(
        "Still so, since 2026-11-22 12:00 UTC. destination meta: paused"
    )


def test_a_channel_that_fails_is_tried_later_and_later_and_loses_nothing(
    installation: Installation, inbox: Inbox
) -> None:
    inbox.status = 503
    installation.tell(PAUSED)
    installation.tell(PAUSED, after=MINUTE / 2)  # not yet
    installation.tell(PAUSED, after=MINUTE / 2)
    (line,) = channel_lines(installation)  # type: ignore[arg-type]
    (failing,) = installation.ledger.alerts.failing().values()
    inbox.status = 200
    installation.tell(PAUSED, after=2 * MINUTE)
    (healed,) = channel_lines(installation)  # type: ignore[arg-type]

    assert (failing.tries, failing.next_at) == (2, NOW + 3 * MINUTE)
    assert not line.ok
    assert "takes none since 2026-11-22 12:00 UTC (2 tries): the service answered HTTP 503" in line.detail
    assert healed.ok
    assert len(inbox.got) == 1


def test_a_channel_that_is_no_longer_set_is_forgotten(installation: Installation, inbox: Inbox) -> None:
    installation.tell(PAUSED)
    inbox.status = 500
    installation.tell(PAUSED, STOPPED)
    installation.alerts = replace(installation.alerts, channels=())
    installation.tell(PAUSED)

    assert installation.ledger.alerts.failing() == {}


@pytest.mark.parametrize("kind", sorted(alerting.PATIENCE))
def test_what_comes_and_goes_with_every_run_is_told_once_it_lasts(kind: str) -> None:
    partial = Condition(kind, "last sync", "12:00")
    first = alerting.decide({}, [partial], now=NOW, repeat_after=DAY)
    gone = alerting.decide(first.known, [], now=NOW + MINUTE, repeat_after=DAY)
    lasting = alerting.decide(first.known, [partial], now=NOW + 6 * HOUR, repeat_after=DAY)

    assert (first.trouble, gone.known, gone.over) == ([], {}, [])
    assert lasting.trouble == [partial]


def test_no_contact_and_no_secret_reaches_a_message_even_by_mistake(
    installation: Installation, inbox: Inbox
) -> None:
    installation.tell(
        replace(PAUSED, detail=f"canary@example.com, +14155552671, {'ab' * 32}, token=xyzzy1")
    )
    said = json.dumps(inbox.got)

    assert "paused" not in said
    assert not [each for each in ("canary@", "4155552671", "ab" * 5, "xyzzy1") if each in said]


def _dead_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_test_says_what_each_channel_answered_without_its_secrets(
    installation: Installation, inbox: Inbox
) -> None:
    urls = [inbox.url, f"json://127.0.0.1:{_dead_port()}/hidden-path", "nonsense://hidden-path"]
    channels = open_channels(urls, redactor=Redactor())
    installation.alerts = AlertPolicy(channels=channels)
    lines = try_channels(installation)  # type: ignore[arg-type]

    assert [line.ok for line in lines] == [True, False, False]
    assert [line.subject.partition("-")[0] for line in lines] == [
        "alerts json",
        "alerts json",
        "alerts nonsense",
    ]
    assert "could not be reached" in lines[1].detail
    assert "no URL that Apprise knows" in lines[2].detail
    assert not [each for each in ("hidden-path", "s3cret") if each in repr(lines) + repr(channels)]
    assert _titles(inbox) == [("info", "cohortd: a test")]


def test_without_a_channel_a_test_says_so() -> None:
    (line,) = try_channels(SimpleNamespace(alerts=AlertPolicy()))  # type: ignore[arg-type]

    assert (line.ok, line.detail) == (False, "nowhere to send any")


@pytest.fixture
def shop(tmp_path: Path, inbox: Inbox) -> Path:
    """The settings of a shop without anything sent."""
    (tmp_path / "customers.csv").write_text("customer_id,email\nc1,canary@example.com\n")
    (tmp_path / "urls").write_text(f"{inbox.url}\n")
    file = tmp_path / "cohortd.yaml"
    file.write_text(
        "sources: {customers: {path: customers.csv}}\n"
        "alerts: {urls_file: urls}\n"
        "destinations: [{name: drop, platform: csv_drop, folder: uploads, template: google}]\n"
    )
    return file


def test_what_status_calls_bad_is_what_people_are_told(shop: Path, inbox: Inbox) -> None:
    with open_pipeline(load_settings(str(shop)), clock=lambda: NOW) as pipeline:
        stopped = pipeline.ledger.runs.start("sync", as_of=NOW - DAY, at=NOW - DAY)
        newest = {"table": "events", "newest": "2026-11-01T00:00:00Z"}
        pipeline.ledger.runs.finish(stopped, status="stopped", summary={"figures": [newest]}, at=NOW - DAY)
        pipeline.ledger.remotes.pause_destination("drop", reason="no room", cure="Make room.", at=NOW)
        told = status_of(pipeline)
        alerting.Teller().tell(pipeline)
        alerting.Teller().tell(pipeline)
    bad = [line for line in told.lines if not line.ok]

    assert [line.subject for line in bad] == ["last sync", "source events", "destination drop"]
    assert [each["message"] for each in inbox.got] == [
        "\n\n".join(f"{line.subject}: {line.detail}\n{line.cure}" for line in bad)
    ]


def test_the_command_tells_what_each_url_answered(
    shop: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [run(["check", "--alerts", "-c", str(shop)])]
    inbox.status = 404
    codes.append(run(["check", "--alerts", "--json", "-c", str(shop)]))
    said = capsys.readouterr()

    assert codes == [0, 1]
    assert "ok  alerts json-" in said.out
    assert "it took a test message" in said.out
    assert "the service answered HTTP 404" in said.out
    assert "hidden-path" not in said.out + said.err


def test_a_run_without_a_daemon_tells_how_it_went(
    shop: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop.parent / "customers.csv").unlink()
    code = run(["run", "--once", "-c", str(shop)])
    capsys.readouterr()

    assert code == 2
    assert [title for _, title in _titles(inbox)] == ["cohortd: last sync and 1 more needs somebody"]
    assert "last sync: failed" in inbox.got[0]["message"]
