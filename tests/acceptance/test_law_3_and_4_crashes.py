"""Laws 3 and 4: the ledger knows what may be on a platform at every instant, and nothing is ever lost."""

import os
import random
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from shop import ADS_ACCOUNT, Shop, add_customer, grant, open_shop

from cohortd.emulators.faults import Fault, FaultKind

#: Kills a scenario; more for a night: COHORTD_KILLS=100 pytest tests/acceptance/test_law_3_and_4_crashes.py
KILLS = int(os.environ.get("COHORTD_KILLS", "4"))
SEED = int(os.environ.get("COHORTD_KILLS_SEED", "11"))
#: Where in a call the process dies: before it has an effect, before its answer comes, soon after.
MOMENTS = ("unheard", "unanswered", "later")
#: Calls that the platforms see in an undisturbed run of each scenario, at least.
CALLS = {"first": 60, "change": 30}


def _change(shop: Shop) -> None:
    """Some leave, some come, some have another address, some take consent back."""
    shop.change(guards={"removed_share": 1.0, "moved_share": 1.0, "source_drop": 1.0})
    ids = list(shop.customers)
    for customer in ids[:24]:
        del shop.customers[customer]
    shop.events = [row for row in shop.events if row["customer_id"] in shop.customers]
    for customer in ids[24:36]:
        shop.customers[customer]["email"] = f"canary.new.{customer}@example.com"
    for customer in ids[36:48]:
        shop.consent.append(grant(customer, "2026-02-01T00:00:00Z", "revoked"))
    for number in range(480, 496):
        add_customer(shop, number)
    shop.write()


@contextmanager
def _prepared(folder: Path, scenario: str) -> Iterator[Shop]:
    with open_shop(folder, delay_s=0.05) as shop:
        if scenario == "change":
            assert shop.sync().code == 0
            _change(shop)
        shop.wire.messages.clear()
        yield shop


@pytest.fixture(scope="module", params=["first", "change"])
def undisturbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[tuple[str, str], frozenset[str]]]:
    """A scenario, and what the platforms hold after it when nothing goes wrong."""
    with _prepared(tmp_path_factory.mktemp("undisturbed"), request.param) as shop:
        assert shop.sync().code == 0
        return request.param, shop.held_by_name()


@dataclass
class Killer:
    """Kills a process at its n-th call to any platform."""

    shop: Shop
    process: "subprocess.Popen[str]"
    call: int
    moment: str
    wait_s: float
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, _name: str, _text: str) -> None:
        with self._lock:
            self._seen += 1
            if self._seen != self.call:
                return
        if self.moment == "later":
            threading.Timer(self.wait_s, self.process.kill).start()
            return
        self.process.kill()
        if self.moment == "unheard":
            for stand_in in (self.shop.google, self.shop.meta):
                stand_in.faults.add(Fault(kind=FaultKind.DROP_BEFORE))


