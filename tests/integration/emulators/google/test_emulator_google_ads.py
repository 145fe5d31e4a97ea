"""The emulated Google Ads API is as strict as documented, for the vendor's own client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.ads.googleads.errors import GoogleAdsException
from google_people import ACCOUNT, digest

from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors.google_access import AnonymousCredentials
from connectors.google_ads.client import LoopbackAdsClient

MAIL = digest("ann").hex()
JOB = "offline_user_data_job_error"


class Ads:
    """The vendor's client, with less to write."""

    def __init__(self, emulator: GoogleEmulator, version: str = "v26") -> None:
        self.client = LoopbackAdsClient(
            credentials=AnonymousCredentials(),
            endpoint=emulator.grpc_endpoint.removeprefix("grpc://"),
            version=version,
            use_proto_plus=False,
        )
        self.lists = self.client.get_service("UserListService")
        self.jobs = self.client.get_service("OfflineUserDataJobService")
        self.google_ads = self.client.get_service("GoogleAdsService")

    def close(self) -> None:
        for service in (self.lists, self.jobs, self.google_ads):
            service.transport.close()

    def list_operation(self, **values: Any) -> Any:
        operation = self.client.get_type("UserListOperation")
        key_types = self.client.enums.CustomerMatchUploadKeyTypeEnum
        operation.create.crm_based_user_list.upload_key_type = key_types.CONTACT_INFO
        for name, value in {"name": "VIP", **values}.items():
            setattr(operation.create, name, value)
        return operation

    def create(self, **values: Any) -> str:
        answer = self.lists.mutate_user_lists(
            customer_id=ACCOUNT, operations=[self.list_operation(**values)]
        )
        return str(answer.results[0].resource_name)

    def job(self, list_name: str, *, consent: str = "GRANTED") -> str:
        job = self.client.get_type("OfflineUserDataJob")
        job.type_ = self.client.enums.OfflineUserDataJobTypeEnum.CUSTOMER_MATCH_USER_LIST
        metadata = job.customer_match_user_list_metadata
        metadata.user_list = list_name
        state = getattr(self.client.enums.ConsentStatusEnum, consent)
        metadata.consent.ad_user_data = metadata.consent.ad_personalization = state
        return str(self.jobs.create_offline_user_data_job(customer_id=ACCOUNT, job=job).resource_name)

    def operation(self, *mails: str, action: str = "create") -> Any:
        operation = self.client.get_type("OfflineUserDataJobOperation")
        if action == "remove_all":
            operation.remove_all = True
        for mail in mails:
            getattr(operation, action).user_identifiers.add().hashed_email = mail
        return operation

    def add(self, job: str, *operations: Any, partial: bool = True) -> Any:
        request = self.client.get_type("AddOfflineUserDataJobOperationsRequest")
        request.resource_name, request.enable_partial_failure = job, partial
        request.operations.extend(operations)
        return self.jobs.add_offline_user_data_job_operations(request)

    def run(self, job: str) -> None:
        self.jobs.run_offline_user_data_job(resource_name=job)

    def status(self, job: str) -> str:
        query = (
            "SELECT offline_user_data_job.status FROM offline_user_data_job"
            f" WHERE offline_user_data_job.resource_name = '{job}'"
        )
        (row,) = self.google_ads.search(customer_id=ACCOUNT, query=query)
        values = self.client.enums.OfflineUserDataJobStatusEnum
        return str(values.OfflineUserDataJobStatus.Name(row.offline_user_data_job.status))


def codes(error: GoogleAdsException) -> list[str]:
    found = []
    for each in type(error.failure).pb(error.failure).errors:
        family = each.error_code.WhichOneof("error_code")
        number = getattr(each.error_code, family)
        values = each.error_code.DESCRIPTOR.fields_by_name[family].enum_type.values_by_number
        found.append(f"{family}.{values[number].name}")
    return found


@pytest.fixture
def ads(emulator: GoogleEmulator) -> Iterator[Ads]:
    ads = Ads(emulator)
    yield ads
    ads.close()


