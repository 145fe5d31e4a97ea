"""A year of weeks: the commands themselves, over real files, against the stand-ins, on a virtual clock.

Every week the tables change, somebody takes consent back, the platforms misbehave, some weeks the process
is killed at a call, or a table arrives cut in half. Every week ends with every law.
"""

import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.evidence.records import ROOT, BrokenLawError, Outcome, Progress, quick_folder

sys.path.insert(0, str(ROOT / "tests" / "acceptance"))  # where the shop and its wire are

from shop import DESTINATIONS, Shop, add_customer, grant, open_shop

from cohortd.core.times import format_time, now_utc
from cohortd.emulators.faults import Fault, FaultKind

CUSTOMERS: Final = 240
#: Whatever somebody waits for the answer of; what Google accepted it processes later, unasked.
ANY: Final = "*[!g]"
FAULTS: Final = {
    "answers lost": Fault(call=ANY, kind=FaultKind.DROP_AFTER, probability=0.3, times=4),
    "connections broken": Fault(call=ANY, kind=FaultKind.DROP_BEFORE, probability=0.3, times=4),
    "batches half applied": Fault(call=ANY, kind=FaultKind.HALF_APPLY, probability=0.5, times=4),
    "halves processed": Fault(call="*.processing", kind=FaultKind.HALF_APPLY, probability=0.5, times=3),
    "overloaded": Fault(call=ANY, status=503, probability=0.4, times=4),
    "quota used up": Fault(call=ANY, kind=FaultKind.QUOTA, after=5, times=1),
    "token expired": Fault(call=ANY, kind=FaultKind.TOKEN_EXPIRED, after=5, times=1),
}
#: A process whose clock goes ahead: seconds, then the command.
_AHEAD: Final = """
import functools, sys
from datetime import timedelta
from cohortd import bootstrap
from cohortd.cli.entry import run
from cohortd.core.times import now_utc
ahead = timedelta(seconds=float(sys.argv[1]))
bootstrap.open_pipeline = functools.partial(bootstrap.open_pipeline, clock=lambda: now_utc() + ahead)
sys.exit(run(sys.argv[2:]))
"""
_EVERY_KILL: Final = 4
_EVERY_HALF_TABLE: Final = 13
_EVERY_RECLUSTERING: Final = 6
#: As many as leave and take consent back: an audience below its platform's floor would get nobody new.
_COME: Final = 6
_MOST_CALLS: Final = 12


@dataclass(slots=True)
class Year:
    """The shop, what it lived through, who took consent back."""

    shop: Shop
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    revoked: set[str] = field(default_factory=set)
    next_number: int = CUSTOMERS
    unknown: list[dict[str, set[str]]] = field(default_factory=list)


def soak(*, runs: int | None, seed: int, progress: Progress) -> Outcome:
    """Live through so many weeks, 52 unless told otherwise.

    Raises:
        BrokenLawError: A law was broken.
    """
    weeks = runs or 52
    with (
        tempfile.TemporaryDirectory(dir=quick_folder()) as name,
        open_shop(Path(name) / "shop", customers=CUSTOMERS) as shop,
    ):
        for destination in shop.settings["destinations"]:
            destination["retry"] = {"attempts": 1}
            destination["concurrency"] = 1  # the same seed, the same year
        shop.write()
        year = Year(shop, random.Random(seed))
        shop.wire.after = lambda _: year.unknown.append(shop.unknown_to_ledger())
        for week in range(weeks):
            _live_a_week(year, week)
            progress(week + 1, weeks, f"{year.counts['faults that struck']} faults")
    return Outcome(runs=weeks, counts={"weeks": weeks, **dict(sorted(year.counts.items()))})


def _live_a_week(year: Year, week: int) -> None:
    shop = year.shop
    shop.ahead += timedelta(days=7)
    if week:
        _change_tables(year)
    if week % _EVERY_HALF_TABLE == _EVERY_HALF_TABLE - 1:
        _halve_table(year)
    if week:
        _revoke_by_command(year)
    _misbehave(year)
    if week % _EVERY_KILL == 1:
        _kill(year)
    if week % _EVERY_RECLUSTERING == _EVERY_RECLUSTERING - 1:
        shop.call("recluster", "--force", "--json")
        year.counts["re-clusterings"] += 1
    shop.sync_until_done(most=40, minutes=20)
    _forgive(year)
    # Adds whose answers were lost cannot land any more a day later; their removals are repeated then.
    shop.ahead += timedelta(hours=25)
    shop.sync_until_done(most=10, minutes=20)
    _check(year, f"week {week + 1}")


