"""The removal log written for reviewers: all of it, or a period."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, TextIO

from cohortd.core.errors import SettingsError
from cohortd.core.removals import RemovalEntry
from cohortd.core.times import format_time
from cohortd.pipeline.wiring import Pipeline
from cohortd.report import removal_log_csv, removal_log_html, removal_log_jsonl, removal_log_jsonld

#: From when on, and before when; None for open.
Period = tuple[datetime | None, datetime | None]

_LINES: Final = {"csv": removal_log_csv, "jsonl": removal_log_jsonl}


def export_log(pipeline: Pipeline, form: str, out: TextIO, *, period: Period = (None, None)) -> None:
    """Write the log as ``csv``, ``jsonl``, ``jsonld`` or ``html``.

    Raises:
        SettingsError: The period ends before it begins.
    """
    since, until = period
    if since is not None and until is not None and until <= since:
        raise SettingsError("--until must be later than --since: nothing can lie between them")
    log = pipeline.ledger.removals
    entries = log.entries(since=since) if form == "jsonl" else log.told(since=since)
    if form in _LINES:
        _LINES[form](_before(entries, until), out)
        return
    named = (_named(since), _named(until)) if since is not None or until is not None else None
    if form == "jsonld":
        removal_log_jsonld(entries, out, period=named)
    else:
        removal_log_html(entries, out, made_at=pipeline.clock(), period=named)


def _before(entries: Iterable[RemovalEntry], until: datetime | None) -> Iterator[RemovalEntry]:
    """Leave out what came later. Times ascend but for clocks that were set back: so all are looked at."""
    end = _named(until)
    return (entry for entry in entries if not end or entry.at < end)


def _named(at: datetime | None) -> str:
    return "" if at is None else format_time(at)
