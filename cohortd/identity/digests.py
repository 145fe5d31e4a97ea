"""Columns of SHA-256 digests, and their way between numpy and Arrow."""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES

#: 32 bytes a row.
Digests = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

DIGEST = pa.binary(DIGEST_BYTES)
HEX_DIGITS = 2 * DIGEST_BYTES
#: The two lower-case hex digits of every byte, as one number.
_HEX = np.array([int.from_bytes(f"{byte:02x}".encode(), "little") for byte in range(256)], dtype="<u2")


def sha256(texts: pa.Array) -> Digests:
    """Hash each of some texts or byte strings, none of them null."""
    return from_bytes(
        [hashlib.sha256(value).digest() for value in texts.cast(pa.large_binary()).to_pylist()]
    )


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


def to_hex(digests: Digests) -> npt.NDArray[np.uint8]:
    """Write digests out, 64 lower-case characters a row."""
    return _HEX[digests].view(np.uint8).reshape(len(digests), HEX_DIGITS)
