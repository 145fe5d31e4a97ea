"""One run as a page for people and as JSON for machines."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cohortd.core.modelling import Segment
from cohortd.core.movement import Movement
from cohortd.core.reporting import RunReport
from cohortd.report import cards
from cohortd.report.pages import render, write_picture, write_whole
from cohortd.report.quality import quality_view
from cohortd.report.segments import page_name
from cohortd.report.views import Profile, card_views, source_views, totals

__all__ = ["Profile", "write_run_report"]


def write_run_report(
    folder: Path,
    report: RunReport,
    segments: Sequence[Segment],
    profile: Profile | None,
    movement: Movement | None = None,
) -> Path:
    """Write ``<run_id>.json`` and ``<run_id>.html``, each whole or not at all.

    Args:
        folder: Made when it is not there.
        report: The run; a segment's audience carries the segment's id.
        segments: In the order of the cards; one without an audience is shown as not sent.
        profile: What sets each segment apart, or None where it was not computed.
        movement: Who went where, to be drawn, with a PNG in a folder of the run's name; None for no plot.

    Returns:
        The page. It names the SHA-256 of the JSON, so that the two can be held against each other.

    Raises:
        ValueError: The run's id is no file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]*", report.run_id):
        raise ValueError(f"a run id must be a plain file name, not {report.run_id!r}")
    data = json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"
    page = folder / f"{report.run_id}.html"
    write_whole(folder / f"{report.run_id}.json", data)
    told: dict[str, object] = {
        "sha256": hashlib.sha256(data.encode()).hexdigest(),
        "drawings": _drawings(folder / page.stem, segments, movement),
        "folder": page.stem,
        "segments_page": _segments_page(folder, report.model_version),
    }
    write_whole(page, _page(report, segments, profile, told))
    return page


def _drawings(folder: Path, segments: Sequence[Segment], movement: Movement | None) -> list[object]:
    """Draw who moved, where anybody did."""
    if movement is None or not movement.moved:
        return []
    from cohortd.report.plots.flow import flow_plot  # noqa: PLC0415 - most runs draw nothing

    drawing = flow_plot(segments, movement)
    write_picture(folder / f"{drawing.name}.png", drawing.png)
    return [drawing]


def _segments_page(folder: Path, version: int | None) -> str:
    """Name the page of the model version beside this one; empty where there is none."""
    name = page_name(version) if version is not None else ""
    return name if name and (folder / name).exists() else ""


def _page(
    report: RunReport, segments: Sequence[Segment], profile: Profile | None, told: Mapping[str, object]
) -> str:
    audiences = card_views(report, segments, profile)
    return render(
        "run.html.j2",
        {
            "report": report,
            "headline": cards.headline(report),
            "status": cards.status_words(report.status),
            "planned": cards.is_planned(report),
            "seconds": cards.between(report.started_at, report.finished_at),
            "totals": totals(report),
            "cards": [card for card in audiences if card.places],
            "unsent": [card for card in audiences if not card.places],
            "sources": source_views(report),
            "quality": [quality_view(each) for each in report.quality],
            **told,
        },
    )
