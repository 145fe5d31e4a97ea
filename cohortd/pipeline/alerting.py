"""Tells people what needs them, once, again when it lasts, and when it is over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from cohortd.alerts import Channel, Mood
from cohortd.core.conditions import Condition, conditions_of
from cohortd.core.deadlines import Standing
from cohortd.core.delivery import AccessCheck
from cohortd.ledger import FailingChannel, Told
from cohortd.pipeline.alarms import due_removals
from cohortd.pipeline.due import DUE_CURE, KIND_OF, WORDS
from cohortd.pipeline.looking import standing_lines
from cohortd.pipeline.wiring import Pipeline

#: So long something must be over before that is told: a destination is tried anew at each run, and
#: paused again minutes later where nobody acted.
RECOVERED_AFTER: Final = timedelta(minutes=15)
#: A channel that fails is tried after a minute, then two, four, at most an hour.
_AGAIN_AFTER: Final = timedelta(minutes=1)
_AGAIN_AT_MOST: Final = timedelta(hours=1)
#: What a report tells well enough, and what only a restart left: they come and go with every run.
UNTOLD: Final = frozenset({"sync_partial", "sync_abandoned"})
SUBJECT: Final = "alerts"
_CURE: Final = "Look at alerts.urls, then: cohortd check --alerts. What is due is sent once it works."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a channel is to be told now."""

    #: All that it will know then but for what is told now.
    known: Mapping[str, Told]
    trouble: Sequence[Condition] = ()
    over: Sequence[Told] = ()


def tell_alerts(pipeline: Pipeline) -> None:
    """Tell every channel what is new, what lasts and what is over; whatever fails is tried again later."""
    policy = pipeline.alerts
    pipeline.ledger.alerts.forget_others([channel.name for channel in policy.channels])
    if not policy.channels:
        return
    found = [each for each in current_conditions(pipeline) if each.kind not in UNTOLD]
    for channel in policy.channels:
        _tell(pipeline, channel, [each for each in found if each.subject != subject_of(channel.name)])


def current_conditions(pipeline: Pipeline) -> tuple[Condition, ...]:
    """Everything that needs a person now, by what is read quickly: it is asked for every minute."""
    lines = [*standing_lines(pipeline), *_due_lines(pipeline), *alert_lines(pipeline)]
    return conditions_of([*lines, *pipeline.alerts.more()])


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
    trouble = [each for each in found if _is_due(kept[each.key], now=now, repeat_after=repeat_after)]
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


def alert_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """Say of each channel whether it takes messages."""
    failing = pipeline.ledger.alerts.failing() if pipeline.alerts.channels else {}
    return [_channel_line(channel.name, failing.get(channel.name)) for channel in pipeline.alerts.channels]


def try_channels(pipeline: Pipeline) -> list[AccessCheck]:
    """Send a test message by every channel and say what each answered."""
    if not pipeline.alerts.channels:
        cure = "Say under alerts.urls where alerts go."
        return [AccessCheck(SUBJECT, ok=False, detail="nowhere to send any", cure=cure)]
    return [_tested(pipeline, channel) for channel in pipeline.alerts.channels]


def subject_of(channel: str) -> str:
    """Name a channel in lines for people."""
    return f"{SUBJECT} {channel}"


def _tested(pipeline: Pipeline, channel: Channel) -> AccessCheck:
    body = "cohortd check --alerts sent this. Nothing is wrong; alerts of this installation come here."
    why = channel.send("cohortd: a test", body, Mood.TEST)
    if not why:
        pipeline.ledger.alerts.took(channel.name)
    return AccessCheck(
        subject_of(channel.name),
        ok=not why,
        detail=why or "it took a test message",
        cure="Mend its URL under alerts.urls." if why else "",
    )


def _tell(pipeline: Pipeline, channel: Channel, found: Sequence[Condition]) -> None:
    alerts, now = pipeline.ledger.alerts, pipeline.clock()
    before = alerts.told(channel.name)
    decision = decide(before, found, now=now, repeat_after=pipeline.alerts.repeat_after)
    known = dict(decision.known)
    failing = alerts.failing().get(channel.name)
    is_waiting = failing is not None and now < failing.next_at
    if decision.trouble and not is_waiting:
        title = _title("needs somebody", [each.subject for each in decision.trouble])
        if _send(pipeline, channel, title, _bodies(decision, before), Mood.TROUBLE):
            known |= {each.key: replace(known[each.key], told_at=now) for each in decision.trouble}
        else:
            is_waiting = True
    if decision.over and not is_waiting:
        title = _title("is over", [told.subject for told in decision.over])
        is_waiting = not _send(pipeline, channel, title, _endings(decision.over), Mood.OVER)
    if is_waiting:
        known |= {told.key: told for told in decision.over}
    if known != dict(before):
        alerts.keep(channel.name, list(known.values()))


def _send(pipeline: Pipeline, channel: Channel, title: str, body: str, mood: Mood) -> bool:
    why = channel.send(title, body, mood)
    alerts = pipeline.ledger.alerts
    if not why:
        alerts.took(channel.name)
        log.info("alert_sent", channel=channel.name, mood=mood.value)
        return True
    failing = alerts.failing().get(channel.name)
    wait = min(_AGAIN_AFTER * 2 ** min(failing.tries if failing else 0, 10), _AGAIN_AT_MOST)
    alerts.failed(channel.name, now=pipeline.clock(), again_after=wait, reason=why)
    log.warning("alert_not_sent", channel=channel.name, reason=why, again_s=round(wait.total_seconds()))
    return False


def _title(what: str, subjects: Sequence[str]) -> str:
    names = list(dict.fromkeys(subjects))
    said = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return f"cohortd: {said} {what}"


def _bodies(decision: Decision, before: Mapping[str, Told]) -> str:
    """What happened, to what, since when, what to do; a paragraph each."""
    said = []
    for each in decision.trouble:
        told = before.get(each.key)
        still = f"Still so, since {_minute(told.since)}. " if told and told.told_at else ""
        said.append(f"{still}{each.sentence}")
    return "\n\n".join(said)


def _endings(over: Iterable[Told]) -> str:
    return "\n\n".join(
        f"{told.subject}: over. Since {_minute(told.since)} it was: {told.detail}" for told in over
    )


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _is_due(told: Told, *, now: datetime, repeat_after: timedelta) -> bool:
    return told.told_at is None or now - told.told_at >= repeat_after


def _due_lines(pipeline: Pipeline) -> list[AccessCheck]:
    return [
        AccessCheck(
            f"revocations on {each.destination}",
            ok=False,
            detail=f"{each.count:,} removals are {WORDS[each.standing]} {_minute(each.first_due_at)}",
            cure=DUE_CURE,
            kind=KIND_OF[each.standing],
        )
        for each in due_removals(pipeline)
        if each.standing is not Standing.RUNNING
    ]


def _channel_line(name: str, failing: FailingChannel | None) -> AccessCheck:
    if failing is None:
        return AccessCheck(subject_of(name), ok=True, detail="takes messages, as far as is known")
    detail = f"takes none since {_minute(failing.since)} ({failing.tries:,} tries): {failing.reason}"
    return AccessCheck(subject_of(name), ok=False, detail=detail, cure=_CURE)
