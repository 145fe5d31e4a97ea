"""Digests as California's DROP makes them."""

from base64 import b64decode, b64encode
from hashlib import sha256

import pyarrow as pa
import pytest

from cohortd.core.deletions import DeletionList
from cohortd.identity import deletion_digests, is_comparable

LISTS = pa.list_(pa.string())


def batch(**fields: object) -> pa.RecordBatch:
    types = {"email": LISTS, "phone": LISTS}
    arrays = [pa.array(values, types.get(name, pa.string())) for name, values in fields.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(fields))


def found(contacts: pa.RecordBatch, *hashed: str) -> list[tuple[str, int, bytes]]:
    return [
        (name.value, int(row), digest.tobytes())
        for name, rows, digests in deletion_digests(contacts, hashed=hashed)
        for row, digest in zip(rows, digests, strict=True)
    ]


@pytest.mark.parametrize(
    ("phone", "digest"),
    [
        ("+1(415)555-9317", "vGM7y5n+hBXRSEAklhHDPCbysyNgYTmXdMcagGUOY8E="),
        ("415.555.9317", "vGM7y5n+hBXRSEAklhHDPCbysyNgYTmXdMcagGUOY8E="),
        ("+84(90)123 4567", "ptzVkgbv9DonwvPCHmXmJ2SEOaolSh37z3ZzY/Gmm+U="),
        ("55501", b64encode(sha256(b"55501").digest()).decode()),
    ],
)
def test_a_phone_is_its_last_ten_digits_as_in_the_official_examples(phone: str, digest: str) -> None:
    assert found(batch(phone=[[phone]])) == [("Phone", 0, b64decode(digest))]


@pytest.mark.parametrize(
    ("field", "written", "standard"),
    [
        ("email", [" A.b+C @Example.COM\t"], "a.b+c@example.com"),
        ("mobile_ad_id", "AEBE52E7-03EE-455A-B3C4-E57283966239", "aebe52e703ee455ab3c4e57283966239"),
    ],
)
def test_a_field_is_standardized_as_the_specification_says(
    field: str, written: object, standard: str
) -> None:
    [(_, _, digest)] = found(batch(**{field: [written]}))

    assert digest == sha256(standard.encode()).digest()


def test_every_value_of_a_row_counts_and_what_holds_nothing_does_not() -> None:
    contacts = batch(
        email=[None, ["a@b.c", "d@e.f"], ["  "]],
        phone=[["no digits"], None, []],
        mobile_ad_id=["short", None, ""],
    )

    assert [(name, row) for name, row, _ in found(contacts)] == [("Email", 1), ("Email", 1)]
    assert [(name, row) for name, row, _ in found(contacts.slice(1))] == [("Email", 0), ("Email", 0)]


def test_of_columns_hashed_at_the_source_only_emails_are_compared() -> None:
    digest = sha256(b"a@b.c").hexdigest()
    contacts = batch(email=[[digest, "no digest"]], phone=[[digest]], mobile_ad_id=[digest])
    hashed = ("email", "phone", "mobile_ad_id")

    assert found(contacts, *hashed) == [("Email", 0, bytes.fromhex(digest))]
    assert [name for name in DeletionList if is_comparable(name, hashed=hashed)] == [DeletionList.EMAIL]
