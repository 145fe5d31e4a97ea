"""``plan``, ``sync`` and ``run``."""

import os
import signal
from collections.abc import Collection, Sequence
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, AsOf, ConfigFile
from cohortd.cli.output import answer, table
from cohortd.core.errors import GuardError, NotLeaderError

if TYPE_CHECKING:
    from cohortd.core.fates import SegmentFate
    from cohortd.core.reporting import RunReport
    from cohortd.pipeline.planning import Plan

_YEAR_S = 31_536_000

EXIT_OF = {"done": 0, "partial": 1, "stopped": 3}

Wait = Annotated[
    bool, typer.Option("--wait", help="Poll until everything is confirmed or rejected, or the time is up.")
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", help="How long --wait waits; a year at most.", min=0, max=_YEAR_S
    ),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(plan)
    app.command()(sync)
    app.command()(run)


def plan(config: ConfigFile = None, as_json: AsJson = False, as_of: AsOf = None) -> None:
    """Show what a sync would change, and which guard would stop it. Sends nothing."""
    from cohortd.pipeline.planning import make_plan

    with opened(config, as_json=as_json) as pipeline:
        try:
            made = make_plan(pipeline, as_of=pipeline.at(as_of))
        except GuardError as error:
            _no_plan(error, as_json=as_json)
            raise typer.Exit(error.exit_code) from None
    answer(_plan_json(made), as_json=as_json, show=lambda console: _show_plan(console, made))


