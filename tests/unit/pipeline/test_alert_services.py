"""Alerts reach the services that people read, once; those that hang or fail hold nobody else up."""

import logging
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_string
from pathlib import Path

import pytest
from apprise.plugins.slack import NotifySlack

from cohortd.alerts import Channel, Message, Mood, Sending, open_channels
from cohortd.core.conditions import Condition, conditions_of
from cohortd.core.redaction import Redactor
from cohortd.ledger import Told
from cohortd.pipeline import alert_words, alerting
from cohortd.pipeline.alert_policy import AlertPolicy
from cohortd.pipeline.channels import NO_ANSWER
from tests.unit.pipeline.alert_services import (
    LONG_S,
    Installation,
    Service,
    self_signed,
    serving,
    taking_mail,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECRETS = ("T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7", "s3cret", "hidden-path")
PAUSED = Condition("destination", "destination meta", "paused: its token has expired", "Make a new one.")
STOPPED = Condition("sync_stopped", "last sync", "stopped, 12:00")
HELLO = Message("cohortd: destination meta needs somebody", "first\n\nsecond: <b>&", Mood.TROUBLE)


@pytest.fixture(autouse=True)
def everything_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    # import-linter, in a test of its own, switches off every logger there is; Apprise's says the status.
    monkeypatch.setattr(logging.getLogger("apprise"), "disabled", False)


def channel_of(url: str) -> Channel:
    (channel,) = open_channels([url], redactor=Redactor())
    return channel


def send(url: str, message: Message = HELLO) -> Sending:
    sending = Sending(channel_of(url), [message])
    assert sending.ends_within(LONG_S)
    return sending


def test_a_mail_has_the_title_for_its_subject_and_says_all() -> None:
    with taking_mail() as (port, mails):
        sending = send(f"mailto://127.0.0.1:{port}?from=cohortd@example.com&to=ops@example.com")
    mail = message_from_string(mails[0])
    (part,) = [each for each in mail.walk() if each.get_content_type() == "text/plain"]
    said = part.get_payload(decode=True)

    assert (sending.why, len(mails)) == ("", 1)
    assert mail["Subject"] == HELLO.title
    assert isinstance(said, bytes)
    assert "second: <b>&" in said.decode()


def test_slack_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Service()) as slack:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{slack.port}/services")
        sending = send("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7/#ads")

    assert (sending.why, slack.paths) == ("", ["/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7"])
    assert slack.got[0]["channel"] == "#ads"
    assert "destination meta needs somebody" in slack.messages[0]
    assert "second" in slack.messages[0]


