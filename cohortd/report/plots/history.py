"""How calm the segments were over the runs that are remembered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cohortd.core.reporting import StabilityReading
from cohortd.report.cards import day, listed, share
from cohortd.report.plots.canvas import ACCENT, LINE, SOFT, WARM, Plot, drawn, figure, styled

#: Measure -> what it is called, whether it is a share.
MEASURES: Final[Mapping[str, tuple[str, bool]]] = {
    "moved_share": ("Changed segment", True),
    "psi_max": ("Drift of a feature (PSI)", False),
    "inertia_ratio": ("Spread to the last fit", False),
    "silhouette": ("Silhouette", False),
}
_TOGETHER: Final = 2
#: Below it a percent needs a decimal.
_TENTH: Final = 0.1


@styled
def history_plot(readings: Sequence[StabilityReading], limits: Mapping[str, float]) -> Plot | None:
    """A line a measure over time with the limit that raises an alarm; None before there are two readings.

    Args:
        readings: In order of time.
        limits: Measure -> the value from which somebody is told.
    """
    drawable = {
        measure: told
        for measure in MEASURES
        if len(told := [(r.at, r.measures[measure]) for r in readings if measure in r.measures])
        >= _TOGETHER
    }
    if not drawable:
        return None
    made, axes = figure(2.5, columns=len(drawable))
    for each, (measure, told) in zip(axes, drawable.items(), strict=True):
        _line(each, measure, told, limit=limits.get(measure))
        for reading in readings:
            if reading.refitted and told[0][0] <= reading.at <= told[-1][0]:
                each.axvline(_days(reading.at), color=LINE, linewidth=1, zorder=0)
    return drawn(
        made,
        "stability",
        title="How calm the segments have been",
        caption="Each dot is a run. Upright lines are runs that made a new model version; a dashed line is"
        " the limit from which somebody is told, or a new version is made early.",
        alt=_alt(drawable),
    )


def _line(axes: Axes, measure: str, told: Sequence[tuple[datetime, float]], *, limit: float | None) -> None:
    title, is_share = MEASURES[measure]
    times, values = [_days(at) for at, _ in told], [value for _, value in told]
    axes.plot(times, values, color=ACCENT, marker="o", markersize=3.5, linewidth=1.5)
    highest = max(values)
    if limit is not None and limit <= 4 * max(highest, 1e-9):
        axes.axhline(limit, color=WARM, linestyle="--", linewidth=1.2)
        axes.text(times[0], limit, " limit", color=WARM, fontsize=8, va="bottom")
        highest = max(highest, limit)
    axes.set_title(title, fontsize=9.5)
    lowest = min(0.9, *values) * 0.98 if measure == "inertia_ratio" else min(0.0, *values)
    axes.set_ylim(lowest, lowest + (highest - lowest) * 1.15 or 1)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    if is_share:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0 if highest >= _TENTH else 1))
    shown = [told[0][0], told[len(told) // 2][0], told[-1][0]]
    axes.set_xticks([_days(at) for at in shown], [f"{at.day} {at:%b}" for at in shown])
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.tick_params(length=0, labelcolor=SOFT, labelsize=8)


def _days(at: datetime) -> float:
    return at.timestamp() / 86_400


def _alt(drawable: Mapping[str, Sequence[tuple[datetime, float]]]) -> str:
    words = []
    for measure, told in drawable.items():
        title, is_share = MEASURES[measure]
        low, high = min(v for _, v in told), max(v for _, v in told)
        spread = f"{share(low)} to {share(high)}" if is_share else f"{low:.2f} to {high:.2f}"
        words.append(f"{title.lower()} {spread}")
    first = next(iter(drawable.values()))
    return f"From {day(first[0][0])} to {day(first[-1][0])}: {listed(words)}."
