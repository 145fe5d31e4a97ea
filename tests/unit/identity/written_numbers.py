"""Telephone numbers as anybody may have written them, right and wrong, from every region."""

import random
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
NOWHERE = [None, "ZZ", "AQ", "xx"]
#: The calling codes that belong to no country.
ELSEWHERE = [800, 808, 870, 878, 881, 882, 883, 888, 979]
TYPES = sorted(value for value in PhoneNumberType.values() if 0 <= value <= PhoneNumberType.VOICEMAIL)
SIGNS = [
    *" -.()/[]",
    " - ",
    ") ",
    " (",
    "\u2011",
    "\u2013",
    "\u2212",
    "\u00a0",
    "\u202f",
    "\u2009",
    "\u3000",
]
STRANGE_SIGNS = [
    "x",
    "#",
    ",",
    ";",
    "~",
    "*",
    "+",
    "\u30fc",
    "\uff0d",
    "\u2016",
    "\t",
    "\n",
    "e",
    ":",
    "\u200b",
    "_",
]
BEFORE = ["tel:", "Tel. ", "ph: ", "x", "e", "abc ; ", "(", "++", ";phone-context=", "\u0663", " "]
BEHIND = [
    " x12",
    " ext. 7",
    "x3",
    "ext. 12345678",
    " x1234567890",
    " ext 123456789012345678901",
    " extension 12",
    "X 5",
    "e5",
    ".0",
    " .0",
    ".00 ",
    "#1",
    ";ext=3",
]
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))


def written_numbers(count: int, *, seed: int) -> Iterator[tuple[str, str | None]]:
    """Texts, each with the region it is read in."""
    dice = random.Random(seed)
    for _ in range(count):
        region = dice.choice(REGIONS)
        text = _dialled(dice, region, _national(dice, region))
        text = _decorated(dice, text)
        yield text, region if dice.random() < 0.8 else dice.choice([*REGIONS, *NOWHERE])


def _national(dice: random.Random, region: str) -> str:
    """The digits of an example of any type, at times changed from some place on, too short or too long."""
    example = phonenumbers.example_number_for_type(region, dice.choice(TYPES))
    digits = phonenumbers.national_significant_number(example or phonenumbers.example_number(region))
    if dice.random() < 0.6:
        kept = dice.randrange(len(digits))
        digits = digits[:kept] + _random_digits(dice, len(digits) - kept)
    if dice.random() < 0.1:
        digits = digits[: -dice.randrange(1, 4)]
    if dice.random() < 0.1:
        digits += _random_digits(dice, dice.randrange(1, 8))
    return digits


def _dialled(dice: random.Random, region: str, digits: str) -> str:
    code = str(phonenumbers.country_code_for_region(region))
    trunk = PhoneMetadata.metadata_for_region(region).national_prefix or dice.choice("018")
    forms = [
        digits,
        trunk + digits,
        f"+{code}{digits}",
        f"+{code}{digits}",
        f"+{code}(0){digits}",
        f"+{code} {trunk}{digits}",
        f"00{code}{digits}",
        f"011{code}{trunk}{digits}",
        f"00{dice.choice('0123456789')}{digits}",
        code + digits,
        code + trunk + digits,
        f"+{dice.choice(ELSEWHERE)}{_random_digits(dice, dice.randrange(7, 13))}",
        f"+{_random_digits(dice, dice.randrange(18))}",
        _random_digits(dice, dice.randrange(24)),
        _as_the_library_would(dice, region),
    ]
    return dice.choice(forms)


def _as_the_library_would(dice: random.Random, region: str) -> str:
    example = phonenumbers.example_number_for_type(region, dice.choice(TYPES))
    number = example or phonenumbers.example_number(region)
    return phonenumbers.format_number(
        number,
        dice.choice(
            [PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966]
        ),
    )


def _decorated(dice: random.Random, text: str) -> str:
    if dice.random() < 0.4:
        text = "".join(c + (dice.choice(SIGNS) if dice.random() < 0.2 else "") for c in text)
    if dice.random() < 0.05:
        place = dice.randrange(len(text) + 1)
        text = (
            text[:place] + dice.choice([*STRANGE_SIGNS, chr(dice.randrange(0x20, 0xD7FF))]) + text[place:]
        )
    if dice.random() < 0.1:
        text = dice.choice(BEFORE) + text
    if dice.random() < 0.1:
        text += dice.choice(BEHIND)
    return text.translate(ARABIC) if dice.random() < 0.02 else text


def _random_digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))
