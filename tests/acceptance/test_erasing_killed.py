"""An erasure whose process dies: whoever goes on ends it as if nothing had happened."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from shop import Shop
from sqlalchemy import Engine, event

from cohortd import bootstrap
from cohortd.core.consenting import SubjectKind
from cohortd.daemon import Work
from cohortd.pipeline.erasing import ErasureState, erase, erasures
from cohortd.pipeline.revoking import Revocation
from tests.evidence.points import READING, Killed

#: Dies at every n-th step; at each: COHORTD_KILLS=100 pytest tests/acceptance/test_erasing_killed.py
EVERY = 1 if "COHORTD_KILLS" in os.environ else 4
#: After so many nothing is awaited any more.
MOST_LOOKS = 200


@dataclass(slots=True)
class Death:
    """Comes at the n-th thing that would outlive the process: writes committed, a file in another's place.

    From then on nothing more is done, in whatever thread.
    """

    at: int | None = None
    count: int = 0
    _writes: threading.local = field(default_factory=threading.local)

    def step(self, *_: object) -> None:
        self.count += 1
        if self.at is not None and self.count >= self.at:
            raise Killed

    def on_statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.lstrip().upper().startswith(READING):
            self._writes.any = True

    def on_commit(self, _connection: object) -> None:
        if getattr(self._writes, "any", False):
            self._writes.any = False
            self.step()


@contextmanager
def _dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Death]:
    death, replace = Death(), Path.replace

    def replaced(path: Path, target: Path) -> Path:
        death.step()
        return replace(path, target)

    listened = {"before_cursor_execute": death.on_statement, "commit": death.on_commit}
    for name, hears in listened.items():
        event.listen(Engine, name, hears)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replaced)
            yield death
    finally:
        for name, hears in listened.items():
            event.remove(Engine, name, hears)


def _ask(shop: Shop, customer: str) -> None:
    with bootstrap.open_pipeline(bootstrap.load_settings(str(shop.config))) as pipeline:
        erase(pipeline, Revocation(SubjectKind.CUSTOMER, customer))


def _go_on(shop: Shop, customer: str, *, known: set[str]) -> ErasureState:
    """Do what the daemon does until the erasure is finished; ask again where none was recorded."""
    with bootstrap.open_pipeline(bootstrap.load_settings(str(shop.config))) as pipeline:
        if {each.id for each in erasures(pipeline)} == known:
            erase(pipeline, Revocation(SubjectKind.CUSTOMER, customer))
        with pipeline.ledger.leadership() as epoch:
            work = Work(pipeline, epoch)
            for _ in range(MOST_LOOKS):
                [asked] = [each for each in erasures(pipeline) if each.id not in known]
                if asked.finished_at:
                    known.add(asked.id)
                    return asked
                work.watch()
                work.polling()
                pipeline.stop.wait(0.02)
    raise AssertionError(asked)


def _files_that_name(shop: Shop, customer: str) -> list[str]:
    folders = [shop.data_dir / name for name in ("decisions", "assignments")]
    ids = {
        path.name: pq.read_table(path, columns=["customer_id"]).column(0).to_pylist()
        for folder in folders
        for path in folder.iterdir()
    }
    return [name for name, named in ids.items() if customer in named]


def test_it_ends_the_same_wherever_its_process_dies(synced: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(synced.customers)
    with _dying(monkeypatch) as death:
        _ask(synced, next(names))
    known: set[str] = set()
    wanted = _outcome(_go_on(synced, "", known=known))
    ended: list[object] = []
    for at, customer in zip(range(1, death.count + 1, EVERY), names, strict=False):
        with _dying(monkeypatch) as death, suppress(Killed):
            death.at = at
            _ask(synced, customer)
        assert synced.unknown_to_ledger() == {}
        state = _go_on(synced, customer, known=known)
        ended.append(_outcome(state))
        assert (synced.destinations_of(customer), _files_that_name(synced, customer)) == (set(), []), at

    assert len(ended) * EVERY > 5
    assert ended == [wanted] * len(ended)
    assert synced.call("log", "verify").code == 0


def _outcome(state: ErasureState) -> tuple[object, ...]:
    """Where the person had been, and that they are in the ledger no more.

    How many rows of files went is not told rightly where the process died between the files and the ledger.
    """
    return {each.destination: each.state for each in state.recipients}, state.erased["history"] > 0
