"""``recluster``: a new model version, one that waited, or an earlier one; and the list of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, AsOf, ConfigFile
from cohortd.cli.output import answer, table
from cohortd.core.errors import GuardError

if TYPE_CHECKING:
    from cohortd.core.modelling import ModelVersion
    from cohortd.pipeline.reclustering import Reclustered


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(recluster)


def recluster(
    config: ConfigFile = None,
    as_json: AsJson = False,
    as_of: AsOf = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Make a new model version even if none is due, however many it moves."
        ),
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Put the model version in force that the churn budget held back.",
        ),
    ] = False,
    rollback: Annotated[
        str | None,
        typer.Option(
            "--rollback",
            metavar="VERSION",
            help="Put an earlier model version in force again: its number, or 'previous'.",
        ),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="List the model versions, the newest first; do nothing.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Only this one of the models beside the main one."),
    ] = None,
) -> None:
    """Fit a new model version when it is the first, due, drifted or forced. Sends nothing.

    Segments keep their ids and names; births, splits, merges and deaths are told before anything is sent.
    Exits with 3 when the churn budget held the new version back.
    """
    _check_together(force=force, accept=accept, rollback=rollback is not None, history=history)
    with opened(config, as_json=as_json) as whole:
        from cohortd.pipeline import versions
        from cohortd.pipeline.models import only_model
        from cohortd.pipeline.reclustering import put_in_force
        from cohortd.pipeline.reclustering import recluster as run_recluster

        pipeline = only_model(whole, model) if model is not None else whole
        if history:
            rows = versions.history(pipeline)
            answer({"models": rows}, as_json=as_json, show=lambda console: _show_history(console, rows))
            return
        if rollback is not None:
            made = put_in_force(pipeline, versions.roll_back(pipeline, rollback, as_of=as_of))
        elif accept:
            made = put_in_force(pipeline, versions.accept(pipeline))
        else:
            made = run_recluster(pipeline, as_of=as_of, force=force)
    answer(made.as_json(), as_json=as_json, show=lambda console: _show_all(console, made))
    if made.is_stopped:
        raise typer.Exit(GuardError.exit_code)


def _check_together(*, force: bool, accept: bool, rollback: bool, history: bool) -> None:
    if force and accept:
        raise typer.BadParameter("it goes without --force, which asks no budget", param_hint="--accept")
    if rollback and (force or accept):
        raise typer.BadParameter("it goes without --force and --accept", param_hint="--rollback")
    if history and (force or accept or rollback):
        raise typer.BadParameter("it goes alone", param_hint="--history")


def _show_all(console: Console, made: "Reclustered") -> None:
    _show(console, made)
    for name, each in made.beside.items():
        console.print(f"Model {name}:")
        _show(console, each)


def _show(console: Console, made: "Reclustered") -> None:
    version = made.version
    if made.reason is None:
        console.print(f"Model version {version.id} stays: {_why_it_stays(made)}.")
    elif version.restores:
        console.print(f"Model version {version.id} is in force: {version.restores} once more.")
    else:
        console.print(f"Model version {version.id} made ({made.reason}).")
        _show_choice(console, version)
    rows = [(s["segment"], s["name"], s["customers"], s["held"] or "") for s in made.segments]
    console.print(table("", ("segment", "name", "customers", "held back"), rows))
    _show_lineage(console, version if made.reason is not None else None)
    if made.moved_share is not None:
        console.print(f"{made.moved_share:.1%} of the customers change segment.")
    if made.report is not None:
        console.print(f"Who they are and why, with plots: {made.report}", soft_wrap=True)
    _show_notes(console, made)
    if made.stopped is not None:
        _show_stopped(console, made)
    if version.restores and made.reason is not None:
        console.print("Nothing was sent: cohortd plan shows what a sync would do now.")


def _show_notes(console: Console, made: "Reclustered") -> None:
    """What was left out and what needs a look, but for what was told with the choice."""
    warnings = made.version.quality.get("warnings") if made.reason is not None else None
    told = warnings if isinstance(warnings, list) else ()
    for note in made.notes:
        if note not in told:
            console.print(f"Note: {note}.".replace("..", "."), soft_wrap=True)


def _why_it_stays(made: "Reclustered") -> str:
    if made.stopped is not None:
        return "a new one was made, and moves too many"
    if made.waiting is not None:
        return f"version {made.waiting.version.id} waits for you (cohortd recluster --history)"
    return "it is not due, and nothing drifted"


def _show_stopped(console: Console, made: "Reclustered") -> None:
    assert made.stopped is not None
    console.print(f"guard {made.stopped.guard}: {made.stopped.detail}")
    if made.waiting is not None:
        console.print(f"Version {made.waiting.version.id}, which is not in force:")
        _show_lineage(console, made.waiting.version)
    console.print(
        "Audiences are fed by the version that stays. If the move is wanted: cohortd recluster --accept, or"
        " raise segmentation.churn_budget."
    )


def _show_lineage(console: Console, version: "ModelVersion | None") -> None:
    for event in version.lineage if version is not None else ():
        console.print(f"{event.segment_id} {event.kind} {event.other_id} {event.detail}".rstrip())


def _show_choice(console: Console, version: "ModelVersion") -> None:
    """How the segments were found and why so, and what a person should look at."""
    quality = version.quality
    if quality.get("algorithm_asked") == "auto":
        console.print(f"By {version.algorithm}: {quality.get('algorithm_reason')}.")
    console.print(f"{len(version.segments)} segments; how many: {quality.get('k_reason')}.")
    warnings = quality.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        console.print(f"Note: {warning}.".replace("..", "."))


def _show_history(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = ("version", "made", "why", "algorithm", "segments", "moved", "silhouette", "lineage", "")
    cells = [
        (
            row["model_version"],
            str(row["made_at"])[:16].replace("T", " "),
            row["reason"] if row["restores"] is None else f"{row['reason']}, as {row['restores']}",
            row["algorithm"],
            row["segments"],
            "-" if row["moved_share"] is None else f"{row['moved_share']:.1%}",
            "-" if row["silhouette"] is None else f"{row['silhouette']:.3f}",
            ", ".join(_counted(row["lineage"])),
            _standing(row),
        )
        for row in rows
    ]
    console.print(table("", columns, cells))
    for row in rows:
        if row["held_back"]:
            console.print(f"! version {row['model_version']} was held back: {row['held_back']}")


def _counted(events: Sequence[Mapping[str, str]]) -> list[str]:
    kinds = [event["event"] for event in events]
    return [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]


def _standing(row: Mapping[str, Any]) -> str:
    again = ", ".join(f"once more as {number}" for number in row["restored_as"])
    said = [word for word in ("in force", "synced") if row[word.replace(" ", "_")]]
    return ", ".join([*(["held back"] if row["held_back"] else []), *said, *([again] if again else [])])
