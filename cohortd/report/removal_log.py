"""The removal log handed to people: a table, one JSON object a line, or a page."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Final, TextIO

from cohortd.core.printable import escaped, printable
from cohortd.core.removals import RemovalEntry
from cohortd.core.times import format_time
from cohortd.report.cases import begun_until, cases_of, closing
from cohortd.report.pages import render

COLUMNS: Final = tuple(field.name for field in fields(RemovalEntry))
#: A spreadsheet takes a cell that begins so for a formula and runs it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def removal_log_csv(entries: Iterable[RemovalEntry], out: TextIO) -> None:
    """Write a table for spreadsheets, entry by entry.

    A cell that a spreadsheet would run as a formula gets an apostrophe before it, and what a terminal
    would obey is spelled out, so to check the
    chain of hashes outside cohortd take ``removal_log_jsonl``, which changes nothing.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_harmless(str(getattr(entry, name))) for name in COLUMNS])


def removal_log_jsonl(entries: Iterable[RemovalEntry], out: TextIO) -> None:
    """Write one JSON object a line, every field as it was sealed."""
    out.writelines(escaped(json.dumps(asdict(entry), ensure_ascii=False)) + "\n" for entry in entries)


def removal_log_html(
    entries: Iterable[RemovalEntry],
    out: TextIO,
    *,
    made_at: datetime | None = None,
    verdict: str = "",
    sound: bool = True,
    period: tuple[str, str] | None = None,
) -> None:
    """Write a page: each revocation with what became of it, then every entry with its hash.

    Holds all entries in memory. Subjects are shown by their first eight digits only.

    Args:
        entries: In the order of the log.
        out: Where to.
        made_at: The time of the export; None leaves it out.
        verdict: What ``cohortd log verify`` says of the log, or empty when it was not asked.
        sound: Whether that is good.
        period: From when on, and before when, what is told was recorded; blank for open. The entries are
            then those from its begin on: what became of a revocation may lie behind its end.
    """
    told = list(entries)
    cases = cases_of(told)
    if period is not None:
        cases = begun_until(cases, period[1])
        told = sorted((entry for case in cases for entry in case.entries), key=lambda entry: entry.seq)
    now = "" if made_at is None else format_time(made_at)
    values: dict[str, object] = {
        "entries": told,
        "cases": cases,
        "closing": closing(cases, now=now),
        "made_at": now,
        "now": now,
        "period": period,
        "verdict": verdict,
        "sound": sound,
    }
    out.write(printable(render("removal_log.html.j2", values)))


def _harmless(cell: str) -> str:
    return printable(f"'{cell}" if cell.startswith(_FORMULA) else cell)
