"""The access check of a Google Ads account, whichever of its APIs is asked.

Order: a token, the account, the making of an audience, an upload; the last two as rehearsals, which
change nothing.
"""

from collections.abc import Callable
from typing import Final, Protocol

from cohortd.core.delivery import AccessCheck, Marked
from cohortd.core.errors import FatalError, RejectedError
from connectors.access import walk
from connectors.google_errors import UnknownCallError

#: No audience has this number.
_NO_AUDIENCE: Final = "1"
_NOT_SAID: Final = "Google says nothing against them before there is an audience"


class _Lists(Protocol):
    """The user lists of an account, by either API."""

    def probe(self) -> None: ...
    def rehearse(self) -> None: ...
    def marked(self) -> list[Marked]: ...


def check_account(
    account: str, lists: _Lists, *, refresh: Callable[[], None], upload: Callable[[str], object]
) -> list[AccessCheck]:
    """Try one after the other, up to the first that does not work.

    Args:
        account: The number to name.
        lists: Its user lists.
        refresh: Gets a token, and nothing else.
        upload: Rehearses an upload to the user list with this id: whether the account may upload here,
            and its terms, come to light if Google looks there first.
    """

    def credentials() -> str:
        refresh()
        return "Google takes them"

    def access() -> str:
        lists.probe()
        return f"account {account} can be read"

    def audiences() -> str:
        lists.rehearse()
        return "Customer Match audiences may be made"

    def uploads() -> str:
        ours = [each.remote_id for each in lists.marked()]
        try:
            upload(ours[0] if ours else _NO_AUDIENCE)
        except (RejectedError, UnknownCallError):
            return _NOT_SAID
        except FatalError as error:
            if error.scope == "destination":
                raise
            return _NOT_SAID
        return "nothing stands against them"

    return list(
        walk(
            (
                ("credentials", credentials),
                ("access", access),
                ("audiences", audiences),
                ("uploads and terms", uploads),
            )
        )
    )
