"""Identifiers that are sent as they are: a phone's advertising id, the company's own id."""

import re

from cohortd.identity.steps import EMPTY, Absent
from cohortd.identity.text import cleaned

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: What phones give out for somebody who refused to be tracked: everybody's, so nobody's.
_REFUSED = "00000000-0000-0000-0000-000000000000"


def uuid(value: str) -> str | Absent:
    """A UUID with its dashes; *value* is lower-case."""
    if not _UUID.fullmatch(value):
        return Absent("not_a_uuid")
    return value if value != _REFUSED else Absent("tracking_refused")


def as_is(value: str) -> str | Absent:
    """Unchanged, to the last space; only what shows nothing at all is absent."""
    visible = cleaned(value)
    return visible if isinstance(visible, Absent) else (value if visible else EMPTY)
