"""Country codes as ISO 3166-1 alpha-2 has them."""

import re
from typing import Final

_CODES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ "
    "BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR "
    "CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "  # codespell:ignore fo
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU "
    "ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ "
    "LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
    "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
    "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI "
    "SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR "
    "TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)
COUNTRIES: Final = frozenset(_CODES.split())
#: What people write instead.
_MEANT: Final = {"UK": "GB", "EL": "GR", "EN": "GB", "USA": "US"}
#: Letters of a wrong code that a message repeats; the longest names of states have fewer.
_MOST_SHOWN: Final = 40


def check_country(text: str) -> str:
    """Return the code in upper case.

    Raises:
        ValueError: No country has this code; a wrong code would silently match nobody.
    """
    code = text.strip().upper()
    if code in COUNTRIES:
        return code
    meant = _MEANT.get(code)
    hint = f"; did you mean {meant}?" if meant else ""
    raise ValueError(
        f"{_shown(code)} is not a country code of two letters such as US or DE (ISO 3166-1){hint}"
    )


def check_place(text: str) -> str:
    """Return a country's code, or that of a state such as ``US-CA``, in upper case.

    Raises:
        ValueError: No country has this code, or what follows it is no code of a state.
    """
    country, dash, state = text.strip().upper().partition("-")
    if dash and not re.fullmatch(r"[A-Z0-9]{1,3}", state):
        raise ValueError(f"{_shown(text)} is not a state such as US-CA (ISO 3166-2)")
    return check_country(country) + dash + state


def _shown(text: str) -> str:
    """Show a wrong code whole, unless it is no code by far."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