def _change_tables(year: Year) -> None:
    """Somebody leaves, comes, has another address, takes consent back, or gives it again."""
    shop, chance = year.shop, year.chance
    now = now_utc() + shop.ahead
    staying = [customer for customer in shop.customers if customer not in year.revoked]
    for customer in chance.sample(staying, 3):
        del shop.customers[customer]
    shop.events = [row for row in shop.events if row["customer_id"] in shop.customers]
    staying = [customer for customer in staying if customer in shop.customers]
    for customer in chance.sample(staying, 3):
        shop.customers[customer]["email"] = f"canary.{customer}.{year.counts['moves']}@example.com"
        year.counts["moves"] += 1
    for _ in range(_COME):
        add_customer(shop, year.next_number)
        year.next_number += 1
    for customer in chance.sample(staying, 2):
        shop.consent.append(grant(customer, format_time(now), "revoked"))
        year.revoked.add(customer)
        year.counts["revocations"] += 1
    if year.revoked and chance.random() < 0.5:
        customer = chance.choice(sorted(year.revoked))
        shop.consent.append(grant(customer, format_time(now + timedelta(seconds=1))))
        year.revoked.discard(customer)
        year.counts["grants"] += 1
    shop.ahead += timedelta(minutes=1)
    shop.write()


def _revoke_by_command(year: Year) -> None:
    """Whoever revokes by the command is recorded whatever the platforms answer."""
    allowed = sorted(set(year.shop.customers) - year.revoked)
    customer = year.chance.choice(allowed)
    answer = year.shop.call("revoke", "--customer", customer, "--json")
    if answer.code not in (0, 1):
        raise BrokenLawError(f"law 2: a revocation was not recorded: {answer.out}{answer.err}")
    year.revoked.add(customer)
    year.counts["revocations"] += 1


def _halve_table(year: Year) -> None:
    """A table that arrives cut in half stops the sync, and nobody leaves but who takes consent back."""
    shop = year.shop
    whole = dict(shop.customers)
    before = shop.everything_held()
    shop.customers = dict(list(whole.items())[: len(whole) // 2])
    shop.write()
    answer = shop.sync()
    shop.customers = whole
    shop.write()
    taken_back = _carried(year, year.revoked)
    if answer.code != 3 or before - shop.everything_held() - taken_back:
        raise BrokenLawError(f"law 9: half a table was taken for the truth: {answer.out}{answer.err}")
    year.counts["tables cut in half, stopped by a guard"] += 1


def _misbehave(year: Year) -> None:
    for stand_in in (year.shop.google, year.shop.meta):
        name = year.chance.choice(list(FAULTS))
        stand_in.faults.add(FAULTS[name])


def _forgive(year: Year) -> None:
    stand_ins = (year.shop.google, year.shop.meta)
    for stand_in in stand_ins:
        stand_in.faults.clear()
    year.counts["faults that struck"] = sum(len(each.faults.struck) for each in stand_ins)


def _kill(year: Year) -> None:
    """Run a sync that dies at a call of its own."""
    shop = year.shop
    command = [sys.executable, "-W", "ignore", "-c", _AHEAD, str(shop.ahead.total_seconds())]
    line = shop.line("sync", "--wait", "--timeout", "1", "--json")
    process = subprocess.Popen([*command, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    left = [year.chance.randint(1, _MOST_CALLS)]
    guard = threading.Lock()

    def strike(_name: str, _text: str) -> None:
        with guard:
            left[0] -= 1
            if left[0] == 0:
                process.kill()

    shop.wire.before = strike
    process.communicate(timeout=300)
    shop.wire.before = None
    shop.wire.wait_idle()
    year.counts["processes killed"] += process.returncode == -9


def _check(year: Year, week: str) -> None:
    """Laws 2 to 4, 7 and 8, of what the platforms hold now."""
    shop = year.shop
    broken = [each for each in year.unknown if each]
    if broken or shop.unknown_to_ledger():
        raise BrokenLawError(f"law 3: the ledger did not know everybody, {week}")
    allowed = set(shop.customers) - year.revoked
    for destination in DESTINATIONS:
        held = shop.on(destination)
        if held & _carried(year, year.revoked & set(shop.customers), destination) - shop.expected(
            allowed, destination
        ):
            raise BrokenLawError(f"law 2: {destination} holds somebody who took consent back, {week}")
        if held != shop.expected(allowed, destination):
            raise BrokenLawError(
                f"law 4: {destination} does not hold exactly who is desired, {week}:"
                f" {_difference(shop, held, shop.expected(allowed, destination))}"
            )
    if shop.call("log", "verify").code != 0:
        raise BrokenLawError(f"law 7: the removal log does not verify, {week}")
    shop.wire.messages.clear()
    if shop.sync().code != 0 or shop.wire.sent():
        raise BrokenLawError(f"law 8: a second sync had work to do, {week}")
    year.unknown.clear()


def _difference(shop: Shop, held: set[str], wanted: set[str]) -> str:
    """Say what there is too much or too little, and what the ledger knows of it."""
    told = []
    for word, found in (("there though not desired", held - wanted), ("missing", wanted - held)):
        for identifier in sorted(found):
            kind, _, digest = identifier.partition(":")
            rows = shop.query(
                "SELECT remote, state, batch, added_at, sent_at, doubt, reason FROM membership"
                f" WHERE hex(digest) = '{digest.upper()}'"
            )
            told.append(f"{word}: {kind} {digest[:8]}, in the ledger (remote, state, batch, ...) {rows}")
    return "; ".join(told)


def _carried(year: Year, customers: set[str], *destinations: str) -> set[str]:
    shop = year.shop
    known = [customer for customer in customers if customer in shop.customers]
    return set().union(*(shop.expected(known, each) for each in destinations or DESTINATIONS))
