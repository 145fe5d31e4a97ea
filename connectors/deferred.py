"""A connector made when it is first asked something: the vendors' clients take seconds to load."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

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
from connectors.protocol import Connector, hold_of, replacing, sweeping, used_share_of


class DeferredConnector:
    """Another connector, made at the first question to it."""

    def __init__(self, make: Callable[[], Connector]) -> None:
        """Take how to make it."""
        self._make = make

    @cached_property
    def _made(self) -> Connector:
        return self._make()

    @property
    def platform(self) -> str:
        """The platform's name in the settings."""
        return self._made.platform

    @property
    def limits(self) -> Limits:
        """What this platform allows."""
        return self._made.limits

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when no batch should be sent."""
        return hold_of(self._made, urgent=urgent)

    def used_share(self) -> float | None:
        """Tell how much of what is allowed is used; whoever looks at it need not wait for a client."""
        return used_share_of(self._made) if "_made" in vars(self) else None

    def ensure(self, spec: RemoteSpec) -> str:
        """Find or create the remote audience."""
        return self._made.ensure(spec)

    def marked(self) -> list[Marked]:
        """List the remote audiences of any cohortd."""
        return self._made.marked()

    def apply(self, batch: Batch) -> Receipt:
        """Send a batch."""
        return self._made.apply(batch)

    def poll(self, request: str) -> Receipt:
        """Ask what became of a batch."""
        return self._made.poll(request)

    def read(self, remote_id: str) -> RemoteStatus:
        """Read size and state."""
        return self._made.read(remote_id)

    def account(self) -> AccountStatus:
        """Read what the account says of itself."""
        return self._made.account()

    def rename(self, remote_id: str, name: str) -> None:
        """Give the remote audience another name."""
        self._made.rename(remote_id, name)

    def retire(self, remote_id: str) -> None:
        """Close the remote audience to new use."""
        self._made.retire(remote_id)

    @property
    def replaceable(self) -> frozenset[IdentifierKind]:
        """The kinds of identifiers that a replacement may carry."""
        return replacing(self._made).replaceable

    def replace(self, content: Content) -> Receipt:
        """Make *content* all that is in the remote audience."""
        return replacing(self._made).replace(content)

    def remove_older(self, remote_id: str, *, than: datetime) -> Receipt:
        """Have everybody forgotten who was last added before a moment."""
        return sweeping(self._made).remove_older(remote_id, than=than)

    def new_session(self) -> str:
        """Name a session."""
        return replacing(self._made).new_session()

    def replace_part(self, part: Part) -> Receipt:
        """Send one part of a session."""
        return replacing(self._made).replace_part(part)

    def delete(self, remote_id: str) -> None:
        """Delete the remote audience for good."""
        replacing(self._made).delete(remote_id)

    def check(self) -> list[AccessCheck]:
        """Try credentials, terms and access."""
        return self._made.check()

    def close(self) -> None:
        """Give back connections, if there are any."""
        if "_made" in vars(self):
            self._made.close()
