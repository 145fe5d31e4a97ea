"""Kills a process at every point of a small story, and looks at what the next one makes of it.

Started by a test as a program of its own: it forks for each point, so that Python and the libraries
are loaded once. ``python ledger_crashing.py FIRST STEP [AGAIN] [--url URL]``: from which point on, every
how many, and at which point of the recovery it is killed a second time; ``{database}`` in URL stands for
the name of a new database of a server.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from sqlalchemy import Engine, event

sys.path.insert(0, str(Path(__file__).parents[3]))
sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "ledger"))

from ledger_server import Server
from ledger_world import GOOGLE, META, FakePlatform, Person, World, crowd, everybody

from cohortd.core.delivery import Action, Batch
from cohortd.ledger.late import LANDS_WITHIN
from tests.evidence.processes import in_a_process

BEFORE = crowd(5)
GONE = BEFORE[0]
AFTER = [BEFORE[1], Person("p2", email="new@x"), BEFORE[3], *crowd(7)[5:]]


class Points:
    """Counts the instants at which a crash leaves something else behind; kills at the chosen one."""

    def __init__(self, deadly: int | None) -> None:
        self.deadly = deadly
        self.count = 0

    def __call__(self, *_: object) -> None:
        self.count += 1
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


class FilePlatform(FakePlatform):
    """Keeps its members in a file, and applies a batch one identifier after the other."""

    def __init__(self, path: Path, point: Points) -> None:
        super().__init__()
        self.path = path
        self.point = point
        if path.exists():
            for remote, members in json.loads(path.read_text()).items():
                self.members[remote] = {(kind, bytes.fromhex(digest)) for kind, digest in members}

    def apply(self, batch: Batch) -> None:
        for member in batch.members:
            for identifier in member.identifiers:
                self.point()
                change = set.add if batch.action is Action.ADD else set.discard
                change(self.members[batch.remote_id], (int(identifier.kind), identifier.digest))
                self._save()
        self.point()

    def _save(self) -> None:
        part = self.path.with_suffix(".part")
        members = {r: sorted((kind, digest.hex()) for kind, digest in m) for r, m in self.members.items()}
        part.write_text(json.dumps(members))
        part.replace(self.path)


def live(folder: Path, point: Points, url: str) -> None:
    """Two syncs with a revocation between; whoever comes after a crash does the same again."""
    world = World(folder, url)
    world.platform = FilePlatform(folder / "platform.json", point)
    world.rows_per_batch = 3
    world.check_superset()
    if not world.ledger.members.of_member(AFTER[-1].key):
        world.sync({GOOGLE: BEFORE, META: BEFORE})
    world.revoke(GONE)
    for _ in range(2):
        world.sync({GOOGLE: AFTER, META: AFTER})
    # Only then can no add land any more whose answer a crash lost; a revocation is repeated.
    world.now += LANDS_WITHIN
    world.sync({GOOGLE: AFTER, META: AFTER})
    assert world.on_platform(GOOGLE) == world.in_ledger(GOOGLE) == everybody(*AFTER)
    assert world.on_platform(META) == world.in_ledger(META) == everybody(*AFTER)
    assert world.ledger.outbox.open_batches() == []
    entries = list(world.ledger.removals.entries())
    assert [entry.previous for entry in entries] == ["", *(entry.hash for entry in entries[:-1])]
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert world.ledger.removals.witnesses()[-1:] == [*filter(None, [world.ledger.removals.head()])]
    assert world.deltas({GOOGLE: AFTER, META: AFTER})[GOOGLE].adds == 0
    world.ledger.close()


def attempt(folder: Path, deadly: int | None, url: str) -> int:
    """Live through the story, killed at a point."""

    def work() -> None:
        point = Points(deadly)
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, name, point)
        live(folder, point, url)

    return in_a_process(work)


def fresh(pattern: str, number: int) -> str:
    """Make a database for one story, where a server is given."""
    if not pattern:
        return ""
    server = Server(pattern.format(database="postgres"))
    return server.fresh(f"crash_{number}")


def main(first: int, step: int, again: int | None, pattern: str) -> None:
    """Kill at every *step*-th point, recover, and say how many kills there were."""
    kills, deadly = 0, first
    while True:
        url = fresh(pattern, deadly)
        with tempfile.TemporaryDirectory() as name:
            if attempt(Path(name), deadly, url) != signal.SIGKILL:
                break
            kills += 1
            if again is not None and attempt(Path(name), again, url) == signal.SIGKILL:
                kills += 1
            assert attempt(Path(name), None, url) == 0
        deadly += step
    sys.stdout.write(json.dumps({"kills": kills, "points": deadly}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int)
    parser.add_argument("step", type=int)
    parser.add_argument("again", type=int, nargs="?")
    parser.add_argument("--url", default="")
    asked = parser.parse_args()
    main(asked.first, asked.step, asked.again, asked.url)
