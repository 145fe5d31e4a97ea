"""How regions dial, from libphonenumber's metadata, ready to be asked about whole columns."""

import re
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

from cohortd.identity.digit_automata import Automaton, Language, Positions, automaton
from cohortd.identity.digit_patterns import (
    UnknownPatternError,
    has_end,
    longest,
    parsed,
    starters,
)

#: What is taken off depends on more than the first digit.
MORE_DECIDES: Final = -1

#: Whatever has a type is valid. Emergency and short numbers are kept apart by the library itself.
_TYPES: Final = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Digits that may stand before a number."""

    pattern: re.Pattern[str]
    #: How many digits decide whether and how it matches.
    reach: int
    #: By the first digit: how many are taken off, or ``MORE_DECIDES``.
    taken: tuple[int, ...]
    #: What takes its place, if anything.
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Dialling:
    """How people of one region dial, and what their numbers look like."""

    code: int
    abroad: Prefix | None
    trunk: Prefix | None
    #: What looks like a number of the region, of any type.
    general: Automaton
    #: The lengths that a whole number can have, as bits, and the greatest of them.
    lengths: int
    longest: int


@dataclass(frozen=True, slots=True)
class _Region:
    general: Language
    general_lengths: tuple[int, ...]
    types: tuple[tuple[Language, tuple[int, ...]], ...]
    #: Decides alone whether a number belongs to the region, where the metadata have it.
    leading: Language | None
    whole: int

    def has(self, state: int, count: int) -> bool:
        """Whether a number that ends in *state* is of a known type here."""
        if not (state & self.general.last and _fits(count, self.general_lengths)):
            return False
        return any(state & kind.last and _fits(count, lengths) for kind, lengths in self.types)

    def open_in(self, state: int) -> int:
        """The positions that can still tell something about this region."""
        mine = 0
        if self.leading is not None:
            if not state & self.leading.whole:
                return 0
            mine = self.leading.whole
        return mine | (self.whole if state & self.general.whole else 0)


@cache
def dialling(code: int, region: str) -> Dialling | None:
    """How *region* dials; None where its metadata are of a form that is not known here."""
    try:
        metadata = _metadata(code, region)
        general = _general(metadata)
        local = general.possible_length_local_only
        return Dialling(
            code,
            _prefix(metadata.international_prefix),
            _prefix(metadata.national_prefix_for_parsing, metadata.national_prefix_transform_rule),
            _alone(_pattern(general)),
            sum(1 << length for length in {*general.possible_length} - {*local}),
            max(general.possible_length),
        )
    except UnknownPatternError:
        return None


@cache
def validity(code: int) -> Automaton | None:
    """What is a possible and valid number after *code*; None as for ``dialling``."""
    names = COUNTRY_CODE_TO_REGION_CODE[code]
    positions = Positions()
    try:
        regions = [_region(positions, code, name, shared=len(names) > 1) for name in names]
        main = _general(_metadata(code, names[0]))
    except UnknownPatternError:
        return None
    possible = {*main.possible_length, *main.possible_length_local_only}

    def accepts(state: int, count: int) -> bool:
        return count in possible and _is_valid(regions, state, count)

    def trimmed(state: int) -> int:
        return state & reduce(or_, (region.open_in(state) for region in regions))

    return automaton(positions, max(possible), accepts, trimmed)


def _is_valid(regions: list[_Region], state: int, count: int) -> bool:
    """Ask the first region that claims the number, and no other."""
    for region in regions:
        if region.leading is None:
            if region.has(state, count):
                return True
        elif state & region.leading.last:
            return region.has(state, count)
    return False


def _region(positions: Positions, code: int, name: str, *, shared: bool) -> _Region:
    metadata = _metadata(code, name)
    general = _general(metadata)
    language = positions.language(_pattern(general))
    names = _TYPES if metadata.same_mobile_and_fixed_line_pattern else (*_TYPES, "mobile")
    described: list[PhoneNumberDesc | None] = [getattr(metadata, name) for name in names]
    types = tuple(
        (positions.language(each.national_number_pattern), each.possible_length)
        for each in described
        if each is not None and each.national_number_pattern
    )
    leading = None
    if metadata.leading_digits is not None and shared:
        leading = positions.language(metadata.leading_digits, open_ended=True)
    whole = reduce(or_, (kind.whole for kind, _ in types), language.whole)
    return _Region(language, general.possible_length, types, leading, whole)


def _alone(pattern: str) -> Automaton:
    positions = Positions()
    language = positions.language(pattern)
    return automaton(positions, language.longest, lambda state, _: bool(state & language.last))


def _metadata(code: int, region: str) -> PhoneMetadata:
    found = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if found is None:
        raise UnknownPatternError(region)
    return found


def _general(metadata: PhoneMetadata) -> PhoneNumberDesc:
    """What holds for numbers of every type; local ones are never the longest, where lengths are a rule."""
    found = metadata.general_desc
    if found is None or not found.possible_length:
        raise UnknownPatternError(metadata.id)
    if max(found.possible_length_local_only, default=0) > max(found.possible_length):
        raise UnknownPatternError(metadata.id)
    return found


def _pattern(general: PhoneNumberDesc) -> str:
    if not general.national_number_pattern:
        raise UnknownPatternError("")
    return general.national_number_pattern


def _prefix(pattern: str | None, rule: str | None = None) -> Prefix | None:
    if not pattern:
        return None
    node = parsed(pattern)
    compiled = re.compile(pattern)
    if rule and not compiled.groups:
        raise UnknownPatternError(pattern)
    reach = longest(node) + has_end(node)
    taken = [MORE_DECIDES if starters(node) >> digit & 1 else 0 for digit in range(10)]
    if reach == 1 and not rule:
        matches = [compiled.match(str(digit)) for digit in range(10)]
        taken = [match.end() if match else 0 for match in matches]
    return Prefix(compiled, reach, tuple(taken), rule or None)


def _fits(count: int, lengths: tuple[int, ...]) -> bool:
    return not lengths or count in lengths
