"""Plots of one model version: sizes, profiles, map, silhouettes and elbow, dendrogram."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes

from cohortd.core.modelling import ModelVersion, Segment
from cohortd.core.movement import SHOWN_FROM
from cohortd.core.portrait import Dendrogram, Portrait
from cohortd.report.cards import few, listed, share
from cohortd.report.plots.canvas import (
    ACCENT,
    INK,
    LINE,
    SOFT,
    WARM,
    Plot,
    colour,
    drawn,
    figure,
    mark,
    styled,
    wrapped,
)
from cohortd.report.plots.mapping import map_plot
from cohortd.report.plots.profiles import profile_plot

_INCHES_A_BAR: Final = 0.46


def fit_plots(version: ModelVersion, portrait: Portrait, sizes: Mapping[str, int]) -> Iterator[Plot]:
    """Draw all that can be drawn of a version, in the order of the page.

    Args:
        version: Its segments give the order, the names and the colours.
        portrait: Of the fit.
        sizes: Segment id -> customers.
    """
    rows = [portrait.segment_ids.index(segment.id) for segment in version.segments]
    yield size_plot(version.segments, sizes)
    yield profile_plot(version.segments, portrait, rows)
    yield map_plot(version.segments, portrait, rows)
    yield quality_plot(version, portrait, rows)
    if portrait.dendrogram is not None:
        yield dendrogram_plot(version.segments, portrait.dendrogram, rows)


@styled
def size_plot(segments: Sequence[Segment], sizes: Mapping[str, int]) -> Plot:
    """Bars of how many customers each segment has."""
    made, (axes,) = figure(0.5 + _INCHES_A_BAR * len(segments))
    counts = [sizes.get(segment.id, 0) for segment in segments]
    whole, places = sum(counts) or 1, range(len(segments))
    for place, (segment, count) in enumerate(zip(segments, counts, strict=True)):
        axes.barh(
            place,
            count,
            color=colour(place),
            height=0.66,
            hatch="///" if segment.held else None,
            edgecolor="white",
            linewidth=0,
        )
        of_all = f" ({share(count / whole)})" if count >= SHOWN_FROM else ""
        told = f"{few(count)}{of_all}{', held back' if segment.held else ''}"
        axes.annotate(told, (count, place), (6, 0), textcoords="offset points", va="center", color=INK)
    axes.set_yticks(places, [wrapped(segment.name, 38, lines=2) for segment in segments])
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, max(counts, default=1) * 1.28 or 1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    alt = "; ".join(f"{s.name}: {few(n)} people" for s, n in zip(segments, counts, strict=True))
    return drawn(
        made,
        "sizes",
        title="How many people are in each segment",
        caption="Everybody who was active is in exactly one segment. Hatched bars are held back from every"
        " destination.",
        alt=alt,
    )


@styled
def quality_plot(version: ModelVersion, portrait: Portrait, rows: Sequence[int]) -> Plot:
    """Elbow and silhouette by the number of segments, and the silhouette of each segment."""
    scores = _scores(version)
    widths = [1.0, 1.0, 1.5] if scores else [1.0]
    height = max(2.9, 0.8 + 0.33 * len(rows))
    made, axes = figure(height, columns=len(widths), widths=widths)
    if scores:
        _curve(axes[0], scores, "inertia", chosen=_chosen(version), title="Elbow: spread within")
        _curve(axes[1], scores, "silhouette", chosen=_chosen(version), title="Silhouette by number")
    own = [portrait.silhouettes[row] for row in rows]
    last = axes[-1]
    last.barh(range(len(own)), own, color=[colour(number) for number in range(len(own))], height=0.62)
    last.set_yticks(range(len(own)), [wrapped(s.name, 26, lines=2) for s in version.segments], fontsize=8)
    last.invert_yaxis()
    last.axvline(0, color=SOFT, linewidth=0.8)
    last.set_title("Silhouette of each segment")
    last.tick_params(length=0)
    last.margins(x=0.12)
    told = f"mean silhouette {_number(version.quality.get('silhouette'))}"
    by_number = (
        " On the left, how the spread within segments falls the more of them there are (a bend is a good"
        " number), and how well they stand apart; the dot is the number in use."
        if scores
        else " How many there are was not chosen by comparing numbers this time."
    )
    return drawn(
        made,
        "quality",
        title="How clearly the segments stand apart",
        caption="A silhouette of 1 means far from every other segment, 0 on the border between two; below 0"
        " some customers are nearer to another one. Shoppers seldom fall into islands: 0.1 to 0.3 is usual."
        + by_number,
        alt=f"{told}; "
        + "; ".join(f"{s.name}: {v:.2f}" for s, v in zip(version.segments, own, strict=True)),
    )


@styled
def dendrogram_plot(segments: Sequence[Segment], tree: Dendrogram, rows: Sequence[int]) -> Plot:
    """Which segments are near relatives."""
    place = {row: number for number, row in enumerate(rows)}
    made, (axes,) = figure(1.0 + max(0.42 * len(segments), 0.13 * len(tree.leaves)))
    for junction in tree.junctions:
        axes.plot(junction.height, junction.across, color=SOFT, linewidth=1.3)
    for at, row in tree.leaves:
        axes.plot([0], [at], marker=mark(place[row]), color=colour(place[row]), markersize=7, clip_on=False)
    _name_leaves(axes, [segment.name for segment in segments], tree, place)
    axes.invert_xaxis()
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("distance at which two branches join")
    what = "a few customers, marked as most of them are" if tree.of_customers else "a segment"
    return drawn(
        made,
        "dendrogram",
        title="Which segments are near relatives",
        caption=f"Each leaf is {what}. The further to the right two branches join, the more alike they are:"
        " these would be the first to merge if one became too small.",
        alt="Segments from one end of the tree to the other: "
        + listed(dict.fromkeys(segments[place[row]].name for _, row in tree.leaves)),
    )


def _name_leaves(axes: Axes, names: Sequence[str], tree: Dendrogram, place: Mapping[int, int]) -> None:
    """Names beside the leaves, or where a segment has many of them in a list, in the order of the tree."""
    axes.tick_params(length=0, pad=8)
    if not tree.of_customers:
        axes.yaxis.tick_right()
        labels = [wrapped(names[place[row]], 40, lines=2) for _, row in tree.leaves]
        axes.set_yticks([at for at, _ in tree.leaves], labels)
        return
    axes.set_yticks([])
    for row in dict.fromkeys(row for _, row in reversed(tree.leaves)):
        label = wrapped(names[place[row]], 34, lines=2)
        axes.plot([], [], mark(place[row]), color=colour(place[row]), markersize=7, label=label)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, labelspacing=0.9)


def _scores(version: ModelVersion) -> list[dict[str, Any]]:
    found = version.quality.get("k_scores")
    return (
        [each for each in found if isinstance(each, dict)]
        if isinstance(found, list) and len(found) > 1
        else []
    )


def _chosen(version: ModelVersion) -> int:
    found = version.quality.get("k_chosen")
    return found if isinstance(found, int) else len(version.segments)


def _curve(axes: Axes, scores: Sequence[Mapping[str, Any]], key: str, *, chosen: int, title: str) -> None:
    """One score over the number of segments, the number in use marked."""
    numbers, values = [each["k"] for each in scores], [each[key] for each in scores]
    axes.plot(numbers, values, color=ACCENT, marker="o", markersize=4, linewidth=1.6)
    if chosen in numbers:
        axes.plot([chosen], [values[numbers.index(chosen)]], marker="o", markersize=10, color=WARM)
    axes.set_title(title)
    axes.set_xlabel("segments")
    axes.set_xticks(numbers[:: 2 if len(numbers) > 6 else 1])  # noqa: PLR2004 - as many as have room
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.tick_params(length=0, labelcolor=SOFT)


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "unknown"
