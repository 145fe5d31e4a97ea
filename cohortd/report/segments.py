"""A model version as a page: who the segments are, why, how sure that is, and what it looks like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cohortd.core.modelling import ModelVersion, Segment
from cohortd.core.movement import Movement
from cohortd.core.portrait import Portrait
from cohortd.core.reporting import StabilityReading
from cohortd.report import cards
from cohortd.report.pages import render, write_picture, write_whole
from cohortd.report.quoting import quantity, short_title

_REASONS: Final[Mapping[str, str]] = {
    "first": "the first there is",
    "due": "made because it was due",
    "drifted": "made because customers had changed",
    "forced": "made because it was asked for",
}
_ALGORITHMS: Final[Mapping[str, str]] = {
    "kmeans": "K-Means",
    "bisecting_kmeans": "bisecting K-Means",
    "gaussian_mixture": "a Gaussian mixture",
    "ward": "Ward's method",
    "hdbscan": "HDBSCAN",
    "dbscan": "DBSCAN",
}
#: Below this share of agreement a rule is no more than a hint.
_FAITHFUL: Final = 0.75
_EVENTS: Final[Mapping[str, str]] = {
    "born": "is new",
    "split": "was split off",
    "merged": "was merged into another",
    "died": "is gone",
    "held": "is held back",
}


@dataclass(frozen=True, slots=True)
class Looks:
    """What is drawn of a version, besides what it says itself."""

    portrait: Portrait
    #: Segment id -> customers now.
    sizes: Mapping[str, int]
    #: Since the last applied run; None where there was none.
    movement: Movement | None = None
    #: Of the runs that are remembered, in order of time.
    readings: Sequence[StabilityReading] = ()
    #: Measure -> the value from which somebody is told.
    limits: Mapping[str, float] | None = None
    #: What the model is called among several; empty for the main one.
    model: str = ""


@dataclass(frozen=True, slots=True)
class EffectView:
    """One thing that sets a segment apart, in words and in numbers of the data."""

    title: str
    own: str
    others: str
    size: str
    direction: str
    d: str


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule of the tree, with how often it holds."""

    words: str
    share: str
    covers: str


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One segment's card."""

    segment: Segment
    customers: str
    share: str
    effects: tuple[EffectView, ...]
    rules: tuple[RuleView, ...]
    precision: str
    recall: str


def page_name(version_id: int) -> str:
    """Name a version's page in the folder of the reports; its pictures stand in a folder of that name."""
    return f"segments-v{version_id}.html"


def write_segments_report(folder: Path, version: ModelVersion, looks: Looks, *, plots: bool) -> Path:
    """Write ``segments-v<version>.html`` and, with *plots*, a PNG of each beside it.

    Returns:
        The page, whole or as it was before. It holds no customer's id.
    """
    drawings = []
    if plots:
        from cohortd.report.plots.every import segment_plots  # noqa: PLC0415 - most runs draw nothing

        drawings = segment_plots(version, looks)
    page = folder / page_name(version.id)
    for drawing in drawings:
        write_picture(folder / page.stem / f"{drawing.name}.png", drawing.png)
    write_whole(
        page,
        render(
            "segments.html.j2",
            {
                "version": version,
                "model": looks.model,
                "headline": _headline(version),
                "reason": _REASONS.get(version.reason, cards.plain(version.reason)),
                "algorithm": _ALGORITHMS.get(version.algorithm, cards.plain(version.algorithm)),
                "segments": segment_views(version, looks.sizes),
                "fidelity": _share_of(version.quality.get("explanation"), "fidelity"),
                "rough": _dict(version.quality.get("explanation")).get("fidelity", 1.0) < _FAITHFUL,
                "stages_from": str(_dict(version.quality.get("stages")).get("read_from", "")),
                "lineage": _lineage(version),
                "warnings": [str(each) for each in _list(version.quality.get("warnings"))],
                "why_k": str(version.quality.get("k_reason", "")),
                "customers": sum(looks.sizes.values()),
                "drawings": drawings,
                "folder": page.stem,
            },
        ),
    )
    return page


def segment_views(version: ModelVersion, sizes: Mapping[str, int]) -> list[SegmentView]:
    """Put together what is known of each segment, in the version's order."""
    whole = sum(sizes.values()) or 1
    effects, rules = _dict(version.quality.get("effects")), _dict(version.quality.get("explanation"))
    explained = _dict(rules.get("segments"))
    views = []
    for segment in version.segments:
        own = _dict(explained.get(segment.id))
        views.append(
            SegmentView(
                segment=segment,
                customers=cards.few(sizes.get(segment.id, 0)),
                share=cards.share(sizes.get(segment.id, 0) / whole),
                effects=tuple(_effect(_dict(each)) for each in _list(effects.get(segment.id))),
                rules=tuple(_rule(_dict(each)) for each in _list(own.get("rules"))),
                precision=_share_of(own, "precision"),
                recall=_share_of(own, "recall"),
            )
        )
    return views


def renamed(version: ModelVersion, names: Mapping[str, str]) -> ModelVersion:
    """Copy a version with the names that people gave since."""
    segments = tuple(replace(each, name=names.get(each.id, each.name)) for each in version.segments)
    return replace(version, segments=segments)


def _headline(version: ModelVersion) -> str:
    found = cards.counted(len(version.segments), "segment")
    return f"{found} of customers who behave alike"


def _effect(told: Mapping[str, Any]) -> EffectView:
    name, d = str(told.get("feature", "")), float(told.get("d", 0.0))
    return EffectView(
        title=short_title(str(told.get("title", name))),
        own=quantity(name, float(told.get("mean", 0.0))),
        others=quantity(name, float(told.get("mean_others", 0.0))),
        size=str(told.get("size", "")),
        direction="high" if d > 0 else "low",
        d=f"{d:+.1f}".replace("-", "\N{MINUS SIGN}"),
    )


def _rule(told: Mapping[str, Any]) -> RuleView:
    return RuleView(str(told.get("words", "")), _share_of(told, "share"), _share_of(told, "covers"))


def _lineage(version: ModelVersion) -> list[tuple[str, str, str]]:
    names = {segment.id: segment.name for segment in version.segments}
    return [
        (names.get(e.segment_id, e.segment_id), _EVENTS.get(e.kind, cards.plain(e.kind)), e.detail)
        for e in version.lineage
    ]


def _share_of(told: object, key: str) -> str:
    value = _dict(told).get(key)
    return f"{value:.0%}" if isinstance(value, int | float) else cards.ABSENT


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
