"""Whole files about consent: the consent platform's export, and California's deletion lists."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cohortd.cli.consents import consent_app
from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer
from cohortd.core.errors import SettingsError

if TYPE_CHECKING:
    from cohortd.pipeline.reconciled import Reconciled
    from cohortd.pipeline.wiring import Pipeline
    from cohortd.sources import TableSource

_SAID = {
    "same": "the same",
    "withdrawn_there": "withdrawn there and not here",
    "granted_there_later": "withdrawn here, granted there later",
    "withdrawn_here_later": "granted there, withdrawn here since",
    "granted_here_later": "withdrawn there, granted here since",
    "other_times": "the same at another time",
    "granted_there": "granted there, nothing kept here",
    "absent_there": "people kept here and absent there",
    "absent_there_withdrawn": "of them withdrawn",
}
_NAMED = {
    "nobody": "nobody here",
    "one": "one person",
    "several": "several people",
    "granted_again": "somebody who granted again since",
}


def register(_app: typer.Typer) -> None:
    """Add this file's commands."""
    consent_app.command("reconcile")(reconcile)
    consent_app.command("import-drop")(import_drop)


def reconcile(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="The consent platform's whole export; left out, sources.consent_export of the settings.",
        ),
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
    accept_shrunk: Annotated[
        bool,
        typer.Option("--accept-shrunk", help="Take it for whole although it names far fewer people."),
    ] = False,
) -> None:
    """Compare the consent platform's whole export with the ledger; what was missed is taken in and sent.

    FILE has the columns that sources.consent_export names, or else those of consent import.
    """
    from cohortd.pipeline.reconciling import reconcile as compare
    from cohortd.pipeline.revoking import send_revocations

    with opened(config, as_json=as_json) as pipeline:
        source = _export(pipeline, file)
        try:
            done = compare(pipeline, source, accept_shrunk=accept_shrunk)
        finally:  # what was taken in before a broken row goes out, too
            sending = send_revocations(pipeline)
    notes = [*done.notes, *sending.notes]
    answer(
        {**done.as_json(), "run_id": done.run_id, "notes": notes},
        as_json=as_json,
        show=lambda console: console.print("\n".join([*_sentences(done), *notes])),
    )
    if done.status == "stopped":
        raise typer.Exit(3)
    if done.status != "done" or sending.fell_short:
        raise typer.Exit(1)


def _export(pipeline: "Pipeline", file: Path | None) -> "TableSource":
    from cohortd.sources import TableSource

    known = pipeline.sources.consent_export
    if file is None and known is None:
        raise SettingsError("name the export's file, or set sources.consent_export")
    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: there is no such file")
    if known is None:
        return TableSource(name="consent_export", path=str((file or Path()).resolve()))
    if file is None:
        return known
    return replace(known, path=str(file.resolve()), format=None, url=None, query=None)


def _sentences(done: "Reconciled") -> list[str]:
    did = f"{done.withdrawn:,} withdrawals taken in, {done.lifted:,} lifted (by family of platforms)"
    lines = [f"{done.read:,} rows read, {done.people:,} people: {did}. Run {done.run_id}: {done.status}."]
    for name, count in done.differences.items():
        whom = ", ".join(subject[:8] for subject in done.samples.get(name, ()))
        lines.append(f"{_SAID[name]}: {count:,}{f' ({whom})' if whom else ''}")
    return [*lines, *(f"unusable: {reason} {count:,}" for reason, count in sorted(done.dropped.items()))]


def import_drop(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="A download of DROP.")],
    report: Annotated[
        Path,
        typer.Option(
            "--report",
            metavar="OUT",
            help="Where the answers go: a file for all lists, or a folder that is there for one each.",
        ),
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
    deleted: Annotated[
        bool,
        typer.Option(
            "--deleted",
            help="Whoever is found alone is deleted in all your other systems, too: answer 3 for them.",
        ),
    ] = False,
) -> None:
    """Take whoever is on California's deletion lists (DROP) back everywhere, and write the answers.

    Removals are sent at once. Answered are 5 (not found), 4 (several people, all opted out) and, with
    --deleted, 3. Nothing is fetched from DROP, and nothing uploaded there.
    """
    from cohortd.pipeline.deletions import import_deletions
    from cohortd.report import DeletionAnswers

    with opened(config, as_json=as_json) as pipeline:
        done = import_deletions(pipeline, file, DeletionAnswers(report), deleted=deleted)
    data = {
        "rows": dict(done.rows),
        "dropped": dict(done.dropped),
        "found": dict(done.found),
        "answered": dict(done.answered),
        "not_compared": dict(done.not_compared),
        "withdrawn": done.withdrawn,
        "known": done.known,
        "report": str(report),
        "notes": list(done.notes),
    }
    items = sum(done.found.values())
    lines = [
        f"{items:,} work items compared: {done.withdrawn:,} people taken back, {done.known:,} were before.",
        *(f"they name {_NAMED[name]}: {count:,}" for name, count in done.found.items() if count),
        *(f"answered {code}: {count:,}" for code, count in done.answered.items()),
        *(f"unusable: {reason} {count:,}" for reason, count in sorted(done.dropped.items())),
        *done.notes,
        f"Written: {report}",
    ]
    answer(data, as_json=as_json, show=lambda console: console.print("\n".join(lines)))
    if done.fell_short:
        raise typer.Exit(1)
