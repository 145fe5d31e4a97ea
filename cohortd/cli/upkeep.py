"""``doctor``, ``backup`` and ``restore``: the state kept sound, copied, put back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer
from cohortd.core.errors import CohortdError


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(doctor)
    app.command()(backup)
    app.command()(restore)


def doctor(
    config: ConfigFile = None,
    as_json: AsJson = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Compare every index with its table too: minutes for a large ledger."),
    ] = False,
) -> None:
    """Tell whether the machine and the state are sound: a line each, with what to do.

    Permissions, file systems, room on the disk, the database, the removal log, clocks, work that
    nobody does. What check looks at is whether a run can begin: settings, tables, credentials. What
    status looks at is whether all is well with what was done.

    Exits with 1 when a line is bad. Like every command it brings an older ledger's tables up to date; else
    it changes nothing. Sends nothing but a question for the time.
    """
    from cohortd.bootstrap import clock_addresses, load_settings
    from cohortd.core.delivery import AccessCheck
    from cohortd.core.health import Health
    from cohortd.ledger import file_of
    from cohortd.pipeline.examining import examine
    from cohortd.pipeline.surroundings import is_openable, surroundings

    settings = load_settings(config)
    lines = surroundings(settings.data_dir, file_of(settings.database_url))
    if is_openable(lines):
        try:
            with opened(config, as_json=as_json) as pipeline:
                lines += examine(pipeline, deep=deep, clocks=clock_addresses(settings))
        except CohortdError as error:
            cure = "docs/operations.md says what each of these means, and how a backup is put back."
            lines.append(AccessCheck("ledger", ok=False, detail=str(error), cure=cure))
    found = Health(tuple(lines))

    def tell(console: Console) -> None:
        for line in found.lines:
            console.print(f"{'ok ' if line.ok else 'BAD'} {line.subject}: {line.detail}")
            if line.cure:
                console.print(f"    {line.cure}")

    answer(found.as_json(), as_json=as_json, show=tell)
    if not found.ok:
        raise typer.Exit(1)


def backup(
    into: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The copy is a folder of its own in there.")
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", help="Delete older copies of this ledger there, but N.", min=1),
    ] = None,
) -> None:
    """Copy the ledger, the log's key and heads and what was assigned, also while the daemon runs.

    A ledger in PostgreSQL is not in it: copy that with pg_dump. A copy holds personal data.
    """
    from cohortd.ledger import back_up

    with opened(config, as_json=as_json) as pipeline:
        made = back_up(pipeline.ledger, pipeline.data_dir, into, at=pipeline.clock(), keep=keep)
    data = {
        "status": "done",
        "folder": str(made.folder),
        "is_whole": made.manifest.is_whole,
        "size_bytes": made.size_bytes,
        "files": len(made.manifest.files),
        "dropped": made.dropped,
    }

    def tell(console: Console) -> None:
        console.print(
            f"Copied: {made.folder}, {len(made.manifest.files):,} files, {made.size_bytes / 1e6:,.1f} MB."
        )
        if not made.manifest.is_whole:
            console.print(f"Without {made.manifest.database}: copy that with pg_dump.")
        for name in made.dropped:
            console.print(f"Deleted the older copy {name}.")

    answer(data, as_json=as_json, show=tell)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="COPY", help="A folder that cohortd backup made.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a copy back; what it replaces is kept beside it. Stop every cohortd first.

    The next sync takes everybody off again who had revoked, and deletes nobody else.
    """
    from cohortd.bootstrap import load_settings, make_private
    from cohortd.core.times import now_utc
    from cohortd.ledger import restore as put_back

    settings = load_settings(config)
    make_private(settings.data_dir)
    done = put_back(settings.database_url, settings.data_dir, folder, at=now_utc())

    def tell(console: Console) -> None:
        console.print(f"Put back the copy of {done.manifest.made_at}: {len(done.files):,} files.")
        for name in done.aside:
            console.print(f"What was there is now {name}.")
        if not done.manifest.is_whole:
            console.print("Put the database back with pg_restore before you start cohortd.")
        console.print("Next: cohortd doctor, then cohortd plan, then start the daemon. Hand in again what")
        console.print("was revoked or erased by command since the copy.")

    answer({"status": "done", **asdict(done)}, as_json=as_json, show=tell)
