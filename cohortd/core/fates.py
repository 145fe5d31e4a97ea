"""What became of segments since people were last sent by them, and what that means for their audiences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class AudienceFate:
    """What a sync would do about one segment's audience on one destination."""

    destination: str
    #: made, filled, held, emptied, closed or left.
    effect: str
    members: int
    #: The same in a sentence.
    told: str
    #: The platform's own id; None while there is no audience yet.
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentFate:
    """One birth, split, return, merge or death."""

    #: born, split, returned, merged or died.
    event: str
    segment: str
    name: str
    #: The parent of a split, or whom the members of a merged segment go over to.
    other: str = ""
    other_name: str = ""
    #: Where its customers come from or go to, in words.
    detail: str = ""
    #: All of it in a sentence.
    told: str = ""
    audiences: list[AudienceFate] = field(default_factory=list)

    @classmethod
    def of_json(cls, **kept: Any) -> Self:
        """Make it again of what ``dataclasses.asdict`` gave."""
        places: list[Mapping[str, Any]] = kept.pop("audiences", [])
        return cls(**kept, audiences=[AudienceFate(**each) for each in places])
