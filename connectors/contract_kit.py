"""What the contract suite works with: people, troubles, patience."""

import hashlib
import itertools
import re
import threading
import traceback
from collections.abc import Callable, Iterable
from enum import StrEnum

from cohortd.core.delivery import Action, Batch, BatchState, Receipt
from cohortd.core.errors import SyncError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from connectors.protocol import Connector
from connectors.retrying import RetryingConnector, RetryPolicy

Seen = tuple[IdentifierKind, bytes]
Inspector = Callable[[str], frozenset[Seen]]
Elapse = Callable[[float], None]

#: Most polls before the suite calls a connector stuck, and the seconds between two.
POLLS = 50
POLL_EVERY_S = 600.0

_ids = itertools.count(1)


def digest_of_text(text: str) -> bytes:
    """Some digest, always the same for the same text."""
    return hashlib.sha256(text.encode()).digest()


class Trouble(StrEnum):
    """What the suite asks of the ``strike`` fixture, once each."""

    #: The platform is briefly not there (HTTP 503, UNAVAILABLE); nothing was done.
    UNAVAILABLE = "unavailable"
    #: The platform fails inside (HTTP 500, INTERNAL); nothing was done.
    INTERNAL = "internal"
    #: The platform's own time runs out (HTTP 504, DEADLINE_EXCEEDED); nothing was done.
    TIMED_OUT = "timed_out"
    #: The call never arrives.
    NOT_DELIVERED = "not_delivered"
    #: The platform does the work, the answer is lost.
    ANSWER_LOST = "answer_lost"
    #: The right answer, late.
    SLOW = "slow"
    #: A proxy answers with a page of its own, and an error's status.
    PAGE = "page"
    #: A page of something else comes with status 200, as if all were well.
    GARBLED = "garbled"
    #: So does an empty object, which says nothing of what was done.
    EMPTY = "empty"
    #: Another change is under way; nothing was done.
    CONFLICT = "conflict"
    #: The platform asks for a wait; nothing was done.
    QUOTA = "quota"
    #: So it does for the rest of the day.
    DAY_QUOTA = "day_quota"
    #: The credentials have expired.
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a trouble
    #: The credentials may not do this.
    NO_PERMISSION = "no_permission"
    #: The platform's terms are not accepted.
    NO_TERMS = "no_terms"
    #: A code that no document names.
    UNKNOWN_CODE = "unknown_code"
    #: The platform does half of the work and fails.
    HALF_APPLIED = "half_applied"
    #: The request is too large; nothing was done.
    TOO_LARGE = "too_large"
    #: The platform refuses the request without saying why; nothing was done.
    REFUSED = "refused"
    #: The platform refuses the second row and says so; nothing was done.
    ROW_REFUSED = "row_refused"
    #: The audience is not found, or not shown.
    GONE = "gone"
    #: The audience is too small to remove from.
    NOT_YET = "not_yet"
    #: What was accepted fails when its turn comes.
    WORK_FAILED = "work_failed"
    #: Of what was accepted a half is done.
    WORK_HALF_DONE = "work_half_done"
    #: What was accepted is done after what came later.
    WORK_LATE = "work_late"


#: ``strike(verb, trouble)`` lets the next call of a verb meet trouble: ``create`` and ``find`` (the calls
#: of ``ensure``), ``add`` and ``remove`` (those of ``apply``), ``poll``, ``rename``, ``read``,
#: ``retire`` or ``check``.
Strike = Callable[[str, Trouble], None]
#: How many of the troubles asked for were not met yet.
Unmet = Callable[[], int]


def person(number: int, *kinds: IdentifierKind) -> Member:
    """Make the member *number*: an e-mail and a phone, or identifiers of the kinds given."""
    wanted = kinds or (IdentifierKind.EMAIL, IdentifierKind.PHONE)
    identifiers = tuple(Identifier(kind, digest_of_text(f"{kind.name}/{number}")) for kind in wanted)
    return Member(digest_of_text(f"key/{number}")[:16], identifiers)


def seen(members: Iterable[Member]) -> frozenset[Seen]:
    """The identifiers of *members* as an inspector shows them."""
    return frozenset(
        (identifier.kind, identifier.digest) for member in members for identifier in member.identifiers
    )


def settle(connector: Connector, receipt: Receipt, pass_time: Elapse) -> Receipt:
    """Poll until the platform is done with a batch."""
    for _ in range(POLLS):
        if receipt.state is not BatchState.ACCEPTED:
            return receipt
        pass_time(POLL_EVERY_S)
        receipt = connector.poll(receipt.request)
    raise AssertionError(f"still {receipt.state} after {POLLS} polls")


def insisting(connector: Connector, pass_time: Elapse) -> RetryingConnector:
    """The connector as the pipeline uses it, without real waits."""
    policy = RetryPolicy(attempts=5, total_s=86_400.0)
    return RetryingConnector(connector, policy, stop=threading.Event(), sleep=pass_time)


def batch_of(remote_id: str, action: Action, *members: Member) -> Batch:
    """A batch with an id of its own."""
    return Batch(next(_ids), remote_id, action, members)


def error_of(call: Callable[[], object]) -> SyncError | None:
    """The error that a call ends in, None for none."""
    try:
        call()
    except SyncError as error:
        return error
    return None


def assert_discreet(error: SyncError | None, secrets: Iterable[str]) -> None:
    """Fail where an error would show a digest, a token or an address, even in a printed traceback."""
    if error is None:
        return
    printed = "".join([repr(error), str(error.args), *traceback.format_exception(error)])
    assert "://" not in printed
    assert not re.search(r"[0-9a-f]{16}", printed)
    for secret in secrets:
        assert secret not in printed
    # A vendor's error in the chain would be printed with it, and nobody knows what it will say.
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
