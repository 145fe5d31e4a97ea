"""What the proof works with: its folder, and the tools it needs."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

ROOT: Final = Path(__file__).parents[2]
#: Tool -> Debian's package of it.
TOOLS: Final = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "chroot": "coreutils",
    "mount": "mount",
}


class FellShortError(Exception):
    """Something about the container is not as it should be."""


def lacking(more: Mapping[str, str] = MappingProxyType({})) -> str:
    """Say what stands in the way of a proof on this machine; empty where nothing does.

    Args:
        more: Tools beside the usual ones, with their packages.
    """
    if os.geteuid() != 0:
        return "only root may mount and change roots"
    missing = sorted({package for tool, package in {**TOOLS, **more}.items() if shutil.which(tool) is None})
    if missing:
        return f"missing: apt-get install -y {' '.join(missing)}"
    tried = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "this machine lets nobody make name spaces"


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder of the proof's own, and what it runs there, at the lowest priority."""

    folder: Path

    def run(self, *command: str | Path, log: str) -> str:
        """Run a tool; what it says goes to a file.

        Raises:
            FellShortError: It failed; the last lines of what it said follow.
        """
        path = self.folder / f"{log}.log"
        with path.open("w", encoding="utf-8") as file:
            done = subprocess.run(
                ["nice", "-n", "15", *map(str, command)],
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                check=False,
            )
        if done.returncode != 0:
            last = (path.read_text(encoding="utf-8") + done.stdout).splitlines()[-12:]
            raise FellShortError(f"{log} failed, see {path}:\n    " + "\n    ".join(last))
        with path.open("a", encoding="utf-8") as file:
            file.write(done.stdout)
        return done.stdout

    def buildah(self, *arguments: str | Path, log: str) -> str:
        """Run buildah with a store of its own, so that nothing of the machine's is touched."""
        store = (
            "--storage-driver",
            "vfs",
            "--root",
            self.folder / "store",
            "--runroot",
            self.folder / "run",
        )
        return self.run("buildah", *store, *arguments, log=log)
