"""Signals to a real daemon: settings read again, a clean end, also as the first process of a container."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from shop import Answer

from cohortd.cli.entry import run

JOBS = ("recluster", "sync", "revocations", "polling", "reconciliation", "sizes", "heads", "housekeeping")
QUIET = dict.fromkeys(JOBS)


class Daemon:
    """A daemon over a shop without platforms, whose log is read as it comes."""

    def __init__(self, folder: Path, *before: str, **settings: object) -> None:
        self.folder = folder
        self.log = folder / "log"
        (folder / "customers.csv").write_text("customer_id\nc1\n")
        self.write(**{"schedule": QUIET, **settings})
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-c", "from cohortd.cli import main; main()", *self.line("run")],
                stdout=log,
                stderr=log,
            )

    def line(self, *arguments: str) -> list[str]:
        return [*arguments, "-c", str(self.folder / "cohortd.yaml")]

    def write(self, **settings: object) -> None:
        sources = {"customers": {"path": "customers.csv"}}
        whole = {"sources": sources, "destinations": [], "log_level": "info", **settings}
        (self.folder / "cohortd.yaml").write_text(yaml.safe_dump(whole))

    def told(self, event: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def catches(self, number: signal.Signals) -> bool:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught, 16) >> (number - 1) & 1)

    def until(self, is_so: Callable[[], object]) -> None:
        ends = time.monotonic() + 120
        while not is_so():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture
def daemons() -> Iterator[list[Daemon]]:
    started: list[Daemon] = []
    yield started
    for each in started:
        each.process.kill()
        each.process.wait(120)


def _status(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> Answer:
    capsys.readouterr()
    code = run([*daemon.line("status"), "--json"])
    return Answer(code, capsys.readouterr().out, "")


def test_settings_are_read_again_and_what_only_computes_holds_up_no_end(
    tmp_path: Path, daemons: list[Daemon], capsys: pytest.CaptureFixture[str]
) -> None:
    daemons.append(daemon := Daemon(tmp_path))
    daemon.until(lambda: daemon.told("leadership_taken"))

    daemon.write(schedule={**QUIET, "sync": "never"})
    daemon.process.send_signal(signal.SIGHUP)
    daemon.until(lambda: daemon.told("settings_not_read"))
    broken = daemon.told("settings_not_read")

    silent = socket.create_server(("127.0.0.1", 0))
    silent.settimeout(120)
    url = f"postgresql://nobody:x@127.0.0.1:{silent.getsockname()[1]}/none"
    sources = {"customers": {"path": "customers.csv"}, "consent": {"url": url, "query": "SELECT 1"}}
    waiting = {**QUIET, "revocations": "1h"}
    daemon.write(schedule=waiting, sources=sources)
    daemon.process.send_signal(signal.SIGHUP)
    asked, _ = silent.accept()  # by whoever now waits for a database that says nothing
    mended = _status(daemon, capsys)
    daemon.write(schedule={**waiting, "heads": "1h"}, sources=sources)
    daemon.process.send_signal(signal.SIGHUP)
    again, _ = silent.accept()  # by the job of the next settings, beside the one that was left
    daemon.process.send_signal(signal.SIGTERM)
    code = daemon.process.wait(120)
    for each in (asked, again, silent):
        each.close()

    assert [each["level"] for each in broken] == ["error"]
    assert "schedule.sync" in str(broken)
    changed = [["schedule.revocations", "sources.consent"], ["schedule.heads"]]
    assert [each["changed"] for each in daemon.told("settings_read")] == changed
    assert mended.code == 0, mended.out
    assert [job["name"] for job in mended.json["jobs"]] == ["revocations"]
    assert (code, [each["jobs"] for each in daemon.told("jobs_left")]) == (0, [["revocations"]] * 2)


def test_it_ends_in_its_grace_also_while_its_database_says_nothing(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    silent.settimeout(120)
    url = f"postgresql://nobody:x@127.0.0.1:{silent.getsockname()[1]}/none?connect_timeout=600"
    daemons.append(daemon := Daemon(tmp_path, database=url, schedule={**QUIET, "grace": "2s"}))
    asked, _ = silent.accept()
    daemon.process.send_signal(signal.SIGTERM)
    code = daemon.process.wait(120)
    asked.close()
    silent.close()

    assert code == 0
    assert daemon.told("leadership_taken") == []


def test_it_ends_when_its_ledger_is_of_no_use_though_a_job_hangs(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    silent.settimeout(120)
    url = f"postgresql://nobody:x@127.0.0.1:{silent.getsockname()[1]}/none?connect_timeout=600"
    sources = {"customers": {"path": "customers.csv"}, "consent": {"url": url, "query": "SELECT 1"}}
    schedule = {**QUIET, "revocations": "1h", "grace": "2s"}
    daemons.append(daemon := Daemon(tmp_path, schedule=schedule, sources=sources))
    asked, _ = silent.accept()
    [ledger] = tmp_path.rglob("cohortd.db")
    ledger.unlink()
    ledger.mkdir()
    daemon.write(schedule={**schedule, "heads": "1h"}, sources=sources)
    daemon.process.send_signal(signal.SIGHUP)
    code = daemon.process.wait(120)
    asked.close()
    silent.close()

    assert code == 1
    assert "cohortd.db cannot be opened for writing" in daemon.log.read_text()


def test_a_reload_while_it_still_loads_does_not_end_it(tmp_path: Path, daemons: list[Daemon]) -> None:
    daemons.append(daemon := Daemon(tmp_path))
    daemon.until(lambda: daemon.catches(signal.SIGTERM))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.process.send_signal(signal.SIGTERM)

    assert daemon.process.wait(120) == 0


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="needs to make a process the first of its own",
)
def test_as_the_first_process_it_hears_signals_and_a_second_one_ends_it_at_once(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    daemons.append(daemon := Daemon(tmp_path, "unshare", "--pid", "--fork", "--kill-child"))
    daemon.until(lambda: daemon.told("leadership_taken"))
    outer = daemon.process.pid
    inner = int(Path(f"/proc/{outer}/task/{outer}/children").read_text())
    children = Path(f"/proc/{inner}/task/{inner}/children").read_text()
    os.kill(inner, signal.SIGSTOP)  # so that both are there before it looks
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(inner, number)
    os.kill(inner, signal.SIGCONT)

    assert children == ""
    assert daemon.process.wait(120) in {128 + signal.SIGTERM, 128 + signal.SIGINT}
    assert daemon.told("daemon_stopped") == []
