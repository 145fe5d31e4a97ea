"""A version's page and its pictures: whole, readable, and nothing of anybody."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cohortd.core.modelling import CentroidModel, LineageEvent, ModelVersion, PreparedFeature, Segment
from cohortd.core.movement import Flow, Movement
from cohortd.core.portrait import Dendrogram, Dot, Junction, Portrait
from cohortd.core.reporting import RunReport, StabilityReading
from cohortd.report import Looks, write_run_report, write_segments_report
from cohortd.report.plots.canvas import Plot
from cohortd.report.plots.every import segment_plots
from cohortd.report.plots.flow import flow_plot
from cohortd.report.plots.history import history_plot
from cohortd.report.quoting import quantity, short_title

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
SEGMENTS = (
    Segment(
        "s1", "Big spenders", "Spends well above average.", "", "segment", "Show it; no talk.", "retention"
    ),
    Segment("s2", "Cats & <b>dogs</b> at $1 or $2", "Buys rarely.", "too small: 9 customers"),
)
EFFECT = {
    "feature": "order_count",
    "title": "Orders, from -1 to 1",
    "d": 1.24,
    "size": "large",
    "mean": 31.1,
}
RULE = {"words": "spends over 812", "share": 0.87, "covers": 0.6}
FEATURES = tuple(
    PreparedFeature(name, 0.0, log=True, center=0.0, scale=1.0) for name in ("order_count", "value_sum")
)
VERSION = ModelVersion(
    *(3, AT, AT, "due", "kmeans"),
    centroid_model=CentroidModel(FEATURES, ((0.0, 0.0), (1.0, 1.0)), ("s1", "s2"), 0.15),
    segments=SEGMENTS,
    lineage=(LineageEvent("born", "s2"),),
    quality={
        "silhouette": 0.21,
        "k_chosen": 2,
        "k_scores": [{"k": k, "inertia": 9.0 - k, "silhouette": 0.1 * k} for k in (2, 3, 4)],
        "effects": {"s1": [{**EFFECT, "mean": 31.1, "mean_others": 6.6}]},
        "explanation": {
            "fidelity": 0.873,
            "segments": {"s1": {"precision": 0.9, "recall": 0.8, "rules": [RULE]}},
        },
        "stages": {"read_from": "orders"},
        "warnings": ["segment s2 has changed"],
    },
)
DRAW = np.random.default_rng(1).normal(size=(60, 2)).tolist()
PORTRAIT = Portrait(
    segment_ids=("s2", "s1"),
    features=("Orders", "Value"),
    effects=((-0.4, 2.5), (0.4, -0.1)),
    dots=tuple(Dot(x, y, row % 2) for row, (x, y) in enumerate(DRAW)),
    middles=((-1.0, 0.0), (1.0, 0.5)),
    shown=(0.5, 0.2),
    silhouettes=(0.1, 0.3),
    dendrogram=Dendrogram((Junction((5, 5, 15, 15), (0, 2, 2, 0)),), ((5.0, 0), (15.0, 1))),
)
MOVEMENT = Movement(
    (
        Flow("", "s1", 3),
        Flow("s1", "s1", 347),
        Flow("s1", "s2", 58),
        Flow("s2", "s1", 7),
        Flow("s9", "s2", 123),
    ),
    {"s9": "Gone ones"},
)
READINGS = tuple(
    StabilityReading(
        AT + timedelta(weeks=n), {"moved_share": 0.02 * n, "psi_max": 0.05}, n == 1, {"value_sum": 0.1 * n}
    )
    for n in range(4)
)
LOOKS = Looks(PORTRAIT, {"s1": 408, "s2": 181}, MOVEMENT, READINGS, {"moved_share": 0.05, "psi_max": 0.25})
NAMES = ("sizes", "profiles", "map", "quality", "dendrogram", "movement", "stability", "drift")


@pytest.fixture(scope="module")
def plots() -> dict[str, Plot]:
    return {plot.name: plot for plot in segment_plots(VERSION, LOOKS)}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_segments_report(tmp_path_factory.mktemp("reports"), VERSION, LOOKS, plots=True)


def words_of(plot: Plot) -> str:
    return " ".join(" ".join(ET.fromstring(plot.svg).itertext()).split())


def test_all_is_drawn_that_there_is_to_draw(plots: dict[str, Plot]) -> None:
    assert tuple(plots) == NAMES
    assert all(plot.alt and plot.caption and plot.title for plot in plots.values())


@pytest.mark.parametrize("name", NAMES[:-2])
def test_every_plot_names_every_segment(name: str, plots: dict[str, Plot]) -> None:
    told = words_of(plots[name])

    assert "Big spenders" in told
    assert "Cats & <b>dogs</b> at $1 or $2" in told


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_can_stand_in_a_page_that_loads_nothing(name: str, plots: dict[str, Plot]) -> None:
    svg = plots[name].svg
    ids = re.findall(r'\bid="([^"]+)"', svg)

    assert not re.search(r"<image|<style|<script|<!DOCTYPE|<\?xml|href=\"(?!#)", svg)
    assert all(each.startswith(f"{name}-") for each in ids)
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) <= set(ids)


def test_a_picture_is_as_wide_as_a_page_and_the_same_each_time(plots: dict[str, Plot], page: Path) -> None:
    html = page.read_text(encoding="utf-8")

    for name, plot in plots.items():
        assert plot.png.startswith(b"\x89PNG")
        assert int.from_bytes(plot.png[16:20]) == 1440
        assert (page.parent / "segments-v3" / f"{name}.png").read_bytes() == plot.png
        assert plot.svg in html


def test_small_numbers_of_people_who_moved_are_not_told(plots: dict[str, Plot]) -> None:
    told = f"{words_of(plots['movement'])} {plots['movement'].alt}"

    assert "about 60 people from Big spenders" in told
    assert "about 120 people from Gone ones" in told
    assert not set(re.findall(r"\d+", told)) & {"3", "7", "58", "123"}


def test_streams_below_ten_are_drawn_alike() -> None:
    drawn = [
        flow_plot(SEGMENTS, Movement((Flow("s1", "s1", 100), Flow("s1", "s2", few)))).svg for few in (1, 9)
    ]

    assert drawn[0] == drawn[1]


def test_names_of_any_script_and_length_are_drawn() -> None:
    odd = (replace(SEGMENTS[0], name="\u9ad8\u4fa1 \u5024"), replace(SEGMENTS[1], name="word " * 80))

    assert "\u9ad8\u4fa1" in flow_plot(odd, MOVEMENT).svg


def test_features_that_drifted_are_told_by_their_titles(plots: dict[str, Plot]) -> None:
    assert re.search(r"Value .*0\.20 0\.30", words_of(plots["drift"]))
    assert "Value 0.30" in plots["drift"].alt


def test_one_reading_is_no_history() -> None:
    assert history_plot(READINGS[:1], {}) is None


def test_the_page_tells_who_they_are_and_why(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", html.split("</style>")[1]).split())

    for told in (
        "589 people",
        "found by K-Means",
        "Cats &amp; &lt;b&gt;dogs&lt;/b&gt; at $1 or $2 is new",
        "Show it; no talk.",
        "retention",
        "Orders 31.1 6.6 ▲ large d = +1.2",
        "Spends over 812 : 87% of the people whom this fits are here, 60% of the segment.",
        "it put 87% of them where the model does",
        "too small: 9 customers",
        "Segment s2 has changed.",
    ):
        assert told in text


def test_the_pictures_stand_beside_the_page(page: Path) -> None:
    assert page.name == "segments-v3.html"
    assert {path.name for path in (page.parent / "segments-v3").iterdir()} == {
        f"{name}.png" for name in NAMES
    }
    assert page.read_text(encoding="utf-8").count("<figure") == len(NAMES)


def test_without_plots_the_page_is_there_all_the_same(tmp_path: Path) -> None:
    page = write_segments_report(
        tmp_path, VERSION, replace(LOOKS, movement=None, model="value"), plots=False
    )

    assert "<figure" not in page.read_text(encoding="utf-8")
    assert "segments of the model value" in page.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["segments-v3.html"]


def test_a_runs_page_shows_who_moved_and_leads_to_the_segments(page: Path) -> None:
    report = RunReport(
        "20261102T030000-7c1f", "sync", "done", *["2026-11-02T03:00:00.000000Z"] * 3, model_version=3
    )

    written = write_run_report(
        page.parent, report, SEGMENTS, None, movement=MOVEMENT, segments_page=page.name
    )
    html = written.read_text(encoding="utf-8")

    assert 'href="segments-v3.html"' in html
    assert "Who moved from which segment to which" in html
    assert (page.parent / report.run_id / "movement.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("feature", "value", "told"),
    [("value_sum", 1234.5, "1,234"), ("weekend_share", 0.256, "26%"), ("value_trend", 0.126, "0.13")],
)
def test_numbers_are_short(feature: str, value: float, told: str) -> None:
    assert quantity(feature, value) == told


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Share of events from 18 to 22 o'clock (UTC)", "Share of events from 18 to 22 o'clock"),
        (
            "Value of the later half against the earlier, from -1 to 1, over the last 30 days",
            "Value of the later half against the earlier, over the last 30 days",
        ),
        (
            "Time of day of the events on a circle, from -1 (all at noon UTC) to 1 (all at midnight)",
            "Time of day of the events, nearer to midnight",
        ),
    ],
)
def test_titles_are_short(title: str, told: str) -> None:
    assert short_title(title) == told
