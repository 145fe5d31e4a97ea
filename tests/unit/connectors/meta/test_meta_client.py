"""Single calls: the SDK's traps are closed, and nothing leaks."""

import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from meta_clock import StillClock

from cohortd.core.delivery import Action, Batch, Lane
from cohortd.core.errors import (
    FatalError,
    HeldError,
    RejectedError,
    RetryableError,
    SettingsError,
    SyncError,
)
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from connectors.meta import MetaConnector, MetaOptions
from connectors.meta.usage import gap_s

GRAPH = "https://graph.facebook.com/v26.0"
USERS = f"{GRAPH}/42/users"
DIGEST = bytes(range(32))
ANN = Member(bytes(16), (Identifier(IdentifierKind.EMAIL, DIGEST),))
ADD = Batch(7, "42", Action.ADD, (ANN,))
REMOVE = Batch(8, "42", Action.REMOVE, (ANN,))
TAKEN = {"num_received": 1, "num_invalid_entries": 0, "invalid_entry_samples": []}
BUSINESS = "X-Business-Use-Case-Usage"


def usage(percent: int, minutes: int = 0) -> dict[str, str]:
    entry = f'{{"call_count":{percent},"total_time":1,"estimated_time_to_regain_access":{minutes}}}'
    return {BUSINESS: f'{{"1":[{entry}],"999":[{{"call_count":100}}]}}'}


def error_of(connector: MetaConnector, batch: Batch = ADD) -> SyncError:
    with pytest.raises(SyncError) as raised:
        connector.apply(batch)
    return raised.value


def test_the_token_is_in_the_query_and_signed_where_there_is_a_secret(
    graph: responses.RequestsMock, make_connector: Callable[..., MetaConnector]
) -> None:
    graph.post(USERS, json=TAKEN)
    make_connector(app_secret="s").apply(ADD)
    query = parse_qs(urlsplit(graph.calls[0].request.url).query)
    assert query["access_token"] == ["the-token"]
    assert len(query["appsecret_proof"][0]) == 64


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((200, "<html>Service</html>"), RetryableError),
        ((200, ""), RetryableError),
        ((200, "[]"), RetryableError),
        ((200, '"Service Unavailable"'), RetryableError),
        ((200, '{"success": false}'), RetryableError),
        ((200, '{"error": "text"}'), RetryableError),
        ((200, '{"error": {"message": "no code"}}'), RetryableError),
        ((200, '{"error": {"code": 190, "message": "x"}}'), FatalError),
        ((502, "<html>Bad Gateway</html>"), RetryableError),
        ((503, "an error, but not JSON"), RetryableError),
        ((429, '{"message": "slow down"}'), RetryableError),
        ((414, "<html>Facebook | Error</html>"), RejectedError),
        ((400, '{"error": {"code": 2, "message": "x", "error_data": "no json"}}'), RetryableError),
        ((404, "<html>not here</html>"), FatalError),
        ((302, ""), FatalError),
    ],
)
def test_no_failure_is_taken_for_success_and_none_crashes_the_sdk(
    graph: responses.RequestsMock, connector: MetaConnector, answer: tuple[int, str], kind: type[SyncError]
) -> None:
    status, body = answer
    graph.post(USERS, status=status, body=body, headers={"Location": "https://elsewhere.example/"})
    assert type(error_of(connector)) is kind
    assert len(graph.calls) == 1


@pytest.mark.parametrize(
    "failure",
    [
        requests.exceptions.ConnectionError(f"url: /v26.0/42/users?access_token=the-token {DIGEST.hex()}"),
        requests.exceptions.ReadTimeout("https://graph.facebook.com/?access_token=the-token"),
        requests.exceptions.ChunkedEncodingError("broke off"),
        requests.exceptions.SSLError("https://graph.facebook.com/?access_token=the-token"),
        TypeError("the-token"),
    ],
)
def test_no_network_failure_shows_the_token_the_address_or_a_digest(
    graph: responses.RequestsMock, connector: MetaConnector, failure: Exception
) -> None:
    graph.post(USERS, body=failure)
    error = error_of(connector)
    printed = "".join(traceback.format_exception(error)) + repr(error)
    assert "the-token" not in printed
    assert "://" not in printed
    assert DIGEST.hex() not in printed
    assert error.__cause__ is None
    assert error.__context__ is None


