"""IAB strings, decoded as far as they are evidence: they speak of a browser, and never decide alone.

A TC string's core and the disclosed vendors (TCF 2.3 demands that segment), and which sections a GPP string
has. What cannot be decoded raises one error, whatever is wrong with it.

Sources: IAB Tech Lab, "Consent string and vendor list formats v2" and "Global Privacy Platform".
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

#: Google Advertising Products on the global vendor list.
GOOGLE: Final = 755
#: Longer ones are none: the longest possible vendor bit fields take some 25,000 letters.
MOST_LETTERS: Final = 50_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DISCLOSED_VENDORS: Final = 1
_PURPOSES: Final = 24
_GPP_HEADER: Final = 3


@dataclass(frozen=True, slots=True)
class TcCore:
    """What a TC string says, as far as it concerns us."""

    version: int
    created_at: datetime
    updated_at: datetime
    cmp_id: int
    vendor_list_version: int
    policy_version: int
    #: Purposes that were agreed to, and those for which a legitimate interest stands.
    purposes: frozenset[int]
    legitimate_interests: frozenset[int]
    #: Vendors that were agreed to.
    vendors: frozenset[int]
    #: Vendors that were shown; None where the segment is missing, as before TCF 2.3.
    disclosed_vendors: frozenset[int] | None


class _Bits:
    """Reads the bits of one segment from its beginning."""

    def __init__(self, segment: str) -> None:
        if not segment or len(segment) > MOST_LETTERS:
            raise ValueError("this is no segment")
        padded = segment + "=" * (-len(segment) % 4)
        try:
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        except binascii.Error:
            raise ValueError("a segment is no base64url") from None
        self._number = int.from_bytes(raw, "big")
        self._left = len(raw) * 8

    def number(self, bits: int) -> int:
        if bits > self._left:
            raise ValueError("a segment ends too early")
        self._left -= bits
        return (self._number >> self._left) & ((1 << bits) - 1)

    def time(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=100 * self.number(36))

    def those_set(self, bits: int) -> frozenset[int]:
        """Numbers, from 1, of the bits that are set."""
        text = format(self.number(bits), f"0{bits}b") if bits else ""
        return frozenset(place for place, bit in enumerate(text, start=1) if bit == "1")

    def vendors(self) -> frozenset[int]:
        """A bit a vendor, or ranges of them."""
        most = self.number(16)
        if not self.number(1):
            return self.those_set(most)
        found: set[int] = set()
        for _ in range(self.number(12)):
            is_range, first = self.number(1), self.number(16)
            last = self.number(16) if is_range else first
            if not 0 < first <= last <= most:
                raise ValueError("a range of vendors is none")
            found.update(range(first, last + 1))
        return frozenset(found)


def decode_tc(text: str) -> TcCore:
    """Decode a TC string of TCF 2.

    Raises:
        ValueError: It is none.
    """
    core, *others = text.strip().split(".")
    bits = _Bits(core)
    version = bits.number(6)
    if version != 2:  # noqa: PLR2004 - the only one that is in force
        raise ValueError("this is no TC string of version 2")
    created_at, updated_at = bits.time(), bits.time()
    cmp_id = bits.number(12)
    bits.number(12 + 6 + 12)  # the CMP's version, screen and language
    vendor_list_version, policy_version = bits.number(12), bits.number(6)
    bits.number(1 + 1 + 12)  # service specific, non-standard texts, special features
    purposes, interests = bits.those_set(_PURPOSES), bits.those_set(_PURPOSES)
    bits.number(1 + 12)  # purpose one treatment, publisher's country
    return TcCore(
        version,
        created_at,
        updated_at,
        cmp_id,
        vendor_list_version,
        policy_version,
        purposes,
        interests,
        bits.vendors(),
        _disclosed(others),
    )


def gpp_sections(text: str) -> tuple[int, ...]:
    """List the ids of a GPP string's sections, in their order: 2 is TCF in the EU, 7 the United States.

    Raises:
        ValueError: It is no GPP string.
    """
    header, *sections = text.strip().split("~")
    bits = _Bits(header)
    if bits.number(6) != _GPP_HEADER or bits.number(6) != 1:
        raise ValueError("this is no GPP string of version 1")
    ids: list[int] = []
    last = 0
    for _ in range(bits.number(12)):
        is_range = bits.number(1)
        first = last + _fibonacci(bits)
        last = first + _fibonacci(bits) if is_range else first
        if last - first > len(sections):
            raise ValueError("there are more ids than sections")
        ids += range(first, last + 1)
    if len(ids) != len(sections):
        raise ValueError("there are not as many ids as sections")
    return tuple(ids)


def _disclosed(segments: list[str]) -> frozenset[int] | None:
    for segment in segments:
        bits = _Bits(segment)
        if bits.number(3) == _DISCLOSED_VENDORS:
            return bits.vendors()
    return None


def _fibonacci(bits: _Bits) -> int:
    """Read a number in Fibonacci coding: it ends with two set bits."""
    one, two, value, was_set = 1, 2, 0, False
    while True:
        is_set = bool(bits.number(1))
        if is_set and was_set:
            return value
        value += one if is_set else 0
        one, two, was_set = two, one + two, is_set
