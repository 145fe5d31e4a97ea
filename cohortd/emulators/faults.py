"""A seeded schedule of everything that goes wrong at a platform, for tests and rehearsals.

As a file (YAML or JSON)::

    seed: 7
    faults:
      - {call: users.add, kind: error, status: 503}            # once, at the next such call
      - {call: "*", kind: drop_after, probability: 0.05, times: null}   # for ever, one call in twenty
      - {call: users.*, kind: half_apply, share: 0.5, after: 3}  # the fourth such call
      - {call: "*", kind: quota, retry_after_s: 60, times: 2}
"""

import json
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

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


def schedule_from(mapping: Mapping[str, object]) -> FaultSchedule:
    """Read a schedule from plain values.

    Raises:
        SettingsError: Something in it is unknown or cannot be meant.
    """
    unknown = set(mapping) - {"seed", "faults"}
    if unknown:
        raise SettingsError(f"a fault schedule has seed and faults, not {', '.join(sorted(unknown))}")
    seed, faults = mapping.get("seed", 0), mapping.get("faults", [])
    if not isinstance(seed, int) or not isinstance(faults, list):
        raise SettingsError("a fault schedule's seed is a whole number and its faults are a list")
    return FaultSchedule([_fault_from(fault) for fault in faults], seed=seed)


def load_schedule(path: Path) -> FaultSchedule:
    """Read a schedule from a YAML or JSON file.

    Raises:
        SettingsError: The file cannot be read as one.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"the fault schedule {path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"the fault schedule {path} must hold seed and faults")
    return schedule_from(content)


def _fault_from(value: object) -> Fault:
    if not isinstance(value, dict):
        raise SettingsError("every fault is a mapping such as {call: users.add, kind: error, status: 503}")
    known = {each.name for each in fields(Fault)}
    unknown = {str(key) for key in value} - known
    if unknown:
        raise SettingsError(
            f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}"
        )
    try:
        kind = FaultKind(value.get("kind", FaultKind.ERROR))
    except ValueError:
        raise SettingsError(
            f"a fault's kind is one of {', '.join(FaultKind)}, not {value['kind']!r}"
        ) from None
    try:
        return Fault(**{**value, "kind": kind})
    except TypeError:
        raise SettingsError("a fault's numbers must be numbers") from None
