"""Every error of Meta's becomes one of ours that says what to do next."""

import pytest

from cohortd.core.errors import FatalError, NotYetError, RejectedError, RetryableError
from connectors.meta.errors import AudienceGoneError, GraphFault, scrub, translate

LATER, REFUSED = RetryableError, RejectedError


def fault(code: int | None, subcode: int | None = None, **more: object) -> GraphFault:
    return GraphFault(**{"status": 400, "code": code, "subcode": subcode, **more})


@pytest.mark.parametrize(
    ("code", "subcode"),
    [(1, None), (1, 99), (2, None), (5000, None), (-3, None), (2650, 1870145), (2650, 1870148)],
)
def test_troubles_of_metas_own_are_tried_again(code: int, subcode: int | None) -> None:
    assert type(translate(fault(code, subcode))) is RetryableError


@pytest.mark.parametrize(
    ("code", "subcode"),
    [
        (4, None),
        (17, None),
        (17, 2446079),
        (32, None),
        (341, None),
        (613, None),
        (613, 1487742),
        (80000, None),
        (80003, 2446079),
        (80004, None),
        (80014, None),
        (368, None),
    ],
)
def test_limits_say_when_to_come_back(code: int, subcode: int | None) -> None:
    error = translate(fault(code, subcode))
    assert isinstance(error, RetryableError)
    assert error.after_s


def test_the_headers_wait_goes_before_the_tables() -> None:
    error = translate(fault(80003), after_s=60)
    assert isinstance(error, RetryableError)
    assert error.after_s == 60


@pytest.mark.parametrize(
    ("code", "subcode", "cure"),
    [
        (190, 463, "token"),
        (190, None, "token"),
        (102, None, "token"),
        (104, None, "token"),
        (3, None, "ads_management"),
        (10, None, "ads_management"),
        (200, None, "ads_management"),
        (294, None, "ads_management"),
        (2654, 1713092, "ads_management"),
        (270, None, "advanced access"),
        (200, 1870050, "business portfolio"),
        (200, 1870034, "terms"),
        (200, 1870090, "terms"),
        (1870090, None, "terms"),
        (100, 1487390, "terms"),
        (1870092, None, "Business Tools"),
        (2635, None, "api_version"),
        (77777, None, "error reference"),
    ],
)
def test_what_an_operator_must_cure_stops_the_destination(
    code: int, subcode: int | None, cure: str
) -> None:
    error = translate(fault(code, subcode))
    assert isinstance(error, FatalError)
    assert error.scope == "destination"
    assert cure in error.cure


@pytest.mark.parametrize(
    ("code", "subcode"),
    [
        (100, 33),
        (803, None),
        (100, 1713228),
        (100, 1713230),
        (100, 1713231),
        (2650, None),
        (2656, None),
    ],
)
def test_what_is_wrong_with_one_audience_stops_only_that(code: int, subcode: int | None) -> None:
    error = translate(fault(code, subcode))
    assert isinstance(error, FatalError)
    assert error.scope == "audience"
    assert error.cure


def test_an_audience_too_small_to_remove_from_leaves_the_removals_open() -> None:
    error = translate(fault(200, 1870047))
    assert isinstance(error, NotYetError)
    assert "still open" in str(error)


@pytest.mark.parametrize("code", [33, 803])
def test_only_a_missing_audience_counts_as_gone(code: int) -> None:
    gone = translate(fault(100, 33) if code == 33 else fault(803))
    assert isinstance(gone, AudienceGoneError)


@pytest.mark.parametrize("code", [100, 105, 194, 2500])
def test_a_request_that_meta_does_not_take_is_refused_without_naming_rows(code: int) -> None:
    error = translate(fault(code))
    assert isinstance(error, RejectedError)
    assert error.rows == {}


def test_too_much_data_is_refused_so_that_the_batch_is_split() -> None:
    words = "Please reduce the amount of data you're asking for, then retry your request"
    assert isinstance(translate(fault(1, message=words)), RejectedError)
    assert isinstance(translate(GraphFault(413)), RejectedError)
    assert isinstance(translate(GraphFault(414)), RejectedError)


def test_a_demand_for_signed_calls_is_told_from_a_bad_request() -> None:
    error = translate(fault(100, message="API calls from the server require an appsecret_proof argument"))
    assert isinstance(error, FatalError)
    assert "app_secret" in error.cure


def test_the_terms_are_known_by_their_words_too() -> None:
    error = translate(fault(100, message="You must agree to the Custom Audience terms first"))
    assert isinstance(error, FatalError)
    assert "terms" in error.cure


def test_what_meta_calls_transient_is_tried_again_whatever_its_code() -> None:
    assert isinstance(translate(fault(100, is_transient=True)), RetryableError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, LATER),
        (429, LATER),
        (500, LATER),
        (502, LATER),
        (503, LATER),
        (302, FatalError),
        (404, FatalError),
    ],
)
def test_an_answer_that_is_not_metas_is_judged_by_its_status(status: int, kind: type[Exception]) -> None:
    assert isinstance(translate(GraphFault(status)), kind)


def test_metas_words_are_cited_with_code_and_trace() -> None:
    text = str(translate(fault(100, message="(#100) Data is missing", trace="Abc123")))
    assert "Meta's error 100: (#100) Data is missing" in text
    assert "Abc123" in text


@pytest.mark.parametrize(
    "leak",
    [
        "https://graph.facebook.com/v26.0/1?access_token=EAAB",
        "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
        "F1904CF1A9D73A55FA5D",
        "mary@example.com",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "EAABsbCS1iHgBAKZCw9ZCjzBPaZCqyZBZAv9ZBZCqyZBZAv9ZBZCqyZBZA",
    ],
)
def test_nothing_secret_or_personal_is_cited(leak: str) -> None:
    assert leak not in scrub(f"Invalid value {leak} given")


def test_values_that_were_sent_are_not_cited() -> None:
    text = str(translate(fault(100, message="bad id CUST-0042"), private=["CUST-0042", ""]))
    assert "CUST-0042" not in text


def test_long_words_of_metas_are_cut() -> None:
    assert len(scrub("word " * 500)) <= 200
