"""What the image must do, a sentence each."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.container.inside import Jail, first_child, stop, until_said
from tests.container.places import FellShortError

#: Ports of the rehearsal's endpoints; the network is the proof's own.
_EMULATE: Final = (
    "emulate",
    "--grpc-port",
    "9090",
    "--meta-port",
    "9092",
    "--state",
    "/var/lib/cohortd/platforms",
)
_MONITORING: Final = 9464
_LEADS: Final = "leadership_taken"
#: Every module of the product, and what it loads by name: the object stores, the other database.
_LOAD_ALL: Final = """
import importlib, pkgutil, re, matplotlib.pyplot, psycopg
from pyarrow.fs import AzureFileSystem, GcsFileSystem, S3FileSystem
names = [found.name for package in ("cohortd", "connectors", "clustering", "consent", "config")
         for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + ".")]
for name in names:
    if not re.search(r"\\.migrations|__main__|\\.native\\.kernel|^connectors\\.contract", name):
        importlib.import_module(name)
print(len(names))
"""
_WRITE: Final = "import pathlib; [pathlib.Path(p, 'x').touch() for p in ({places})]"

Proof = Callable[[Jail, Path], str]


def prove_all(jail: Jail, *, logs: Path) -> bool:
    """Run every proof; tell whether all held."""
    held = True
    with _platforms(jail, logs):
        for title, proof in PROOFS.items():
            began = time.monotonic()
            try:
                said, ok = proof(jail, logs), True
            except FellShortError as error:
                said, ok, held = str(error), False, False
            seconds = time.monotonic() - began
            print(f"{'ok ' if ok else 'BAD'} {title}: {said} ({seconds:.1f} s)", flush=True)  # noqa: T201
    return held


@contextmanager
def _platforms(jail: Jail, logs: Path) -> Iterator[None]:
    log = logs / "emulators.log"
    process = jail.start("cohortd", *_EMULATE, log=log)
    try:
        until_said(process, log, "9092")
        yield
    finally:
        stop(process)


def _version(jail: Jail, _logs: Path) -> str:
    return jail.call("cohortd", "--version").strip()


def _user(jail: Jail, _logs: Path) -> str:
    number = jail.user.partition(":")[0]
    if not number.isdigit() or number == "0":
        raise FellShortError(f"the user is {jail.user!r}")
    python = "/opt/cohortd/bin/python"
    jail.call(python, "-c", _WRITE.format(places="'/var/lib/cohortd', '/tmp'"))
    for place in ("/opt/cohortd", "/etc/cohortd", "/"):
        jail.call(python, "-c", _WRITE.format(places=f"'{place}',"), codes=(1,))
    return f"user {jail.user} writes to its state and /tmp, and nowhere else"


def _modules(jail: Jail, _logs: Path) -> str:
    return f"{jail.call('/opt/cohortd/bin/python', '-c', _LOAD_ALL).strip()} load"


def _kernel(jail: Jail, _logs: Path) -> str:
    checks = json.loads(jail.call("cohortd", "check", "--json"))["checks"]
    bad = [line for line in checks if not line["ok"]]
    if bad:
        raise FellShortError(json.dumps(bad))
    hashing = next(line["detail"] for line in checks if line["subject"] == "hashing")
    if not hashing.startswith("with the native kernel"):
        raise FellShortError(f"hashing: {hashing}")
    return f"{len(checks)} lines are well; hashing: {hashing}"


def _sync(jail: Jail, _logs: Path) -> str:
    told = json.loads(jail.call("cohortd", "sync", "--wait", "--timeout", "300", "--json"))
    added: dict[str, int] = {}
    for each in told["audiences"]:
        added[each["destination"]] = added.get(each["destination"], 0) + each["added"]
    if told["status"] != "done" or len(added) != 3 or not all(added.values()):
        raise FellShortError(json.dumps(told)[:2000])
    return "added " + ", ".join(f"{count:,} at {name}" for name, count in sorted(added.items()))


def _revocation(jail: Jail, _logs: Path) -> str:
    jail.call("cohortd", "revoke", "--customer", "r0001", "--reason", "proof")
    return jail.call("cohortd", "log", "verify").splitlines()[0]


def _state(jail: Jail, _logs: Path) -> str:
    made = json.loads(jail.call("cohortd", "backup", "/var/lib/cohortd/backups", "--json"))
    jail.call("cohortd", "restore", made["folder"])
    lines = jail.call("cohortd", "doctor", "--deep").splitlines()
    return f"{made['files']} files copied and put back; doctor finds {len(lines)} lines well"


def _health(jail: Jail, _logs: Path) -> str:
    kind, *command = jail.config["Healthcheck"]["Test"]
    if kind != "CMD":
        raise FellShortError(f"the health check needs a shell: {kind}")
    jail.call(*command)
    return f"{' '.join(command)} ends with 0"


def _daemon(jail: Jail, logs: Path) -> str:
    """The image's own command as the first process: one leads, and another as soon as it has ended."""
    leader = _start_daemon(jail, logs, "leader", _MONITORING)
    until_said(leader.process, leader.log, _LEADS)
    follower = _start_daemon(jail, logs, "follower", _MONITORING + 1)
    began = time.monotonic()
    stopped_s = _end(jail, leader)
    followed_s = _until_leads(follower, began)
    third = _start_daemon(jail, logs, "third", _MONITORING + 2)
    began = time.monotonic()
    os.kill(first_child(follower.process), signal.SIGKILL)
    follower.process.wait(60)
    replaced_s = _until_leads(third, began)
    _end(jail, third)
    return (
        f"led as process 1, healthy, ended with 0 {stopped_s:.1f} s after SIGTERM; one that stood by"
        f" led {followed_s:.1f} s after it, and a third one {replaced_s:.1f} s after a SIGKILL of that"
    )


