"""What the contract suite works with: people, troubles, patience."""

import hashlib
import itertools
import threading
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
    #: The platform does the work, the answer is lost.
    ANSWER_LOST = "answer_lost"
    #: The platform asks for a wait; nothing was done.
    QUOTA = "quota"
    #: The platform does half of the work and fails.
    HALF_APPLIED = "half_applied"
    #: The credentials have expired.
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a trouble


#: ``strike(verb, trouble)`` with verb ``ensure`` (its creating call), ``apply`` or ``check``.
Strike = Callable[[str, Trouble], None]


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