def refused(call: Callable[[], object]) -> list[str]:
    with pytest.raises(GoogleAdsException) as caught:
        call()
    assert caught.value.request_id == "emulated"
    return codes(caught.value)


@pytest.mark.parametrize("version", ["v23", "v26"])
def test_a_job_goes_its_whole_way_in_every_version(emulator: GoogleEmulator, version: str) -> None:
    ads = Ads(emulator, version)
    list_name = ads.create()
    job = ads.job(list_name)
    ads.add(job, ads.operation(MAIL))
    assert ads.status(job) == "PENDING"
    ads.run(job)
    assert ads.status(job) == "SUCCESS"
    assert emulator.members(ACCOUNT, list_name.rpartition("/")[2]) == {MAIL}
    ads.close()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"membership_life_span": 541}, "range_error.TOO_HIGH"),
        ({"name": ""}, "user_list_error.INVALID_NAME"),
    ],
)
def test_a_list_must_be_well_made(ads: Ads, values: Any, code: str) -> None:
    assert refused(lambda: ads.create(**values)) == [code]


def test_a_list_needs_a_type(ads: Ads) -> None:
    operation = ads.client.get_type("UserListOperation")
    operation.create.name = "VIP"
    call = lambda: ads.lists.mutate_user_lists(customer_id=ACCOUNT, operations=[operation])  # noqa: E731
    assert refused(call) == ["user_list_error.CONCRETE_TYPE_REQUIRED"]


def test_a_name_is_taken_once_an_account(ads: Ads) -> None:
    ads.create()
    assert refused(ads.create) == ["user_list_error.NAME_ALREADY_USED"]


def test_a_list_is_forgotten(ads: Ads, emulator: GoogleEmulator) -> None:
    operation = ads.client.get_type("UserListOperation")
    operation.remove = ads.create()
    ads.lists.mutate_user_lists(customer_id=ACCOUNT, operations=[operation])
    assert emulator.audiences() == []
    call = lambda: ads.lists.mutate_user_lists(customer_id=ACCOUNT, operations=[operation])  # noqa: E731
    assert refused(call) == ["mutate_error.RESOURCE_NOT_FOUND"]


@pytest.mark.parametrize(
    ("mails", "code"),
    [
        pytest.param(["Ann@Example.com"], f"{JOB}.INVALID_SHA256_FORMAT", id="plain"),
        pytest.param([MAIL.upper()], f"{JOB}.INVALID_SHA256_FORMAT", id="upper case"),
        pytest.param([], f"{JOB}.MISSING_USER_IDENTIFIER", id="empty"),
        pytest.param([MAIL] * 21, f"{JOB}.TOO_MANY_USER_IDENTIFIERS", id="too many"),
    ],
)
def test_a_bad_operation_falls_out_alone_or_refuses_all(ads: Ads, mails: list[str], code: str) -> None:
    job = ads.job(ads.create())
    answer = ads.add(job, ads.operation(MAIL), ads.operation(*mails))
    failure = ads.client.get_type("GoogleAdsFailure")
    (error,) = type(failure).FromString(answer.partial_failure_error.details[0].value).errors
    assert error.location.field_path_elements[0].index == 1
    assert refused(lambda: ads.add(job, ads.operation(*mails), partial=False)) == [code]


def test_an_address_needs_its_parts(ads: Ads) -> None:
    operation = ads.client.get_type("OfflineUserDataJobOperation")
    operation.create.user_identifiers.add().address_info.country_code = "Germany"
    job = ads.job(ads.create())
    assert refused(lambda: ads.add(job, operation, partial=False)) == [f"{JOB}.INVALID_COUNTRY_CODE"]


def test_taking_in_and_taking_out_do_not_mix(ads: Ads) -> None:
    job = ads.job(ads.create())
    ads.add(job, ads.operation(MAIL))
    removal = ads.operation(MAIL, action="remove")
    assert refused(lambda: ads.add(job, removal)) == [f"{JOB}.CONFLICTING_OPERATION"]


