"""Text from outside, made safe for a terminal: names and errors may hold what a terminal obeys."""

import re
from typing import Final

#: Control characters (ESC among them) but for tab and line feed, and what turns the direction of text.
_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Spell what a terminal would obey, so that it is seen instead: ``\x1b`` for ESC."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def escaped(text: str) -> str:
    """Do the same to JSON, which says the same as before."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
