"""Customers as dots on a two-dimensional map."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from cohortd.core.modelling import Segment
from cohortd.core.portrait import Portrait
from cohortd.report.cards import counted, listed, share
from cohortd.report.plots.canvas import INK, Plot, bare, colour, drawn, figure, mark, styled, wrapped


@styled
def map_plot(segments: Sequence[Segment], portrait: Portrait, rows: Sequence[int]) -> Plot:
    """Customers as dots along the two directions of most variance, names beside them."""
    made, (axes,) = figure(5.4)
    for number, row in enumerate(rows):
        own = [(dot.x, dot.y) for dot in portrait.dots if dot.segment == row]
        if own:
            axes.scatter(
                [x for x, _ in own],
                [y for _, y in own],
                s=13,
                color=colour(number),
                marker=mark(number),
                alpha=0.5,
                linewidths=0,
            )
    _frame(axes, portrait)
    _name_middles(axes, segments, [portrait.middles[row] for row in rows])
    bare(axes)
    across, upwards = (share(part) for part in portrait.shown)
    return drawn(
        made,
        "map",
        title="A map of the customers",
        caption=f"Each dot is a customer of a sample ({len(portrait.dots):,} of them, nobody can be"
        " recognized); who behaves alike lies close together. A flat map shows only part of what was"
        f" measured: {across} of the differences from left to right and {upwards} from bottom to top, so"
        " segments that seem to overlap may still be apart.",
        alt=f"{counted(len(segments), 'segment')} on a map of {len(portrait.dots):,} customers: "
        + listed(segment.name for segment in segments),
    )


def _frame(axes: Axes, portrait: Portrait) -> None:
    """Show where nearly all dots are: one far off must not squeeze the others."""
    flat = np.array([(dot.x, dot.y) for dot in portrait.dots] + list(portrait.middles))
    (left, low), (right, high) = np.quantile(flat, (0.004, 0.996), axis=0)
    middles = np.array(portrait.middles)
    left, right = min(left, middles[:, 0].min()), max(right, middles[:, 0].max())
    low, high = min(low, middles[:, 1].min()), max(high, middles[:, 1].max())
    wide, tall = max(right - left, 1e-6), max(high - low, 1e-6)
    axes.set_xlim(left - 0.4 * wide, right + 0.4 * wide)  # room for names on both sides
    axes.set_ylim(low - 0.04 * tall, high + 0.04 * tall)


def _name_middles(axes: Axes, segments: Sequence[Segment], middles: Sequence[tuple[float, float]]) -> None:
    """Names in two columns, in the order of height, with a line to the middle: they never overlap."""
    by_x = sorted(range(len(middles)), key=lambda n: (middles[n][0], n))
    half = (len(by_x) + 1) // 2
    for side, numbers in (("left", by_x[:half]), ("right", by_x[half:])):
        for slot, number in enumerate(sorted(numbers, key=lambda n: (-middles[n][1], n))):
            height = 1 - (slot + 0.5) / len(numbers)
            axes.annotate(
                wrapped(segments[number].name, 22),
                xy=middles[number],
                xytext=(0.0 if side == "left" else 1.0, height),
                textcoords="axes fraction",
                ha=side,
                va="center",
                fontsize=9,
                color=INK,
                arrowprops={
                    "arrowstyle": "-",
                    "color": colour(number),
                    "linewidth": 1,
                    "shrinkA": 2,
                    "shrinkB": 5,
                },
            )
            axes.plot(
                *middles[number],
                marker=mark(number),
                markersize=11,
                color=colour(number),
                markeredgecolor="white",
                markeredgewidth=1.6,
            )
