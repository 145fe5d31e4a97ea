"""What Google shows of a user list, whichever of its APIs says it, and what a person should do about it.

Sources: developers.google.com/google-ads/api/reference/rpc (UserList, UserListClosingReason,
AccessReason), support.google.com/google-ads/answer/2472738 (lists that were closed since nobody uses
them), .../answer/7476585 (fewest people to serve).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cohortd.core.delivery import MARKER, Flag, RemoteStatus
from cohortd.core.errors import FatalError, RejectedError

#: Names tried where one is taken: the name, then the name with a number.
NAMES_TRIED: Final = 10
SILENT: Final = "Google says nothing"
#: Whose it is, where it is not the account's own; what is newer than this is not judged.
_FOREIGN: Final = frozenset({"SHARED", "LICENSED", "SUBSCRIBED", "AFFILIATED"})
_CURES: Final[Mapping[Flag, str]] = {
    Flag.UNUSED: "Use the audience in a campaign, then open it again in Google Ads (Audience manager, the"
    " segment's membership status).",
    Flag.CLOSED: "Open it again in Google Ads (Audience manager, the segment's membership status), or take"
    " it out of campaigns: while it is closed nobody is added.",
    Flag.FOREIGN: "It is another account's, and nothing is written to it: have cohortd make its own with"
    " cohortd audiences --renew once this one is gone.",
    Flag.OTHER_FIELDS: "It takes no contact fields, which cannot be changed: delete it in Google Ads, then"
    " have it made anew with cohortd audiences --renew.",
}
_WORDS: Final[Mapping[Flag, str]] = {
    Flag.UNUSED: "by Google, since no campaign uses it",
    Flag.FOREIGN: "another account's",
    Flag.OTHER_FIELDS: "takes no contact fields",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One user list as Google shows it; empty and None where it says nothing."""

    name: str = ""
    description: str = ""
    marker: str = ""
    sizes: tuple[int, ...] = ()
    eligible: Mapping[str, bool] = field(default_factory=dict)
    match_rate: int | None = None
    #: OPEN or CLOSED.
    membership: str = ""
    #: UNUSED, where Google closed it by itself.
    closing_reason: str = ""
    access_reason: str = ""
    #: Whether it takes contact fields; None where Google does not say.
    takes_contacts: bool | None = None
    membership_days: int | None = None


def status_of(shown: Shown) -> RemoteStatus:
    """Say it in our words; networks differ, so the size is a range."""
    flags = _flags(shown)
    words = [shown.membership.lower() or SILENT, *(_WORDS[flag] for flag in flags if flag in _WORDS)]
    usable = any(shown.eligible.values()) if shown.eligible else None
    return RemoteStatus(
        size_lower=min(shown.sizes, default=None),
        size_upper=max(shown.sizes, default=None),
        match_rate=f"{shown.match_rate}%" if shown.match_rate is not None else None,
        state="; ".join(words),
        usable=usable,
        eligible=dict(shown.eligible),
        flags=flags,
        cure=" ".join(
            _CURES[flag] for flag in flags if flag is not Flag.CLOSED or Flag.UNUSED not in flags
        ),
        name=shown.name or None,
        description=shown.description if shown.name else None,
        marked=shown.marker.startswith(f"{MARKER}:") if shown.name or shown.marker else None,
        membership_days=shown.membership_days,
    )


def match_range(name: str) -> str:
    """Write one of Google's ranges as a person does: ``61 to 70%``; blank where it says none."""
    told = re.fullmatch(r"MATCH(?:_RATE)?_RANGE_(LESS_THAN_20|\d+_TO_\d+)", name)
    return f"{told[1].replace('LESS_THAN', 'under').replace('_', ' ').lower()}%" if told else ""


def name_taken(name: str) -> FatalError:
    """Say that neither the name nor one of its variants is free."""
    return FatalError(
        f"the name {name!r} is taken in this account, and so are variants of it",
        cure="Give the audience another name in the settings.",
        scope="audience",
    )


def not_made(audience: str, error: RejectedError) -> FatalError:
    """Say of an audience that is refused what to look at."""
    return FatalError(
        f"audience {audience} was not made: {error}",
        cure="Look at its name, description and membership days in the settings.",
        scope="audience",
    )


def not_closed(error: RejectedError) -> FatalError:
    """Say of an audience that stays open who closes it."""
    return FatalError(str(error), cure="Close the audience in Google Ads.", scope="audience")


def not_renamed(error: RejectedError) -> FatalError:
    """Say of a name that is refused that another one is needed."""
    return FatalError(
        f"the audience was not renamed: {error}",
        cure="Choose other words under audiences.names or audiences.name_prefix.",
        scope="audience",
    )


def names_for(name: str) -> list[str]:
    """The names to try, where Google allows each once in an account."""
    return [name if number == 1 else f"{name} ({number})" for number in range(1, NAMES_TRIED + 1)]


def _flags(shown: Shown) -> tuple[Flag, ...]:
    flags: list[Flag] = []
    if shown.membership == "CLOSED":
        flags += [Flag.CLOSED, Flag.UNUSED] if shown.closing_reason == "UNUSED" else [Flag.CLOSED]
    if shown.access_reason in _FOREIGN:
        flags.append(Flag.FOREIGN)
    if shown.takes_contacts is False:
        flags.append(Flag.OTHER_FIELDS)
    return tuple(flags)
