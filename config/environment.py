"""The environment's settings: ``COHORTD_SEGMENTATION__K=6`` is ``segmentation.k``."""

import json
from collections.abc import Mapping

from config.faults import Faults

PREFIX = "COHORTD_"
#: Read before the settings are, and no setting themselves.
RESERVED = frozenset({"COHORTD_CONFIG"})
#: What Kubernetes and old Docker links put beside a service that is named cohortd.
_ORCHESTRATOR = ("COHORTD_SERVICE_", "COHORTD_PORT_", "COHORTD_PORT=")


def read_environment(environ: Mapping[str, str], faults: Faults) -> dict[str, object]:
    """Collect every ``COHORTD_...`` variable as one nested table; empty ones count as unset."""
    table: dict[str, object] = {}
    for name in sorted(environ):
        if _is_ours(name) and environ[name].strip():
            _put(table, name, _value(name, environ[name].strip(), faults), faults)
    return table


def overlay(below: Mapping[str, object], above: Mapping[str, object], faults: Faults) -> dict[str, object]:
    """Merge two tables, *above* winning; destinations are found by their name."""
    merged = dict(below)
    for key, value in above.items():
        current = merged.get(key)
        if key == "destinations" and isinstance(value, dict):
            merged[key] = _overlay_destinations(current, value, faults)
        elif isinstance(current, dict) and isinstance(value, dict):
            merged[key] = overlay(current, value, faults)
        else:
            merged[key] = value
    return merged


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and name not in RESERVED and not f"{name}=".startswith(_ORCHESTRATOR)


def _value(name: str, text: str, faults: Faults) -> object:
    if text.lower() == "null":
        return None
    if text[0] not in "[{":
        return text
    try:
        found: object = json.loads(text)
    except ValueError:
        faults.add(name, "begins like JSON but is none")
        return None
    return found


def _put(table: dict[str, object], name: str, value: object, faults: Faults) -> None:
    *above, last = name.removeprefix(PREFIX).lower().split("__")
    for part in above:
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            faults.add(name, "contradicts a shorter variable that sets the whole table")
            return
        table = below
    table[last] = value


def _overlay_destinations(current: object, changes: Mapping[str, object], faults: Faults) -> object:
    destinations = list(current) if isinstance(current, list) else []
    for name, change in changes.items():
        at = [index for index, found in enumerate(destinations) if _variable_name(found) == name]
        if not at or not isinstance(change, dict):
            faults.add(f"{PREFIX}DESTINATIONS__{name.upper()}", "no destination has this name")
            continue
        destinations[at[0]] = overlay(destinations[at[0]], change, faults)
    return destinations


def _variable_name(destination: object) -> str | None:
    """Say how variables call a destination: they cannot hold a dash."""
    name = destination.get("name") if isinstance(destination, dict) else None
    return str(name).replace("-", "_") if name is not None else None
