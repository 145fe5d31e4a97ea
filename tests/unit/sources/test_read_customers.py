import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortd.core.errors import SettingsError, SourceError
from cohortd.sources import TableSource, Tally, read_contacts, read_customers


def customers(source, tally=None):
    return pa.Table.from_batches(list(read_customers(source, tally or Tally("customers")))).to_pydict()


def contacts(source, **options):
    batches = list(read_contacts(source, **options))
    return pa.Table.from_batches(batches).to_pydict() if batches else {}


def test_a_byte_order_mark_and_spaces_do_not_hide_an_id(make_source):
    source = make_source("customers", b"\xef\xbb\xbfcustomer_id,email\n  a 1 , ann@x.org \n")

    assert customers(source) == {"customer_id": ["a 1"]}
    assert contacts(source) == {"customer_id": ["a 1"], "email": [["ann@x.org"]]}


def test_several_contacts_in_one_cell_become_a_list(make_source):
    source = make_source("customers", 'customer_id,email\n1,"a@x.org; b@x.org;;"\n2,\n')

    assert contacts(source)["email"] == [["a@x.org", "b@x.org"], None]


def test_both_readers_leave_out_the_same_rows(make_source):
    source = make_source(
        "customers",
        b"customer_id,email,plan\n"
        b"1,m\xfcller@x.org,gold\n"  # Latin-1
        b"1,second@x.org,iron\n"
        b"2,b@x.org\n"
        b"3,c@x.org,lead\n"
        b"3,d@x.org,tin\n"
        b",e@x.org,tin\n"
        b"+49 170 1234567,f@x.org,tin\n",
        attributes=("plan",),
    )
    tally = Tally("customers")

    assert customers(source, tally) == {"customer_id": ["1", "3"], "plan": ["iron", "lead"]}
    assert contacts(source) == {"customer_id": ["1", "3"], "email": [["second@x.org"], ["c@x.org"]]}
    assert tally.dropped == {
        "undecodable_text": 1,
        "wrong_number_of_cells": 1,
        "duplicate_customer_id": 1,
        "missing_customer_id": 1,
        "phone_as_customer_id": 1,
    }
    assert (tally.read, tally.kept, tally.dropped_rows) == (7, 2, 5)


def test_samples_name_the_row_and_never_what_it_held(make_source):
    source = make_source("customers", b"customer_id,email\n1,a@x.org\n\n2,b@x.org,3\n1,secret@x.org\n")
    tally = Tally("customers")
    customers(source, tally)

    assert tally.samples == [
        {"row": 2, "file": "table.csv", "reason": "wrong_number_of_cells"},
        {"row": 3, "file": "table.csv", "reason": "duplicate_customer_id"},
    ]
    assert "secret" not in repr(tally)


def test_at_most_twenty_rows_are_sampled_and_all_are_counted(make_source):
    source = make_source("customers", "customer_id,email\n" + ",x@y.org\n" * 50)
    tally = Tally("customers")
    customers(source, tally)

    assert len(tally.samples) == 20
    assert tally.report().dropped == {"missing_customer_id": 50}


def test_a_quoted_line_break_is_part_of_a_cell(make_source):
    source = make_source("customers", 'customer_id,city\n1,"New\nYork"\n2,Rome\n')

    assert contacts(source)["city"] == ["New\nYork", "Rome"]


def test_the_rows_that_an_open_quote_swallows_are_counted(make_source):
    source = make_source("customers", 'customer_id,city,state\n1,"x,y\n' + "2,b,c\n" * 30)
    tally = Tally("customers")
    customers(source, tally)

    assert tally.dropped == {"wrong_number_of_cells": 31}
    assert tally.read == 31


def test_an_open_quote_in_the_last_column_is_no_silent_loss(make_source):
    source = make_source("customers", 'customer_id,note\n1,"x\n' + "2,b\n" * 500)

    with pytest.raises(SourceError, match="never closed"):
        customers(source)


@pytest.mark.parametrize("content", ["customer_id,plan", "customer_id,plan\n"])
def test_a_header_alone_is_a_table_without_rows(make_source, content):
    assert customers(make_source("customers", content, attributes=("plan",))) == {
        "customer_id": [],
        "plan": [],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        ("customer_id\n1\n".encode("utf-16"), "UTF-16"),
        (b"customer_id,stra\xdfe\n1,x\n", "header.*not UTF-8"),
    ],
)
def test_a_file_without_a_readable_header_says_what_is_wrong(make_source, content, message):
    with pytest.raises(SourceError, match=message):
        customers(make_source("customers", content))


def test_semicolons_and_tabs_are_recognised_as_separators(make_source):
    assert contacts(make_source("customers", "customer_id;city\n1;Rome, Italy\n"))["city"] == [
        "Rome, Italy"
    ]
    tabbed = make_source("customers", "customer_id\tcity\n1\tRome\n", file="table.tsv")
    assert contacts(tabbed)["city"] == ["Rome"]


