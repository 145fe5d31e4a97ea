import json

import pytest

from cohortd.core.quality import Doubt, FieldQuality, SourceQuality, Validity
from cohortd.core.reporting import RunReport
from cohortd.report import quality as views

CUSTOMERS = SourceQuality(
    "customers",
    score=71,
    rows=1000,
    usable=990,
    counted=990,
    fields=[
        FieldQuality(
            "email",
            rows=900,
            present=1000,
            platforms={
                "google": Validity(960, {"no_at_sign": 40}),
                "meta": Validity(960, {"no_at_sign": 40}),
            },
            duplicates=5,
            shared=4,
            sharing=9,
            doubts={Doubt.ROLE: 50, Doubt.TYPING_ERROR: 2},
        ),
        FieldQuality("address", rows=10, present=10, platforms={"google": Validity(10)}),
        FieldQuality("tier", rows=989, present=989),
    ],
    keys={
        "google": {"0": 90, "1": 0, "2": 400, "3+": 500},
        "meta": {"0": 90, "1": 500, "2": 400, "3+": 0},
    },
)


def test_a_field_says_how_often_it_is_filled_and_what_each_platform_can_use() -> None:
    email, address = views.quality_view(CUSTOMERS).fields

    assert (email.filled, email.present, email.usable) == ("90.9%", 1000, ("96.0%", "96.0%"))
    assert address.usable == ("100%", "–")  # noqa: RUF001 - the dash that is shown


def test_what_is_amiss_is_told_most_first_and_in_short_with_the_rest_summed() -> None:
    email = views.quality_view(CUSTOMERS).fields[0]

    assert email.amiss == ((50, "of a role"), (40, "no at sign"), (2, "mistyped domain"))
    assert email.amiss_in_short == "50 of a role, 42 other"


def test_columns_that_are_no_contact_fields_only_say_how_often_they_are_filled() -> None:
    assert views.quality_view(CUSTOMERS).filled == (("tier", "99.8%"),)


def test_keys_make_a_bar_that_is_full() -> None:
    google, _ = views.quality_view(CUSTOMERS).keys

    assert [part.people for part in google.parts] == [90, 0, 400, 500]
    assert round(google.parts[-1].start + google.parts[-1].width, 2) == 100


@pytest.mark.parametrize("doubt", Doubt)
def test_every_doubt_has_words(doubt: Doubt) -> None:
    field = FieldQuality("email", 1, 1, {"google": Validity(1)}, doubts={doubt: 1})
    (told,) = views.quality_view(SourceQuality("customers", 1, 1, 1, fields=[field])).fields

    assert "_" not in told.amiss[0][1]


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(9999, 10_000, "99.9%"), (3, 3, "100%"), (0, 3, "0.0%"), (0, 0, "–")],  # noqa: RUF001
)
def test_a_share_is_100_percent_only_where_nothing_is_missing(part: int, whole: int, words: str) -> None:
    assert views.whole_share(part, whole) == words


def test_a_sample_says_that_it_is_one() -> None:
    sampled = SourceQuality("customers", score=71, rows=100_000, usable=99_000, sampled=True)

    assert views.quality_view(sampled).looked_at == "judged by its first 100,000 rows"


def test_a_report_that_was_kept_as_json_tells_the_same() -> None:
    report = RunReport("r1", "sync", "done", "", "", "", quality=[CUSTOMERS])

    assert RunReport.of_json(json.loads(json.dumps(report.as_json()))) == report
