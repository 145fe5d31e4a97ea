"""Files for upload by hand keep the contract, with somebody who uploads them as they are told to."""

import errno
import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cohortd.core.identifiers import Family, IdentifierKind
from cohortd.emulators.csv_drop import ByHand
from connectors.contract import ConnectorContract, Elapse, Inspector, Strike, Trouble, Unmet
from connectors.csv_drop import CsvDropConnector, CsvDropOptions
from connectors.csv_drop.disk import Disk

#: Trouble -> the system's code, and whether the work is done all the same.
TROUBLES: dict[Trouble, tuple[int, bool]] = {
    Trouble.UNAVAILABLE: (errno.ESTALE, False),
    Trouble.INTERNAL: (errno.EIO, False),
    Trouble.TIMED_OUT: (errno.ETIMEDOUT, False),
    Trouble.NOT_DELIVERED: (errno.EHOSTDOWN, False),
    Trouble.ANSWER_LOST: (errno.EIO, True),
    Trouble.CONFLICT: (errno.EBUSY, False),
    Trouble.QUOTA: (errno.EDQUOT, False),
    Trouble.HALF_APPLIED: (errno.ENOSPC, False),
    Trouble.TOKEN_EXPIRED: (errno.EACCES, False),
    Trouble.NO_PERMISSION: (errno.EROFS, False),
    Trouble.UNKNOWN_CODE: (errno.ELOOP, False),
}
#: Verb -> the disk's, and how the path ends.
CALLS = {
    "create": ("publish", "audience.json"),
    "find": ("names", "drop"),
    "add": ("publish", "-add.csv"),
    "remove": ("publish", "-remove.csv"),
    "read": ("names", "uploaded"),
    "rename": ("publish", "-rename.json"),
    "retire": ("publish", "-retire.json"),
    "check": ("probe", "drop"),
}


class FaultyDisk(Disk):
    """Fails when it is told to."""

    def __init__(self) -> None:
        self.pending: dict[tuple[str, str], deque[tuple[int, bool]]] = {}

    def publish(self, path: Path, content: bytes) -> None:
        self._meet("publish", path, lambda: super(FaultyDisk, self).publish(path, content))

    def names(self, folder: Path) -> list[str]:
        self._meet("names", folder, lambda: None)
        return super().names(folder)

    def probe(self, folder: Path) -> None:
        self._meet("probe", folder, lambda: super(FaultyDisk, self).probe(folder))

    def _meet(self, call: str, path: Path, work: Callable[[], None]) -> None:
        for (struck, ending), faults in self.pending.items():
            if struck == call and faults and str(path).endswith(ending):
                code, is_done = faults.popleft()
                if is_done:
                    work()
                raise OSError(code, os.strerror(code), str(path))
        work()


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class CsvDropContract(ConnectorContract):
    template = Family.GOOGLE
    tidies = True
    verbs = tuple(verb for verb in ConnectorContract.verbs if verb != "poll")
    impossible = frozenset(set(Trouble) - set(TROUBLES))

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "drop"
        folder.mkdir()
        return folder

    @pytest.fixture
    def disk(self) -> FaultyDisk:
        return FaultyDisk()

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def connector(self, folder: Path, disk: FaultyDisk, clock: Clock) -> CsvDropConnector:
        options = CsvDropOptions(folder=folder, template=self.template, keep_days=365)
        return CsvDropConnector(options, clock=clock, disk=disk)

    @pytest.fixture
    def members(self, folder: Path) -> Inspector:
        person = ByHand(folder, tidies=self.tidies)

        def inspect(remote_id: str) -> frozenset[tuple[IdentifierKind, bytes]]:
            pairs = (each.split(":") for each in person.members(remote_id))
            return frozenset((IdentifierKind[kind.upper()], bytes.fromhex(value)) for kind, value in pairs)

        return inspect

    @pytest.fixture
    def strike(self, disk: FaultyDisk) -> Strike:
        def strike(verb: str, trouble: Trouble) -> None:
            disk.pending.setdefault(CALLS[verb], deque()).append(TROUBLES[trouble])

        return strike

    @pytest.fixture
    def unmet(self, disk: FaultyDisk) -> Unmet:
        return lambda: sum(map(len, disk.pending.values()))

    @pytest.fixture
    def pass_time(self, clock: Clock) -> Elapse:
        return clock.pass_time


class TestGooglesTemplate(CsvDropContract):
    pass


class TestMetasTemplate(CsvDropContract):
    template = Family.META


class TestSomebodyWhoLeavesTheFilesWhereTheyAre(CsvDropContract):
    tidies = False
