"""Feature names: ``value_sum``, ``category_share:wine``, ``value_sum@30d``, ``value_sum@30d/365d``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from cohortd.core.errors import SettingsError

_DAYS: Final = {"d": 1, "w": 7}
_WINDOW: Final = re.compile(r"(?P<rest>.+)@(?P<short>all|\d+[dw])(?:/(?P<long>all|\d+[dw]))?")
_MOST_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class Window:
    """Some days up to the end of the data; without a number all that is known."""

    written: str
    days: int | None

    @classmethod
    def read(cls, written: str) -> Self:
        """Read ``30d``, ``4w`` or ``all``.

        Raises:
            SettingsError: It has no day, or more than a century of them.
        """
        if written == "all":
            return cls(written, None)
        days = int(written[:-1]) * _DAYS[written[-1]]
        if not 0 < days <= _MOST_DAYS:
            raise SettingsError(f"segmentation: a window of {written} is not from 1 to {_MOST_DAYS:,} days")
        return cls(written, days)

    @property
    def shown(self) -> str:
        """The window in words, to be put behind a feature's title."""
        return "all time" if self.days is None else f"the last {self.days:,} days"

    def shorter_than(self, other: Window) -> bool:
        """Whether it ends before *other* does, going back."""
        return self.days is not None and (other.days is None or self.days < other.days)


@dataclass(frozen=True, slots=True)
class FeatureName:
    """A feature's name in its parts."""

    base: str
    #: Of a family: which of its features.
    member: str = ""
    #: The days looked at instead of ``segmentation.window``.
    window: Window | None = None
    #: The value over ``window`` as a share of that over this longer one.
    whole: Window | None = None

    @classmethod
    def read(cls, name: str) -> Self:
        """Take a name apart.

        Raises:
            SettingsError: A window makes no sense.
        """
        found = _WINDOW.fullmatch(name)
        if found is None:
            return cls._plain(name)
        window = Window.read(found["short"])
        whole = Window.read(found["long"]) if found["long"] else None
        if whole is not None and not window.shorter_than(whole):
            raise SettingsError(
                f"segmentation: in {name} the first window must be shorter than the second, as in"
                " value_sum@30d/365d"
            )
        return replace(cls._plain(found["rest"]), window=window, whole=whole)

    @classmethod
    def _plain(cls, name: str) -> Self:
        base, _, member = name.partition(":")
        return cls(base, member)

    @property
    def family(self) -> str:
        """The name without its member: the same for all features of one family and window."""
        return str(replace(self, member=""))

    def of(self, member: str) -> FeatureName:
        """Name one feature of this family."""
        return replace(self, member=member)

    def within(self, window: Window | None) -> FeatureName:
        """Name the same over another window, without a share."""
        return replace(self, window=window, whole=None)

    def __str__(self) -> str:
        plain = f"{self.base}:{self.member}" if self.member else self.base
        if self.window is None:
            return plain
        ratio = f"/{self.whole.written}" if self.whole else ""
        return f"{plain}@{self.window.written}{ratio}"


def family_of(name: str) -> str:
    """Give what a feature's name has in common with all of its family: ``category_share@30d``."""
    return FeatureName.read(name).family
