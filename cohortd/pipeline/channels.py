"""The channels that alerts go by: whether each takes messages, and a test of them."""

import time
from typing import Final

from cohortd.alerts import Message, Mood, Sending
from cohortd.core.delivery import AccessCheck
from cohortd.core.times import minute_of
from cohortd.ledger import FailingChannel
from cohortd.pipeline.wiring import Pipeline

SUBJECT: Final = "alerts"
#: How long a service may take for a message, all in all; seconds.
WITHIN_S: Final = 30.0
NO_ANSWER: Final = f"no answer within {WITHIN_S:.0f} seconds"
_CURE: Final = "Look at alerts.urls, then: cohortd check --alerts. What is due is sent once it works."


def channel_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """Say of each channel whether it takes messages."""
    failing = pipeline.ledger.alerts.failing() if pipeline.alerts.channels else {}
    return [_channel_line(channel.name, failing.get(channel.name)) for channel in pipeline.alerts.channels]


def try_channels(pipeline: Pipeline) -> list[AccessCheck]:
    """Send a test message by every channel and say what each answered."""
    if not pipeline.alerts.channels:
        cure = "Say under alerts.urls where alerts go."
        return [AccessCheck(SUBJECT, ok=False, detail="nowhere to send any", cure=cure)]
    body = "cohortd check --alerts sent this. Nothing is wrong; alerts of this installation come here."
    test = Message("cohortd: a test", body, Mood.TEST)
    sendings = [Sending(channel, [test]) for channel in pipeline.alerts.channels]
    ends = time.monotonic() + WITHIN_S
    return [_tested(pipeline, sending, ends=ends) for sending in sendings]


def subject_of(channel: str) -> str:
    """Name a channel in lines for people."""
    return f"{SUBJECT} {channel}"


def _tested(pipeline: Pipeline, sending: Sending, *, ends: float) -> AccessCheck:
    why = sending.why if sending.ends_within(max(0.0, ends - time.monotonic())) else NO_ANSWER
    name = sending.channel.name
    if not why:
        pipeline.ledger.alerts.took(name)
    return AccessCheck(
        subject_of(name),
        ok=not why,
        detail=why or "it took a test message",
        cure="Mend its URL under alerts.urls." if why else "",
    )


def _channel_line(name: str, failing: FailingChannel | None) -> AccessCheck:
    if failing is None:
        return AccessCheck(subject_of(name), ok=True, detail="takes messages, as far as is known")
    detail = f"takes none since {minute_of(failing.since)} ({failing.tries:,} tries): {failing.reason}"
    return AccessCheck(subject_of(name), ok=False, detail=detail, cure=_CURE)
