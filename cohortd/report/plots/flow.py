"""Movement between two runs, drawn as streams from segment to segment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from cohortd.core.modelling import Segment
from cohortd.core.movement import SHOWN_FROM, Flow, Movement
from cohortd.report.cards import listed, people, share
from cohortd.report.plots.canvas import INK, SOFT, Plot, bare, colour, drawn, figure, styled, wrapped

_NEW: Final = "New, or back"
_GREY: Final = "#9aa3a8"
#: Gap between two segments and least height of one, in parts of the whole.
_GAP: Final = 0.035
_LEAST: Final = 0.012
#: Streams of people who moved that get a number, the largest first.
_MOST_NUMBERS: Final = 12
#: And that are wide enough for one.
_NUMBERED: Final = 0.018
_LEFT, _RIGHT, _BAR = 0.0, 1.0, 0.018


@dataclass(frozen=True, slots=True)
class _Block:
    """One segment on one side, from its upper edge down."""

    top: float
    height: float


@styled
def flow_plot(segments: Sequence[Segment], movement: Movement) -> Plot:
    """Streams from the segments of the last applied run to those of this one.

    Counts are rounded to tens and none below ten is told: else one might be reckoned from the sizes.
    """
    flows = [each for each in movement.flows if each.customers]
    names = {**movement.names, **{segment.id: segment.name for segment in segments}, "": _NEW}
    rows = {segment.id: row for row, segment in enumerate(segments)}
    order = [*rows, *sorted({f.before for f in flows} - set(rows) - {""}), ""]
    left = _stacked({each: sum(_drawn(f) for f in flows if f.before == each) for each in order})
    right = _stacked({each: sum(_drawn(f) for f in flows if f.now == each) for each in rows})
    made, (axes,) = figure(1.2 + 0.52 * max(len(left), len(right)))
    _streams(axes, flows, left=left, right=right, rows=rows)
    for blocks, x, side in ((left, _LEFT, "right"), (right, _RIGHT, "left")):
        for each, block in blocks.items():
            _block(axes, block, x=x, colour_=_tone(each, rows))
            away = -0.012 if side == "right" else 0.012 + _BAR
            axes.text(
                x + away,
                block.top - block.height / 2,
                wrapped(names.get(each, each), 26, lines=2),
                ha=side,
                va="center",
                fontsize=9,
            )
    axes.set_xlim(-0.42, 1.44)
    bare(axes)
    axes.text(_LEFT, 1.03, "at the last run", ha="left", color=SOFT)
    axes.text(_RIGHT + _BAR, 1.03, "now", ha="right", color=SOFT)
    axes.set_ylim(-0.01, 1.07)
    moved = movement.moved / movement.known if movement.known else 0.0
    return drawn(
        made,
        "movement",
        title="Who moved from which segment to which",
        caption="On the left the segments of the last run that was applied, on the right those of this one."
        f" {share(moved)} of the customers who were in both changed segment. Pale streams stayed. Numbers"
        f" are rounded to tens; groups of fewer than {SHOWN_FROM} are thin lines without a number.",
        alt=_alt(flows, names),
    )


def _drawn(flow: Flow) -> int:
    """As many as the picture may show: no width gives a small number away."""
    return max(round(flow.customers / 10) * 10, 10) if flow.customers >= SHOWN_FROM else 4


def _stacked(totals: Mapping[str, int]) -> dict[str, _Block]:
    there = {each: total for each, total in totals.items() if total}
    room = 1 - _GAP * max(len(there) - 1, 0)
    heights = {each: max(total / (sum(there.values()) or 1), _LEAST) for each, total in there.items()}
    scale = room / (sum(heights.values()) or 1)
    blocks, top = dict[str, _Block](), 1.0
    for each, height in heights.items():
        blocks[each] = _Block(top, height * scale)
        top -= height * scale + _GAP
    return blocks


def _streams(
    axes: Axes,
    flows: Iterable[Flow],
    *,
    left: Mapping[str, _Block],
    right: Mapping[str, _Block],
    rows: Mapping[str, int],
) -> None:
    """Draw each stream below the one before it, in the same order on both sides."""
    places_left, places_right = list(left), list(right)
    ordered = sorted(flows, key=lambda f: (places_left.index(f.before), places_right.index(f.now)))
    used_left, used_right = dict.fromkeys(left, 0.0), dict.fromkeys(right, 0.0)
    at_right: dict[tuple[str, str], float] = {}
    wide_left = {e: sum(_drawn(f) for f in ordered if f.before == e) for e in left}
    wide_right = {e: sum(_drawn(f) for f in ordered if f.now == e) for e in right}
    for flow in sorted(ordered, key=lambda f: (places_right.index(f.now), places_left.index(f.before))):
        at_right[flow.before, flow.now] = used_right[flow.now]
        used_right[flow.now] += _drawn(flow) / wide_right[flow.now] * right[flow.now].height
    told = sorted(
        (f for f in ordered if _moves(f) and f.customers >= SHOWN_FROM), key=lambda f: -f.customers
    )
    for flow in ordered:
        start, end = left[flow.before], right[flow.now]
        high = _drawn(flow) / wide_left[flow.before] * start.height
        low = _drawn(flow) / wide_right[flow.now] * end.height
        top_left, top_right = start.top - used_left[flow.before], end.top - at_right[flow.before, flow.now]
        used_left[flow.before] += high
        _stream(axes, (top_left, high), (top_right, low), tone=_tone(flow.before, rows), moves=_moves(flow))
        if flow in told[:_MOST_NUMBERS] and high >= _NUMBERED:
            axes.text(
                _LEFT + _BAR + 0.02,
                top_left - high / 2,
                f"{_drawn(flow):,}",
                va="center",
                fontsize=7.5,
                color=INK,
                bbox={
                    "boxstyle": "round,pad=0.12",
                    "facecolor": "white",
                    "edgecolor": "none",
                    "alpha": 0.8,
                },
            )


def _moves(flow: Flow) -> bool:
    return flow.before != flow.now


def _tone(segment: str, rows: Mapping[str, int]) -> str:
    return colour(rows[segment]) if segment in rows else _GREY


def _stream(
    axes: Axes, left: tuple[float, float], right: tuple[float, float], *, tone: str, moves: bool
) -> None:
    x0, x1 = _LEFT + _BAR, _RIGHT
    middle = (x0 + x1) / 2
    (a, high), (b, low) = left, right
    points = [(x0, a), (middle, a), (middle, b), (x1, b), (x1, b - low)]
    points += [(middle, b - low), (middle, a - high), (x0, a - high), (x0, a)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(
        PathPatch(Path(points, codes), facecolor=tone, alpha=0.72 if moves else 0.2, linewidth=0)
    )


def _block(axes: Axes, block: _Block, *, x: float, colour_: str) -> None:
    axes.barh(block.top - block.height / 2, _BAR, height=block.height, left=x, color=colour_)


def _alt(flows: Sequence[Flow], names: Mapping[str, str]) -> str:
    told = sorted((f for f in flows if _moves(f) and f.customers >= SHOWN_FROM), key=lambda f: -f.customers)
    if not told:
        return "Nobody, or fewer than ten people, went from any segment to another."
    words = [
        f"about {people(_drawn(f))} from {names.get(f.before, f.before)} to {names.get(f.now, f.now)}"
        for f in told[:5]
    ]
    return f"The largest movements: {listed(words)}."
