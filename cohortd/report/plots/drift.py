"""How far each feature's distribution has gone from that of the fit, run by run."""

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl
import numpy as np

from cohortd.core.reporting import StabilityReading
from cohortd.report.cards import day, listed
from cohortd.report.plots.canvas import INK, Plot, drawn, figure, styled, wrapped
from cohortd.report.quoting import short_title

#: Runs and features drawn: the newest ones, and those that drifted most.
_MOST_RUNS: Final = 20
_MOST_FEATURES: Final = 10
#: What is called a major shift where no limit is set.
_MAJOR: Final = 0.25
#: From this share of the colours on they are dark enough for white.
_DARK: Final = 0.62


@styled
def drift_plot(
    readings: Sequence[StabilityReading], titles: Mapping[str, str], *, limit: float | None
) -> Plot | None:
    """A heat map of population stability, features by runs; None before a run measured any.

    Args:
        readings: In order of time.
        titles: Feature -> its title; others are left out.
        limit: From where on a model is stale.
    """
    told = [reading for reading in readings if reading.drift][-_MOST_RUNS:]
    most = {name: max(reading.drift.get(name, 0.0) for reading in told) for name in titles} if told else {}
    names = sorted(most, key=lambda name: (-most[name], name))[:_MOST_FEATURES]
    if not names:
        return None
    values = np.array([[reading.drift.get(name, 0.0) for reading in told] for name in names])
    far = 2 * (limit or _MAJOR)
    made, (axes,) = figure(0.9 + 0.29 * len(names))
    colours = mpl.colormaps["YlOrBr"].resampled(17)
    axes.pcolormesh(values, cmap=colours, vmin=0, vmax=far, edgecolors="white")
    for (row, column), psi in np.ndenumerate(values):
        if psi >= (limit or _MAJOR) / 2:
            tone = "white" if psi >= _DARK * far else INK
            axes.text(
                column + 0.5, row + 0.5, f"{psi:.2f}", ha="center", va="center", fontsize=7.5, color=tone
            )
    axes.invert_yaxis()
    axes.set_yticks(
        np.arange(len(names)) + 0.5, [wrapped(short_title(titles[n]), 46, lines=1) for n in names]
    )
    step = max(1, len(told) // 8)
    axes.set_xticks(
        np.arange(0, len(told), step) + 0.5, [f"{r.at.day} {r.at:%b}" for r in told[::step]], fontsize=8
    )
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return drawn(
        made,
        "drift",
        title="What has drifted",
        caption="Each column is a run, each row something that was measured; the darker, the more its"
        " distribution differs from that of the model in force then (population stability index, told from"
        f" {(limit or _MAJOR) / 2:.2g} on). From {limit or _MAJOR:.2g} on"
        + (" a new version is due." if limit else " it is called a major shift."),
        alt=f"From {day(told[0].at)} to {day(told[-1].at)} the most drifted: "
        + listed(f"{short_title(titles[name])} {most[name]:.2f}" for name in names[:3]),
    )
