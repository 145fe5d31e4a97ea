from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from consent import answers, is_withdrawal, withdrawals, withdraws

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)


def record(status: str, at: datetime = NOON, **scope: str) -> ConsentRecord:
    return ConsentRecord(SubjectKind.CUSTOMER, (("", b"k" * 16),), ConsentStatus(status), at, **scope)


def table(*rows: tuple[str, str, datetime, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "status", "recorded_at", "purpose", "platform"])
    frame["regulation"] = ""
    frame["recorded_at"] = pd.to_datetime(frame["recorded_at"], utc=True)
    return frame


def _standing(records: pd.DataFrame, *families: Family, as_of: datetime | None = None) -> list[int]:
    return withdrawals(records, purpose="advertising", families=families, as_of=as_of).nonzero()[0].tolist()


def test_a_strictly_newer_grant_answers():
    assert answers(record("granted", LATER), record("revoked"))
    assert not answers(record("granted"), record("revoked"))
    assert not answers(record("denied", LATER), record("revoked"))


@pytest.mark.parametrize(
    ("grant", "withdrawal", "is_answered"),
    [
        ({}, {"purpose": "advertising"}, True),
        ({"purpose": "advertising"}, {"purpose": "Advertising"}, True),
        ({"purpose": "newsletter"}, {"purpose": "advertising"}, False),
        ({"purpose": "advertising"}, {}, False),
        ({"platform": "google"}, {}, False),
        ({"platform": "google, meta"}, {}, True),
        ({"platform": "youtube"}, {"platform": "google_ads"}, True),
        ({"platform": "meta"}, {"platform": "google"}, False),
        ({"regulation": "gdpr"}, {"regulation": "GDPR"}, True),
        ({"regulation": "gdpr"}, {"regulation": "cpra"}, False),
        ({"regulation": "gdpr"}, {}, True),
        ({}, {"regulation": "gdpr"}, True),
    ],
)
def test_a_grant_answers_what_it_covers(grant, withdrawal, is_answered):
    assert answers(record("granted", LATER, **grant), record("revoked", **withdrawal)) is is_answered


def test_with_our_purpose_said_a_grant_for_it_answers_a_withdrawal_of_all():
    assert answers(
        record("granted", LATER, purpose="advertising"), record("revoked"), purpose="advertising"
    )
    assert not answers(
        record("granted", LATER, purpose="newsletter"), record("revoked"), purpose="advertising"
    )


def test_a_grant_that_is_not_seen_yet_answers_nothing():
    assert not answers(record("granted", LATER), record("revoked"), as_of=NOON)


def test_only_withdrawals_for_us_are_withdrawals():
    assert is_withdrawal(record("denied"), purpose="advertising")
    assert not is_withdrawal(record("granted"), purpose="advertising")
    assert not is_withdrawal(record("revoked", purpose="newsletter"), purpose="advertising")
    assert not is_withdrawal(record("revoked", platform="tiktok"), purpose="advertising")


def test_withdrawals_are_found_in_a_table_whether_answered_or_not():
    records = table(
        ("a", "revoked", NOON, "", ""),
        ("a", "granted", LATER, "", ""),
        ("b", "denied", NOON, "advertising", "meta"),
        ("b", "denied", NOON, "newsletter", ""),
        ("b", "denied", NOON, "", "tiktok"),
    )
    assert withdraws(records, purpose="advertising").tolist() == [True, False, True, False, False]


def test_only_unanswered_withdrawals_stand():
    records = table(
        ("a", "revoked", NOON, "", ""),
        ("a", "granted", LATER, "", "google"),
        ("b", "revoked", NOON, "", ""),
        ("b", "granted", LATER, "", ""),
        ("b", "granted", NOON, "newsletter", ""),
        ("c", "denied", NOON, "", ""),
    )
    assert _standing(records, *Family) == [0, 5]
    assert _standing(records, Family.GOOGLE) == [5]
    assert _standing(records) == []
    assert _standing(records, *Family, as_of=NOON) == [0, 2, 5]


def test_an_empty_table_withdraws_nothing():
    assert _standing(table(), *Family) == []
    assert withdraws(table(), purpose="advertising").tolist() == []