def test_an_untrusted_certificate_is_for_an_operator(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, body=requests.exceptions.SSLError("x"))
    assert isinstance(error_of(connector), FatalError)


def test_a_digest_that_meta_repeats_is_not_repeated_by_us(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, status=400, json={"error": {"code": 100, "message": f"Invalid hash {DIGEST.hex()}"}})
    assert DIGEST.hex()[:16] not in str(error_of(connector))


def test_a_limit_holds_back_every_call_until_it_ends(
    graph: responses.RequestsMock, connector: MetaConnector, clock: StillClock
) -> None:
    limited = {"error": {"code": 80003, "error_subcode": 2446079, "message": "too many calls"}}
    graph.post(USERS, status=400, json=limited, headers=usage(100, minutes=19))
    graph.post(USERS, json=TAKEN)
    first = error_of(connector)
    assert isinstance(first, RetryableError)
    assert first.after_s == 19 * 60
    clock.forward(19 * 60 - 1)
    second = error_of(connector, REMOVE)
    assert isinstance(second, RetryableError)
    assert second.after_s == 1
    assert len(graph.calls) == 1
    clock.forward(1)
    connector.apply(REMOVE)


def test_limits_without_a_time_double_until_a_call_goes_through(
    graph: responses.RequestsMock, connector: MetaConnector, clock: StillClock
) -> None:
    limited = {"error": {"code": 80003, "message": "too many calls"}}
    for _ in range(5):
        graph.post(USERS, status=400, json=limited)
    graph.post(USERS, json=TAKEN)
    graph.post(USERS, status=400, json=limited)
    waits = []
    for _ in range(5):
        error = error_of(connector)
        assert isinstance(error, RetryableError)
        waits.append(error.after_s)
        clock.forward(error.after_s or 0)
    assert waits == [300, 600, 1200, 2400, 3600]
    connector.apply(ADD)
    error = error_of(connector)
    assert isinstance(error, RetryableError)
    assert error.after_s == 300


def test_a_nearly_used_allowance_is_left_to_revocations(
    graph: responses.RequestsMock, connector: MetaConnector, clock: StillClock
) -> None:
    graph.post(USERS, json=TAKEN, headers=usage(95))
    connector.apply(ADD)
    errors = [error_of(connector, ADD), error_of(connector, REMOVE)]
    hold = connector.hold(urgent=False)
    connector.apply(replace(REMOVE, lane=Lane.REVOCATION))
    clock.forward(300)
    connector.apply(ADD)

    assert [(type(error), error.after_s) for error in errors] == [(HeldError, 300)] * 2
    assert hold is not None
    assert hold.why == "95 % of Meta's allowance is used; the rest is kept for revocations"
    assert not hold.is_told


@pytest.mark.parametrize(
    ("percent", "gap"), [(0, 0), (49, 0), (50, 1), (74, 1), (75, 5), (81, 15), (89, 28.3), (100, 30)]
)
def test_regular_uploads_go_the_slower_the_more_of_the_allowance_is_used(percent: int, gap: float) -> None:
    assert gap_s(percent) == pytest.approx(gap, abs=0.1)


def test_two_uploads_at_once_take_turns_and_a_revocation_waits_for_none(
    graph: responses.RequestsMock, connector: MetaConnector, clock: StillClock, waits: list[float]
) -> None:
    graph.post(USERS, json=TAKEN, headers=usage(75))
    for batch in (ADD, ADD, ADD, replace(REMOVE, lane=Lane.REVOCATION)):
        connector.apply(batch)
    clock.forward(60)
    connector.apply(ADD)

    # The clock stands still: the second is to wait for the first, the third for both.
    assert waits == [5, 10]


