import pytest

from cohortd.core.consenting import Reason
from cohortd.core.reporting import AudienceReport, RunReport
from cohortd.report import cards


def run(**fields: object) -> RunReport:
    values: dict[str, object] = {
        "run_id": "r1",
        "kind": "sync",
        "status": "done",
        "as_of": "2017-09-04T03:00:00Z",
        "started_at": "2017-09-04T03:00:00Z",
        "finished_at": "2017-09-04T03:00:12Z",
    }
    return RunReport(**(values | fields))  # type: ignore[arg-type]


def audience(name: str = "s1", destination: str = "google", **counts: int) -> AudienceReport:
    return AudienceReport(name, name, "", destination, "meta", **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("came", "went", "sentence"),
    [
        (1204, 87, "1,204 people came, 87 left"),
        (1, 0, "1 person came"),
        (0, 2, "2 people left"),
        (0, 0, "nobody came or left"),
    ],
)
def test_movement_is_a_sentence(came: int, went: int, sentence: str) -> None:
    assert cards.came_and_went(came, went) == sentence


def test_planned_movement_is_what_would_happen() -> None:
    assert cards.came_and_went(3, 1, planned=True) == "3 people would come, 1 would leave"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_plain_words(reason: Reason) -> None:
    assert "_" not in cards.reason_words(reason)
    assert cards.reason_words(reason) != cards.plain(reason)


def test_a_reason_nobody_foresaw_is_still_readable() -> None:
    assert cards.reason_words("lost_in_transit") == "lost in transit"


def test_who_is_left_out_is_told_most_first_and_without_noughts() -> None:
    assert cards.left_out({"denied": 2, "no_consent": 5, "revoked": 0}) == [
        (5, "gave no consent"),
        (2, "said no"),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),  # noqa: RUF001 - the dash that is shown
        (0.42, "0.4 s"),
        (59.7, "1 min"),
        (185, "3 min 5 s"),
        (3600, "1 h"),
        (8040, "2 h 14 min"),
        (97_200, "1 d 3 h"),
    ],
)
def test_durations_have_at_most_two_units(seconds: float | None, words: str) -> None:
    assert cards.lasting(seconds) == words


@pytest.mark.parametrize(
    ("part", "words"),
    [(0.0, "0.0%"), (0.0004, "under 0.1%"), (0.068, "6.8%"), (1.0, "100.0%")],
)
def test_a_small_share_is_not_rounded_to_nothing(part: float, words: str) -> None:
    assert cards.share(part) == words


def test_times_are_told_in_utc_and_odd_text_is_left_alone() -> None:
    assert cards.moment("2017-09-04T05:00:00+02:00") == "4 Sep 2017, 03:00"
    assert cards.moment("soon") == "soon"
    assert cards.instant("2017-09-04T05:00:07+02:00") == "2017-09-04 03:00:07"


def test_what_was_not_accepted_is_told_in_the_platforms_words() -> None:
    assert cards.not_accepted(0, {}) == ""
    assert cards.not_accepted(2, {}) == "2 not accepted."
    assert cards.not_accepted(2, {"bad_hash": 2}) == "2 not accepted: bad hash."
    assert (
        cards.not_accepted(3, {"bad_hash": 1, "too_old": 2}) == "3 not accepted: 2 too old and 1 bad hash."
    )


def test_the_headline_counts_audiences_once_and_names_the_destinations() -> None:
    report = run(audiences=[audience(added=2, removed=1), audience(destination="meta", added=1, pending=4)])

    assert cards.headline(report) == (
        "3 additions and 1 removal were made in 1 audience on google and meta; "
        "4 still to be confirmed by the platform."
    )


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (run(), "Nothing to do: every audience is as it should be."),
        (run(audiences=[audience(rejected=2)]), "Nobody came or left; 2 not accepted."),
        (run(kind="plan"), "Nothing would change: every audience is as it should be."),
        (
            run(kind="plan", audiences=[audience(adds=1)]),
            "A sync would make 1 addition in 1 audience on google.",
        ),
        (
            run(status="stopped", audiences=[audience(adds=9, removes=1)]),
            "A guard stopped the run: 9 additions and 1 removal wait for approval.",
        ),
        (
            run(status="stopped", audiences=[audience(adds=1)]),
            "A guard stopped the run: 1 addition waits for approval.",
        ),
        (run(status="stopped"), "A guard stopped the run before there was a plan."),
        (run(status="failed", audiences=[audience(added=1)]), "The run failed before it was through."),
        (run(kind="recluster"), "The customers were clustered anew. Nothing was sent."),
    ],
)
def test_the_headline_says_what_happened(report: RunReport, sentence: str) -> None:
    assert cards.headline(report) == sentence
