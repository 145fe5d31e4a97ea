"""One advertising platform, as the pipeline sees it."""

from typing import Protocol

from cohortd.core.delivery import AccessCheck, Batch, Limits, Marked, Receipt, RemoteSpec, RemoteStatus


class Connector(Protocol):
    """One destination: a platform, an account, its credentials.

    Implementations subclass nothing and pass ``connectors.contract.ConnectorContract``. Every
    method may raise RetryableError, RejectedError or FatalError, and nothing of a vendor's; none
    of them logs or raises a token, a payload or a URL. A method makes one attempt (a chunked
    upload repeats nothing that was taken); ``connectors.retrying`` repeats what may be repeated.
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

    def retire(self, remote_id: str) -> None:
        """Close the remote audience to new use; one that is already gone is no error."""
        ...

    def check(self) -> list[AccessCheck]:
        """Try credentials, terms and access, changing nothing."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
