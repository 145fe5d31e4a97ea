"""What an entry of the removal log says of a person, readable with a key alone."""

import binascii
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Stands before every concealed text: AES-256-GCM, a nonce of 12 bytes first, in URL-safe Base64.
SCHEME: Final = "A256GCM:"
_NONCE_BYTES: Final = 12


def conceal(key: bytes, text: str) -> str:
    """Encrypt a text by a key of 32 bytes; the same text twice comes out differently."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), None)
    return SCHEME + urlsafe_b64encode(sealed).decode("ascii")


def reveal(key: bytes, concealed: str) -> str | None:
    """Decrypt a text; None where the key is another, or the text is not what was concealed."""
    if not concealed.startswith(SCHEME):
        return None
    try:
        sealed = urlsafe_b64decode(concealed.removeprefix(SCHEME))
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except (InvalidTag, binascii.Error, ValueError):
        return None
