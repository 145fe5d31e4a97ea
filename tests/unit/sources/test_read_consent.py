import pyarrow as pa
import pytest

from cohortd.core.errors import SettingsError
from cohortd.sources import CONSENT_COLUMNS, WITHDRAWAL_LOST, Tally, read_consent


def records(source, tally=None):
    return pa.Table.from_batches(list(read_consent(source, tally or Tally("consent")))).to_pylist()


def test_a_record_is_all_text_with_nothing_for_what_is_absent(make_source):
    source = make_source(
        "consent", "customer_id,status,recorded_at,purpose\n 7 , Granted ,2024-01-02T03:04:05+01:00,\n"
    )

    assert records(source) == [
        dict.fromkeys(CONSENT_COLUMNS, "")
        | {"customer_id": "7", "status": "granted", "recorded_at": "2024-01-02T02:04:05.000000Z"}
    ]


def test_each_contact_of_a_row_is_a_record_of_its_own(make_source):
    source = make_source(
        "consent",
        "email,phone,status,recorded_at\na@x.org;b@x.org,+1,revoked,2024-01-01\n,+2,denied,2024-01-02\n",
    )
    tally = Tally("consent")
    found = [(row["email"], row["phone"], row["status"]) for row in records(source, tally)]

    assert found == [("a@x.org", "+1", "revoked"), ("b@x.org", "", "revoked"), ("", "+2", "denied")]
    assert tally.kept == 2


def test_a_withdrawal_without_a_readable_time_stays_and_other_lost_ones_are_counted_apart(make_source):
    source = make_source(
        "consent",
        b"customer_id,status,recorded_at,purpose\n"
        b"1,revoked,31/12/2024,\n"
        b"2,denied,,\n"
        b",revoked,2024-01-01,\n"
        b"3,revoked,2024-01-01,\xff\n"
        b"4,granted,31/12/2024,\n"
        b"5,granted,,\n"
        b"6,opt-out,2024-01-01,\n"
        b"7,,2024-01-01,\n",
    )
    tally = Tally("consent")

    found = [(row["customer_id"], row["status"], row["recorded_at"]) for row in records(source, tally)]

    assert found == [
        ("1", "revoked", ""),
        ("2", "denied", ""),
        ("6", "denied", "2024-01-01T00:00:00.000000Z"),
        ("7", "denied", "2024-01-01T00:00:00.000000Z"),
    ]
    assert tally.dropped == {
        WITHDRAWAL_LOST: 2,
        "unparsable_recorded_at": 1,
        "missing_recorded_at": 1,
        "unknown_status_taken_for_denied": 1,
        "missing_status_taken_for_denied": 1,
    }


def test_unreadable_evidence_does_not_lose_a_withdrawal(make_source):
    source = make_source(
        "consent", b"customer_id,status,recorded_at,evidence\n1,revoked,2024-01-01,M\xfcller\n"
    )

    assert [(row["customer_id"], row["evidence"]) for row in records(source)] == [("1", "")]


def test_an_e_mail_in_the_wrong_column_does_not_stop_the_other_withdrawals(make_source):
    source = make_source(
        "consent",
        "customer_id,phone,status,recorded_at\n"
        "ann@x.org,,granted,2024-01-01\n"
        "bob@x.org,+1,revoked,2024-01-01\n"
        "3,,revoked,2024-01-01\n",
    )
    tally = Tally("consent")

    assert [(row["customer_id"], row["phone"]) for row in records(source, tally)] == [("", "+1"), ("3", "")]
    assert tally.dropped == {"contact_as_customer_id": 1}


def test_a_table_that_says_of_nobody_is_refused(make_source):
    with pytest.raises(SettingsError, match="customer_id, email, phone"):
        records(make_source("consent", "status,recorded_at\ngranted,2024-01-01\n"))
