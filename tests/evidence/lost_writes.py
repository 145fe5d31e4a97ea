"""Power fails at any moment: what was not synced is lost, kept or torn; then the ledger is reopened."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pysqlite3

from tests.evidence import power
from tests.evidence.points import nothing
from tests.evidence.processes import in_a_process
from tests.evidence.records import ROOT, BrokenLawError, LackingError, Outcome, Progress, quick_folder
from tests.evidence.story import live

RECORDER = Path(__file__).with_name("recorder.c")
OURS, THEIRS = "ours", "theirs"


def lose_writes(*, runs: int | None, seed: int, progress: Progress) -> Outcome:
    """Record a full cycle, cut the power at so many moments, recover, compare.

    Raises:
        BrokenLawError: A law was broken, or another end was reached.
        LackingError: There is no C compiler, or this is no Linux.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=quick_folder()) as name:
        records, root, wanted = _record(Path(name))
    cuts = _cuts(records, root, most=runs or 400, chance=chance)
    disk, at_risk, done = power.Disk(root), 0, 0
    for number, record in enumerate(records):
        disk.replay(record)
        for _ in range(cuts.count(number)):
            at_risk += _fail_and_recover(disk, wanted, chance, where=f"record {number}, seed {seed}")
            done += 1
            progress(done, len(cuts), f"{at_risk} writes at risk")
    syncs = sum(record.kind is power.Kind.SYNCED for record in records)
    return Outcome(
        runs=len(cuts),
        counts={
            "writes recorded": sum(record.kind is power.Kind.WRITTEN for record in records),
            "syncs recorded": syncs,
            "power failures": len(cuts),
            "unsynced writes at their mercy": at_risk,
            "ends equal to the undisturbed run's": len(cuts),
        },
    )


def _record(folder: Path) -> tuple[list[power.Record], Path, str]:
    """Live through the story in a process whose writes are recorded; return them and its end."""
    library, log, root = folder / "recorder.so", folder / "log", folder / "files"
    _compile(library)
    for each in (OURS, THEIRS):
        (root / each).mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.evidence.lost_writes", str(root)],
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "RECORDER_LOG": str(log),
            "RECORDER_FOLDER": str(root),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BrokenLawError(f"the undisturbed run failed: {done.stderr[-2000:]}")
    return list(power.read(log)), root, done.stdout.splitlines()[-1]


def _compile(library: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        raise LackingError("there is no C compiler here, or this is no Linux: nothing was recorded")
    command = [compiler, "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(RECORDER)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True)


def _cuts(records: list[power.Record], root: Path, *, most: int, chance: random.Random) -> list[int]:
    """Choose moments: half of them right after a platform did something, which is when a loss tells."""
    disk = power.Disk(root)
    outside, inside = [], []
    for number, record in enumerate(records):
        path = disk.replay(record)
        if path is not None:
            (outside if path.parts[0] == THEIRS else inside).append(number)
    half = min(most // 2, len(outside))
    return sorted([*chance.sample(outside, half), *chance.choices(inside, k=most - half)])


def _fail_and_recover(disk: power.Disk, wanted: str, chance: random.Random, *, where: str) -> int:
    with tempfile.TemporaryDirectory(dir=quick_folder()) as name:
        folder = Path(name)
        for each in (OURS, THEIRS):
            (folder / each).mkdir()
        at_risk = disk.write(folder, safe=THEIRS, chance=chance)
        page = folder / "end.json"

        def recover() -> None:
            _check_whole(folder / OURS / "cohortd.db")
            state = live(folder / OURS, foreign=folder / THEIRS, listen=nothing, life=1)
            page.write_text(json.dumps(state, sort_keys=True))

        in_a_process(recover)
        if page.read_text() != wanted:
            raise BrokenLawError(f"power failed at {where}: another end was reached")
    return at_risk


def _check_whole(database: Path) -> None:
    """The file is sound before anybody mends anything; SQLite goes through its log when it opens it."""
    if database.exists():
        connection = pysqlite3.connect(database)
        found = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        assert found == [("ok",)], f"the database is broken: {found[:3]}"


if __name__ == "__main__":
    where = Path(sys.argv[1])
    print(json.dumps(live(where / OURS, foreign=where / THEIRS, listen=nothing, life=0), sort_keys=True))  # noqa: T201