@dataclass(frozen=True, slots=True)
class _Daemon:
    process: "subprocess.Popen[bytes]"
    log: Path


def _start_daemon(jail: Jail, logs: Path, name: str, port: int) -> _Daemon:
    """Start a daemon and wait until it is healthy, whether it leads or stands by."""
    command, log = (*jail.config["Entrypoint"], *jail.config["Cmd"]), logs / f"{name}.log"
    listen = {"COHORTD_MONITORING__LISTEN": f"127.0.0.1:{port}"}
    process = jail.start(*command, log=log, first=True, **listen)
    _ask_for_health(port)
    return _Daemon(process, log)


def _until_leads(daemon: _Daemon, began: float) -> float:
    """Wait until one that stood by leads; return how long after *began* it did."""
    until_said(daemon.process, daemon.log, _LEADS)
    return time.monotonic() - began


def _ask_for_health(port: int) -> None:
    """Ask as Kubernetes does."""
    url = f"http://127.0.0.1:{port}/healthz"
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError as error:  # not listening yet, or not well
            if time.monotonic() > until:
                raise FellShortError(f"{url}: {error}") from None
            time.sleep(0.5)


def _end(jail: Jail, daemon: _Daemon) -> float:
    """Ask a daemon to end, as an engine does; return how long it took."""
    asked = time.monotonic()
    # To the first process itself: the system would ignore the signal had it no handler.
    os.kill(first_child(daemon.process), getattr(signal, jail.config.get("StopSignal") or "SIGTERM"))
    code = daemon.process.wait(150)
    if code != 0:
        raise FellShortError(f"ended with {code}: {daemon.log.read_text()[-2000:]}")
    return time.monotonic() - asked


def _bill(jail: Jail, _logs: Path) -> str:
    bill = json.loads((jail.root / "opt/cohortd/sbom.cdx.json").read_text(encoding="utf-8"))
    return f"{bill['metadata']['component']['purl']} and {len(bill['components'])} packages are named"


PROOFS: Final[dict[str, Proof]] = {
    "version": _version,
    "user and places": _user,
    "modules": _modules,
    "bill of materials": _bill,
    "check": _kernel,
    "a first sync": _sync,
    "a revocation": _revocation,
    "backup, restore, doctor": _state,
    "health check": _health,
    "the daemon": _daemon,
}
