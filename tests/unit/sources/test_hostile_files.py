"""Files that are damaged, gigantic or made to do harm: refused or counted, never told by their text."""

import pytest

from cohortd.core.errors import CohortdError
from cohortd.sources import Tally, read_contacts

HEAD = "customer_id,email,first_name\n"
GOOD = "1,canary@example.com,Canary\n"
GIGANTIC = 20_000_000


def _read(source, tally):
    return [row for batch in read_contacts(source, tally) for row in batch.to_pylist()]


HARMFUL = {
    "utf-16": (HEAD + GOOD).encode("utf-16"),
    "utf-16 without its mark": (HEAD + GOOD).encode("utf-16-le"),
    "utf-32": (HEAD + GOOD).encode("utf-32"),
    "NULs in the header": HEAD.replace("_", "\0").encode() + GOOD.encode(),
    "a column twice": HEAD.replace("first_name", "email").encode() + GOOD.encode(),
    "a gigantic cell": f"{HEAD}{GOOD}2,canary@example.com,{'c' * GIGANTIC}\n".encode(),
    "a gigantic header": b"c" * 2_000_000 + b",customer_id\n1,2\n",
    "bytes": bytes(range(256)) * 400,
    "gzip": b"\x1f\x8b canary",
    "Parquet": b"PAR1\x15\x04\x15 canary PAR1",
}


@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL)
def test_what_is_no_table_is_refused_without_a_word_of_it(make_source, content):
    with pytest.raises(CohortdError) as caught:
        _read(make_source("customers", content), Tally("customers"))

    assert "canary" not in str(caught.value).lower()
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (b"2,canary\0@example.com,x\n", 2),
        (b"2,canary@example.com,Jos\xe9\n", 1),
        (b"2\0,canary@example.com,x\n", 2),
        (b"2,=cmd|'/c calc'!A0,\x1b[31m\n", 2),
        (b"2,canary@example.com\n", 1),
        (b"2,canary@example.com,x,y\n", 1),
        (b"2" + b"," * 10_000 + b"\n", 1),
        ("2,\ufeffcanary@example.com,\u202ex\n".encode(), 2),
    ],
)
def test_one_bad_row_takes_no_other_with_it(make_source, row, kept):
    tally = Tally("customers")
    rows = _read(make_source("customers", (HEAD + GOOD).encode() + row), tally)

    assert rows[0]["customer_id"] == "1"
    assert (len(rows), sum(tally.dropped.values())) == (kept, 2 - kept)


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n"])
def test_lines_may_end_in_any_way_and_a_mark_may_stand_before_the_first(make_source, ends):
    content = ("\ufeff" + HEAD + GOOD).replace("\n", ends)

    assert [row["customer_id"] for row in _read(make_source("customers", content), Tally("customers"))] == [
        "1"
    ]
