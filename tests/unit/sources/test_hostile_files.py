"""Files that are damaged, gigantic or made to do harm: refused or counted, never told by their text."""

import pytest

from cohortd.core.errors import CohortdError, SourceError
from cohortd.sources import Tally, delimited, read_consent, read_contacts

HEAD = "customer_id,email,first_name\n"
GOOD = "1,canary@example.com,Canary\n"
CONSENT = "customer_id,status,recorded_at,evidence\n"
GIGANTIC = 20_000_000


def _read(source, tally):
    return [row for batch in read_contacts(source, tally) for row in batch.to_pylist()]


HARMFUL = {
    "utf-16": (HEAD + GOOD).encode("utf-16"),
    "utf-16 without its mark": (HEAD + GOOD).encode("utf-16-le"),
    "utf-32": (HEAD + GOOD).encode("utf-32"),
    "NULs in the header": HEAD.replace("_", "\0").encode() + GOOD.encode(),
    "a column twice": HEAD.replace("first_name", "email").encode() + GOOD.encode(),
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


@pytest.mark.parametrize("before", [0, 260_000])
def test_a_gigantic_cell_keeps_no_withdrawal_of_others_from_being_read(make_source, before):
    head = CONSENT
    row = "{},revoked,2026-03-01T00:00:00Z,x\n"
    gigantic = f"g,revoked,2026-03-01T00:00:00Z,{'c' * GIGANTIC}\n"
    content = head + "r,too,few\n" + row.format("a") * (before + 1) + gigantic + row.format("z")
    tally = Tally("consent")
    batches = list(read_consent(make_source("consent", content.encode()), tally))
    ids = [value for batch in batches for value in batch.column("customer_id").to_pylist()]

    assert ids == [*["a"] * (before + 1), "g", "z"]
    assert (tally.read, tally.kept, tally.dropped) == (before + 4, before + 3, {"unreadable_withdrawal": 1})
    assert [sample["row"] for sample in tally.samples] == [1]


def test_a_row_longer_than_any_may_be_is_told_by_where_it_is(make_source, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 1_000)
    monkeypatch.setattr(delimited, "_LARGE_BLOCK_BYTES", 2_000)
    content = HEAD + GOOD * 500 + f"2,canary@example.com,{'c' * 5_000}\n" + GOOD
    with pytest.raises(SourceError, match=r"a row of \S+ after row 500 is longer than") as caught:
        _read(make_source("customers", content.encode()), Tally("customers"))

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,revoked,2026-03-01,x,one comma too many\n", "unreadable_withdrawal"),
        ("a,opted out\n", "unreadable_withdrawal"),
        ("a,granted,2026-03-01,x,denied before\n", "unreadable_withdrawal"),
        ("a,Granted,2026-03-01,x,y\n", "wrong_number_of_cells"),
    ],
)
def test_a_row_of_consent_that_cannot_be_split_is_a_withdrawal_unless_it_says_yes(make_source, row, reason):
    tally = Tally("consent")
    list(read_consent(make_source("consent", (CONSENT + row).encode()), tally))

    assert tally.dropped == {reason: 1}