def _killed(shop: Shop, chance: random.Random, *, most: int) -> None:
    """Run a sync that dies at a chosen call, and see that the ledger knows everything there is."""
    process = shop.start("sync", "--wait", "--timeout", "30", "--json")
    killer = Killer(
        shop, process, chance.randint(1, most), chance.choice(MOMENTS), wait_s=chance.uniform(0, 0.03)
    )
    shop.wire.before = killer.before
    process.communicate(timeout=60)
    shop.wire.before = None
    shop.wire.wait_idle()
    for stand_in in (shop.google, shop.meta):
        stand_in.faults.clear()
    assert process.returncode in (-9, 0)
    assert shop.unknown_to_ledger() == {}


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_sync_leaves_nothing_unknown_and_the_next_one_ends_where_an_undisturbed_one_does(
    undisturbed: tuple[str, dict[tuple[str, str], frozenset[str]]], tmp_path: Path, kill: int
) -> None:
    scenario, wanted = undisturbed
    chance = random.Random(f"{SEED} {scenario} {kill}")
    with _prepared(tmp_path / "shop", scenario) as shop:
        _killed(shop, chance, most=CALLS[scenario])
        if kill % 4 == 3:  # and once more, while it recovers
            _killed(shop, chance, most=CALLS[scenario] // 2)
        answer = shop.sync_until_done()

        assert answer.code == 0
        assert shop.held_by_name() == wanted
        assert shop.unknown_to_ledger() == {}
        assert shop.call("log", "verify").code == 0


#: Whatever somebody waits for the answer of; what Google accepted it processes later, unasked.
ANY = "*[!g]"
PROCESSING = "*.processing"
TROUBLES = {
    "Google processes but a half": [
        Fault(call=PROCESSING, kind=FaultKind.HALF_APPLY, probability=0.5, times=10)
    ],
    "Google processes nothing": [Fault(call=PROCESSING, kind=FaultKind.ERROR, probability=0.5, times=10)],
    "Google fails for a reason nobody knows": [
        Fault(call=PROCESSING, kind=FaultKind.HALF_APPLY, share=0.0, code="NEW", times=4)
    ],
    "Google works in no order": [
        Fault(call=PROCESSING, kind=FaultKind.LATE, delay_s=0.4, probability=0.5, times=10)
    ],
    "other changes are under way": [
        Fault(call="dm.*[!g]", status="ABORTED", probability=0.5, times=2),
        Fault(
            call="ads.jobs.*",
            status="INVALID_ARGUMENT",
            code="database_error.CONCURRENT_MODIFICATION",
            probability=0.5,
            times=2,
        ),
        Fault(call="users.*", status=400, code=2650, subcode=1870145, probability=0.5, times=2),
    ],
    "a day's quota is used up": [
        Fault(call="dm.audience_members.*", kind=FaultKind.QUOTA, code="PerDay", retry_after_s=0),
        Fault(call="ads.jobs.*", status="RESOURCE_EXHAUSTED", code="quota_error.RESOURCE_EXHAUSTED"),
        Fault(call="users.*", status=400, code=368),
    ],
    "terms and permissions are taken back for a while": [
        Fault(call="dm.*[!g]", status="PERMISSION_DENIED", after=3),
        Fault(
            call="ads.jobs.create",
            status="INVALID_ARGUMENT",
            code="offline_user_data_job_error.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS",
        ),
        Fault(call="users.*", status=403, code=200, subcode=1870034, after=1, times=2),
    ],
    "answers say nothing of what was done": [
        Fault(call="users.*", status=200, body="<html>Welcome</html>", probability=0.5, times=3),
        Fault(call="users.*", status=200, body="{}", probability=0.5, times=3),
    ],
    "answers are lost": [Fault(call=ANY, kind=FaultKind.DROP_AFTER, probability=0.3, times=10)],
    "connections break": [Fault(call=ANY, kind=FaultKind.DROP_BEFORE, probability=0.3, times=10)],
    "batches are half applied": [Fault(call=ANY, kind=FaultKind.HALF_APPLY, probability=0.5, times=10)],
    "the platforms are overloaded": [Fault(call=ANY, status=503, probability=0.4, times=10)],
    "a proxy answers": [Fault(call=ANY, status=502, body="<html>no</html>", times=5)],
    "the quota is used up": [Fault(call=ANY, kind=FaultKind.QUOTA, after=5, times=2)],
    "the token expires": [Fault(call=ANY, kind=FaultKind.TOKEN_EXPIRED, after=10, times=2)],
    "batches are refused whole and no row is named": [
        Fault(call="dm.audience_members.*", status="INVALID_ARGUMENT", times=2),
        Fault(
            call="ads.jobs.add", status="INVALID_ARGUMENT", code="database_error.REQUEST_TOO_LARGE", times=2
        ),
        Fault(call="users.*", status=400, code=100, times=2),
    ],
    "everything at once": [
        Fault(call=ANY, kind=FaultKind.DROP_AFTER, probability=0.1, times=4),
        Fault(call=ANY, kind=FaultKind.HALF_APPLY, probability=0.1, times=4),
        Fault(call=ANY, status=503, probability=0.1, times=4),
        Fault(call=ANY, kind=FaultKind.DROP_BEFORE, probability=0.1, times=4),
        Fault(call=PROCESSING, kind=FaultKind.HALF_APPLY, probability=0.3, times=4),
    ],
}


@pytest.mark.parametrize("undisturbed", ["change"], indirect=True)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_ledger_knows_everything_after_every_single_call_and_all_ends_well_although(
    undisturbed: tuple[str, dict[tuple[str, str], frozenset[str]]], tmp_path: Path, trouble: str
) -> None:
    scenario, wanted = undisturbed
    unknown: list[dict[str, set[str]]] = []
    with _prepared(tmp_path / "shop", scenario) as shop:
        for stand_in in (shop.google, shop.meta):
            for fault in TROUBLES[trouble]:
                stand_in.faults.add(fault)
        for destination in shop.settings["destinations"]:
            destination["retry"] = {"attempts": 1}
        shop.write()
        shop.wire.after = lambda _name: unknown.append(shop.unknown_to_ledger())
        shop.sync_until_done(most=30, minutes=15)
        struck = len(shop.google.faults.struck) + len(shop.meta.faults.struck)

        assert struck > 0
        assert [each for each in unknown if each] == []
        assert shop.held_by_name() == wanted


def _lists_of_new_jobs(shop: Shop) -> list[str]:
    return [
        re.findall(r"userLists/(\d+)", text)[0]
        for name, text in shop.wire.messages
        if name == "ads.jobs.create"
    ]


def test_no_second_job_is_made_for_an_add_while_one_whose_answer_was_lost_is_at_work(
    tmp_path: Path,
) -> None:
    with open_shop(tmp_path / "shop", delay_s=3600) as shop:
        for destination in shop.settings["destinations"]:
            destination["retry"] = {"attempts": 1}
        shop.write()
        run = "ads.jobs.run"
        shop.google.faults.add(Fault(call=run, kind=FaultKind.DROP_AFTER))
        shop.google.faults.add(Fault(call=run, kind=FaultKind.DROP_BEFORE, times=None))
        shop.call("sync", "--json")
        shop.google.faults.clear()
        at_work = _lists_of_new_jobs(shop)[0]
        shop.wire.messages.clear()
        shop.ahead += timedelta(minutes=2)
        answer = shop.call("sync", "--json")  # nothing but the ledger is known to it
        others = {audience.id for audience in shop.google.audiences(ADS_ACCOUNT)} - {at_work}

        assert set(_lists_of_new_jobs(shop)) == others
        assert [n for n in answer.json["notes"] if "still at work on an earlier upload" in n], answer.out
        assert shop.on("meta") == shop.expected(shop.customers, "meta")
