"""What the ledger hands to a connector and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cohortd.core.identifiers import Family, Member

#: How the marker of every remote audience begins that a cohortd made.
MARKER: Final = "cohortd"
#: The states of ``RemoteStatus`` that every platform has: it is not there, or could not be read now.
GONE: Final = "gone"
UNREADABLE: Final = "not readable"


class Action(StrEnum):
    """The two directions of a change."""

    ADD = "add"
    REMOVE = "remove"


class Lane(StrEnum):
    """Why a batch exists; revocations go before everything."""

    REVOCATION = "revocation"
    REGULAR = "regular"


class BatchState(StrEnum):
    """Where a batch stands; the words of the outbox.

    ``sending`` covers every unknown outcome: the batch is sent again. ``accepted`` means that the
    platform took the request and works on it; only ``confirmed`` means that it is done.
    """

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows, as data."""

    family: Family
    #: Most members in one batch.
    rows_per_batch: int
    #: Fewest people for which the platform serves an audience at all.
    minimum_size: int
    #: Days after which the platform forgets a member unless it is sent again; None for never.
    forgets_after_days: int | None
    #: Whether a second batch may be sent while the first is only accepted.
    overlapping_batches: bool


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """A remote audience as we want it."""

    #: Ours and permanent; written where the platform has a place for a marker, so that an
    #: audience whose creation was answered by silence is found again, not made twice.
    audience: str
    name: str
    description: str
    membership_days: int | None = None
    #: Whose it is: the ledger's code, the destination and when it was intended. No other ledger,
    #: destination or former audience has the same, so nothing is adopted that may hold strangers.
    owner: str = ""

    @property
    def marker(self) -> str:
        """The text by which the audience is known as ours."""
        return ":".join(part for part in (MARKER, self.owner, self.audience) if part)


@dataclass(frozen=True, slots=True)
class Marked:
    """A remote audience that some cohortd made, as the platform lists it."""

    remote_id: str
    name: str
    marker: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One request's work on one remote audience."""

    id: int
    remote_id: str
    action: Action
    members: tuple[Member, ...]
    #: Revocations may use what a platform's allowance keeps for them.
    lane: Lane = Lane.REGULAR


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a destination is not to be asked before a moment."""

    until: datetime
    #: For people, without the destination's name.
    why: str
    #: Whether the platform named the moment: then later processes keep to it too.
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """Everybody who is to be in a remote audience; whoever else is in it leaves."""

    remote_id: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what is to be all that is in a remote audience, in a session of many."""

    remote_id: str
    session: str
    #: From 1; the first one takes everybody off who was there before.
    number: int
    is_last: bool
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said of a batch.

    ``state`` is ACCEPTED (poll again with ``request``), CONFIRMED or REJECTED (all of it).
    """

    state: BatchState
    #: What to ask the platform by, opaque to everybody but the connector.
    request: str = ""
    #: Index into the batch's members -> the platform's reason.
    rejected: dict[int, str] = field(default_factory=dict)
    #: Reason -> how many rows the platform left out without saying which.
    unattributed: dict[str, int] = field(default_factory=dict)
    #: What failed on the platform's own side, for no fault of a row; goes with REJECTED. The same
    #: members are to be sent again later, and a part of them may be there already.
    fault: str = ""
    #: A sentence for people: a warning, a match rate, a failure's reason.
    note: str = ""
    #: Where the batch was left for people to upload, where that is all that CONFIRMED says: no platform
    #: has it yet. Stands in the removal log beside the confirmation.
    handed: str = ""
    #: Between which shares of what was uploaded the platform recognized, in its words; blank where it
    #: does not say.
    match_rate: str = ""


class Flag(StrEnum):
    """What a platform marks a remote audience with; each is worth a look."""

    #: It is not there any more, or not shown to us.
    GONE = "gone"
    #: It takes nobody in.
    CLOSED = "closed"
    #: No campaign has used it for long.
    UNUSED = "unused"
    #: The platform is going to delete it.
    EXPIRING = "expiring"
    #: Its name or description breaks a policy.
    FLAGGED = "flagged"
    #: It cannot be used for another reason.
    UNUSABLE = "unusable"
    #: It belongs to another account.
    FOREIGN = "foreign"
    #: It takes other fields than contact fields.
    OTHER_FIELDS = "other_fields"
    LOW_MATCH = "low_match"
    INVALID_ENTRIES = "invalid_entries"
    #: Too few people are in it to be served.
    TOO_SMALL = "too_small"


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """What the platform says of a remote audience now; None where it does not say."""

    size_lower: int | None = None
    size_upper: int | None = None
    match_rate: str | None = None
    state: str = ""
    usable: bool | None = None
    #: Network -> whether the audience may be served there.
    eligible: Mapping[str, bool] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    #: What a person should do about the flags.
    cure: str = ""
    #: Its name there, which people may have changed.
    name: str | None = None
    #: And its description; cohortd changes none once it was made.
    description: str | None = None
    #: Whether the marker by which it is known as ours still stands on it.
    marked: bool | None = None
    #: Days after which a member is forgotten.
    membership_days: int | None = None
    #: When the platform is going to delete it, in its own words.
    deleted_at: str = ""
    #: Whether the account's owner has accepted the platform's terms for audiences.
    terms: bool | None = None
    #: The match rate of the last upload that the platform told one of.
    upload_match_rate: str | None = None


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What an account says of itself that holds for all its audiences; None where it does not say."""

    terms: bool | None = None


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """One line of ``cohortd check``: what was tried, whether it works, what to do if not."""

    subject: str
    ok: bool
    detail: str
    cure: str = ""
    #: Of which kind it is where its subject's first word does not say; see ``Condition``.
    kind: str = ""