def sync(
    config: ConfigFile = None,
    as_json: AsJson = False,
    as_of: AsOf = None,
    approve: Annotated[
        str | None,
        typer.Option(
            "--approve",
            metavar="PLAN",
            help="Apply this plan although a guard stops it; it must still be the plan.",
        ),
    ] = None,
    wait: Wait = False,
    timeout: Timeout = 3600.0,
    destination: Annotated[
        list[str] | None,
        typer.Option("--destination", metavar="NAME", help="Only this one; may be repeated."),
    ] = None,
    audience: Annotated[
        list[str] | None, typer.Option("--audience", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Send everybody anew, and have the platforms forget all others."),
    ] = False,
) -> None:
    """Send the difference: revocations first, then who leaves, then who comes.

    While a daemon runs, it alone sends: an approval is handed to it, and its run is waited for.
    Exits with 1 when something fell short and with 3 when a guard stopped it.
    """
    from cohortd.pipeline.approving import check_plan_id, hand_over
    from cohortd.pipeline.syncing import SyncCall
    from cohortd.pipeline.syncing import sync as run_sync

    call = SyncCall(
        as_of=as_of,
        approve=approve,
        wait_s=timeout if wait else None,
        destinations=tuple(destination or ()),
        audiences=tuple(audience or ()),
        replace=replace,
    )
    if approve is not None:
        check_plan_id(approve)
    with opened(config, as_json=as_json) as pipeline:
        try:
            with pipeline.ledger.leadership() as epoch:
                report = run_sync(pipeline, call, epoch=epoch)
        except NotLeaderError:
            if approve is None or call != SyncCall(approve=approve, wait_s=call.wait_s):
                raise
            pipeline.progress("handing the approval to the cohortd that runs")
            report = hand_over(pipeline, approve, timeout_s=timeout)
    _end(report, as_json=as_json)


def run(
    config: ConfigFile = None,
    as_json: AsJson = False,
    as_of: AsOf = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due once, then leave.")] = False,
    wait: Wait = False,
    timeout: Timeout = 3600.0,
) -> None:
    """Run the daemon: re-cluster, sync and send revocations by the schedule of the settings.

    With --once: revocations, a re-clustering if due, a sync, and whatever else is due; then it leaves.
    """
    if not once:
        if as_of is not None:
            raise typer.BadParameter("--as-of goes with --once")
        # Until the daemon takes its own: it loads for a second or two, and reads the settings after that.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _leave)
        from cohortd.daemon import serve

        serve(config)
    from cohortd.daemon.once import run_once
    from cohortd.pipeline.syncing import SyncCall

    call = SyncCall(as_of=as_of, wait_s=timeout if wait else None, refit=True)
    with opened(config, as_json=as_json) as pipeline, pipeline.ledger.leadership() as epoch:
        done = run_once(pipeline, call, epoch=epoch)
    _end(done.report, as_json=as_json, jobs=done.jobs)


def _leave(_number: int, _frame: FrameType | None) -> None:
    """End at once, and well: nothing has begun."""
    os._exit(0)


def _no_plan(error: GuardError, *, as_json: bool) -> None:
    """Answer where a guard stopped before there was anything to plan."""
    stops = [{"guard": stop.guard, "detail": stop.detail} for stop in error.stops]
    data = {"plan_id": None, "model_version": None, "audiences": [], "guards": stops, "error": str(error)}
    answer(data, as_json=as_json, show=lambda console: console.print(str(error)))


def sync_json(report: "RunReport") -> dict[str, object]:
    """The answer of ``sync --json``."""
    return {
        "run_id": report.run_id,
        "status": report.status,
        "plan_id": report.plan_id,
        "model_version": report.model_version,
        "audiences": [
            {
                "audience": a.audience,
                "name": a.name,
                "destination": a.destination,
                "remote_id": a.remote_id,
                "added": a.added,
                "removed": a.removed,
                "pending": a.pending,
                "rejected": a.rejected,
                "rejected_reasons": a.rejected_reasons,
                "size": a.size,
                "held": a.held,
            }
            for a in report.audiences
        ],
        "guards": [{"guard": stop.guard, "detail": stop.detail} for stop in report.guards],
        "lineage": [asdict(fate) for fate in report.lineage],
        "notes": report.notes,
        "stability": report.stability,
        "quality": [asdict(each) for each in report.quality],
    }


def _end(report: "RunReport", *, as_json: bool, jobs: Sequence[str] = ()) -> None:
    data = {**sync_json(report), "jobs": list(jobs)} if jobs else sync_json(report)
    answer(data, as_json=as_json, show=lambda console: _show_sync(console, report))
    raise typer.Exit(EXIT_OF[report.status])


def _show_sync(console: Console, report: "RunReport") -> None:
    rows = [
        (a.audience, a.name, a.destination, a.added, a.removed, a.pending, a.rejected, a.size, a.held or "")
        for a in report.audiences
    ]
    columns = (
        "audience",
        "name",
        "destination",
        "added",
        "removed",
        "pending",
        "rejected",
        "size",
        "held back",
    )
    console.print(table("", columns, rows))
    if any(a.pending for a in report.audiences):
        console.print(
            "Pending is not confirmed yet: the daemon and the next sync ask, and --wait waits for it."
        )
    _show_fates(console, report.lineage)
    for note in report.notes:
        console.print(f"! {note}")
    for stop in report.guards:
        console.print(f"guard {stop.guard}: {stop.detail}")
    if report.guards and report.plan_id is not None:
        console.print(
            f"Only revocations were sent. Look at it, then: cohortd sync --approve {report.plan_id}"
        )
    console.print(f"Run {report.run_id}: {report.status}.")


def _plan_json(made: "Plan") -> dict[str, object]:
    segments = {segment.id: segment.name for segment in made.segments}
    return {
        "plan_id": made.plan_id,
        "model_version": made.clustered.version.id,
        "audiences": [
            {
                "audience": target.audience,
                "name": segments.get(target.audience),
                "destination": target.destination,
                "eligible": delta.eligible,
                "adds": delta.adds,
                "removes": delta.removes,
                "refreshes": delta.refreshes,
                "held": made.held.get(target),
            }
            for target, delta in made.ordered()
        ],
        "guards": [{"guard": stop.guard, "detail": stop.detail} for stop in made.guards],
        "notes": list(made.notes),
        "stability": made.clustered.stability.as_json(),
        "moved_share": made.clustered.moved_share,
        "models": {
            name: {"model_version": each.version.id, "moved_share": each.moved_share}
            for name, each in made.models.items()
            if name
        },
        "lineage": [asdict(fate) for fate in made.fates],
        "quality": [asdict(each) for each in made.quality],
    }


def _show_plan(console: Console, made: "Plan") -> None:
    segments = {segment.id: segment.name for segment in made.segments}
    rows = [
        (
            target.audience,
            segments.get(target.audience, "(gone)"),
            target.destination,
            delta.eligible,
            delta.adds,
            delta.removes,
            delta.refreshes,
            made.held.get(target, ""),
        )
        for target, delta in made.ordered()
    ]
    columns = ("audience", "name", "destination", "eligible", "adds", "removes", "refreshes", "held back")
    console.print(table("", columns, rows))
    _show_fates(console, made.fates)
    for note in made.notes:
        console.print(f"! {note}")
    for stop in made.guards:
        console.print(f"guard {stop.guard} would stop it: {stop.detail}")
    console.print(f"Plan {made.plan_id} under model version {made.clustered.version.id}. Nothing was sent.")


def _show_fates(console: Console, fates: Collection["SegmentFate"]) -> None:
    """Which segments came and went since the last sync, and what that does to their audiences."""
    from cohortd.pipeline.fates import lines_of

    if fates:
        console.print("Segments that came or went:")
    for line in lines_of(fates):
        console.print(line)
