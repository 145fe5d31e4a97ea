"""Runs the image as it is meant to be run: a read-only root, its own user, nothing but loopback.

Called in name spaces of its own: ``unshare --mount --net --uts --ipc python -m tests.container.inside``.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.container.places import FellShortError

_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 1
_MS_PRIVATE_REC: Final = 0x40000 | 0x4000
#: Character devices that every program expects: name -> major, minor.
_DEVICES: Final = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}
_PATIENCE_S: Final = 600


def raise_loopback() -> None:
    """Let 127.0.0.1 answer in this network of our own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


@dataclass(frozen=True, slots=True)
class Jail:
    """The image's files, mounted as an engine would, and commands in them."""

    root: Path
    config: dict[str, Any]
    settings: Path
    state: Path

    @property
    def user(self) -> str:
        """Numeric user and group, as an engine that enforces non-root wants them."""
        return str(self.config["User"])

    @property
    def env(self) -> dict[str, str]:
        """What the image sets, and nothing of the machine's."""
        return dict(each.split("=", 1) for each in self.config["Env"])

    def close_up(self) -> None:
        """Mount the volumes and make all else read-only."""
        ctypes.CDLL(None, use_errno=True).mount(None, b"/", None, _MS_PRIVATE_REC, None)
        _mount("--bind", self.root, self.root)
        _mount("--bind", self.settings, self.root / "etc/cohortd")
        _mount("-o", "remount,bind,ro", self.root / "etc/cohortd")
        _mount("--bind", self.state, self.root / "var/lib/cohortd")
        _mount("-t", "tmpfs", "tmpfs", self.root / "tmp")
        _mount("-t", "tmpfs", "tmpfs", self.root / "dev")
        for name, numbers in _DEVICES.items():
            os.mknod(self.root / "dev" / name, 0o020666, os.makedev(*numbers))
            (self.root / "dev" / name).chmod(0o666)
        _mount("-t", "proc", "proc", self.root / "proc")
        _mount("-o", "remount,bind,ro", self.root)

    def command(self, *arguments: str, first: bool = False) -> list[str]:
        """Write a command as this image's user; *first* makes it the first process of its own."""
        chroot = [str(shutil.which("chroot")), f"--userspec={self.user}", "--groups=", str(self.root)]
        alone = [str(shutil.which("unshare")), "--pid", "--fork", f"--mount-proc={self.root / 'proc'}"]
        return [*(alone if first else []), *chroot, *arguments]

    def call(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """Run a command to its end.

        Raises:
            FellShortError: It took too long or ended with another code.
        """
        done = subprocess.run(
            self.command(*arguments),
            env=self.env,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        if done.returncode not in codes:
            said = (done.stdout + done.stderr)[-2000:]
            raise FellShortError(f"{' '.join(arguments)} ended with {done.returncode}: {said}")
        return done.stdout

    def start(
        self, *arguments: str, log: Path, first: bool = False, **more: str
    ) -> "subprocess.Popen[bytes]":
        """Start a command that stays, with *more* in its environment."""
        command = self.command(*arguments, first=first)
        with log.open("wb") as file:
            return subprocess.Popen(command, env={**self.env, **more}, stdout=file, stderr=file)


def until_said(process: "subprocess.Popen[bytes]", log: Path, words: str) -> None:
    """Wait until a process has said something.

    Raises:
        FellShortError: It ended before, or never did.
    """
    until = time.monotonic() + _PATIENCE_S
    while words not in (said := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > until:
            raise FellShortError(f"never said {words!r}; the last of it: {said[-2000:]}")
        time.sleep(0.05)


def first_child(process: "subprocess.Popen[bytes]") -> int:
    """Find the process that ``unshare`` started, from outside its name space."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(children.read_text().split()[0])


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process that is no longer needed."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()


def main() -> int:
    """Run every proof in the image named on the command line; a line each."""
    from tests.container.proofs import prove_all  # noqa: PLC0415 - proofs use this module

    asked = json.loads(sys.argv[1])
    jail = Jail(
        root=Path(asked["root"]),
        config=asked["config"],
        settings=Path(asked["settings"]),
        state=Path(asked["state"]),
    )
    raise_loopback()
    jail.close_up()
    return 0 if prove_all(jail, logs=Path(asked["logs"])) else 1


if __name__ == "__main__":
    sys.exit(main())