def test_teams_is_told_by_a_card(tmp_path: Path) -> None:
    with serving(Service(answer=202), tls=self_signed(tmp_path)) as teams, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nobody vouches for the certificate
        sending = send(f"workflows://127.0.0.1:{teams.port}/aflow/asignature?verify=no")

    assert sending.why == ""
    assert teams.got[0]["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "destination meta needs somebody" in teams.messages[0]
    assert "second" in teams.messages[0]


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with serving(Service(), tls=self_signed(tmp_path)) as teams:
        sending = send(f"workflows://127.0.0.1:{teams.port}/aflow/asignature")

    assert (teams.got, sending.taken) == ([], [])
    assert "could not be reached" in sending.why


@pytest.mark.parametrize(
    ("answer", "why"),
    [(500, "HTTP 500"), ("hang", "could not be reached"), ("reset", "could not be reached")],
)
def test_a_service_that_does_not_take_a_message_is_told_of_without_its_secrets(
    answer: int | str, why: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(Service(answer)) as service:
        url = f"json://user:s3cret@127.0.0.1:{service.port}/hidden-path?rto=0.2"
        sending = send(url)
    out = capfd.readouterr()
    said = sending.why + repr(sending.channel) + out.out + out.err

    assert why in sending.why
    assert (sending.taken, len(service.got)) == ([], 1)
    assert not [each for each in SECRETS if each in said]


def test_nothing_that_a_terminal_or_a_mail_obeys_is_in_a_message() -> None:
    with taking_mail() as (port, mails):
        body = "first\x1b[2J\nsecond\n\nthird\u202e"
        message = Message("cohortd: a\r\nBcc: thief@example.com", body, Mood.TROUBLE)
        sending = send(f"mailto://127.0.0.1:{port}?from=cohortd@example.com&to=ops@example.com", message)
    mail = message_from_string(mails[0])
    (part,) = [each for each in mail.walk() if each.get_content_type() == "text/plain"]
    said = part.get_payload(decode=True)

    assert (sending.why, mail["Bcc"]) == ("", None)
    assert isinstance(said, bytes)
    assert [each for each in ("\x1b", "\u202e") if each in said.decode()] == []
    assert said.decode().replace("\r\n", "\n").count("\n") >= 3


def test_a_url_that_is_given_twice_is_one_channel() -> None:
    assert len(open_channels(["json://a", "json://b", "json://a"], redactor=Redactor())) == 2


def test_what_a_service_does_not_take_keeps_back_what_comes_after() -> None:
    with serving(Service(503)) as service:
        sending = Sending(channel_of(f"json://127.0.0.1:{service.port}"), [HELLO, HELLO])
        assert sending.ends_within(LONG_S)

    assert (len(service.got), sending.taken) == (1, [])


@dataclass
class Clock:
    """Stands still as long as a thread goes on."""

    thread: str
    now_s: float = 0.0

    def monotonic(self) -> float:
        self.now_s += 0.0 if self.thread in {each.name for each in threading.enumerate()} else 10.0
        return self.now_s


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as found:
        yield found


@pytest.fixture
def other() -> Iterator[Service]:
    with serving(Service()) as found:
        yield found


@pytest.fixture
def installation(
    tmp_path: Path, service: Service, other: Service, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """Two channels. While the second is at it no time goes by, then a lot: only the first is too late."""
    monkeypatch.setattr(
        alerting, "current_conditions", lambda pipeline: conditions_of(pipeline.alerts.more())
    )
    monkeypatch.setattr(alerting, "_LOOK_S", 0.02)
    urls = [f"json://127.0.0.1:{each.port}/hidden-path" for each in (service, other)]
    found = Installation(tmp_path, AlertPolicy(channels=open_channels(urls, redactor=Redactor())))
    monkeypatch.setattr(alerting, "time", Clock(f"alerts-{_name(found, 1)}"))
    yield found
    found.ledger.close()


@pytest.mark.parametrize("answer", ["hang", "trickle"])
def test_a_service_that_hangs_keeps_no_other_from_hearing_and_gets_its_message_once(
    installation: Installation, service: Service, other: Service, answer: str
) -> None:
    service.answer = answer
    installation.tell(PAUSED)
    installation.tell(PAUSED, STOPPED, after=HOUR)
    (failing,) = installation.ledger.alerts.failing().values()
    waiting, heard = len(service.got), len(other.got)
    service.goes_on.set()
    ended = threading.Event()
    while installation.ledger.alerts.failing() and not ended.wait(0.01):
        installation.tell(PAUSED, STOPPED)

    assert (failing.name, failing.reason, failing.tries) == (_name(installation, 0), NO_ANSWER, 1)
    assert (waiting, heard) == (1, 2)
    assert len([each for each in service.messages if "token has expired" in each]) == 1
    assert len([each for each in service.messages if "stopped, 12:00" in each]) == 1
    assert len(other.got) == 2


def test_what_hangs_over_a_restart_is_not_lost(
    installation: Installation, service: Service, other: Service
) -> None:
    service.answer = "hang"
    installation.tell(PAUSED)
    installation.ledger.close()
    installation.open()
    service.answer = 200
    installation.tell(PAUSED, after=HOUR)

    assert (len(service.got), len(other.got)) == (2, 1)
    assert installation.ledger.alerts.failing() == {}


def test_a_daemon_that_is_asked_to_stop_waits_for_no_service_that_hangs(
    installation: Installation, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "time", time)
    monkeypatch.setattr(alerting, "_STOPPING_S", 0.05)
    service.answer = "hang"
    installation.stop.set()
    began = time.monotonic()
    installation.tell(PAUSED)

    assert time.monotonic() - began < LONG_S / 2
    assert installation.ledger.alerts.failing() == {}


def _name(installation: Installation, number: int) -> str:
    return installation.alerts.channels[number].name


def _held(kind: str, count: int) -> list[Condition]:
    why = "the platform calls it unusable; " * 50
    return [Condition(kind, f"{kind} s{number} on meta", why, "Look.") for number in range(count)]


def test_however_much_there_is_to_tell_it_is_one_message_that_services_take() -> None:
    held = _held("audience", 200)
    message = alert_words.trouble([*held, PAUSED], {})
    over = alert_words.over([Told(each.key, each.subject, each.detail, NOW) for each in held])

    assert message.title == "cohortd: audience s0 on meta and 200 more needs somebody"
    assert message.body.count("\nLook.") == 5
    assert "audience: and 195 more. cohortd status lists what stands now." in message.body
    assert PAUSED.sentence in message.body
    assert len(message.body) < 5_000
    assert "audience: and 195 more" in over.body


def test_of_many_kinds_what_no_service_takes_is_left_out_and_that_is_said() -> None:
    message = alert_words.trouble([each for kind in range(20) for each in _held(f"kind{kind}", 9)], {})

    assert 15_000 < len(message.body) < 21_000
    assert message.body.endswith("There is more; cohortd status lists it.")
