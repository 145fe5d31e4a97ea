"""Columns of SHA-256 digests, and their way between numpy and Arrow."""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.identifiers import DIGEST_BYTES

#: 32 bytes a row.
Digests = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

DIGEST = pa.binary(DIGEST_BYTES)
HEX_DIGITS = 2 * DIGEST_BYTES
_NO_DIGIT = 0xFF
#: What every character is worth as a hex digit.
_VALUE = np.full(256, _NO_DIGIT, dtype=np.uint8)
for _digit in "0123456789abcdefABCDEF":
    _VALUE[ord(_digit)] = int(_digit, 16)
#: The two lower-case hex digits of every byte, as one number.
_HEX = np.array([int.from_bytes(f"{byte:02x}".encode(), "little") for byte in range(256)], dtype="<u2")


def sha256(texts: pa.Array) -> Digests:
    """Hash each of some texts or byte strings, none of them null."""
    return from_bytes(
        [hashlib.sha256(value).digest() for value in texts.cast(pa.large_binary()).to_pylist()]
    )


def from_hex(texts: pa.Array) -> tuple[Digests, Flags]:
    """Read texts, none null, that are digests in hex digits and nothing else; say which are."""
    lengths = np.asarray(pc.binary_length(texts))
    sound: Flags = lengths == HEX_DIGITS
    written = texts if sound.all() else texts.filter(pa.array(sound))
    digits = _VALUE[_characters(written)].reshape(-1, DIGEST_BYTES, 2)
    sound[sound] = (digits != _NO_DIGIT).all(axis=(1, 2))
    found = np.zeros((len(texts), DIGEST_BYTES), dtype=np.uint8)
    right = digits[sound[lengths == HEX_DIGITS]]
    found[sound] = (right[:, :, 0] << 4) | right[:, :, 1]
    return found, sound


def from_bytes(digests: list[bytes]) -> Digests:
    """Put digests below each other."""
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, DIGEST_BYTES)


def to_arrow(digests: Digests, there: Flags | None = None) -> pa.Array:
    """Make an array of digests, null where *there* says so."""
    data = pa.py_buffer(np.ascontiguousarray(digests))
    valid = None
    if there is not None and not there.all():
        valid = pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.FixedSizeBinaryArray.from_buffers(DIGEST, len(digests), [valid, data])


def from_arrow(digests: pa.Array) -> Digests:
    """Take digests out of an array, whatever its nulls hold."""
    data = np.frombuffer(digests.buffers()[1] or b"", dtype=np.uint8)
    return data[: (digests.offset + len(digests)) * DIGEST_BYTES].reshape(-1, DIGEST_BYTES)[
        digests.offset :
    ]


def _characters(texts: pa.Array) -> npt.NDArray[np.uint8]:
    """Return the bytes of large strings, one after the other."""
    _, offsets, data = texts.buffers()
    if data is None:
        return np.empty(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]


def to_hex(digests: Digests) -> npt.NDArray[np.uint8]:
    """Write digests out, 64 lower-case characters a row."""
    return _HEX[digests].view(np.uint8).reshape(len(digests), HEX_DIGITS)
