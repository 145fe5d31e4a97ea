"""Segments that people define by a condition."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from config.base import Strict

#: Part of an audience's id, which goes into markers and file names.
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Rule(Strict):
    """A segment of your own: whoever a condition holds of, beside the segments that are found."""

    name: str = Field(min_length=1, max_length=60, description="What its audiences are called.")
    condition: str = Field(
        min_length=1,
        max_length=2000,
        description="SQL over features and customer attributes: `recency_days > 90 AND value_sum > 500`"
        " (docs/segments.md).",
    )
    description: str = Field(
        default="", max_length=200, description="A sentence for people and for the ad manager."
    )


def _check_keys(rules: dict[str, Rule]) -> dict[str, Rule]:
    for key in rules:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} must be a-z, 0-9 and _, begin with a letter and have at most 40")
    names = [rule.name.casefold() for rule in rules.values()]
    twins = [key for key, rule in rules.items() if names.count(rule.name.casefold()) > 1]
    if twins:
        raise ValueError(f"{', '.join(twins)} have the same name")
    return rules


Rules = Annotated[dict[str, Rule], AfterValidator(_check_keys)]
