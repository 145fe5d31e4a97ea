"""How every plot looks, and how it becomes SVG and PNG: the same numbers give the same bytes."""

import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH: Final = 9.0  # inches; the page shows it 960 pixels wide
INK: Final = "#1b2126"
SOFT: Final = "#5d6870"
LINE: Final = "#d5dad4"
ACCENT: Final = "#1f5f8b"
WARM: Final = "#c25a3c"
#: Told apart by people who see no red or green, after Paul Tol and Okabe and Ito; then they repeat, with
#: other marks.
COLOURS: Final = (
    "#332288",
    "#e69f00",
    "#117733",
    "#cc6677",
    "#56b4e9",
    "#882255",
    "#999933",
    "#44aa99",
    "#aa4499",
    "#8a5a00",
    "#0072b2",
    "#6b6f73",
)
MARKS: Final = ("o", "s", "^", "D", "v", "P", "X")
_DPI: Final = 160
_STYLE: Final[dict[Any, Any]] = {  # matplotlib spells every key out
    "text.parse_math": False,  # a name may hold a $
    "font.family": "DejaVu Sans",  # comes with matplotlib: a plot has the same size everywhere
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "svg.fonttype": "none",  # text stays text: to be read aloud, searched and printed sharp
    "svg.hashsalt": "cohortd",
}

#: Decorates whatever draws: matplotlib looks settings up when a text is made, not when it is written.
styled = mpl.rc_context(_STYLE)


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawn plot; ``svg`` is ready to stand inside a page."""

    name: str
    title: str
    #: How to read it, for everybody.
    caption: str
    #: What is to be seen, for who does not see it.
    alt: str
    svg: str
    png: bytes


def figure(
    height: float, *, columns: int = 1, widths: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Make a figure as wide as the page, with axes side by side."""
    made = Figure(figsize=(WIDTH, height), layout="constrained")
    return made, list(made.subplots(1, columns, width_ratios=widths, squeeze=False)[0])


def drawn(made: Figure, name: str, *, title: str, caption: str, alt: str) -> Plot:
    """Write a figure both ways."""
    vector, pixels = io.StringIO(), io.BytesIO()
    made.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
    made.savefig(pixels, format="png", dpi=_DPI, metadata={"Software": None})
    return Plot(name, title, caption, alt, _inline(vector.getvalue(), name), pixels.getvalue())


def colour(row: int) -> str:
    """A segment's colour, by its row."""
    return COLOURS[row % len(COLOURS)]


def mark(row: int) -> str:
    """A segment's mark, by its row: colour alone is not enough for everybody."""
    return MARKS[(row + row // len(COLOURS)) % len(MARKS)]


def wrapped(text: str, width: int, *, lines: int = 3) -> str:
    """Break a label into a few lines, and end it with an ellipsis where it is longer."""
    return "\n".join(textwrap.wrap(text, width, max_lines=lines, placeholder=" …")) or text


def bare(axes: Axes) -> None:
    """Take all lines and ticks off."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _inline(svg: str, name: str) -> str:
    """Make a file's SVG part of a page: no prologue, no style for all, ids of its own, any width."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'(href="|url\()#', rf"\1#{name}-", body)
    for size in ("width", "height"):
        body = re.sub(rf'(<svg\b[^>]*?) {size}="[^"]*"', r"\1", body, count=1)
    return body
