"""The demo, driven week by week: revoke, re-cluster, sync, look back."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree

import numpy as np
import pandas as pd
from rich.console import Console

import clustering
from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.consenting import SubjectKind
from cohortd.core.errors import SettingsError
from cohortd.core.reporting import AudienceReport, RunReport
from cohortd.demo.data import DemoData, revocations, write_data
from cohortd.demo.settings import settings_text
from cohortd.demo.summary import DemoAudience, DemoResult, DemoWeek
from cohortd.emulators.serving import Ports, running
from cohortd.engine import Engine
from cohortd.pipeline.clusters import Clustered
from cohortd.pipeline.outcome import revocation_reports
from cohortd.pipeline.portraits import page_of
from cohortd.pipeline.revoking import Revocation, revoke
from cohortd.pipeline.syncing import SyncCall, sync
from cohortd.pipeline.wiring import Pipeline

#: A Monday with more than thirteen whole weeks of shopping before it, in a steady part of the year.
FIRST_WEEK = datetime(2017, 5, 29, tzinfo=UTC)
#: Written into the folder, so that a later demo knows it may empty it.
MARKER = ".cohortd-demo"
#: Seconds a Google stand-in takes to process a request, and a week's sync may take to be confirmed.
PROCESSING_S = 0.05
CONFIRM_WITHIN_S = 60.0


@dataclass(slots=True)
class _Yardstick:
    """A fresh clustering of each week by its raw numbers: what moves without identities."""

    shares: list[float | None] = field(default_factory=list)
    _before: pd.Series[int] | None = None

    def observe(self, engine: Engine, clustered: Clustered) -> None:
        sample = engine.sample(clustered.features, engine.count(clustered.features), "naive")
        k = len(clustered.version.segments)
        labels = pd.Series(clustering.fit_naive(sample, clustered.specs, k, 0), index=sample.index)
        share = None
        if self._before is not None:
            both = labels.index.intersection(self._before.index)
            share = float(np.mean(labels.loc[both].to_numpy() != self._before.loc[both].to_numpy()))
        self._before = labels
        self.shares.append(share)


def run_demo(folder: Path, *, weeks: int, quiet: bool) -> DemoResult:
    """Run *weeks* weeks against emulators, leaving data, settings, ledger and reports in *folder*.

    Raises:
        SettingsError: The folder holds something that no demo made, or the demo's data is missing.
    """
    began = time.perf_counter()
    _empty(folder)
    with _steps(quiet=quiet) as step:
        step("writing a year of real shopping data, with generated contact fields")
        data = write_data(folder / "data")
        with running(Ports(), state=folder / "platforms", delay_s=PROCESSING_S) as endpoints:
            path = folder / "cohortd.yaml"
            path.write_text(settings_text(endpoints), encoding="utf-8")
            with open_pipeline(load_settings(str(path))) as pipeline:
                yardstick = _Yardstick()
                ended = list(_weeks(pipeline, data, weeks, yardstick, step))
                return _result(pipeline, ended, yardstick, path, seconds=time.perf_counter() - began)


def _weeks(
    pipeline: Pipeline, data: DemoData, weeks: int, yardstick: _Yardstick, step: Callable[[str], None]
) -> Iterator[tuple[RunReport, str]]:
    """Sync once a week of the data's year; in the middle weeks some people change their mind.

    A plan that a guard stops is approved, as a person would who looked at it; yields what was.
    """
    times = [FIRST_WEEK + timedelta(weeks=number) for number in range(weeks)]
    middle = times[weeks // 2 - 1 : weeks // 2 + 1]
    asked = revocations(data.customer_ids, middle)
    for number, at in enumerate(times, start=1):
        due = [r for r in asked if at - timedelta(weeks=1) <= r.at < at]
        for place, revocation in enumerate(due, start=1):
            step(f"week {number} of {weeks}: taking back {place} of {len(due)}")
            kind = SubjectKind.CUSTOMER if revocation.customer_id else SubjectKind.EMAIL
            value = revocation.customer_id or revocation.email or ""
            revoke(pipeline, Revocation(kind, value, revocation.reason))
        step(f"week {number} of {weeks} ({at:%d %B %Y}): re-clustering and syncing")
        # Every week makes a new version; the pictures of the last one are looked at.
        drawing = replace(pipeline, plots=number == weeks)
        call = SyncCall(as_of=at, wait_s=CONFIRM_WITHIN_S, refit=True, observe=yardstick.observe)
        approved = ""
        with pipeline.ledger.leadership() as epoch:
            report = sync(drawing, call, epoch=epoch)
            if report.status == "stopped" and report.plan_id is not None:
                step(f"week {number} of {weeks}: a guard stopped it, approving the plan")
                approved = "; ".join(stop.detail for stop in report.guards)
                report = sync(drawing, replace(call, approve=report.plan_id, observe=None), epoch=epoch)
        yield report, approved


def _result(
    pipeline: Pipeline,
    ended: Sequence[tuple[RunReport, str]],
    yardstick: _Yardstick,
    path: Path,
    *,
    seconds: float,
) -> DemoResult:
    weeks = tuple(
        DemoWeek(
            as_of=report.as_of,
            moved_share=report.moved_share,
            naive_moved_share=naive,
            added=sum(a.added for a in report.audiences),
            removed=sum(a.removed for a in report.audiences),
            approved=approved,
        )
        for (report, approved), naive in zip(ended, yardstick.shares, strict=True)
    )
    reports = [report for report, _ in ended]
    return DemoResult(
        status="done" if all(report.status == "done" for report in reports) else "partial",
        seconds=round(seconds, 1),
        weeks=weeks,
        audiences=tuple(_audiences(reports)),
        revocations=tuple(revocation_reports(pipeline, since=None)),
        settings=str(path),
        reports=str(pipeline.data_dir / "reports"),
        segments=_page(pipeline),
    )


def _page(pipeline: Pipeline) -> str:
    """Find the page of the segments as they are at the end."""
    version = pipeline.ledger.models.current()
    page = page_of(pipeline, version) if version is not None else None
    return str(page or "")


def _audiences(reports: Sequence[RunReport]) -> Iterator[DemoAudience]:
    """Sum what each audience went through; sizes and names are the last week's."""
    added: Counter[tuple[str, str]] = Counter()
    removed: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], AudienceReport] = {}
    for report in reports:
        for audience in report.audiences:
            key = (audience.audience, audience.destination)
            added[key] += audience.added
            removed[key] += audience.removed
            last[key] = audience
    for key, audience in last.items():
        yield DemoAudience(
            audience=audience.audience,
            name=audience.name,
            destination=audience.destination,
            remote_id=audience.remote_id,
            added=added[key],
            removed=removed[key],
            pending=audience.pending,
            rejected=audience.rejected,
            size=audience.size,
        )


def _empty(folder: Path) -> None:
    """Start from nothing, but never delete what is not a demo's."""
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / MARKER).exists():
                raise SettingsError(f"{folder} is not empty and no demo's; name another folder with --dir")
            rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).touch()
    except OSError as error:
        raise SettingsError(
            f"cannot make the demo's folder {folder}: {error.strerror}; name another with --dir"
        ) from None


@contextmanager
def _steps(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show what is being done: a spinner on a terminal, a line each otherwise, nothing for machines."""
    console = Console(stderr=True, quiet=quiet)
    if quiet or not sys.stderr.isatty():
        yield console.print
        return
    with console.status("starting") as status:
        yield status.update
