"""Numbers of the data as people write them; no markup."""

import math
import re

_HUNDRED = 2
_SHARE = "share"


def quantity(feature: str, value: float) -> str:
    """Write a feature's value: a share in percent, else three digits or so: 1,234, 12.3 or 0.12."""
    if _SHARE in feature.partition(":")[0] or feature.startswith("conversion_rate"):
        return f"{value:.0%}" if abs(value) >= 0.1 else f"{value:.1%}"  # noqa: PLR2004 - two digits
    return number(value)


def short_title(title: str) -> str:
    """A feature's title without what only explains it: its range, and the time zone."""
    circle = re.match(r"(.*) on a circle, .* to 1 \((?:all at|around) (.*)\)", title)
    if circle is not None:
        return f"{circle[1]}, nearer to {circle[2]}"
    short = re.sub(r", from -1 .*?\bto 1\b( \([^)]*\))?", "", title)
    return re.sub(r" \((UTC|negative values)\)", "", short)


def number(value: float) -> str:
    """Write three digits or so: 1,234, 12.3 or 0.12."""
    size = math.log10(abs(value)) if value else 0.0
    return f"{value:,.{0 if size >= _HUNDRED else 1 if size >= 0 else 2}f}"