def test_a_missing_column_names_the_nearest_and_lists_the_rest(make_source):
    source = make_source(
        "customers", "customer_id,emial\n1,x\n", columns={"customer_id": "customer_id", "email": "email"}
    )

    with pytest.raises(SettingsError, match=r"'email'.*Did you mean 'emial'.*customer_id, emial"):
        customers(source)


def test_unmapped_columns_are_not_read(make_source):
    source = make_source(
        "customers", b"id,email,diagnosis\n1,a@x.org,\xff\n", columns={"customer_id": "id"}
    )

    assert contacts(source) == {"customer_id": ["1"]}


def test_a_column_that_is_there_twice_is_refused(make_source):
    with pytest.raises(SettingsError, match="more than one column named 'customer_id'"):
        customers(make_source("customers", "customer_id,customer_id\n1,2\n"))


def test_ids_that_are_e_mails_refuse_the_whole_table(make_source):
    source = make_source("customers", "customer_id\n1\nann@example.org\n")

    with pytest.raises(SettingsError, match="e-mail") as caught:
        customers(source)
    assert "ann" not in str(caught.value)


def test_a_contact_field_cannot_be_an_attribute(make_source):
    with pytest.raises(SettingsError, match="gender"):
        customers(make_source("customers", "customer_id,gender\n1,f\n", attributes=("gender",)))


def test_contacts_can_be_narrowed_by_field_and_by_customer(make_source):
    source = make_source("customers", "customer_id,country,email\n1,DE,a@x.org\n2,FR,b@x.org\n3,,\n")

    assert contacts(source, fields=("country",)) == {
        "customer_id": ["1", "2", "3"],
        "country": ["DE", "FR", None],
    }
    assert contacts(source, fields=("country",), only=frozenset({"2", "9"})) == {
        "customer_id": ["2"],
        "country": ["FR"],
    }
    assert contacts(source, only=frozenset()) == {}


def test_parquet_types_become_the_text_that_people_meant(tmp_path: Path):
    table = pa.table(
        {
            "customer_id": pa.array([1.0, 2.0, None]),  # pandas made floats of ids
            "email": pa.array([["a@x.org", " "], [], None], pa.large_list(pa.large_string())),
            "phone": pa.array([491701234567, None, 1], pa.int64()),
            "birth_date": pa.array([datetime(1990, 1, 2)] * 3, pa.timestamp("ns")),  # noqa: DTZ001
            "postal_code": pa.array([1234.0, float("nan"), 1.0]),
            "city": pa.array(["Bonn", "Bonn", None]).dictionary_encode(),
            "is_vip": pa.array([True, False, None]),
            "limit": pa.array([Decimal("1.50"), Decimal("20.00"), None]),
        }
    )
    pq.write_table(table, tmp_path / "c.parquet")
    source = TableSource("customers", path=str(tmp_path / "c.parquet"), attributes=("is_vip", "limit"))

    assert customers(source) == {"customer_id": ["1", "2"], "is_vip": ["1", "0"], "limit": ["1.5", "20"]}
    assert contacts(source) == {
        "customer_id": ["1", "2"],
        "email": [["a@x.org"], None],
        "phone": [["491701234567"], None],
        "birth_date": ["1990-01-02", "1990-01-02"],
        "city": ["Bonn", "Bonn"],
        "postal_code": ["1234", None],
    }


def test_json_arrays_and_lines_read_alike(make_source):
    rows = [
        {"customer_id": 1, "email": ["a@x.org", "b@x.org; c@x.org"], "score": 2.0},
        {"customer_id": "2", "email": "d@x.org", "score": None, "extra": {"a": 1}},
    ]
    array = make_source("customers", json.dumps(rows), file="a.json", attributes=("score",))
    lines = make_source(
        "customers", "\n".join(map(json.dumps, rows)) + "\n\n", file="b.jsonl", attributes=("score",)
    )

    for source in (array, lines):
        assert customers(source) == {"customer_id": ["1", "2"], "score": ["2", None]}
        assert contacts(source)["email"] == [["a@x.org", "b@x.org", "c@x.org"], ["d@x.org"]]


def test_broken_json_lines_are_counted(make_source):
    source = make_source(
        "customers",
        b'\xef\xbb\xbf{"customer_id": "1"}\n{"customer_id": \n[1]\n"\xff"\n{"customer_id": "\\ud800"}\n',
        file="c.ndjson",
    )
    tally = Tally("customers")

    assert customers(source, tally) == {"customer_id": ["1"]}
    assert tally.dropped == {"unparsable_json": 3, "undecodable_text": 1}
    assert [sample["row"] for sample in tally.samples] == [2, 3, 4, 5]


def test_a_duplicate_is_found_across_files_and_batches(tmp_path: Path):
    for file in ("a.csv", "b.csv"):
        rows = "".join(f"{number}\n" for number in range(70_000))
        (tmp_path / file).write_text("customer_id\n" + rows)
    tally = Tally("customers")

    kept = customers(TableSource("customers", path=str(tmp_path)), tally)

    assert len(kept["customer_id"]) == 70_000
    assert tally.dropped == {"duplicate_customer_id": 70_000}
    assert tally.samples[0] == {"row": 1, "file": "b.csv", "reason": "duplicate_customer_id"}
