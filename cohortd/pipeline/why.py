"""What is told of a segment besides its name: what sets it apart, by which rule, and what to say to it."""

from collections.abc import Mapping
from typing import Any, Final

from cohortd.core.modelling import ModelVersion, Segment

#: Of audiences whose segment is gone.
NOTHING_TOLD: Final[Mapping[str, object]] = {
    "description": None,
    "hint": None,
    "stage": None,
    "effects": [],
    "rules": [],
}


def why_of(version: ModelVersion, segment: Segment) -> dict[str, object]:
    """Gather it from the version's record; versions of an earlier cohortd have none of it."""
    rules = _dict(_dict(version.quality.get("explanation")).get("segments"))
    return {
        "description": segment.description,
        "hint": segment.hint or None,
        "stage": segment.stage or None,
        "effects": _dict(version.quality.get("effects")).get(segment.id, []),
        "rules": _dict(rules.get(segment.id)).get("rules", []),
    }


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
