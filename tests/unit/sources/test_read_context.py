"""What each day was like, read as other tables are."""

from datetime import date

import pyarrow as pa
import pytest

from cohortd.core.errors import SettingsError
from cohortd.sources import Tally, read_context


def context(source, tally=None, *, by_place=False):
    return pa.Table.from_batches(
        list(read_context(source, tally or Tally("context"), by_place=by_place))
    ).to_pylist()


def test_days_places_and_numbers_are_read(make_source):
    source = make_source(
        "context",
        "day,town,t_mean,holiday\n2024-01-02, Bonn ,1.5,true\n2024-01-02T23:30:00-02:00,Köln,,0\n",
        columns={"date": "day", "place": "town", "temperature": "t_mean", "is_holiday": "t_mean"},
        attributes=("temperature",),
    )

    assert context(source, by_place=True) == [
        {"date": date(2024, 1, 2), "place": "Bonn", "temperature": 1.5},
        {"date": date(2024, 1, 3), "place": "Köln", "temperature": None},
    ]
    assert context(source)[0] == {"date": date(2024, 1, 2), "temperature": 1.5}


def test_faulty_rows_are_left_out_with_their_reason(make_source):
    tally = Tally("context")
    rows = "2024-01-01,a,1\n,a,1\nsoon,a,1\n2024-01-01,,1\n2024-01-01,a,warm\n2024-01-02,a,\n"
    source = make_source("context", f"date,place,temperature\n{rows}", attributes=("temperature",))

    assert len(context(source, tally, by_place=True)) == 2
    assert tally.dropped == {
        "missing_date": 1,
        "unparsable_date": 1,
        "missing_place": 1,
        "unparsable_temperature": 1,
    }
    assert (tally.read, tally.kept, tally.filled["temperature"]) == (6, 2, 1)


def test_an_empty_table_still_has_its_columns(make_source):
    source = make_source("context", "date,temperature\n", attributes=("temperature",))

    (batch,) = read_context(source, Tally("context"), by_place=False)
    assert batch.schema.names == ["date", "temperature"]


@pytest.mark.parametrize("lacking", ["date", "place", "temperature"])
def test_a_missing_column_is_said(make_source, lacking):
    header = ",".join(name for name in ("date", "place", "temperature") if name != lacking)
    source = make_source("context", f"{header}\nx,x\n", attributes=("temperature",))

    with pytest.raises(SettingsError, match=f"no column '{lacking}'"):
        context(source, by_place=True)


def test_a_contact_field_is_no_context(make_source):
    source = make_source("context", "date,gender\n", attributes=("gender",))

    with pytest.raises(SettingsError, match="gender is a contact field"):
        context(source)
