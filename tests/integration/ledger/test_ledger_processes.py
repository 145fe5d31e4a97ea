import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "ledger"))

from ledger_world import GOOGLE, META, FakeSealer, World, crowd, everybody

from cohortd.core.delivery import BatchState, Lane, Receipt
from cohortd.core.errors import NotLeaderError
from cohortd.ledger import Ledger

LEADER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from ledger_world import FakeSealer
from cohortd.ledger import Ledger
with Ledger.open({url!r}, sealer=FakeSealer(), state_dir=Path({folder!r})) as ledger:
    with ledger.leadership() as epoch:
        print(epoch, flush=True)
        sys.stdin.read()
"""


@contextmanager
def lead_soon(ledger: Ledger) -> Iterator[int]:
    """Lead as soon as nobody does: a server needs a moment to see that a process is gone."""
    with ExitStack() as stack:
        while True:
            with suppress(NotLeaderError):
                epoch = stack.enter_context(ledger.leadership())
                break
        yield epoch


def test_two_processes_cannot_both_lead_and_a_killed_leader_gives_way(world: World, tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[2] / "unit" / "ledger")
    program = LEADER.format(tests=tests, url=world.url, folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as leader:
        assert leader.stdout is not None
        epoch = int(leader.stdout.readline())
        assert epoch == world.epoch + 1
        with pytest.raises(NotLeaderError), world.ledger.leadership():
            pass
        with pytest.raises(NotLeaderError):
            world.claim()
        world.revoke(crowd(1)[0])  # whoever does not lead can still record a revocation
        leader.kill()
        leader.wait()
        with lead_soon(world.ledger) as mine:
            assert mine == epoch + 1


def test_threads_of_one_process_share_the_ledger(world: World, tmp_path: Path) -> None:
    """A sync and a revocation lane at once, as the daemon runs them."""
    persons = crowd(120)
    world.rows_per_batch = 10
    world.plan({GOOGLE: persons, META: persons})
    revoking = threading.Event()

    def send(lane: Lane) -> None:
        while (claimed := world.claim(lane)) is not None or not revoking.is_set():
            if claimed is not None:
                world.platform.apply(claimed.batch)
                world.settle(claimed, Receipt(BatchState.CONFIRMED))

    def revoke() -> None:
        for person in persons[:20]:
            world.revoke(person, extra=True)
        revoking.set()

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(revoke), *(pool.submit(send, lane) for lane in Lane)]:
            done.result(60)
    world.drain()

    assert world.on_platform(GOOGLE) == world.in_ledger(GOOGLE) == everybody(*persons[20:])
    assert world.on_platform(META) == world.in_ledger(META) == everybody(*persons[20:])


def test_a_reader_sees_one_state_while_another_process_writes(world: World, tmp_path: Path) -> None:
    persons = crowd(50)
    world.sync({GOOGLE: persons})
    with (
        Ledger.open(world.url, sealer=FakeSealer(), state_dir=tmp_path) as other,
        other._database.read() as seen,
    ):
        before = seen.exec_driver_sql("SELECT count(*) FROM membership").scalar_one()
        world.sync({GOOGLE: []})
        assert seen.exec_driver_sql("SELECT count(*) FROM membership").scalar_one() == before == 100
