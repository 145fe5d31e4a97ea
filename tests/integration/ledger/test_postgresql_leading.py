"""Two processes on one PostgreSQL ledger: whoever leads, and whoever no longer does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from ledger_server import Server
from ledger_world import GOOGLE, META, World, crowd, everybody
from sqlalchemy.engine import make_url

from cohortd.core.errors import NotLeaderError
from cohortd.ledger.dialects import postgresql_lead

TESTS = Path(__file__).parents[2] / "unit" / "ledger"
#: Leads, claims a batch, says so, and when told to go on tries everything that changes a batch.
SENDER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from ledger_world import World
from cohortd.core.errors import NotLeaderError
world = World(Path({folder!r}), {url!r})
with world.ledger.leadership() as world.epoch:
    claimed = world.must_claim()
    world.send(claimed)
    print("sent", flush=True)
    sys.stdin.readline()
    for change in (lambda: world.settle(claimed), lambda: world.postpone(claimed), world.claim):
        try:
            change()
            print("done", flush=True)
        except NotLeaderError:
            print("refused", flush=True)
"""
#: The lock's holders: its number is the second advisory lock of ours.
HOLDERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1668245506"
)


@pytest.fixture
def ledger(server: Server) -> str:
    return server.fresh()


def test_a_leader_that_was_stopped_and_wakes_up_changes_nothing_any_more(
    server: Server, ledger: str, tmp_path: Path
) -> None:
    world = World(tmp_path, ledger)
    world.plan({GOOGLE: crowd(5)})
    program = SENDER.format(tests=str(TESTS), folder=str(tmp_path), url=ledger)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as old:
        assert old.stdout is not None
        assert old.stdin is not None
        assert old.stdout.readline() == "sent\n"
        os.kill(old.pid, signal.SIGSTOP)
        with pytest.raises(NotLeaderError), world.ledger.leadership():
            pass
        # What the server does after a minute of silence: a test does not wait for it.
        server.run(HOLDERS)
        with lead_soon(world) as world.epoch:
            assert world.drain() == 1
            os.kill(old.pid, signal.SIGCONT)
            said = old.communicate("\n")[0]

    assert said == "refused\n" * 3
    assert world.in_ledger(GOOGLE) == everybody(*crowd(5))
    assert world.states(GOOGLE) == {"present": 5}
    world.ledger.close()


def test_the_server_ends_a_leaders_connection_that_says_nothing(ledger: str, tmp_path: Path) -> None:
    world = World(tmp_path, ledger)
    with world.ledger.leadership():
        lead = world.ledger._database._lead
        row = lead._driver.execute("SHOW idle_session_timeout").fetchone()

    assert row == ("1min",)
    assert postgresql_lead.SIGN_OF_LIFE_S < postgresql_lead.SILENT_AT_MOST_S / 3
    world.ledger.close()


def test_a_leader_whose_lock_is_lost_claims_nothing_more(
    server: Server, ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_lead, "SIGN_OF_LIFE_S", 0.01)
    world = World(tmp_path, ledger)
    world.plan({GOOGLE: crowd(2), META: crowd(2)})
    with world.ledger.leadership() as world.epoch:
        claimed = world.must_claim()
        assert world.ledger.leads(world.epoch)
        server.run(HOLDERS)
        assert world.ledger._database._lead.lost.wait(60)

        assert not world.ledger.leads(world.epoch)
        with pytest.raises(NotLeaderError, match="lost"):
            world.claim()
        world.settle(claimed)  # nobody else leads: what is known is kept
    with world.ledger.leadership() as world.epoch:
        assert world.drain() == 1
    world.ledger.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_daemon_that_stands_by_leads_as_soon_as_the_leader_is_gone(
    number: signal.Signals, ledger: str, tmp_path: Path
) -> None:
    with daemon(tmp_path, ledger) as first:
        assert first.leads()
        with daemon(tmp_path, ledger) as second:
            assert not second.has_said("leadership_taken")
            first.process.send_signal(number)
            code = first.process.wait(60)

            assert code == (0 if number == signal.SIGTERM else -number)
            assert second.leads()


def test_a_daemon_that_lost_the_lead_while_it_was_stopped_stands_by(
    server: Server, ledger: str, tmp_path: Path
) -> None:
    with daemon(tmp_path, ledger) as first:
        assert first.leads()
        with daemon(tmp_path, ledger) as second:
            assert second.says("leadership_awaited")  # it began before the other may stop amid a write
            first.process.send_signal(signal.SIGSTOP)
            server.run(HOLDERS)
            assert second.leads()
            first.process.send_signal(signal.SIGCONT)

            assert first.says("leadership_lost")
            assert first.process.poll() is None
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(60) == 0
            assert first.leads(times=2)


def test_a_daemon_waits_for_a_database_that_does_not_answer(
    server: Server, ledger: str, tmp_path: Path
) -> None:
    name = make_url(ledger).database
    with daemon(tmp_path, ledger) as alone:
        assert alone.leads()
        server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert alone.says("leadership_lost")
        assert alone.says("ledger_not_reached")
        settings = alone.log.with_name("cohortd.yaml")
        settings.write_text(settings.read_text() + "log_levels: {ledger: debug}\n")
        alone.process.send_signal(signal.SIGHUP)
        assert alone.says("settings_not_used")  # for the moment
        server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert alone.leads(times=2)
        assert alone.process.poll() is None


@contextmanager
def lead_soon(world: World) -> Iterator[int]:
    """Lead as soon as nobody does: a server needs a moment to see that a process is gone."""
    with ExitStack() as stack:
        while True:
            with suppress(NotLeaderError):
                epoch = stack.enter_context(world.ledger.leadership())
                break
        yield epoch


class Daemon:
    """A daemon that runs, and what it says."""

    def __init__(self, folder: Path, url: str) -> None:
        number = len(list(folder.glob("daemon-*")))
        home = folder / f"daemon-{number}"
        home.mkdir()
        (home / "customers.csv").write_text("customer_id,email\n1,a@example.com\n")
        (home / "cohortd.yaml").write_text(
            "sources: {customers: {path: customers.csv}}\n"
            "schedule: {recluster: null, sync: null, revocations: null, polling: null}\n"
        )
        self.log = home / "log"
        command = [
            sys.executable,
            "-c",
            "from cohortd.cli import main; main()",
            "run",
            "-c",
            str(home / "cohortd.yaml"),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "COHORTD_DATABASE": url}
            )

    def has_said(self, event: str, *, times: int = 1) -> bool:
        return self.log.read_text().count(event) >= times

    def says(self, event: str, *, times: int = 1) -> bool:
        """Wait until it says so; the test's own time limit ends the wait."""
        while not self.has_said(event, times=times):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        return True

    def leads(self, *, times: int = 1) -> bool:
        return self.says("leadership_taken", times=times)


@contextmanager
def daemon(folder: Path, url: str) -> Iterator[Daemon]:
    started = Daemon(folder, url)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
