"""Who seals the removal log: a key of this installation, made when it is first needed."""

import os
import stat
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from cohortd.core.errors import SettingsError
from cohortd.core.removals import Tree
from consent.concealing import conceal, reveal
from consent.merkle import grow
from consent.removal_log import seal_entry


class ChainSealer:
    """Chains entries by SHA-256 and signs the newest by Ed25519."""

    def __init__(self, key_file: Path) -> None:
        """Use the key in *key_file*; it is made, for its owner alone, when it is first needed."""
        self._key_file = key_file

    @property
    def public_key(self) -> str:
        """32 bytes, hex: give it to whoever shall check the log."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return raw.hex()

    def seal(self, previous: str, fields: Mapping[str, object]) -> str:
        """Hash *fields* together with the hash above; lower-case hex."""
        return seal_entry(previous, fields)

    def grow(self, tree: Tree, hashes: Sequence[str]) -> Tree:
        """Put entries' hashes into the tree."""
        return grow(tree, hashes)

    def sign(self, head: str) -> str:
        """Sign a head's text; lower-case hex."""
        return self._key.sign(head.encode()).hex()

    def conceal(self, key: bytes, text: str) -> str:
        """Encrypt a text by a person's key."""
        return conceal(key, text)

    def reveal(self, key: bytes, concealed: str) -> str | None:
        """Decrypt it; None where the key is another."""
        return reveal(key, concealed)

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        try:
            if not self._key_file.exists():
                _make_key(self._key_file)
            return _read_key(self._key_file)
        except OSError as error:
            raise SettingsError(f"{self._key_file}: the key cannot be used: {error.strerror}") from None


def _make_key(path: Path) -> None:
    """Write a new key whole or not at all; where another process was first, its key stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with NamedTemporaryFile(dir=path.parent) as draft:  # made for its owner alone
        draft.write(pem)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return


def _read_key(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & stat.S_IRWXO:
        raise SettingsError(f"{path}: everybody may use this key; run: chmod 600 {path}")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise SettingsError(f"{path}: holds no usable key; restore it from a backup") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path}: holds no Ed25519 key; restore it from a backup")
    return key
