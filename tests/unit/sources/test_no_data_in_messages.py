"""What a table that is not what it should be says of itself holds nobody's data."""

import pytest

from cohortd.core.errors import SettingsError
from cohortd.sources import Tally, read_consent, read_customers

CONSENT = "customer_id,status,recorded_at,source,regulation,evidence\n"


@pytest.mark.parametrize(
    "first_row",
    [
        "7,ann@example.org,Ann",
        "c00001,Ann,Smith",
        "Ann,+1 415 555 2671,Smith",
        "Ann,1985-07-13,Smith",
        "17,Ann,Smith",
        f"{'9f' * 32},Ann,Smith",
    ],
)
def test_a_table_without_a_header_does_not_tell_its_first_row(make_source, first_row):
    source = make_source("customers", f"{first_row}\n{first_row}\n")

    with pytest.raises(SettingsError) as caught:
        list(read_customers(source, Tally("customers")))

    assert [cell for cell in first_row.split(",") if cell in str(caught.value)] == []
    assert "3 columns, named as if the first row were data: is there a header" in str(caught.value)


@pytest.mark.parametrize("name", ["source", "regulation"])
@pytest.mark.parametrize(
    "contact", ["ann@example.org", "by ann@example.org, in the shop", "+1 415 555 2671"]
)
def test_contact_data_in_the_words_of_a_record_is_withheld_and_the_record_kept(make_source, name, contact):
    cells = {"source": "", "regulation": "", "evidence": "seen by ann@example.org", name: f'"{contact}"'}
    row = f"1,revoked,2026-01-01,{cells['source']},{cells['regulation']},{cells['evidence']}\n"
    batches = list(read_consent(make_source("consent", CONSENT + row), Tally("consent")))
    (record,) = [row for batch in batches for row in batch.to_pylist()]

    assert record[name] == "(withheld, it seems to hold contact data)"
    assert (record["status"], record["evidence"]) == ("revoked", "seen by ann@example.org")


def test_words_without_contact_data_stay_as_they_are(make_source):
    row = "1,revoked,2026-01-01,cmp receipt 2026-02-01/123456789,gdpr,\n"
    batches = list(read_consent(make_source("consent", CONSENT + row), Tally("consent")))
    (record,) = [row for batch in batches for row in batch.to_pylist()]

    assert (record["source"], record["regulation"]) == ("cmp receipt 2026-02-01/123456789", "gdpr")
