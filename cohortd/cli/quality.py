"""How good the tables are, in a terminal of a hundred columns."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console

from cohortd.cli.output import table
from cohortd.core.quality import KEY_COUNTS

if TYPE_CHECKING:
    from cohortd.core.quality import SourceQuality
    from cohortd.report.quality import QualityView


def show_quality(console: Console, quality: Iterable["SourceQuality"]) -> None:
    """Print the score of every table and, of the customers, what each column is worth."""
    from cohortd.report.quality import quality_view

    for view in map(quality_view, quality):
        console.print()
        console.print(f"{view.table}: score {view.score} of 100, {view.looked_at}", markup=False)
        if view.fields:
            _show_fields(console, view)
        if view.filled:
            filled = ", ".join(f"{name} {share}" for name, share in view.filled)
            console.print(f"filled: {filled}", markup=False)
        if view.keys:
            rows = [(each.platform, *[f"{part.people:,}" for part in each.parts]) for each in view.keys]
            console.print(table("", ("customers by keys", *_KEY_HEADS), rows))


_KEY_HEADS = tuple({"0": "none", "1": "one"}.get(count, count) for count in KEY_COUNTS)


def _show_fields(console: Console, view: "QualityView") -> None:
    columns = ("field", "filled", "values", *view.platforms, "repeated", "shared", "amiss")
    rows = [
        (
            each.name,
            each.filled,
            each.present,
            *each.usable,
            "" if each.duplicates is None else each.duplicates,
            "" if each.shared is None else each.shared,
            each.amiss_in_short,
        )
        for each in view.fields
    ]
    console.print(table("", columns, rows))
