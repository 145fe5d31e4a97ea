"""Telephone numbers of a column, beside ``phonenumbers`` called in a loop.

``python -m benchmarks.identity.phones`` prints it.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import TypeVar

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from cohortd.core.identifiers import Family
from cohortd.identity.phone_columns import e164_column
from cohortd.identity.rules import RULES
from cohortd.identity.steps import Absent, Where

#: Countries, and how many of a hundred or so numbers are from there.
COUNTRIES = {
    **dict.fromkeys(("US", "GB", "DE", "FR"), 8),
    **dict.fromkeys(("IN", "BR", "IT", "ES", "MX", "CA", "AU", "NL", "PL", "TR", "JP", "AR"), 4),
    **dict.fromkeys(("SE", "NO", "DK", "FI", "CH", "AT", "BE", "PT", "IE", "CZ", "GR", "HU", "RO"), 2),
    **dict.fromkeys(("UA", "RU", "ZA", "NG", "KE", "EG", "MA", "SA", "AE", "IL", "CN", "KR", "SG"), 1),
    **dict.fromkeys(("HK", "ID", "TH", "VN", "PH", "MY", "NZ", "CL", "CO", "PE", "PK", "JM"), 1),
}
_RUNS = 3

Values = list[tuple[str, str | None]]
Row = tuple[str, float, float, bool]
T = TypeVar("T")


def values(count: int, *, seed: int = 20261122) -> Values:
    """Make distinct numbers as people and shops write them, each with the region of its row."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    found: dict[tuple[str, str | None], None] = {}
    while len(found) < count:
        region = dice.choices(list(COUNTRIES), list(COUNTRIES.values()))[0]
        number = _somebody(dice, region)
        text = _written(dice, number)
        abroad = text.startswith("+") and dice.random() < 0.2  # noqa: PLR2004
        found[text, None if abroad else region] = None
    return list(found)


def rows(count: int = 100_000) -> list[Row]:
    """What is measured: name, values per CPU second, ratio to the loop, whether answers are the same."""
    made = values(count)
    texts = [text for text, _ in made]
    wheres = [Where(region, date(2026, 11, 22)) for _, region in made]
    one = RULES[Family.GOOGLE]["phone"].step
    loop_s, by_library = _best(lambda: [_by_library(text, region) for text, region in made])
    steps_s, by_step = _best(lambda: [one(*each) for each in zip(texts, wheres, strict=True)])
    first_s, _ = _timed(lambda: e164_column(texts, wheres, one))
    column_s, by_column = _best(lambda: e164_column(texts, wheres, one))
    same = by_column == by_step and [_or_none(each) for each in by_column] == by_library
    return [
        ("phonenumbers in a loop", count / loop_s, 1.0, True),
        ("rules value by value", count / steps_s, loop_s / steps_s, by_step == by_column),
        ("column, first of the process", count / first_s, loop_s / first_s, same),
        ("column", count / column_s, loop_s / column_s, same),
    ]


def asked_by_region(made: Values) -> tuple[Counter[str | None], float]:
    """Which rows' values are left to the library, by region, and the CPU seconds spent on them."""
    one = RULES[Family.GOOGLE]["phone"].step
    asked: Counter[str | None] = Counter()
    spent = 0.0

    def counting(text: str, where: Where) -> str | Absent:
        nonlocal spent
        asked[where.region] += 1
        seconds, answer = _timed(lambda: one(text, where))
        spent += seconds
        return answer

    e164_column(
        [text for text, _ in made], [Where(region, date(2026, 11, 22)) for _, region in made], counting
    )
    return asked, spent


def _somebody(dice: random.Random, region: str) -> PhoneNumber:
    kind = dice.choice((PhoneNumberType.MOBILE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE))
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    digits = phonenumbers.national_significant_number(example)
    for _ in range(20):
        kept = dice.randrange(1, len(digits) - 4)
        tail = "".join(dice.choices("0123456789", k=len(digits) - kept))
        number = phonenumbers.parse(f"+{example.country_code}{digits[:kept]}{tail}")
        if phonenumbers.is_valid_number(number):
            return number
    return number


def _written(dice: random.Random, number: PhoneNumber) -> str:
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    digits = phonenumbers.national_significant_number(number)
    forms: dict[Callable[[], str], int] = {
        lambda: e164: 30,
        lambda: national: 25,
        lambda: abroad: 20,
        lambda: "".join(filter(str.isdigit, national)): 8,
        lambda: digits: 3,
        lambda: e164.removeprefix("+"): 2,
        lambda: f"00{e164[1:]}": 2,
        lambda: f"+{number.country_code} (0){digits}": 3,
        lambda: national.replace(" ", dice.choice("-./")): 4,
        lambda: f"{national} ext. {dice.randrange(1000)}": 1,
        lambda: f"{abroad} / {national}": 1,
        lambda: abroad.replace(" ", "\u2011"): 1,
        lambda: f"tel:{abroad}": 1,
        lambda: e164[: dice.randrange(3, len(e164))]: 1,
    }
    return dice.choices(list(forms), list(forms.values()))[0]()


def _by_library(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number(number):
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def _or_none(answer: str | Absent) -> str | None:
    return None if isinstance(answer, Absent) else answer


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    done = work()
    return time.process_time() - start, done


def _best(work: Callable[[], T]) -> tuple[float, T]:
    return min((_timed(work) for _ in range(_RUNS)), key=lambda run: run[0])


def main() -> None:
    """Print the table, and what falls to the library."""
    measured = rows()
    print(f"{'':32}{'values/CPU s':>14}{'ratio':>8}  same answers")
    for name, speed, ratio, same in measured:
        print(f"{name:32}{speed:14,.0f}{ratio:8.1f}  {'yes' if same else 'NO'}")
    made = values(100_000)
    asked, spent = asked_by_region(made)
    of_region = Counter(region for _, region in made)
    left = sum(asked.values())
    print(f"\n{len(of_region) - 1} countries; {left:,} of {len(made):,} values were left to the library:")
    print(f"{spent:.2f} CPU s; by region, the most:")
    shares = {region: asked[region] / of_region[region] for region in of_region}
    most = sorted(shares, key=lambda region: -shares[region])
    print(", ".join(f"{region or 'none'} {shares[region]:.1%}" for region in most[:12]))


if __name__ == "__main__":
    main()
