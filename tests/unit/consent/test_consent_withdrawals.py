from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from consent import ConsentRules, answers, is_withdrawal, withdrawals, withdraws

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)
RULES = ConsentRules("advertising")


def record(status: str, at: datetime = NOON, **scope: str) -> ConsentRecord:
    return ConsentRecord(SubjectKind.CUSTOMER, (("", b"k" * 16),), ConsentStatus(status), at, **scope)


def table(*rows: tuple[str, str, datetime, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "status", "recorded_at", "purpose", "platform"])
    frame[["regulation", "legal_basis"]] = ""
    frame["confirmed"] = False
    frame["recorded_at"] = pd.to_datetime(frame["recorded_at"], utc=True)
    return frame


def _standing(records: pd.DataFrame, *families: Family, as_of: datetime | None = None) -> list[int]:
    return withdrawals(records, rules=RULES, families=families, as_of=as_of).nonzero()[0].tolist()


def test_a_strictly_newer_grant_answers():
    assert answers(record("granted", LATER), record("revoked"), RULES)
    assert not answers(record("granted"), record("revoked"), RULES)
    assert not answers(record("denied", LATER), record("revoked"), RULES)


@pytest.mark.parametrize(
    ("grant", "withdrawal", "is_answered"),
    [
        ({}, {"purpose": "advertising"}, True),
        ({"purpose": "advertising"}, {"purpose": "Advertising"}, True),
        ({"purpose": "newsletter"}, {"purpose": "advertising"}, False),
        ({"purpose": "advertising"}, {}, True),
        ({"purpose": "newsletter"}, {}, False),
        ({"legal_basis": "contract"}, {}, False),
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
    assert answers(record("granted", LATER, **grant), record("revoked", **withdrawal), RULES) is is_answered


def test_under_a_regulation_of_two_steps_only_a_confirmed_grant_answers():
    rules = ConsentRules("advertising", two_step=frozenset({"cpra"}))
    revoked = record("revoked", regulation="CPRA")

    assert not answers(record("granted", LATER), revoked, rules)
    assert answers(replace(record("granted", LATER), confirmed=True), revoked, rules)
    assert answers(record("granted", LATER), record("revoked", regulation="gdpr"), rules)


def test_a_grant_that_is_not_seen_yet_answers_nothing():
    assert not answers(record("granted", LATER), record("revoked"), RULES, as_of=NOON)


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
    assert withdraws(records, rules=RULES).tolist() == [True, False, True, False, False]


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
    assert withdraws(table(), rules=RULES).tolist() == []
