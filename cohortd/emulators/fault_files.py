"""Reads a fault schedule from a file (YAML or JSON), and says clearly what is wrong with it.

For example::

    seed: 7
    faults:
      - {call: users.add, kind: error, status: 503}  # once, at the next such call
      - {call: "*", kind: drop_after, probability: 0.05, times: null}  # for ever, one call in twenty
      - {call: users.*, kind: half_apply, share: 0.5, after: 3}  # the fourth such call
      - {call: "*", kind: quota, retry_after_s: 60, times: 2}
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import yaml

from cohortd.core.errors import SettingsError
from cohortd.emulators.calls import CALLS, DATA_MANAGER, GOOGLE_ADS, HTTP_OF_STATUS, META, STATUS_OF_HTTP
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule

#: Field -> the types it may have, and what to call them.
_FORMS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "call": ((str,), "a text"),
    "kind": ((str,), "a text"),
    "after": ((int,), "a whole number"),
    "times": ((int, type(None)), "a whole number, or null for ever"),
    "probability": ((int, float), "a number"),
    "delay_s": ((int, float), "a number"),
    "status": ((int, str, type(None)), "an HTTP status number or the name of a gRPC status"),
    "code": ((int, str, type(None)), "a number or a text"),
    "subcode": ((int, type(None)), "a whole number"),
    "message": ((str, type(None)), "a text"),
    "row": ((int, type(None)), "a whole number"),
    "body": ((str, type(None)), "a text"),
    "share": ((int, float), "a number"),
    "retry_after_s": ((int, float), "a number"),
}
_GRPC: Final = frozenset({*HTTP_OF_STATUS, *STATUS_OF_HTTP.values()})
_HTTP: Final = range(200, 600)
#: Platform -> how its codes are written.
_CODES: Final = {
    DATA_MANAGER: (r"[A-Z][A-Z0-9_]*", "as a reason such as INVALID_SHA256_FORMAT"),
    GOOGLE_ADS: (
        r"[a-z_]+\.[A-Z][A-Z0-9_]*|[A-Z][A-Z0-9_]*",
        "with its family, as in quota_error.RESOURCE_EXHAUSTED",
    ),
}
_LATE: Final = ("dm.processing", "ads.processing")


def load_schedule(path: Path) -> FaultSchedule:
    """Read a schedule from a YAML or JSON file.

    Raises:
        SettingsError: The file cannot be read as one; it says which fault is wrong, and how.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"the fault schedule {path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"the fault schedule {path} must hold seed and faults")
    try:
        return schedule_from(content)
    except SettingsError as error:
        raise SettingsError(f"the fault schedule {path}: {error}") from None


def schedule_from(mapping: Mapping[str, object]) -> FaultSchedule:
    """Read a schedule from plain values.

    Raises:
        SettingsError: Something in it is unknown or cannot be meant.
    """
    unknown = {str(key) for key in mapping} - {"seed", "faults"}
    if unknown:
        raise SettingsError(f"a fault schedule has seed and faults, not {', '.join(sorted(unknown))}")
    seed, faults = mapping.get("seed", 0), mapping.get("faults", [])
    if not isinstance(seed, int) or not isinstance(faults, list):
        raise SettingsError("a fault schedule's seed is a whole number and its faults are a list")
    return FaultSchedule([_numbered(number, fault) for number, fault in enumerate(faults, 1)], seed=seed)


def _numbered(number: int, value: object) -> Fault:
    try:
        return _fault_from(value)
    except SettingsError as error:
        raise SettingsError(f"fault {number}: {error}") from None


def _fault_from(value: object) -> Fault:
    if not isinstance(value, dict):
        raise SettingsError("every fault is a mapping such as {call: users.add, kind: error, status: 503}")
    for key, each in value.items():
        _check_form(str(key), each)
    kind = str(value.get("kind", FaultKind.ERROR))
    if kind not in set(FaultKind):
        raise SettingsError(
            f"its kind is one of {', '.join(FaultKind)}, not {kind!r}{_nearest(kind, FaultKind)}"
        )
    fault = Fault(**{**value, "kind": FaultKind(kind)})
    _check_sense(fault)
    return fault


def _check_form(key: str, value: object) -> None:
    if key not in _FORMS:
        raise SettingsError(f"a fault has no {key}{_nearest(key, _FORMS)}; it has {', '.join(_FORMS)}")
    types, words = _FORMS[key]
    if not isinstance(value, types) or isinstance(value, bool):
        raise SettingsError(f"its {key} must be {words}, not {value!r}")


def _check_sense(fault: Fault) -> None:
    """Refuse what would never strike, or strike otherwise than was meant."""
    struck = [name for name in CALLS if fnmatchcase(name, fault.call)]
    if not struck:
        raise SettingsError(
            f"no call is named {fault.call}{_nearest(fault.call, CALLS)}; see docs/emulators.md"
        )
    if isinstance(fault.status, int) and fault.status not in _HTTP:
        raise SettingsError(f"its status {fault.status} is no HTTP status")
    if isinstance(fault.status, str) and fault.status not in _GRPC:
        raise SettingsError(f"its status {fault.status} is no gRPC status{_nearest(fault.status, _GRPC)}")
    if fault.kind in (FaultKind.DELAY, FaultKind.LATE) and not fault.delay_s:
        raise SettingsError(f"{fault.kind} needs delay_s")
    _check_platform(fault, {CALLS[name][0] for name in struck})
    if fault.kind is FaultKind.LATE and not set(struck) <= set(_LATE):
        raise SettingsError(f"late strikes {' and '.join(_LATE)} only")


def _check_platform(fault: Fault, platforms: set[str]) -> None:
    """Refuse what the platforms that are struck cannot say; a pattern for several takes either's words."""
    if platforms == {META}:
        if isinstance(fault.status, str):
            raise SettingsError(f"Meta answers with HTTP statuses, not with {fault.status}")
        if isinstance(fault.code, str) and fault.kind is not FaultKind.QUOTA:
            raise SettingsError(f"Meta's codes are numbers, not {fault.code!r}")
        if fault.kind is FaultKind.WARN or fault.row is not None:
            raise SettingsError("Meta names no rows and gives no warnings")
    elif META not in platforms and (fault.subcode is not None or fault.message is not None):
        raise SettingsError("subcode and message are Meta's only")
    form = _CODES.get("".join(platforms))
    if form is not None and fault.code is not None and fault.kind is not FaultKind.QUOTA:
        pattern, words = form
        if not re.fullmatch(pattern, str(fault.code)):
            raise SettingsError(f"its code is written {words}, not {fault.code!r}")


def _nearest(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, [str(each) for each in known], n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""
