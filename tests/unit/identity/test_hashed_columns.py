"""Columns that were hashed at the source are checked as a whole, as each value would be alone."""

import hashlib
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortd.core.identifiers import Family
from cohortd.identity import identify, normalize
from cohortd.identity.digests import from_hex

DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(20)]
#: As sources have them: shouted, padded, cut off, of nothing, no digest at all.
ODD = [
    *(digest.upper() for digest in DIGESTS[:3]),
    f" {DIGESTS[3]}\t",
    DIGESTS[4][:-1],
    DIGESTS[5] + "0",
    DIGESTS[6][:-1] + "g",
    DIGESTS[7][:-1] + "é",
    hashlib.sha256(b"").hexdigest(),
    hashlib.sha256(b"").hexdigest().upper(),
    "anna@example.org",
    "",
    " ",
]


@given(st.lists(st.sampled_from(DIGESTS + ODD) | st.text(max_size=3), max_size=40), st.sampled_from(Family))
def test_a_column_gives_what_each_value_gives(texts: list[str], family: Family) -> None:
    texts = [text for text in texts if text.isprintable() or not text.strip()]
    found = identify(
        pa.record_batch({"email": pa.array(texts, pa.string())}),
        family,
        default_region=None,
        hashed=frozenset({"email"}),
    )
    alone = [normalize(family, "email", text, hashed=True) for text in texts]

    sent = dict(zip(*(found.identifiers[name].to_pylist() for name in ("row", "digest")), strict=True))
    dropped = dict(zip(*(found.dropped[name].to_pylist() for name in ("row", "reason")), strict=True))
    assert {row: digest.hex() for row, digest in sent.items()} == {
        row: each.sha256 for row, each in enumerate(alone) if each.sha256
    }
    assert dropped == {row: each.reason for row, each in enumerate(alone) if each.reason}


@pytest.mark.parametrize("start", [0, 3])
def test_hex_digits_are_read_from_a_slice_too(start: int) -> None:
    chance = random.Random(7)
    texts = pa.array([chance.choice(DIGESTS + ODD) for _ in range(50)], pa.large_string())[start:]
    digests, sound = from_hex(texts)

    for text, digest, right in zip(texts.to_pylist(), digests, sound, strict=True):
        assert right == (len(text) == 64 and text.isascii() and text.isalnum() and "g" not in text.lower())
        if right:
            assert digest.tobytes() == bytes.fromhex(text)
    assert digests.dtype == np.uint8
