"""What the kernel knows of the rules: the same steps, for whole columns of plain text.

A row that the kernel does not take goes through the rule's own steps, so nothing here decides why
a value cannot be sent.
"""

import string
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow.compute as pc

from cohortd.identity.cells import Placed
from cohortd.identity.digests import Flags
from cohortd.identity.kernel import ASK, DROP, Kernel, Mapped, Taken

Swift = Callable[[Kernel, Placed], Taken]
Stays = Callable[[Placed], Flags]

_CHARACTERS = 256
_PRINTABLE = frozenset(map(chr, range(ord(" "), 0x7F)))
_DIGITS = frozenset(string.digits)
_LETTERS = frozenset(string.ascii_letters)

_US = "US"
_US_ZIP = "^[0-9]{5}(-[0-9]{4})?$"
#: Too short to be a digest, and nothing that the rules would change or drop.
_POSTAL_CODE = "^[0-9A-Za-z]([0-9A-Za-z -]{0,30}[0-9A-Za-z])?$"


def emails(*, fold_gmail: bool) -> Swift:
    """``emails.address``, then ``emails.gmail_folded`` if asked."""
    return lambda kernel, placed: kernel.emails(placed.texts, fold_gmail=fold_gmail)


def everywhere(how: Mapped) -> Swift:
    """Lower-case and drop characters by a map."""
    return lambda kernel, placed: kernel.mapped(placed.texts, how)


def by_region(*, in_us: Mapped | None, elsewhere: Mapped) -> Swift:
    """Map in the US otherwise than elsewhere, or leave the US to the rules."""

    def run(kernel: Kernel, placed: Placed) -> Taken:
        abroad = kernel.mapped(placed.texts, elsewhere)
        us = placed.is_in(_US)
        if not us.any():
            return abroad
        if in_us is None:
            return Taken(abroad.digests, abroad.rows & ~us)
        at_home = kernel.mapped(placed.texts, in_us)
        digests = np.where(us[:, np.newaxis], at_home.digests, abroad.digests)
        return Taken(digests, np.where(us, at_home.rows, abroad.rows))

    return run


def postal_codes(placed: Placed) -> Flags:
    """Which codes ``places.plain_postal_code`` surely leaves as they are."""
    us = placed.is_in(_US)
    found = np.asarray(pc.match_substring_regex(placed.texts, _POSTAL_CODE)).astype(np.bool_)
    if us.any():
        found &= ~us | np.asarray(pc.match_substring_regex(placed.texts, _US_ZIP)).astype(np.bool_)
    return found


def _map(kept: frozenset[str], *, dropped: frozenset[str]) -> bytes:
    """Lower-case what is *kept*; leave what is neither to the rules."""
    found = bytearray([ASK]) * _CHARACTERS
    for character in kept | dropped:
        found[ord(character)] = ord(character.lower()) if character in kept else DROP
    return bytes(found)


#: A dot may belong to a title.
GOOGLE_NAME: Final = Mapped(_map(_PRINTABLE - {"."}, dropped=frozenset()))
META_NAME: Final = Mapped(_map(_LETTERS | _DIGITS, dropped=_PRINTABLE))
LETTERS: Final = Mapped(_map(_LETTERS, dropped=_PRINTABLE))
LETTERS_AND_DIGITS: Final = META_NAME
FIRST_LETTER: Final = replace(LETTERS, first=1)
#: A dot may be what is left of a number.
POSTAL_CODE: Final = Mapped(_map(_PRINTABLE - frozenset(" -."), dropped=frozenset(" -")))
US_ZIP: Final = Mapped(_map(_DIGITS, dropped=frozenset(" -")), least=5, most=9, first=5)
