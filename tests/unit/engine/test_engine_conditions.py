"""Conditions that people write: what they say of customers, and what they may not."""

import pyarrow as pa
import pytest

from cohortd.core.errors import SettingsError
from cohortd.engine import PLACE, Engine, StagedTable, parse_condition

ATTRIBUTES = ("plan", "age_group", "is_member")
#: Who: recency in days, value, orders, share of groceries; then plan, whether a member.
PEOPLE = {
    "ann": (10.0, 900.0, 9.0, 0.5, "gold", "1"),
    "bob": (120.0, 800.0, 4.0, 0.1, "Basic", "0"),
    "cem": (200.0, 20.0, 0.0, None, "gold", None),
    "dee": (None, None, None, None, None, "1"),
}


def _staged(engine: Engine) -> tuple[StagedTable, StagedTable, StagedTable]:
    ids = list(PEOPLE)
    columns = [list(each) for each in zip(*PEOPLE.values(), strict=True)]
    recency, value, orders, groceries, plan, member = columns
    attributes = {"plan": plan, "is_member": member, "age_group": ["30"] * 4}
    customers = engine.stage("customers", [pa.record_batch({"customer_id": ids, **attributes})])
    features = {
        "customer_id": ids[:3],  # dee has no event
        "recency_days": recency[:3],
        "value_sum": value[:3],
        "order_count": orders[:3],
        "category_share:grocery": pa.array(groceries[:3], pa.float64()),
    }
    assigned = {"customer_id": ["ann", "bob"], "segment_id": ["s7", "s2"]}
    return (
        customers,
        engine.stage("features", [pa.record_batch(features)]),
        engine.stage("assigned", [pa.record_batch(assigned)]),
    )


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("recency_days > 90 AND value_sum > 500", "bob"),
        ("recency_days > 90 OR value_sum > 850", "ann bob cem"),
        ("NOT recency_days > 90", "ann"),
        ("value_sum / order_count >= 100", "ann bob"),
        ("value_sum % order_count = 0", "ann bob"),
        ("-value_sum + 2 * order_count < -700", "ann bob"),
        ("order_count BETWEEN 1 AND 4", "bob"),
        ("order_count IN (0, 9)", "ann cem"),
        ("COALESCE(order_count, 0) = 0", "cem dee"),
        ("order_count IS NULL", "dee"),
        ("plan IS NOT NULL AND order_count < 1", "cem"),
        ('"category_share:grocery" > 0.3', "ann"),
        ("plan = 'gold'", "ann cem"),
        ("lower(plan) LIKE 'b%' OR plan ILIKE 'GOLD'", "ann bob cem"),
        ("is_member", "ann dee"),
        ("is_member = false", "bob"),
        ("is_member = 1 AND plan IN ('gold', 'silver')", "ann"),
        ("age_group >= 30", "ann bob cem dee"),
        ("greatest(order_count, 5) > least(6, value_sum) AND round(recency_days) = 10", "ann"),
        ("floor(abs(-recency_days)) + ceil(0.5) = 121 AND length(trim(plan)) = 5", "bob"),
        ("nullif(order_count, 4) > 0 -- a remark", "ann"),
    ],
)
def test_a_condition_holds_of_whom_it_says(engine: Engine, text: str, who: str) -> None:
    customers, features, assigned = _staged(engine)
    condition = parse_condition(text, ATTRIBUTES)
    found = engine.belonging(
        customers, {"": (assigned, [])}, features=[features], conditions={"rule": condition}
    )

    assert sorted(found.index) == who.split()


def test_everybody_is_told_with_their_segment_and_what_holds(engine: Engine) -> None:
    customers, features, assigned = _staged(engine)
    texts = {"a": "value_sum < 850", "b": "is_member"}
    conditions = {name: parse_condition(text, ATTRIBUTES) for name, text in texts.items()}
    found = engine.belonging(
        customers,
        {"": (assigned, ["s2", "s7"]), "value": (assigned, ["s7"])},
        features=[features],
        conditions=conditions,
    ).sort_index()

    assert found[PLACE].to_dict() == {"ann": 1, "bob": 0, "cem": -1, "dee": -1}
    assert found[f"{PLACE}value"].to_dict() == {"ann": 0, "bob": -1, "cem": -1, "dee": -1}
    assert found["a"].to_dict() == {"ann": False, "bob": True, "cem": True, "dee": False}
    assert found["b"].to_dict() == {"ann": True, "bob": False, "cem": False, "dee": True}
    assert str(found[PLACE].dtype) == "int16"


def test_without_conditions_only_segments_are_told(engine: Engine) -> None:
    customers, _, assigned = _staged(engine)
    found = engine.belonging(customers, {"": (assigned, ["s2"])})

    assert found[PLACE].to_dict() == {"ann": -1, "bob": 0}


def test_a_condition_says_what_it_reads() -> None:
    condition = parse_condition("""value_sum > 1 AND plan = 'x' AND "category_share:a" > 0""", ATTRIBUTES)

    assert [spec.name for spec in condition.specs] == ["value_sum", "category_share:a"]
    assert condition.attributes == ("plan",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("recency_day > 90", "no feature or attribute 'recency_day'; did you mean recency_days?"),
        ("plann = 'gold'", "did you mean plan?"),
        ("xyzzy > 1", "known are "),
        ("category_share > 0.5", 'name one, as "category_share:grocery"'),
        ("category_share:grocery > 0.5", "double quotes"),
        ("email = 'a@example.com'", "email is a contact field"),
        ("recency_days", "it is a number: compare it"),
        ("1 = 1", "names no feature"),
        ("recency_days > 'often'", "puts a number and a text together"),
        ("recency_days AND plan = 'x'", "puts a condition and a number together"),
        ("recency_days >", "it is no SQL condition"),
        ("recency_days > 1; value_sum > 1", "must be one SQL condition"),
        ("", "must be one SQL condition"),
        ("SELECT 1", "nothing that a condition knows"),
        ("value_sum > (SELECT 1)", "nothing that a condition knows"),
        ("value_sum IN (SELECT 1)", "nothing that a condition knows"),
        ("length(read_text('/etc/passwd')) > 1", "nothing that a condition knows"),
        ("random() > 0.5", "nothing that a condition knows"),
        ("sum(value_sum) > 1", "nothing that a condition knows"),
        ("value_sum > $1", "nothing that a condition knows"),
        ("value_sum::text = '1'", "nothing that a condition knows"),
        ("trim(LEADING FROM plan) = 'x'", "nothing that a condition knows"),
        ("value_sum IS TRUE", "nothing that a condition knows"),
        ("round(value_sum, 1) > 1", "nothing that a condition knows"),
        ("customers.plan = 'x'", "no name of a feature or an attribute"),
        ("COPY x TO 'y'", "nothing that a condition knows"),
        ("INSTALL httpfs", "nothing that a condition knows"),
    ],
)
def test_what_no_condition_may_say_is_refused(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_condition(text, ATTRIBUTES)

    assert told in str(refused.value)


def test_where_any_column_may_be_an_attribute_only_mistyped_features_are_refused() -> None:
    assert parse_condition("loyalty_tier = 'x'", None).attributes == ("loyalty_tier",)
    with pytest.raises(SettingsError, match="did you mean recency_days"):
        parse_condition("recency_day > 1", None)


def test_parts_within_parts_without_end_are_refused() -> None:
    with pytest.raises(SettingsError):
        parse_condition("(" * 900 + "value_sum > 1" + ")" * 900, ATTRIBUTES)