def test_what_a_header_says_of_the_time_to_wait_is_told_before_the_next_call(
    graph: responses.RequestsMock, connector: MetaConnector, clock: StillClock
) -> None:
    graph.post(USERS, json=TAKEN, headers=usage(100, minutes=19))
    connector.apply(ADD)
    hold = connector.hold(urgent=True)

    assert hold is not None
    assert (hold.until - clock(), hold.is_told) == (timedelta(minutes=19), True)


def test_other_accounts_usage_is_none_of_ours(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    graph.post(USERS, json=TAKEN, headers=usage(10))
    connector.apply(ADD)
    connector.apply(ADD)


@pytest.mark.parametrize("kind", ["ads_insights", "ads_management"])
def test_an_allowance_that_other_tools_used_up_does_not_hold_back_ours(
    graph: responses.RequestsMock, connector: MetaConnector, kind: str
) -> None:
    full = f'{{"type":"{kind}","call_count":100,"estimated_time_to_regain_access":60}}'
    ours = '{"type":"custom_audience","call_count":1,"estimated_time_to_regain_access":0}'
    graph.post(USERS, json=TAKEN, headers={BUSINESS: f'{{"1":[{full},{ours}]}}'})
    connector.apply(ADD)
    connector.apply(ADD)

    assert len(graph.calls) == 2


def test_an_accounts_own_score_that_is_used_up_is_waited_for(
    graph: responses.RequestsMock, connector: MetaConnector
) -> None:
    score = '{"acc_id_util_pct":100,"reset_time_duration":42,"ads_api_access_tier":"standard_access"}'
    graph.post(USERS, json=TAKEN, headers={"X-Ad-Account-Usage": score})
    connector.apply(ADD)
    error = error_of(connector, REMOVE)

    assert isinstance(error, RetryableError)
    assert error.after_s == 42


@pytest.mark.parametrize("header", ["", "no json", "[]", '{"1": "x"}', '{"1": [{"call_count": "x"}]}'])
def test_unreadable_usage_is_no_error(
    graph: responses.RequestsMock, connector: MetaConnector, header: str
) -> None:
    graph.post(USERS, json=TAKEN, headers={BUSINESS: header})
    connector.apply(ADD)


def test_the_sdks_globals_are_left_alone(make_connector: Callable[..., MetaConnector]) -> None:
    from facebook_business.api import FacebookAdsApi  # noqa: PLC0415 - what the test looks at

    before = sys.excepthook
    make_connector()
    assert sys.excepthook is before
    assert FacebookAdsApi.get_default_api() is None


def test_addresses_with_the_token_never_reach_the_debug_log(
    graph: responses.RequestsMock, make_connector: Callable[..., MetaConnector]
) -> None:
    make_connector()
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.DEBUG)


def test_options_show_no_secret() -> None:
    options = MetaOptions(account="act_1", access_token="the-token", app_secret="the-secret")
    assert "the-" not in repr(options)


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "1"},
        {"account": "act_x"},
        {"access_token": ""},
        {"api_version": "26"},
        {"retention_days": 181},
        {"endpoint": "http://10.0.0.1:80"},
        {"endpoint": "http://localhost.evil.example"},
        {"endpoint": "http://127.0.0.1:1/v26.0"},
        {"endpoint": "https://user:pass@127.0.0.1"},
        {"endpoint": "grpc://127.0.0.1:1"},
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        MetaOptions(**{"account": "act_1", "access_token": "t", **changes})


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8089", "http://[::1]:1", "https://meta.example/", None]
)
def test_endpoints_on_loopback_or_over_tls_are_taken(endpoint: str | None) -> None:
    MetaOptions(account="act_1", access_token="t", endpoint=endpoint)
