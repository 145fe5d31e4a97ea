"""What the image weighs and whether two builds of it are the same."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: The most that the unpacked image may weigh, its base included.
BAR_MB: Final = 900
_MB: Final = 1_000_000


def files_of(root: Path) -> Iterator[Path]:
    """Every file below, no link followed."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def megabytes(root: Path) -> float:
    """What all files below weigh; one with several names once."""
    seen: dict[tuple[int, int], int] = {}
    for path in files_of(root):
        found = path.lstat()
        seen[found.st_dev, found.st_ino] = found.st_size
    return sum(seen.values()) / _MB


def heaviest(packages: Path, count: int) -> list[tuple[str, float]]:
    """The packages that weigh most, with their megabytes; libraries beside them count for them."""
    sizes: Counter[str] = Counter()
    for path in files_of(packages):
        first = path.relative_to(packages).parts[0]
        sizes[first.removesuffix(".libs").removesuffix(".py").partition(".cpython")[0]] += (
            path.stat().st_size
        )
    return [(name, size / _MB) for name, size in sizes.most_common(count)]


def digests(root: Path) -> dict[str, str]:
    """Path -> mode and SHA-256, for every file; links by where they lead."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                what = f"-> {path.readlink()}"
            elif stat.S_ISREG(mode):
                what = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                continue
            found[str(path.relative_to(root))] = f"{mode:o} {what}"
    return found


def differing(one: Path, other: Path) -> list[str]:
    """Files that are not the same, or only in one of both."""
    left, right = digests(one), digests(other)
    return sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))