def test_removing_everybody_comes_first_or_not_at_all(ads: Ads, emulator: GoogleEmulator) -> None:
    list_name = ads.create()
    first = ads.job(list_name)
    ads.add(first, ads.operation(digest("old").hex()))
    assert refused(lambda: ads.add(first, ads.operation(action="remove_all"))) == [
        f"{JOB}.INVALID_OPERATION_ORDER"
    ]
    ads.run(first)
    second = ads.job(list_name)
    ads.add(second, ads.operation(action="remove_all"))
    ads.run(second)
    assert emulator.members(ACCOUNT, list_name.rpartition("/")[2]) == frozenset()


def test_a_job_runs_once_and_then_takes_nothing_more(ads: Ads) -> None:
    job = ads.job(ads.create())
    ads.add(job, ads.operation(MAIL))
    ads.run(job)
    assert refused(lambda: ads.run(job)) == [f"{JOB}.JOB_ALREADY_STARTED"]
    assert refused(lambda: ads.add(job, ads.operation(MAIL))) == [f"{JOB}.JOB_ALREADY_STARTED"]


def test_jobs_need_a_list_a_right_and_consent(ads: Ads, emulator: GoogleEmulator) -> None:
    list_name = ads.create()
    assert refused(lambda: ads.job(f"customers/{ACCOUNT}/userLists/7")) == [f"{JOB}.INVALID_USER_LIST_ID"]
    denied = refused(lambda: ads.job(list_name, consent="DENIED"))
    assert denied == [f"{JOB}.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"]
    emulator.state.rules = GoogleRules(jobs_allowed=False)
    assert refused(lambda: ads.job(list_name)) == [
        "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    ]


def test_without_consent_a_job_succeeds_and_does_nothing(ads: Ads, emulator: GoogleEmulator) -> None:
    list_name = ads.create()
    job = ads.job(list_name, consent="UNSPECIFIED")
    ads.add(job, ads.operation(MAIL))
    ads.run(job)
    assert ads.status(job) == "SUCCESS"
    assert emulator.members(ACCOUNT, list_name.rpartition("/")[2]) == frozenset()


def test_a_query_gives_what_it_names_and_streams_the_same(ads: Ads) -> None:
    ads.create(name="A", integration_code="x")
    ads.create(name="B", integration_code="it's")
    query = "SELECT user_list.name FROM user_list WHERE user_list.integration_code = 'it\\'s'"
    (row,) = ads.google_ads.search(customer_id=ACCOUNT, query=query)
    assert (row.user_list.name, row.user_list.HasField("description")) == ("B", False)
    (page,) = ads.google_ads.search_stream(customer_id=ACCOUNT, query=query)
    assert page.results[0].user_list.resource_name == row.user_list.resource_name
    several = (
        "SELECT user_list.id, user_list.type FROM user_list WHERE user_list.name IN ('A', 'B')"
        " AND user_list.membership_status != 'CLOSED' ORDER BY user_list.id LIMIT 1"
    )
    assert len(list(ads.google_ads.search(customer_id=ACCOUNT, query=several))) == 1


@pytest.mark.parametrize(
    "query",
    [
        "hello",
        "SELECT campaign.id FROM campaign",
        "SELECT user_list.colour FROM user_list",
        "SELECT user_list.id FROM user_list WHERE user_list.id ~ 1",
        "SELECT user_list.id FROM user_list WHERE user_list.id = 1 OR user_list.id = 2",
    ],
)
def test_a_query_that_is_none_is_refused(ads: Ads, query: str) -> None:
    (code,) = refused(lambda: list(ads.google_ads.search(customer_id=ACCOUNT, query=query)))
    assert code.startswith("query_error.")


def test_accounts_we_may_not_see_are_denied(ads: Ads, emulator: GoogleEmulator) -> None:
    emulator.state.rules = GoogleRules(accounts=frozenset({"42"}))
    assert refused(ads.create) == ["authorization_error.USER_PERMISSION_DENIED"]
