"""A seeded schedule of everything that goes wrong at a platform, for tests and rehearsals.

``fault_files`` reads one from a file; docs/emulators.md says how.
"""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from cohortd.core.errors import SettingsError


class FaultKind(StrEnum):
    """What goes wrong."""

    #: Answer with ``status`` and ``code``; nothing is applied.
    ERROR = "error"
    #: Answer rightly, but only after ``delay_s`` (which may be set on any other kind as well).
    DELAY = "delay"
    #: Close the connection, nothing is applied.
    DROP_BEFORE = "drop_before"
    #: Apply everything, then close the connection instead of answering.
    DROP_AFTER = "drop_after"
    #: Apply the first ``share`` of the rows, then answer as for ERROR.
    HALF_APPLY = "half_apply"
    #: Too many calls; the platform's own words for "come back in ``retry_after_s``".
    QUOTA = "quota"
    #: The access token has expired.
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a fault
    #: Answer rightly, with a warning of ``code`` about ``row`` (Google only).
    WARN = "warn"
    #: Accepted work is done ``delay_s`` after its turn, and what was accepted later overtakes it
    #: (``dm.processing`` and ``ads.processing`` only).
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and when."""

    #: The emulator's name of the call, with ``*`` and ``?`` as in file names.
    call: str = "*"
    kind: FaultKind = FaultKind.ERROR
    #: Matching calls let through first.
    after: int = 0
    #: Matching calls it strikes after that; None for all.
    times: int | None = 1
    #: Chance that it strikes a call it could strike.
    probability: float = 1.0
    delay_s: float = 0.0
    #: HTTP status number, or the name of a gRPC status; None for the emulator's own choice.
    status: int | str | None = None
    #: The platform's own error code and subcode; None for the emulator's own choice.
    code: int | str | None = None
    subcode: int | None = None
    #: The platform's words to go with the code (Meta only).
    message: str | None = None
    #: The row of the upload that the code is about, counted from 0 (Google only).
    row: int | None = None
    #: A body to answer with as it is, such as a proxy's HTML page.
    body: str | None = None
    share: float = 0.5
    retry_after_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        if not 0 <= self.probability <= 1 or not 0 <= self.share <= 1:
            raise SettingsError("a fault's probability and share lie between 0 and 1")
        if self.after < 0 or self.delay_s < 0 or (self.times is not None and self.times < 0):
            raise SettingsError("a fault's after, times and delay_s cannot be negative")


class FaultSchedule:
    """Decides for every call whether something goes wrong; the same seed, the same faults."""

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - repeatable chance, no secret
        self._faults = list(faults)
        self._seen = [0] * len(self._faults)
        self._struck = [0] * len(self._faults)
        #: Every fault that struck, with the call it struck.
        self.struck: list[tuple[str, Fault]] = []

    def add(self, fault: Fault) -> None:
        """Append a fault; earlier ones go first."""
        with self._lock:
            self._faults.append(fault)
            self._seen.append(0)
            self._struck.append(0)

    def clear(self) -> None:
        """Let everything go right from now on."""
        with self._lock:
            self._faults, self._seen, self._struck = [], [], []

    def next(self, call: str) -> Fault | None:
        """Count one call and say what goes wrong with it; the first fault due wins."""
        with self._lock:
            due: Fault | None = None
            for number, fault in enumerate(self._faults):
                if fnmatchcase(call, fault.call) and self._is_due(number, fault) and due is None:
                    self._struck[number] += 1
                    due = fault
            if due is not None:
                self.struck.append((call, due))
            return due

    def _is_due(self, number: int, fault: Fault) -> bool:
        self._seen[number] += 1
        if self._seen[number] <= fault.after:
            return False
        if fault.times is not None and self._struck[number] >= fault.times:
            return False
        return fault.probability >= 1 or self._random.random() < fault.probability
