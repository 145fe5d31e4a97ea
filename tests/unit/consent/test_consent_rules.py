"""The decision against a slow reference that reads like the sentences of docs/consent.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given

from cohortd.core.consenting import ConsentStatus, Reason
from cohortd.core.identifiers import Family
from consent import RECORD_COLUMNS, TABLE, ConsentRules, decide
from consent.__main__ import table as table_of_rules

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COLUMNS = ["customer_id", *RECORD_COLUMNS]
GRANTED, DENIED = ConsentStatus.GRANTED, ConsentStatus.DENIED
STRICT = ConsentRules("advertising", {"*": DENIED})
OPEN = ConsentRules("advertising", {"*": GRANTED})
BY_COUNTRY = ConsentRules("advertising", {"*": DENIED, "US": GRANTED})
BUT_GERMANY = ConsentRules("advertising", {"*": GRANTED, "DE": DENIED})
BUT_CALIFORNIA = ConsentRules("advertising", {"*": DENIED, "US": GRANTED, "US-CA": DENIED})
#: Grants of the last two minutes, by consent alone, and twice under one regulation.
CAREFUL = ConsentRules(
    "advertising",
    {"*": DENIED, "US": GRANTED},
    max_age=timedelta(minutes=2),
    two_step=frozenset({"cpra"}),
)


@dataclass(frozen=True)
class Said:
    customer_id: str = "c1"
    status: str = "granted"
    recorded_at: datetime = NOON
    purpose: str = ""
    platform: str = ""
    regulation: str = ""
    legal_basis: str = ""
    confirmed: bool = False


def table(said: Sequence[Said]) -> pd.DataFrame:
    frame = pd.DataFrame([[getattr(one, name) for name in COLUMNS] for one in said], columns=COLUMNS)
    frame["recorded_at"] = pd.to_datetime(frame["recorded_at"], utc=True)
    return frame.astype({"confirmed": bool})


def people(**places: str) -> pd.DataFrame:
    parts = [place.partition("-") for place in places.values()]
    return pd.DataFrame(
        {
            "customer_id": list(places),
            "country": [country for country, _, _ in parts],
            "state": [state for _, _, state in parts],
        }
    )


def decided(*said: Said, rules=STRICT, family=Family.GOOGLE, as_of=NOON, country="DE"):
    frame = decide(people(c1=country), table(said), rules, family=family, as_of=as_of)
    return frame.loc["c1"]


# The reference: one customer, one family, plain loops.

PLATFORMS = {"": {"google", "meta"}, "google_ads": {"google"}, "instagram": {"meta"}, "tiktok": set()}


def reference(  # noqa: PLR0911 - a line of the table each
    said: Sequence[Said], rules: ConsentRules, *, family: str, as_of: datetime, country: str
):
    ours = [one for one in said if family in PLATFORMS[one.platform]]
    for_us = [one for one in ours if one.purpose in ("", rules.purpose)]
    seen = [one for one in ours if one.status == "granted" and one.recorded_at <= as_of]
    grants = [one for one in seen if one in for_us and one.legal_basis in ("", "consent")]
    withdrawn = [one for one in for_us if one.status != "granted"]
    waiting = [one for one in withdrawn if is_unconfirmed(one, grants, rules)]
    standing = {
        one.status
        for one in withdrawn
        if one not in waiting and not any(answers(grant, one) for grant in grants)
    }
    if standing:
        return ("revoked" if "revoked" in standing else "denied"), None
    if waiting:
        return "opt_in_unconfirmed", None
    fresh = [one for one in grants if rules.max_age is None or one.recorded_at >= as_of - rules.max_age]
    if fresh:
        return "granted", max(one.recorded_at for one in fresh)
    silence = meaning_of_silence(rules, country)
    if silence == "default_granted" and not (grants and withdrawn):
        return silence, None
    if grants:
        return "grant_expired", None
    if any(one in for_us for one in seen):
        return "basis_not_accepted", None
    return ("purpose_not_covered" if seen else silence), None


def is_unconfirmed(withdrawal: Said, grants: Sequence[Said], rules: ConsentRules) -> bool:
    answering = [grant for grant in grants if answers(grant, withdrawal)]
    asked = withdrawal.regulation in rules.two_step
    return asked and bool(answering) and not any(grant.confirmed for grant in answering)


def answers(grant: Said, withdrawal: Said) -> bool:
    if grant.recorded_at <= withdrawal.recorded_at:
        return False
    if grant.regulation == "" or withdrawal.regulation == "":
        return True
    return grant.regulation == withdrawal.regulation


def meaning_of_silence(rules: ConsentRules, country: str) -> str:
    if country in rules.default:
        return f"default_{rules.default[country]}"
    if country == "" and rules.default["*"] == "granted" and "denied" in rules.default.values():
        return "default_denied_country_unknown"
    return f"default_{rules.default['*']}"


minutes = st.integers(-3, 3).map(lambda minute: NOON + timedelta(minutes=minute))
statements = st.builds(
    Said,
    customer_id=st.sampled_from(["c1", "c2", "c3", "stranger"]),
    status=st.sampled_from(["granted", "denied", "revoked"]),
    recorded_at=minutes,
    purpose=st.sampled_from(["", "advertising", "newsletter"]),
    platform=st.sampled_from(list(PLATFORMS)),
    regulation=st.sampled_from(["", "gdpr", "cpra"]),
    legal_basis=st.sampled_from(["", "consent", "contract"]),
    confirmed=st.booleans(),
)
everything = st.lists(statements, max_size=14)
some_rules = st.sampled_from([STRICT, OPEN, BY_COUNTRY, BUT_GERMANY, CAREFUL])
families = st.sampled_from(list(Family))
THREE = {"c1": "DE", "c2": "US", "c3": ""}


@given(said=everything, rules=some_rules, family=families, as_of=minutes)
def test_the_decision_is_the_references(said, rules, family, as_of):
    found = decide(people(**THREE), table(said), rules, family=family, as_of=as_of)
    for customer, country in THREE.items():
        own = [one for one in said if one.customer_id == customer]
        rule, at = reference(own, rules, family=family.value, as_of=as_of, country=country)
        row = found.loc[customer]
        assert row["rule"] == rule
        assert (None if pd.isna(row["granted_at"]) else row["granted_at"].to_pydatetime()) == at


@given(said=everything, rules=some_rules, family=families, shuffled=st.randoms())
def test_the_order_of_the_records_does_not_matter(said, rules, family, shuffled):
    other = list(said)
    shuffled.shuffle(other)
    first, second = (
        decide(people(**THREE), table(one), rules, family=family, as_of=NOON) for one in (said, other)
    )
    pd.testing.assert_frame_equal(first.drop(columns="record"), second.drop(columns="record"))
    assert times_of(first, said) == times_of(second, other)


def times_of(found: pd.DataFrame, said: Sequence[Said]) -> list[datetime | None]:
    """When the records were made that decided."""
    return [said[row].recorded_at if row >= 0 else None for row in found["record"]]


@given(said=everything, status=st.sampled_from(["denied", "revoked"]), rules=some_rules, family=families)
def test_a_withdrawal_of_all_not_older_than_any_grant_always_stands(said, status, rules, family):
    newest = max((one.recorded_at for one in said), default=NOON)
    withdrawal = Said(status=status, recorded_at=newest)
    found = decide(people(**THREE), table([*said, withdrawal]), rules, family=family, as_of=NOON)
    assert found.loc["c1", "reason"] in {Reason.DENIED, Reason.REVOKED}


@given(said=everything, rules=some_rules, family=families)
def test_a_later_now_never_brings_a_withdrawal_back_from_a_grant(said, rules, family):
    before, after = (
        decide(people(**THREE), table(said), rules, family=family, as_of=NOON + timedelta(minutes=at))
        for at in (0, 5)
    )
    freed = before["reason"].eq("")
    reasons = after.loc[freed & before["rule"].eq("granted"), "reason"]
    assert set(reasons) <= ({"", Reason.NO_CONSENT} if rules.max_age else {""})


@given(said=everything, rules=some_rules, family=families)
def test_everybody_left_out_has_one_reason_and_one_rule(said, rules, family):
    found = decide(people(**THREE), table(said), rules, family=family, as_of=NOON)
    reasons = {line.id: line.reason or "" for line in TABLE}
    assert list(found.index) == list(THREE)
    assert [reasons[rule] for rule in found["rule"]] == list(found["reason"])
    assert set(found["reason"]) <= {"", Reason.REVOKED, Reason.DENIED, Reason.NO_CONSENT}


def test_a_grant_is_told_with_its_time():
    row = decided(Said(recorded_at=NOON - timedelta(days=2)), Said(recorded_at=NOON - timedelta(days=1)))
    assert (row["reason"], row["rule"]) == ("", "granted")
    assert row["granted_at"] == NOON - timedelta(days=1)


def test_a_withdrawal_at_the_same_time_as_a_grant_wins():
    assert decided(Said(), Said(status="revoked"))["rule"] == "revoked"
    assert decided(Said(), Said(status="denied"))["rule"] == "denied"


def test_a_withdrawal_counts_even_before_its_time():
    tomorrow = NOON + timedelta(days=1)
    assert decided(Said(), Said(status="revoked", recorded_at=tomorrow))["rule"] == "revoked"


def test_a_grant_does_not_count_before_its_time():
    tomorrow = NOON + timedelta(days=1)
    assert decided(Said(recorded_at=tomorrow))["rule"] == "default_denied"
    assert decided(Said(recorded_at=tomorrow), Said(status="revoked"), rules=OPEN)["rule"] == "revoked"


def test_a_grant_under_one_regulation_leaves_a_withdrawal_under_another():
    revoked = Said(status="revoked", regulation="gdpr", recorded_at=NOON - timedelta(days=1))
    assert decided(revoked, Said(regulation="cpra"))["rule"] == "revoked"
    assert decided(revoked, Said(regulation="GDPR "))["rule"] == "granted"
    assert decided(revoked, Said())["rule"] == "granted"


def test_each_withdrawal_needs_its_own_answer():
    day = timedelta(days=1)
    said = (
        Said(status="revoked", regulation="gdpr", recorded_at=NOON - 3 * day),
        Said(status="denied", regulation="cpra", recorded_at=NOON - 2 * day),
        Said(regulation="gdpr", recorded_at=NOON - day),
    )
    assert decided(*said)["rule"] == "denied"


def test_a_grant_for_another_purpose_is_no_grant():
    assert decided(Said(purpose="newsletter"))["rule"] == "purpose_not_covered"
    assert decided(Said(purpose="newsletter"), rules=OPEN)["rule"] == "default_granted"


def test_a_withdrawal_for_another_purpose_or_platform_is_none_of_ours():
    assert decided(Said(), Said(status="revoked", purpose="newsletter"))["rule"] == "granted"
    assert decided(Said(), Said(status="revoked", platform="tiktok"))["rule"] == "granted"
    assert decided(Said(), Said(status="revoked", platform="facebook"))["rule"] == "granted"
    assert (
        decided(Said(), Said(status="revoked", platform="facebook"), family=Family.META)["rule"]
        == "revoked"
    )


def test_scopes_are_read_without_regard_to_case():
    revoked = Said(status=" Revoked", purpose="Advertising", platform="Google Ads")
    assert decided(Said(), revoked)["rule"] == "revoked"


@pytest.mark.parametrize(
    ("rules", "country", "rule"),
    [
        (STRICT, "US", "default_denied"),
        (OPEN, "US", "default_granted"),
        (OPEN, "", "default_granted"),
        (BY_COUNTRY, "us ", "default_granted"),
        (BY_COUNTRY, "DE", "default_denied"),
        (BY_COUNTRY, "", "default_denied"),
        (BUT_GERMANY, "DE", "default_denied"),
        (BUT_GERMANY, "FR", "default_granted"),
        (BUT_GERMANY, "", "default_denied_country_unknown"),
        (BUT_GERMANY, "Germany", "default_denied_country_unknown"),
        (ConsentRules("advertising", {"*": GRANTED, "GB": DENIED}), "UK", "default_denied"),
        (ConsentRules("advertising"), "DE", "default_denied"),
    ],
)
def test_silence_is_decided_by_country(rules, country, rule):
    assert decided(rules=rules, country=country)["rule"] == rule


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("US-CA", "default_denied"),
        ("US-ca", "default_denied"),
        ("US-NY", "default_granted"),
        ("US-", "default_denied_state_unknown"),
        ("DE-CA", "default_denied"),
    ],
)
def test_silence_is_decided_by_state_where_one_is_named(place, rule):
    assert decided(rules=BUT_CALIFORNIA, country=place)["rule"] == rule


def test_a_grant_grows_too_old_and_what_it_answered_still_keeps_out():
    old = Said(recorded_at=NOON - timedelta(minutes=3))
    revoked = Said(status="revoked", recorded_at=NOON - timedelta(minutes=4))
    assert decided(old, rules=CAREFUL)["rule"] == "grant_expired"
    assert decided(old, rules=CAREFUL, country="US")["rule"] == "default_granted"
    assert decided(revoked, old, rules=CAREFUL, country="US")["rule"] == "grant_expired"
    assert decided(revoked, Said(), rules=CAREFUL)["rule"] == "granted"


def test_opting_in_again_takes_a_second_step_where_the_law_wants_it():
    revoked = Said(status="revoked", recorded_at=NOON - timedelta(days=1), regulation="CPRA")
    found = decided(revoked, Said(), rules=CAREFUL)
    assert (found["rule"], found["reason"]) == ("opt_in_unconfirmed", Reason.REVOKED)
    assert decided(revoked, Said(confirmed=True), rules=CAREFUL)["rule"] == "granted"
    assert decided(revoked, Said(), rules=STRICT)["rule"] == "granted"


def test_a_grant_on_another_basis_is_no_consent():
    assert decided(Said(legal_basis="contract"))["rule"] == "basis_not_accepted"
    assert decided(Said(legal_basis=" Consent"))["rule"] == "granted"
    revoked = Said(status="revoked", recorded_at=NOON - timedelta(days=1))
    assert decided(revoked, Said(legal_basis="contract"))["rule"] == "revoked"


def test_a_decision_tells_the_record_it_rests_on():
    day = timedelta(days=1)
    said = (Said(recorded_at=NOON - 3 * day), Said(status="revoked", recorded_at=NOON - 2 * day), Said())
    assert decided(*said)["record"] == 2
    assert decided(*said[:2])["record"] == 1
    assert decided(Said(purpose="newsletter"))["record"] == 0
    assert decided()["record"] == -1


def test_an_absent_country_or_scope_is_blank():
    customers = pd.DataFrame({"customer_id": ["c1"], "country": [None], "state": [None]})
    records = table([Said(status="revoked")])
    records[["purpose", "platform", "regulation", "legal_basis"]] = None
    found = decide(customers, records, OPEN, family=Family.META, as_of=NOON)
    assert found.loc["c1", "rule"] == "revoked"


def test_a_withdrawal_without_a_time_stands_and_a_grant_without_one_does_not():
    records = table([Said(), Said(status="revoked")])
    records.loc[1, "recorded_at"] = pd.NaT
    assert (
        decide(people(c1=""), records, OPEN, family=Family.META, as_of=NOON).loc["c1", "rule"] == "revoked"
    )
    records = table([Said()])
    records["recorded_at"] = pd.NaT
    found = decide(people(c1=""), records, STRICT, family=Family.META, as_of=NOON)
    assert found.loc["c1", "rule"] == "default_denied"


def test_a_status_that_is_not_known_counts_as_a_denial():
    assert decided(Said(), Said(status="opt-out"))["rule"] == "denied"


def test_nobody_and_nothing_give_an_empty_answer():
    found = decide(people(), table([]), STRICT, family=Family.META, as_of=NOON)
    assert list(found.columns) == ["reason", "granted_at", "rule", "record"]
    assert found.empty


def test_times_are_compared_across_zones():
    east = timezone(timedelta(hours=9))
    later = (NOON + timedelta(seconds=1)).astimezone(east)
    assert decided(Said(recorded_at=later), Said(status="revoked"), as_of=later)["rule"] == "granted"


def test_a_naive_now_is_refused():
    with pytest.raises(ValueError, match="aware"):
        decided(as_of=NOON.replace(tzinfo=None))


def test_silence_cannot_revoke():
    with pytest.raises(ValueError, match="cannot revoke"):
        ConsentRules("advertising", {"*": ConsentStatus.REVOKED})


def test_many_records_are_decided_as_columns():
    count = 50_000
    said = pd.DataFrame({name: [getattr(Said(), name)] * count for name in COLUMNS})
    said["customer_id"] = [f"c{number}" for number in range(count)]
    said["recorded_at"] = pd.to_datetime(said["recorded_at"], utc=True)
    customers = pd.DataFrame({"customer_id": said["customer_id"], "country": "", "state": ""})
    assert decide(customers, said, STRICT, family=Family.META, as_of=NOON)["reason"].eq("").all()


def test_the_page_on_consent_holds_the_table_of_rules():
    page = (Path(__file__).parents[3] / "docs" / "consent.md").read_text(encoding="utf-8")

    assert table_of_rules() in page


def test_a_record_says_nothing_of_another_customer():
    said = [Said(status="revoked"), replace(Said(), customer_id="c2")]
    found = decide(people(c1="", c2=""), table(said), STRICT, family=Family.META, as_of=NOON)
    assert list(found["rule"]) == ["revoked", "granted"]
