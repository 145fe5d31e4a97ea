"""A remote audience that was deleted on the platform, given up so that the next sync makes another."""

from dataclasses import dataclass

from cohortd.core.delivery import GONE
from cohortd.core.errors import GoneError, SettingsError
from cohortd.core.planning import Target
from cohortd.ledger import Remote
from cohortd.pipeline.wiring import Pipeline

#: What the removal log says of revocations that were still open there.
GONE_WITH_IT = "the audience itself is gone"


@dataclass(frozen=True, slots=True)
class Renewed:
    """What was given up."""

    target: Target
    remote_id: str
    #: Members that the ledger took off with it.
    members: int

    def sentence(self) -> str:
        """Say it to people."""
        return (
            f"{self.target.audience} on {self.target.destination}: audience {self.remote_id} is given up"
            f" with its {self.members:,} members; the next sync makes another and fills it."
        )


def renew(pipeline: Pipeline, audience: str, destination: str | None) -> Renewed:
    """Give up a remote audience of which the platform says that it is not there.

    Meta answers the same of one that is deleted and of one that is shown to us no more, so this is
    done only where a person asks for it.

    Raises:
        SettingsError: There is no such remote audience, or the platform still shows it.
        SyncError: The platform could not say.
    """
    remote = _remote(pipeline, audience, destination)
    account = pipeline.destinations.get(remote.target.destination)
    if account is None:
        raise SettingsError(
            f"destination {remote.target.destination} is no longer in the settings: put it back, so"
            " that the platform can be asked"
        )
    if remote.remote_id is None:
        raise SettingsError(f"{audience} on {account.name} is not made yet: the next sync makes it")
    try:
        state = account.connector.read(remote.remote_id).state
    except GoneError:
        state = GONE
    if state != GONE:
        raise SettingsError(
            f"{account.name} does not say that audience {remote.remote_id} is gone, but:"
            f" {state or 'it is there'}. Nothing was done"
        )
    members = pipeline.ledger.renew(remote.id, now=pipeline.clock(), detail=GONE_WITH_IT)
    return Renewed(remote.target, remote.remote_id, members)


def _remote(pipeline: Pipeline, audience: str, destination: str | None) -> Remote:
    found = [
        remote
        for remote in pipeline.ledger.remotes.all()
        if remote.target.audience == audience and destination in (None, remote.target.destination)
    ]
    if not found:
        where = f" on {destination}" if destination else ""
        raise SettingsError(f"there is no remote audience for {audience}{where}; see cohortd audiences")
    if len(found) > 1:
        names = ", ".join(remote.target.destination for remote in found)
        raise SettingsError(f"{audience} is on {names}: say which one with --destination")
    return found[0]
