"""Before the first send: what would keep it from working is found, with what to click or whom to ask."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from google.auth import exceptions as auth_errors

from cohortd.core.delivery import AccessCheck, RemoteSpec
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from cohortd.emulators.meta import MetaEmulator, MetaRules
from connectors.google_access import GoogleAccess, GoogleIdentity
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.meta import MetaConnector, MetaOptions
from connectors.protocol import Connector

ACCOUNT = "1234567890"
Google = Callable[[GoogleRules, Fault | None], Connector]
Meta = Callable[..., Connector]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["grpc", "http", "ads"])
def google(stack: ExitStack, request: pytest.FixtureRequest) -> Google:
    def make(rules: GoogleRules, fault: Fault | None = None) -> Connector:
        emulator = stack.enter_context(GoogleEmulator(rules=rules))
        if fault is not None:
            emulator.faults.add(fault)
        connector: Connector
        if request.param == "ads":
            connector = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
        else:
            endpoint = emulator.grpc_endpoint if request.param == "grpc" else emulator.http_endpoint
            connector = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=endpoint))
        stack.callback(connector.close)
        return connector

    return make


@pytest.fixture
def meta(stack: ExitStack) -> Meta:
    def make(rules: MetaRules, fault: Fault | None = None, **options: str) -> Connector:
        emulator = stack.enter_context(MetaEmulator(rules=rules))
        if fault is not None:
            emulator.faults.add(fault)
        given = {"account": "act_1", "access_token": "token", "endpoint": emulator.endpoint, **options}
        connector = MetaConnector(MetaOptions(**given))
        stack.callback(connector.close)
        return connector

    return make


def bad(connector: Connector) -> AccessCheck:
    """The one line that is red."""
    (line,) = [line for line in connector.check() if not line.ok]
    return line


def subjects(connector: Connector) -> list[str]:
    return [line.subject for line in connector.check()]


def test_google_is_asked_for_credentials_access_audiences_and_uploads(google: Google) -> None:
    assert subjects(google(GoogleRules(), None)) == [
        "credentials",
        "access",
        "audiences",
        "uploads and terms",
    ]


def test_a_check_at_google_makes_nothing_and_adds_nobody(stack: ExitStack) -> None:
    emulator = stack.enter_context(GoogleEmulator())
    ads = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
    remote_id = manager.ensure(RemoteSpec("s1", "Regulars", "Buys often"))
    for connector in (ads, manager):
        assert all(line.ok for line in connector.check())
        connector.close()

    assert [each.id for each in emulator.audiences()] == [remote_id]
    assert emulator.size(remote_id) == 0


def test_an_account_out_of_reach_at_google_says_where_access_is_given(google: Google) -> None:
    line = bad(google(GoogleRules(accounts=frozenset({"999"})), None))

    assert line.subject == "access"
    assert "Access and security" in line.cure
    assert "login_account_id" in line.cure


def test_terms_that_nobody_accepted_at_google_say_where_they_are(google: Google) -> None:
    connector = google(GoogleRules(terms_accepted=False), None)
    connector.ensure(RemoteSpec("s1", "Regulars", "Buys often"))
    line = bad(connector)

    assert line.subject == "uploads and terms"
    assert "Data protection" in line.cure


@pytest.mark.parametrize(
    ("fault", "subject", "cure"),
    [
        (Fault(call="*s.*", status="UNAVAILABLE"), "access", "Try again"),
        (Fault(call="*s.*", kind=FaultKind.QUOTA, retry_after_s=600), "access", "in 10 minutes"),
        (Fault(call="*s.*", status="UNAUTHENTICATED"), "access", "credentials"),
    ],
    ids=["away", "quota", "token"],
)
def test_what_may_pass_at_google_says_when_to_try_again(
    google: Google, fault: Fault, subject: str, cure: str
) -> None:
    line = bad(google(GoogleRules(), fault))

    assert line.subject == subject
    assert cure in line.cure


@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        ("SERVICE_DISABLED", "Enable the Data Manager API"),
        ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "https://www.googleapis.com/auth/datamanager"),
        ("ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA", "policy and payment history"),
        ("OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH", "login_account_id"),
    ],
)
def test_what_keeps_the_data_manager_shut_says_who_opens_it(
    stack: ExitStack, reason: str, cure: str
) -> None:
    emulator = stack.enter_context(GoogleEmulator())
    emulator.faults.add(Fault(call="dm.user_lists.create", status="PERMISSION_DENIED", code=reason))
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.http_endpoint))
    line = bad(manager)
    manager.close()

    assert line.subject == "audiences"
    assert cure in line.cure


@pytest.mark.parametrize("status", ["CANCELED", "SUSPENDED", "CLOSED"])
def test_an_account_that_is_shut_at_google_ads_says_so(stack: ExitStack, status: str) -> None:
    emulator = stack.enter_context(GoogleEmulator(rules=GoogleRules(account_status=status)))
    ads = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
    line = bad(ads)
    ads.close()

    assert (line.subject, line.detail) == ("access", f"the account is {status.lower()}")
    assert line.cure


def test_who_may_no_longer_upload_by_google_ads_is_told_the_other_way(stack: ExitStack) -> None:
    emulator = stack.enter_context(GoogleEmulator(rules=GoogleRules(jobs_allowed=False)))
    ads = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
    line = bad(ads)
    ads.close()

    assert line.subject == "uploads and terms"
    assert "google_data_manager" in line.cure


class Dead:
    """Credentials that nobody can refresh any more."""

    valid = False

    def refresh(self, _request: object) -> None:
        raise auth_errors.RefreshError("('invalid_grant: Token has been expired or revoked.', 'x')")


def test_dead_credentials_are_found_before_google_is_called() -> None:
    access = GoogleAccess(GoogleIdentity(), scope="the-scope", endpoint=None, load=Dead)
    line = bad(DataManagerConnector(DataManagerOptions(ACCOUNT), access=access))

    assert line.subject == "credentials"
    assert "the-scope" in line.cure


def test_meta_is_asked_for_account_terms_permission_and_audiences(meta: Meta) -> None:
    assert subjects(meta(MetaRules())) == [
        "Meta account act_1",
        "Meta's Custom Audience terms",
        "Meta permission ads_management",
        "Meta audiences of act_1",
    ]


@pytest.mark.parametrize(
    ("rules", "subject", "cure"),
    [
        (MetaRules(terms_accepted=False), "Meta's Custom Audience terms", "customaudiences/tos/?act=1"),
        (MetaRules(permissions=frozenset({"ads_read"})), "Meta permission ads_management", "System users"),
        (MetaRules(account_status=2), "Meta account act_1", "Account Quality"),
        (MetaRules(account_status=3), "Meta account act_1", "Billing"),
        (MetaRules(account_status=101), "Meta account act_1", "Re-activate"),
    ],
    ids=["terms", "permission", "disabled", "unsettled", "closed"],
)
def test_what_keeps_meta_shut_says_who_opens_it(
    meta: Meta, rules: MetaRules, subject: str, cure: str
) -> None:
    line = bad(meta(rules))

    assert line.subject == subject
    assert cure in line.cure


@pytest.mark.parametrize(
    ("rules", "cure"),
    [
        (MetaRules(token="another"), "access token"),
        (MetaRules(app_secret="secret"), "app_secret"),
        (MetaRules(accounts=frozenset({"act_2"})), "Assign assets"),
    ],
    ids=["token", "secret", "account"],
)
def test_an_account_that_meta_does_not_open_says_why(meta: Meta, rules: MetaRules, cure: str) -> None:
    lines = [line for line in meta(rules).check() if not line.ok]

    assert {line.subject for line in lines} == {"Meta account act_1", "Meta audiences of act_1"}
    assert all(cure in line.cure for line in lines)


def test_an_account_without_a_business_portfolio_is_mentioned(meta: Meta) -> None:
    lines = meta(MetaRules(owned_by_business=False)).check()

    assert all(line.ok for line in lines)
    assert "business portfolio" in lines[0].detail


def test_what_a_stand_in_of_meta_does_not_know_is_no_failure(meta: Meta) -> None:
    unknown = Fault(call="permissions.read", status=400, code=2500)

    assert all(line.ok for line in meta(MetaRules(), unknown).check())
