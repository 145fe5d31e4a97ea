"""Walking the table of errors: what a connector made of an answer, compared with what its row says."""

from collections.abc import Callable
from dataclasses import replace

from cohortd.core.delivery import Action, Batch, Receipt, RemoteStatus
from cohortd.core.errors import SyncError
from connectors.contract_kit import batch_of, person
from connectors.protocol import Connector
from connectors.sayings import Conduct, Saying, conduct

#: Two people, so that one of them can be at fault.
TWO = (person(1), person(2))


def two(remote_id: str, action: Action = Action.ADD) -> Batch:
    """A batch of two people."""
    return batch_of(remote_id, action, *TWO)


def became(attempt: Callable[[], object]) -> SyncError | Receipt | RemoteStatus:
    """What an attempt ended in."""
    try:
        answer = attempt()
    except SyncError as error:
        return error
    assert isinstance(answer, Receipt | RemoteStatus), "it went well"
    return answer


def seen_conduct(saying: Saying, attempt: Callable[[], object]) -> Conduct:
    """What the pipeline would do about what an attempt ended in."""
    return conduct(replace(saying, becomes=became(attempt)))


def polled(connector: Connector, remote_id: str, action: Action) -> Receipt:
    """Send two people and ask once what became of them."""
    return connector.poll(connector.apply(two(remote_id, action)).request)
