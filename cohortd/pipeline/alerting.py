"""Tells people what needs them, once, again when it lasts, and when it is over."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog

from cohortd.alerts import Channel, Message, Sending
from cohortd.core.conditions import Condition
from cohortd.ledger import Told
from cohortd.pipeline import alert_words
from cohortd.pipeline.channels import NO_ANSWER, WITHIN_S, subject_of
from cohortd.pipeline.looking import current_conditions
from cohortd.pipeline.wiring import Pipeline

#: So long something must be over before that is told: a destination is tried anew at each run, and
#: paused again minutes later where nobody acted.
RECOVERED_AFTER: Final = timedelta(minutes=15)
#: A channel that fails is tried after a minute, then two, four, at most an hour.
_AGAIN_AFTER: Final = timedelta(minutes=1)
_AGAIN_AT_MOST: Final = timedelta(hours=1)
#: What comes and goes with every run is told once it has lasted so long: a report tells the first ones
#: well enough, and the next sync tries again.
PATIENCE: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"sync_partial": timedelta(hours=6), "sync_abandoned": timedelta(hours=6)}
)
#: A process that was asked to stop gives services so long; seconds.
_STOPPING_S: Final = 3.0
_LOOK_S: Final = 0.2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a channel is to be told now."""

    #: All that it will know then but for what is told now.
    known: Mapping[str, Told]
    trouble: Sequence[Condition] = ()
    over: Sequence[Told] = ()


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """Messages that a channel was given, and what it knows once it took them."""

    decision: Decision
    trouble: Message | None
    over: Message | None
    sending: Sending
    #: When that was decided.
    at: datetime


def decide(
    known: Mapping[str, Told], found: Sequence[Condition], *, now: datetime, repeat_after: timedelta
) -> Decision:
    """Compare what a channel was told with what is: a pure function of both."""
    stands = {each.key: each for each in found}
    kept = {
        key: replace(known[key], detail=each.detail, gone_at=None)
        if key in known
        else Told(key, each.subject, each.detail, since=now)
        for key, each in stands.items()
    }
    trouble = [
        each for each in found if _is_due(kept[each.key], each.kind, now=now, repeat_after=repeat_after)
    ]
    over = []
    subjects = {each.subject for each in found}
    for key, told in known.items():
        if key in stands or told.told_at is None:
            continue
        gone_at = told.gone_at or now
        if now - gone_at < RECOVERED_AFTER:
            kept[key] = replace(told, gone_at=gone_at)
        elif told.subject not in subjects:  # else something else about it is told instead
            over.append(told)
    return Decision(kept, trouble, over)


@dataclass(slots=True)
class Teller:
    """Tells every channel what is new, what lasts and what is over; what is not taken is tried again.

    Channels are told side by side, and none is waited for longer than ``WITHIN_S``. One that hangs is
    given nothing new until it has ended: what it took late is not sent again.
    """

    _under_way: dict[str, _UnderWay] = field(default_factory=dict)
    #: Channels that hang, which was noted.
    _late: set[str] = field(default_factory=set)

    def tell(self, pipeline: Pipeline) -> None:
        """Look once, and tell."""
        channels = pipeline.alerts.channels
        pipeline.ledger.alerts.forget_others([channel.name for channel in channels])
        if not channels:
            return
        found = current_conditions(pipeline)
        begun = [
            given
            for channel in channels
            if self._is_free(pipeline, channel)
            and (given := _begin(pipeline, channel, [each for each in found if not _is_of(each, channel)]))
        ]
        self._under_way |= {given.sending.channel.name: given for given in begun}
        self._wait(pipeline, begun)

    def _is_free(self, pipeline: Pipeline, channel: Channel) -> bool:
        """Whether a channel has answered to all that it was given; what it took late is noted."""
        given = self._under_way.get(channel.name)
        if given is not None and given.sending.ends_within(0):
            self._end(pipeline, given)
        return channel.name not in self._under_way

    def _wait(self, pipeline: Pipeline, begun: Sequence[_UnderWay]) -> None:
        """Wait for what was begun; who takes too long counts as failing, and goes on alone."""
        waiting, ends = list(begun), time.monotonic() + WITHIN_S
        while waiting and time.monotonic() < ends:
            if pipeline.stop.is_set():
                ends = min(ends, time.monotonic() + _STOPPING_S)
            for given in list(waiting):
                if given.sending.ends_within(_LOOK_S / len(waiting)):
                    waiting.remove(given)
                    self._end(pipeline, given)
        for given in () if pipeline.stop.is_set() else waiting:
            self._late.add(given.sending.channel.name)
            _note_failure(pipeline, given.sending.channel, NO_ANSWER)

    def _end(self, pipeline: Pipeline, given: _UnderWay) -> None:
        """Note what a channel took; what it did not take is as it was before."""
        alerts, sending, name = pipeline.ledger.alerts, given.sending, given.sending.channel.name
        del self._under_way[name]
        known = dict(given.decision.known)
        if given.trouble in sending.taken:
            known |= {
                each.key: replace(known[each.key], told_at=given.at) for each in given.decision.trouble
            }
        if given.over not in sending.taken:
            known |= {told.key: told for told in given.decision.over}
        if sending.taken:
            alerts.keep(name, list(known.values()))
        for message in sending.taken:
            log.info("alert_sent", channel=name, mood=message.mood.value)
        if not sending.why:
            alerts.took(name)
        elif name not in self._late:
            _note_failure(pipeline, sending.channel, sending.why)
        self._late.discard(name)


def _begin(pipeline: Pipeline, channel: Channel, found: Sequence[Condition]) -> _UnderWay | None:
    """Send a channel what it is to be told now, if there is anything and it is its turn."""
    alerts, now = pipeline.ledger.alerts, pipeline.clock()
    before = alerts.told(channel.name)
    decision = decide(before, found, now=now, repeat_after=pipeline.alerts.repeat_after)
    known = {**decision.known, **{told.key: told for told in decision.over}}
    if known != dict(before):
        alerts.keep(channel.name, list(known.values()))
    failing = alerts.failing().get(channel.name)
    if failing is not None and now < failing.next_at:
        return None
    trouble = alert_words.trouble(decision.trouble, before) if decision.trouble else None
    over = alert_words.over(decision.over) if decision.over else None
    messages = [message for message in (trouble, over) if message is not None]
    return _UnderWay(decision, trouble, over, Sending(channel, messages), now) if messages else None


def _note_failure(pipeline: Pipeline, channel: Channel, why: str) -> None:
    alerts = pipeline.ledger.alerts
    failing = alerts.failing().get(channel.name)
    wait = min(_AGAIN_AFTER * 2 ** min(failing.tries if failing else 0, 10), _AGAIN_AT_MOST)
    alerts.failed(channel.name, now=pipeline.clock(), again_after=wait, reason=why)
    log.warning("alert_not_sent", channel=channel.name, reason=why, again_s=round(wait.total_seconds()))


def _is_of(condition: Condition, channel: Channel) -> bool:
    """A channel that fails need not be told so itself."""
    return condition.subject == subject_of(channel.name)


def _is_due(told: Told, kind: str, *, now: datetime, repeat_after: timedelta) -> bool:
    if told.told_at is None:
        return now - told.since >= PATIENCE.get(kind, timedelta())
    return now - told.told_at >= repeat_after
