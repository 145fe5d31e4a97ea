"""``init`` and ``check``: settings made and tried."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer
from cohortd.core.errors import SettingsError

if TYPE_CHECKING:
    from cohortd.core.delivery import AccessCheck

FILE_NAME = "cohortd.yaml"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(init)
    app.command()(check)


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write an annotated cohortd.yaml to start from; an existing one is never overwritten."""
    from cohortd.bootstrap import example_settings

    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(example_settings())
    except FileExistsError:
        raise SettingsError(f"{path} is there already; it was left as it is") from None
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None
    lines = [
        f"Written: {path}",
        f"Next: say in it where your tables are, then run: cohortd check -c {path}",
    ]
    answer({"settings": str(path)}, as_json=as_json, show=lambda console: console.print("\n".join(lines)))


def check(
    config: ConfigFile = None,
    as_json: AsJson = False,
    alerts: Annotated[
        bool,
        typer.Option("--alerts", help="Only send a test message to every URL of alerts.urls."),
    ] = False,
) -> None:
    """Try settings, sources, ledger, credentials, terms and access, a line each. Sends nothing.

    Below, how good the tables are: a score each, and what of the contact fields the platforms can use.

    Exits with 1 when a line is bad, and with 2 when the settings themselves cannot be used.
    """
    from cohortd.bootstrap import exposed_secrets, load_settings
    from cohortd.cli.quality import show_quality
    from cohortd.core.delivery import AccessCheck
    from cohortd.pipeline.checking import check_all
    from cohortd.receivers import check_lines

    if alerts:
        _check_alerts(config, as_json=as_json)
        return
    with opened(config, as_json=as_json) as pipeline:
        checked = check_all(pipeline)
    lines = [*checked.lines, *check_lines(load_settings(config).receiver)]
    if told := exposed_secrets(config):
        # No fault: in a container the file may belong to another user than ours.
        lines.insert(1, AccessCheck("settings file", ok=True, detail=told))

    def show(console: Console) -> None:
        _show(console, lines)
        show_quality(console, checked.quality)

    _end(lines, {"quality": [asdict(each) for each in checked.quality]}, as_json=as_json, show=show)


def _check_alerts(config: str | None, *, as_json: bool) -> None:
    from cohortd.pipeline.channels import try_channels

    with opened(config, as_json=as_json) as pipeline:
        lines = try_channels(pipeline)
    _end(lines, {}, as_json=as_json, show=lambda console: _show(console, lines))


def _end(
    lines: Sequence["AccessCheck"],
    more: Mapping[str, object],
    *,
    as_json: bool,
    show: Callable[[Console], None],
) -> None:
    is_well = all(line.ok for line in lines)
    checks = [
        {"subject": line.subject, "ok": line.ok, "detail": line.detail, "cure": line.cure} for line in lines
    ]
    data = {"status": "done" if is_well else "failed", "checks": checks, **more}
    answer(data, as_json=as_json, show=show)
    if not is_well:
        raise typer.Exit(1)


def _show(console: Console, lines: Sequence["AccessCheck"]) -> None:
    for line in lines:
        console.print(f"{'ok ' if line.ok else 'BAD'} {line.subject}: {line.detail}")
        if not line.ok and line.cure:
            console.print(f"    {line.cure}")
