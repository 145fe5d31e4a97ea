from collections import Counter
from datetime import UTC, datetime, timedelta

from cohortd.core.times import parse_time
from cohortd.demo.consents import CONSENT_COLUMNS, consent_rows, revocations
from cohortd.demo.contacts import contacts_of

IDS = tuple(str(number) for number in range(1, 2501))
ROWS = [dict(zip(CONSENT_COLUMNS, row, strict=True)) for row in consent_rows(IDS)]
YEAR = datetime(2017, 1, 1, tzinfo=UTC)
WEEKS = tuple(datetime(2017, 9, 4, tzinfo=UTC) + timedelta(weeks=week) for week in range(5))
TOLD = revocations(IDS, WEEKS)


def test_most_customers_granted_before_the_year_and_some_only_in_it() -> None:
    granted = [row for row in ROWS if row["status"] == "granted"]
    early = sum(parse_time(row["recorded_at"]) < YEAR for row in granted)

    assert 0.84 < early / len(IDS) < 0.89
    assert 0.03 < (len(granted) - early) / len(IDS) < 0.07


def test_about_one_in_twenty_says_no_and_some_say_nothing() -> None:
    refused = {row["customer_id"] for row in ROWS if row["status"] != "granted" and not row["platform"]}
    silent = set(IDS) - {row["customer_id"] for row in ROWS}

    assert 0.035 < len(refused) / len(IDS) < 0.065
    assert 0.02 < len(silent) / len(IDS) < 0.06


def test_whoever_takes_back_a_grant_does_so_after_it() -> None:
    granted = {row["customer_id"]: row["recorded_at"] for row in ROWS if row["status"] == "granted"}
    taken_back = [row for row in ROWS if row["status"] == "revoked"]

    assert taken_back
    assert all(row["recorded_at"] > granted[row["customer_id"]] for row in taken_back)


def test_consent_is_for_advertising_and_the_same_every_time() -> None:
    assert {row["purpose"] for row in ROWS} == {"advertising"}
    assert [dict(zip(CONSENT_COLUMNS, row, strict=True)) for row in consent_rows(IDS)] == ROWS


def test_every_week_brings_its_revocations_before_the_next() -> None:
    for week in WEEKS:
        assert sum(week < told.at < week + timedelta(weeks=1) for told in TOLD) == 12
    assert [told.at for told in TOLD] == sorted(told.at for told in TOLD)


def test_nobody_revokes_twice() -> None:
    subjects = Counter(told.customer_id or told.email for told in TOLD)

    assert set(subjects.values()) == {1}
    assert all((told.customer_id is None) != (told.email is None) for told in TOLD)


def test_only_who_consented_to_all_before_the_year_revokes() -> None:
    records = Counter(row["customer_id"] for row in ROWS)
    statuses = {row["customer_id"]: row["status"] for row in ROWS}
    chosen = [told.customer_id for told in TOLD if told.customer_id]

    assert all(records[customer] == 1 and statuses[customer] == "granted" for customer in chosen)


def test_each_week_one_email_revocation_concerns_two_households() -> None:
    holders = Counter(address.strip().lower() for contact in contacts_of(IDS) for address in contact.emails)
    shared = [told for told in TOLD if told.email and holders[told.email] > 1]

    assert len(shared) == len(WEEKS)


def test_a_revocation_prints_no_address() -> None:
    assert "@" not in repr(TOLD)
