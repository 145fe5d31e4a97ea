"""``normalize``: how a value is normalized and hashed, for anyone to check."""

import io
import json
import sys
from typing import Annotated

import typer

from cohortd.core.identifiers import Family


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(normalize)


def normalize(
    platform: Annotated[Family, typer.Option("--platform", help="Whose rules.")],
    field: Annotated[
        str, typer.Option("--field", metavar="FIELD", help="Which field, such as email or phone.")
    ],
    region: Annotated[
        str | None,
        typer.Option(
            "--region", metavar="CC", help="The country a phone, state or postal code is of, such as US."
        ),
    ] = None,
    hashed: Annotated[bool, typer.Option("--hashed", help="The values are SHA-256 already.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Nothing to choose: the answer always is JSON.")
    ] = True,
) -> None:
    """Read one value a line; print one JSON object a line: normalized, sha256, reason."""
    from cohortd.identity import FIELDS, alpha2_of
    from cohortd.identity import normalize as normalize_value

    del as_json
    if field not in FIELDS:
        raise typer.BadParameter(
            f"{field!r} is no field; there are {', '.join(FIELDS)}", param_hint="--field"
        )
    if region is not None and alpha2_of(region) is None:
        raise typer.BadParameter(f"{region!r} is no country, such as US", param_hint="--region")
    if isinstance(sys.stdin, io.TextIOWrapper):
        # Bytes that are no UTF-8 stay visible as such: of other letters it would be another person's hash.
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    for line in sys.stdin:
        found = normalize_value(platform, field, line.rstrip("\r\n"), region=region, hashed=hashed)
        row = {"normalized": found.normalized, "sha256": found.sha256, "reason": found.reason}
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
