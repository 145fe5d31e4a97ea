"""One advertising platform, as the pipeline sees it."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from cohortd.core.delivery import (
    AccessCheck,
    AccountStatus,
    Batch,
    Content,
    Hold,
    Limits,
    Marked,
    Part,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.identifiers import IdentifierKind


class Connector(Protocol):
    """One destination: a platform, an account, its credentials.

    Implementations subclass nothing and pass ``connectors.contract.ConnectorContract``. Every
    method may raise RetryableError, RejectedError or FatalError, and nothing of a vendor's; none
    of them logs or raises a token, a payload or a URL. A method makes one attempt (a chunked
    upload repeats nothing that was taken); ``connectors.retrying`` repeats what may be repeated.
    Threads may send several batches at once where the settings ask for it, each to another audience.
    """

    @property
    def platform(self) -> str:
        """The platform's name in the settings."""
        ...

    @property
    def limits(self) -> Limits:
        """What this platform allows."""
        ...

    def ensure(self, spec: RemoteSpec) -> str:
        """Find the remote audience that carries our marker, else create it; return its id.

        Calling it again after an unknown outcome finds what was created.
        """
        ...

    def marked(self) -> list[Marked]:
        """List the account's remote audiences that carry the marker of any cohortd.

        Retired ones are left out where retiring takes the marker off. Blank where the other side, a
        stand-in, cannot list.
        """
        ...

    def apply(self, batch: Batch) -> Receipt:
        """Send *batch*; sending it twice equals sending it once.

        Raises:
            RejectedError: All of it was refused; ``rows`` names the rows at fault if known.
        """
        ...

    def poll(self, request: str) -> Receipt:
        """Ask what became of an accepted batch; ACCEPTED means still working."""
        ...

    def read(self, remote_id: str) -> RemoteStatus:
        """Read size, match rate and state as the platform shows them."""
        ...

    def account(self) -> AccountStatus:
        """Read what the account says of itself; nothing where the platform does not tell."""
        ...

    def rename(self, remote_id: str, name: str) -> None:
        """Give a remote audience another name, and leave the rest of it as it is.

        Doing it twice equals doing it once. Where names are unique and this one is another's, it
        gets a number.

        Raises:
            GoneError: It is not there, or not for us.
        """
        ...

    def retire(self, remote_id: str) -> None:
        """Close the remote audience to new use; one that is already gone is no error."""
        ...

    def check(self) -> list[AccessCheck]:
        """Try credentials, terms and access, changing nothing."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


@runtime_checkable
class Replacing(Protocol):
    """What a connector offers besides, whose platform does not always take out who is named to it."""

    @property
    def replaceable(self) -> frozenset[IdentifierKind]:
        """The kinds of identifiers that a replacement may carry."""
        ...

    def replace(self, content: Content) -> Receipt:
        """Make *content* all that is in the remote audience; CONFIRMED means that all others are out.

        Cut short, it leaves a part of the content there and nobody else. Doing it twice equals doing
        it once.
        """
        ...

    def new_session(self) -> str:
        """Name a session in which members are replaced part by part; no other has the name."""
        ...

    def replace_part(self, part: Part) -> Receipt:
        """Send one part of a session. The first one must not be sent twice; others may.

        Raises:
            SessionEndedError: The session is over, took too long, or its first part is not known.
        """
        ...

    def delete(self, remote_id: str) -> None:
        """Delete the remote audience for good, with everybody in it.

        Raises:
            GoneError: It is not there, or not for us.
        """
        ...


@runtime_checkable
class Sweeping(Protocol):
    """What a connector offers besides, whose platform knows when it was last sent each member."""

    def remove_older(self, remote_id: str, *, than: datetime) -> Receipt:
        """Have everybody forgotten who was last added before a moment; ``poll`` tells what became of it.

        Doing it twice equals doing it once.
        """
        ...


@runtime_checkable
class Paced(Protocol):
    """What a connector offers besides, which knows how much its platform allows."""

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when no batch should be sent; None for now. The platform is not asked.

        Args:
            urgent: Whether it is about a revocation, for which a part of what is allowed is kept.
        """
        ...


def hold_of(connector: Connector, *, urgent: bool) -> Hold | None:
    """Tell until when no batch should be sent; None as well where the connector does not know."""
    return connector.hold(urgent=urgent) if isinstance(connector, Paced) else None


@runtime_checkable
class Metered(Protocol):
    """What a connector offers besides, which knows how much of what is allowed was used."""

    def used_share(self) -> float | None:
        """Tell the share that is used, 1.0 for all; None where nothing is known. Nobody is asked."""
        ...


def used_share_of(connector: Connector) -> float | None:
    """Tell how much of what is allowed is used; None where the connector does not know."""
    return connector.used_share() if isinstance(connector, Metered) else None


def sweeping(connector: Connector) -> Sweeping:
    """The same connector, for what not every one offers.

    Raises:
        TypeError: Its platform offers no such thing.
    """
    if not isinstance(connector, Sweeping):
        raise TypeError(f"{connector.platform} does not know when it was sent a member")
    return connector


def replacing(connector: Connector) -> Replacing:
    """The same connector, for what not every one offers.

    Raises:
        TypeError: Its platform offers no such thing; only settings of those that do ask for it.
    """
    if not isinstance(connector, Replacing):
        raise TypeError(f"{connector.platform} cannot replace what is in an audience")
    return connector
