"""Messages on their way by one channel: a service that hangs holds up its own next message alone."""

from collections.abc import Sequence

from cohortd.alerts.channels import Channel, Message
from cohortd.core.errands import BROKE_OFF, Errand


class Sending:
    """Some messages, sent one after the other until one is not taken."""

    def __init__(self, channel: Channel, messages: Sequence[Message]) -> None:
        """Begin at once."""
        self.channel = channel
        #: Those that were taken so far.
        self.taken: list[Message] = []
        #: Why the next was not; once it has ended, empty where all were taken.
        self.why = BROKE_OFF
        self._messages = tuple(messages)
        self._errand = Errand(f"alerts-{channel.name}", self._send)

    def ends_within(self, seconds: float) -> bool:
        """Wait at most so long; tell whether it has ended, however."""
        return self._errand.ends_within(seconds)

    def _send(self) -> None:
        for message in self._messages:
            why = self.channel.send(message)
            if why:
                self.why = why
                return
            self.taken.append(message)
        self.why = ""
