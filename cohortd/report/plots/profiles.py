"""A heat map of what sets each segment apart."""

from collections.abc import Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cohortd.core.modelling import Segment
from cohortd.core.portrait import Portrait
from cohortd.report.cards import listed
from cohortd.report.plots.canvas import INK, Plot, drawn, figure, styled, wrapped
from cohortd.report.quoting import short_title

#: Features of a heat map, those that tell most apart first: more rows cannot be read.
_MOST_FEATURES: Final = 26
#: From this many deviations on an effect is written into its cell, and where the colours end.
_TELLING: Final = 0.5
_FAR: Final = 2.0
#: More names do not fit side by side.
_MOST_UPRIGHT: Final = 5


@styled
def profile_plot(segments: Sequence[Segment], portrait: Portrait, rows: Sequence[int]) -> Plot:
    """A heat map: by how much each segment lies above or below all others in every feature."""
    effects = np.array(portrait.effects)[list(rows)].T
    order = _alike(effects)
    titles = [portrait.features[number] for number in order]
    made, (axes,) = figure((1.45 if len(segments) <= _MOST_UPRIGHT else 2.6) + 0.3 * len(order))
    # Cells and few colours: a page takes no pictures in its drawings, and neither becomes one.
    colours = mpl.colormaps["PuOr_r"].resampled(17)
    shown = axes.pcolormesh(effects[order], cmap=colours, vmin=-_FAR, vmax=_FAR, edgecolors="white")
    axes.invert_yaxis()
    for (row, column), d in np.ndenumerate(effects[order]):
        if abs(d) >= _TELLING:
            pale = abs(d) < 0.68 * _FAR
            axes.text(
                column + 0.5,
                row + 0.5,
                _signed(d),
                ha="center",
                va="center",
                fontsize=8,
                color=INK if pale else "white",
            )
    axes.set_yticks(np.arange(len(titles)) + 0.5, [_short(title) for title in titles])
    _name_columns(axes, segments)
    axes.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = made.colorbar(shown, ax=axes, shrink=min(1.0, 4 / max(len(titles), 4)), aspect=14, pad=0.015)
    bar.set_ticks([-_FAR, 0, _FAR], labels=["far below", "as others", "far above"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8)
    return drawn(
        made,
        "profiles",
        title="What sets each segment apart",
        caption="Each column is a segment, each row something that was measured. Orange is above all other"
        " customers, purple below; the number says by how many standard deviations (Cohen's d: 0.2 is"
        " small, 0.5 medium, 0.8 large). Pale cells: hardly any difference.",
        alt=_profile_alt(segments, portrait, rows),
    )


def _name_columns(axes: Axes, segments: Sequence[Segment]) -> None:
    """Names above the columns; aslant where there are too many to stand side by side."""
    places = np.arange(len(segments)) + 0.5
    if len(segments) <= _MOST_UPRIGHT:
        width = max(12, 66 // max(len(segments), 1))
        axes.set_xticks(places, [wrapped(segment.name, width, lines=4) for segment in segments])
        return
    names = [wrapped(segment.name, 36, lines=1) for segment in segments]
    axes.set_xticks(places, names, rotation=35, ha="left", rotation_mode="anchor")


def _alike(effects: NDArray[np.float64]) -> list[int]:
    """The features that tell most apart, those that peak in the same segment side by side."""
    strongest = np.argsort(-np.abs(effects).max(axis=1), kind="stable")[:_MOST_FEATURES]
    peak = np.abs(effects).argmax(axis=1)
    return sorted(
        (int(n) for n in strongest), key=lambda n: (int(peak[n]), -float(np.abs(effects[n]).max()))
    )


def _short(title: str) -> str:
    """A feature's title as a label."""
    return wrapped(short_title(title), 46, lines=1)


def _profile_alt(segments: Sequence[Segment], portrait: Portrait, rows: Sequence[int]) -> str:
    told = []
    for segment, row in zip(segments, rows, strict=True):
        effects = portrait.effects[row]
        top = sorted(range(len(effects)), key=lambda n: -abs(effects[n]))[:2]
        words = [f"{'above' if effects[n] > 0 else 'below'} in {_short(portrait.features[n])}" for n in top]
        told.append(f"{segment.name}: {listed(words)}")
    return "; ".join(told)


def _signed(d: float) -> str:
    return f"{d:+.1f}".replace("-", "\N{MINUS SIGN}")
