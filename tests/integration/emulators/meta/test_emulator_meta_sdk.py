"""Meta's own unchanged SDK and our connector work against the emulated Graph API, in storms too."""

import hashlib
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.customaudience import CustomAudience
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookRequestError
from meta_client import CREATE, Make, digest

from cohortd.core.delivery import Action, Batch, BatchState, RemoteSpec
from cohortd.core.errors import FatalError, NotYetError, RejectedError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.meta import MetaEmulator, MetaRules
from connectors.meta import MetaConnector, MetaOptions
from connectors.retrying import RetryingConnector, RetryPolicy

SPEC = RemoteSpec("s1", "Regulars", "Buys often")


@pytest.fixture
def sdk(make: Make) -> Iterator[FacebookAdsApi]:
    session = FacebookSession(access_token="t", timeout=(5, 5))
    session.GRAPH = make().emulator.endpoint
    session.requests.trust_env = False
    yield FacebookAdsApi(session)
    session.requests.close()


def test_the_sdks_objects_create_list_feed_and_delete(sdk: FacebookAdsApi) -> None:
    account = AdAccount("act_1", api=sdk)
    made = account.create_custom_audience(params=CREATE)
    audience = CustomAudience(made["id"], api=sdk)
    added = audience.add_users(["EMAIL"], [[digest(1)]], is_raw=True, pre_hashed=True).json()
    assert added["num_received"] == 1
    removed = audience.remove_users(["EMAIL"], [[digest(1)]], is_raw=True, pre_hashed=True).json()
    assert removed["num_received"] == 1
    listed = list(account.get_custom_audiences(fields=["id", "name"], params={"limit": 1}))
    assert [each["name"] for each in listed] == ["Regulars"]
    audience.api_delete()
    with pytest.raises(FacebookRequestError) as raised:
        audience.api_get(fields=["name"])
    assert (raised.value.api_error_code(), raised.value.api_error_subcode()) == (100, 33)


class Wind:
    """A clock that the waits move on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def person(number: int) -> Member:
    kinds = (IdentifierKind.EMAIL, IdentifierKind.PHONE)
    made = [Identifier(kind, hashlib.sha256(f"{kind}/{number}".encode()).digest()) for kind in kinds]
    return Member(bytes(16), tuple(made))


def wire(members: list[Member]) -> set[str]:
    return {f"{i.kind.name.lower()}:{i.digest.hex()}" for member in members for i in member.identifiers}


@pytest.mark.parametrize("seed", range(8))
def test_a_storm_of_faults_ends_in_exactly_the_members_of_a_calm_day(seed: int) -> None:
    kinds = (
        FaultKind.ERROR,
        FaultKind.DROP_BEFORE,
        FaultKind.DROP_AFTER,
        FaultKind.HALF_APPLY,
        FaultKind.QUOTA,
    )
    storm = FaultSchedule([Fault(kind=kind, probability=0.12, times=None) for kind in kinds], seed=seed)
    chance, wind = random.Random(seed), Wind()
    with MetaEmulator(faults=storm, clock=wind) as emulator:
        inner = MetaConnector(
            MetaOptions(account="act_1", access_token="t", endpoint=emulator.endpoint), clock=wind
        )
        policy = RetryPolicy(attempts=60, total_s=1e9)
        connector = RetryingConnector(inner, policy, stop=threading.Event(), sleep=wind.wait)
        remote_id = connector.ensure(SPEC)
        wanted: set[int] = set()
        for number in range(12):
            some = set(chance.sample(range(30), 10))
            action = chance.choice(list(Action))
            wanted = wanted | some if action is Action.ADD else wanted - some
            batch = Batch(number, remote_id, action, tuple(map(person, sorted(some))))
            assert connector.apply(batch).state is BatchState.CONFIRMED
        inner.close()
        assert len(storm.struck) > 5
        assert len(emulator.audiences()) == 1
        assert emulator.members(remote_id) == wire([person(number) for number in wanted])


def options(emulator: MetaEmulator) -> MetaOptions:
    return MetaOptions(account="act_1", access_token="t", endpoint=emulator.endpoint)


def test_a_flagged_audience_stops_alone() -> None:
    with MetaEmulator() as emulator:
        connector = MetaConnector(options(emulator))
        remote_id = connector.ensure(RemoteSpec("s1", "Diabetes care", ""))
        with pytest.raises(FatalError) as raised:
            connector.apply(Batch(1, remote_id, Action.ADD, (person(1),)))
        connector.close()
    assert raised.value.scope == "audience"
    assert "Appeal" in raised.value.cure


def test_a_full_account_is_told_and_names_what_to_do() -> None:
    with MetaEmulator() as emulator:
        for number in range(500):
            emulator.store.create("act_1", name=f"Somebody's {number}")
        connector = MetaConnector(options(emulator))
        with pytest.raises(FatalError, match="Meta allows 500") as raised:
            connector.ensure(SPEC)
        connector.close()
    assert raised.value.scope == "audience"
    assert "Delete custom audiences" in raised.value.cure


def test_removals_that_meta_refuses_for_size_stay_open() -> None:
    with MetaEmulator(rules=MetaRules(removal_floor=100)) as emulator:
        connector = MetaConnector(options(emulator))
        remote_id = connector.ensure(SPEC)
        connector.apply(Batch(1, remote_id, Action.ADD, (person(1),)))
        with pytest.raises(NotYetError) as raised:
            connector.apply(Batch(2, remote_id, Action.REMOVE, (person(1),)))
        connector.close()
        assert emulator.size(remote_id) == 1
    assert raised.value.scope == "audience"


def test_a_gateway_that_refuses_the_size_has_the_batch_split() -> None:
    page = "<html>Request Entity Too Large</html>"
    with MetaEmulator(faults=FaultSchedule([Fault(call="users.*", status=413, body=page)])) as emulator:
        connector = MetaConnector(options(emulator))
        remote_id = connector.ensure(SPEC)
        with pytest.raises(RejectedError) as raised:
            connector.apply(Batch(1, remote_id, Action.ADD, (person(1), person(2))))
        connector.close()
    assert raised.value.rows == {}


def test_unaccepted_terms_are_told_by_the_check_and_stop_the_destination() -> None:
    with MetaEmulator(rules=MetaRules(terms_accepted=False)) as emulator:
        connector = MetaConnector(options(emulator))
        assert [line.ok for line in connector.check()] == [True, False, True, True]
        with pytest.raises(FatalError) as raised:
            connector.ensure(SPEC)
        connector.close()
    assert raised.value.scope == "destination"
    assert "terms" in raised.value.cure
