"""Text that explains a record, without the contact data that may have come with it by mistake."""

import re
from hashlib import sha256
from typing import Final

#: Stands for text in which contact data was found where none belongs.
WITHHELD: Final = "(withheld, it seems to hold contact data)"
_CONTACT: Final = re.compile(r"@|^\s*\+[\d ().\-/]{7,}\s*$")


def without_contacts(text: str) -> str:
    """Withhold a text that holds an e-mail address or is a phone."""
    return WITHHELD if _CONTACT.search(text) else text


def telling_apart(text: str) -> str:
    """Do the same to an id, which must stay another than all others: such a one by a SHA-256.

    It is not that of the id alone: of an id that is an e-mail address, that is what platforms know it by.
    """
    return sha256(f"{WITHHELD} {text}".encode()).hexdigest() if _CONTACT.search(text) else text
