"""What the settings say of consent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cohortd.core.consenting import ConsentStatus

ANYWHERE: Final = "*"
#: The basis of a grant that names none.
CONSENT: Final = "consent"
#: Codes people write that no country has.
_MEANT: Final = {"UK": "GB", "EL": "GR"}
_ALPHA_2: Final = 2


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """What the settings say of consent.

    Raises:
        ValueError: Silence is said to revoke.
    """

    purpose: str
    #: What silence means, by country (ISO 3166-1 alpha-2, upper case) or by country and state
    #: (``US-CA``); ``*`` for all others.
    default: Mapping[str, ConsentStatus] = field(default_factory=dict)
    #: How long a grant counts; None for ever.
    max_age: timedelta | None = None
    #: On what a grant may rest, lower case.
    legal_bases: frozenset[str] = frozenset({CONSENT})
    #: Regulations, lower case, under which opting in again after an opt-out takes two steps.
    two_step: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what cannot be the meaning of silence."""
        if ConsentStatus.REVOKED in self.default.values():
            raise ValueError("silence means granted or denied; it cannot revoke")

    def asks_for_states(self, country: str) -> bool:
        """Whether it matters where in *country* (alpha-2, upper case) somebody lives."""
        return any(place.startswith(f"{country}-") for place in self.default)

    def silence(self, country: str, state: str = "") -> str:
        """Say which rule decides for a customer there without any record.

        Args:
            country: ISO 3166-1 alpha-2; anything else is not known.
            state: The part of ISO 3166-2 behind the dash, such as ``CA``.
        """
        code = country.strip().upper()
        code = _MEANT.get(code, code)
        anywhere = self.default.get(ANYWHERE, ConsentStatus.DENIED)
        if len(code) == _ALPHA_2 and code.isalpha():
            return self._in_country(code, state.strip().upper(), self.default.get(code, anywhere))
        if anywhere is ConsentStatus.GRANTED and ConsentStatus.DENIED in self.default.values():
            return "default_denied_country_unknown"
        return f"default_{anywhere}"

    def _in_country(self, country: str, state: str, whole: ConsentStatus) -> str:
        if not self.asks_for_states(country):
            return f"default_{whole}"
        if state:
            return f"default_{self.default.get(f'{country}-{state}', whole)}"
        named = {meaning for place, meaning in self.default.items() if place.startswith(f"{country}-")}
        if whole is ConsentStatus.GRANTED and ConsentStatus.DENIED in named:
            return "default_denied_state_unknown"
        return f"default_{whole}"
