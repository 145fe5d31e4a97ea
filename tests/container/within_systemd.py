"""What the unit must do, a sentence each; runs alone, as root, in the system that systemd booted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

COHORTD = "/opt/cohortd/bin/cohortd"
SETTINGS = Path("/etc/cohortd/cohortd.yaml")
STATE = "/var/lib/cohortd"
#: As docs/operations.md has a person call commands.
AS_ITS_USER = (
    *("setpriv", "--reuid=cohortd", "--regid=cohortd", "--clear-groups", "env"),
    *(f"COHORTD_CONFIG={SETTINGS}", f"COHORTD_DATA_DIR={STATE}", COHORTD),
)
EMULATORS = (
    *("systemd-run", "--quiet", "--unit=platforms", "-p", "User=cohortd", "-p", "StateDirectory=platforms"),
    *(COHORTD, "emulate", "--grpc-port", "9090", "--meta-port", "9092", "--state", "/var/lib/platforms"),
)
PATIENCE_S = 300


class ShortError(Exception):
    """Something is not as it should be."""


def call(*command: str, code: int = 0) -> str:
    """Run a command to its end."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode != code:
        raise ShortError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def journal() -> list[str]:
    """Return what the unit said since the system was booted."""
    return call("journalctl", "--boot", "--unit=cohortd", "--output=cat", "--no-pager").splitlines()


def told(name: str) -> str:
    """Return what systemd knows of the unit."""
    return call("systemctl", "show", "--property", name, "--value", "cohortd").strip()


def until(holds: Callable[[], bool], what: str) -> float:
    """Wait until something holds; return how long it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > PATIENCE_S:
            raise ShortError(f"never {what}; the last of it: {journal()[-5:]}")
        time.sleep(0.1)
    return time.monotonic() - began


def until_said(words: str, *, since: int) -> float:
    """Wait for words in the journal after so many lines."""
    return until(lambda: any(words in line for line in journal()[since:]), f"said {words!r}")


def start() -> str:
    """Start, and wait for a sync to end well."""
    call(*EMULATORS)
    # A sync that finds no platform ends by an error, and is done again at the next turn.
    until(
        lambda: "meta: http" in call("journalctl", "--boot", "--unit=platforms", "--output=cat"),
        "platforms",
    )
    call("systemctl", "start", "cohortd")
    until(
        lambda: any('"run_finished"' in line and '"done"' in line for line in journal()), "finished a sync"
    )
    return "leads, and its first sync is done"


def commands() -> str:
    """Call what a person calls, as the unit's user."""
    until(
        lambda: subprocess.run([*AS_ITS_USER, "status"], capture_output=True, check=False).returncode == 0,
        "well",
    )
    call(*AS_ITS_USER, "status", "--health")
    lines = call(*AS_ITS_USER, "doctor", "--deep").splitlines()
    call(*AS_ITS_USER, "backup", "/var/backups/cohortd")
    return f"status and health are well, a backup beside it is made, doctor finds {len(lines)} lines well"


def sandbox() -> str:
    """Ask systemd how much the unit may still do."""
    said = call("systemd-analyze", "security", "--no-pager", "cohortd").splitlines()[-1]
    return said.partition("level for cohortd.service: ")[2].partition(" ")[0] + " of 10 exposed"


def reload() -> str:
    """Read changed settings."""
    before = len(journal())
    SETTINGS.write_text(SETTINGS.read_text().replace("minimum_size: 100", "minimum_size: 110"))
    call("systemctl", "reload", "cohortd")
    took = until_said("settings_replaced", since=before)
    heard = sum("settings_read" in line for line in journal()[before:])
    if heard != 1:
        raise ShortError(f"the settings were read {heard} times")
    return f"new settings hold after {took:.1f} s"


def kill() -> str:
    """Kill it as nobody should: systemd starts it again, and it leads."""
    before, pid = len(journal()), told("MainPID")
    os.kill(int(pid), signal.SIGKILL)
    took = until_said("leadership_taken", since=before)
    if told("MainPID") in {pid, "0"}:
        raise ShortError("it is not another process")
    return f"leads again {took:.1f} s after a SIGKILL"


def stop() -> str:
    """Stop it."""
    began = time.monotonic()
    call("systemctl", "stop", "cohortd")
    took = time.monotonic() - began
    if (found := (told("Result"), told("ExecMainStatus"))) != ("success", "0"):
        raise ShortError(str(found))
    return f"ended with 0 after {took:.1f} s"


def broken_settings() -> str:
    """Start it with settings that cannot be used: it says so, and is not started again and again."""
    SETTINGS.write_text(SETTINGS.read_text() + "\nnonsense: 1\n")
    call("systemctl", "start", "cohortd")
    until(lambda: told("ActiveState") == "failed", "failed")
    time.sleep(2 * float(told("RestartUSec").removesuffix("s")))
    found = (told("ActiveState"), told("ExecMainStatus"), told("NRestarts"))
    if found != ("failed", "2", "0"):
        raise ShortError(str(found))
    return "ended with 2 and was not started again"


PROOFS = (start, commands, sandbox, reload, kill, stop, broken_settings)


def main() -> None:
    """Run every proof."""
    for proof in PROOFS:
        name = proof.__name__.replace("_", " ")
        try:
            print(f"ok  under systemd, {name}: {proof()}", flush=True)  # noqa: T201 - the answer
        except (ShortError, subprocess.TimeoutExpired) as error:
            print(f"BAD under systemd, {name}: {error}", flush=True)  # noqa: T201 - the answer
    print("end", flush=True)  # noqa: T201 - tells that all were tried


if __name__ == "__main__":
    sys.exit(main())
