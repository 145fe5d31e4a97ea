"""A small shop with everything a run needs: tables, settings, stand-ins of the platforms, the commands."""

import contextlib
import csv
import functools
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pysqlite3
import yaml
from wire import WatchedGoogle, WatchedMeta, Wire, of_google, of_meta

from cohortd import bootstrap
from cohortd.cli.entry import run
from cohortd.core.times import now_utc
from cohortd.emulators.google import GoogleRules
from cohortd.emulators.meta import MetaRules
from cohortd.pipeline import resyncing, sending

GOOGLE_ACCOUNT = "1234567890"
ADS_ACCOUNT = "2345678901"
META_ACCOUNT = "act_3456789012"
TOKEN = "canary-token-7f3a"
DESTINATIONS = ("google", "ads", "meta")
LAST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
#: Orders in 90 days, value of an order, hour of the day, category: four behaviours.
BEHAVIOURS = (
    (1, 15.0, 20, "toys"),
    (3, 120.0, 10, "tools"),
    (12, 25.0, 12, "food"),
    (20, 200.0, 18, "wine"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


@dataclass(slots=True)
class Shop:
    """Tables on disk, settings beside them, and the commands as a user calls them."""

    folder: Path
    google: WatchedGoogle
    meta: WatchedMeta
    wire: Wire
    customers: dict[str, dict[str, str]] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)
    consent: list[dict[str, str]] = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    #: How much later than now the commands believe it is.
    ahead: timedelta = timedelta()

    @property
    def config(self) -> Path:
        return self.folder / "cohortd.yaml"

    @property
    def data_dir(self) -> Path:
        return self.folder / "var"

    @property
    def database(self) -> Path:
        return self.data_dir / "cohortd.db"

    def write(self) -> None:
        """Bring the files to what the fields say."""
        write_csv(self.folder / "customers.csv", self.customers.values())
        write_csv(self.folder / "events.csv", self.events)
        write_csv(self.folder / "consent.csv", self.consent)
        self.config.write_text(yaml.safe_dump(self.settings), encoding="utf-8")

    def change(self, **changes: object) -> None:
        """Replace top-level settings, or add to them where both are tables."""
        for name, value in changes.items():
            both = isinstance(value, dict) and isinstance(self.settings.get(name), dict)
            self.settings[name] = {**self.settings[name], **value} if both else value
        self.write()

    def call(self, *arguments: str) -> Answer:
        """Call a command in this process, with ``-c`` and the settings file after its name."""
        out, err = io.StringIO(), io.StringIO()
        clock = functools.partial(_clock, self.ahead)
        opening = functools.partial(bootstrap.open_pipeline, clock=clock)
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            patch.object(bootstrap, "open_pipeline", opening),
            patch.object(sending, "RESEND_AFTER_S", 0.05),
            patch.object(resyncing, "CLOCKS_DIFFER_BY", timedelta()),
        ):
            code = run(self.line(*arguments))
        return Answer(code, out.getvalue(), err.getvalue())

    def line(self, *arguments: str) -> list[str]:
        """Write a call as the command line has it."""
        words = 2 if arguments[0] in ("log", "consent") else 1
        return [*arguments[:words], "-c", str(self.config), *arguments[words:]]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", "from cohortd.cli import main; main()", *self.line(*arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )

    def call_apart(self, *arguments: str) -> Answer:
        """Call a command in a process of its own."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return Answer(process.returncode, out, err)

    def sync(self, *arguments: str) -> Answer:
        """Sync and wait for every confirmation."""
        return self.call("sync", "--wait", "--timeout", "30", "--json", *arguments)

    def sync_until_done(self, *arguments: str, most: int = 12, minutes: int = 2) -> Answer:
        """Sync again and again, as the daemon does, until one is done; the clock runs ahead, not we."""
        for _ in range(most):
            answer = self.sync(*arguments, "--timeout", "5")
            if answer.code == 0:
                return answer
            assert answer.json["status"] == "partial", answer.out
            self.ahead += timedelta(minutes=minutes)
        raise AssertionError(answer.out)

    def held(self) -> dict[str, frozenset[str]]:
        """Remote id -> identifiers, over all platforms."""
        found = {f"google:{a.id}": self.google.identifiers(a.id) for a in self.google.audiences()}
        return found | {f"meta:{a.id}": self.meta.members(a.id) for a in self.meta.audiences()}

    def held_by_name(self) -> dict[tuple[str, str], frozenset[str]]:
        """(Account, name) -> identifiers; fails where two audiences bear one name."""
        audiences = [*self.google.audiences(), *self.meta.audiences()]
        held = {key.partition(":")[2]: value for key, value in self.held().items()}
        found = {(a.account, a.name): held[a.id] for a in audiences}
        assert len(found) == len(audiences), "an audience was created twice"
        return found

    def everything_held(self) -> set[str]:
        """Every identifier on any platform."""
        return set().union(*self.held().values()) if self.held() else set()

    def on(self, destination: str) -> set[str]:
        """Every identifier at one destination."""
        if destination == "meta":
            return set().union(*(self.meta.members(a.id) for a in self.meta.audiences()))
        account = GOOGLE_ACCOUNT if destination == "google" else ADS_ACCOUNT
        return set().union(*(self.google.identifiers(a.id) for a in self.google.audiences(account)))

    def destinations_of(self, customer: str) -> set[str]:
        """Where anything of a customer is."""
        return {name for name in DESTINATIONS if self.on(name) & self.known_of(customer, name)}

    def known_of(self, customer: str, destination: str) -> set[str]:
        """What a destination should hold of a customer."""
        row = self.customers[customer]
        return of_meta(row) if destination == "meta" else of_google(row)

    def expected(self, customers: Iterable[str], destination: str) -> set[str]:
        """What a destination should hold of several."""
        return set().union(*(self.known_of(customer, destination) for customer in customers))

    def in_ledger(self) -> dict[str, set[str]]:
        """Remote id -> identifiers that may be there, read from the ledger's file itself."""
        kinds = {1: "email", 2: "phone", 3: "address", 4: "mobile_ad_id", 5: "external_id"}
        found: dict[str, set[str]] = {}
        for remote, kind, digest in self.query(
            "SELECT r.remote_id, m.kind, m.digest FROM membership m JOIN remote r ON r.id = m.remote"
            " WHERE m.state != 4 OR m.doubt = 1"
        ):
            found.setdefault(str(remote).rpartition("/")[2], set()).add(f"{kinds[kind]}:{digest.hex()}")
        return found

    def query(self, statement: str) -> list[tuple]:
        """Ask the ledger's file."""
        with contextlib.closing(pysqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(statement).fetchall()

    def unknown_to_ledger(self) -> dict[str, set[str]]:
        """What is on a platform and not in the ledger: nothing, ever.

        The ledger is read before and after, since other batches may be under way beside: what one of
        them adds in between was written down after the first look, what it removes is gone at the second.
        """
        before = self.in_ledger() if self.database.exists() else {}
        held = {remote.partition(":")[2]: set(found) for remote, found in self.held().items()}
        after = self.in_ledger() if self.database.exists() else {}
        unknown = {r: found - before.get(r, set()) - after.get(r, set()) for r, found in held.items()}
        return {remote: found for remote, found in unknown.items() if found}


def _clock(ahead: timedelta) -> datetime:
    return now_utc() + ahead


@contextlib.contextmanager
def open_shop(
    folder: Path,
    *,
    customers: int = 480,
    delay_s: float = 0.0,
    removal_floor: int = 0,
    replaces_small: bool = True,
    platforms: Path | None = None,
    **changes: object,
) -> Iterator[Shop]:
    """Open a shop in *folder*.

    Args:
        delay_s: How long Google takes to do what it accepted.
        removal_floor: Meta removes nobody from an audience with fewer people.
        replaces_small: Whether it replaces the members of one.
        platforms: Where the platforms keep what they know; in memory alone if left out.
        changes: Replace top-level settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wire = Wire()
    rules = GoogleRules(minimum_served=1, delay_s=delay_s)
    watched = MetaRules(removal_floor=removal_floor, replaces_small=replaces_small)
    opened: list[Shop] = []
    clock = lambda: _clock(opened[0].ahead if opened else timedelta())  # noqa: E731 - a clock
    with (
        WatchedGoogle(wire, rules=rules, clock=clock, folder=platforms and platforms / "google") as google,
        WatchedMeta(wire, rules=watched, clock=clock, folder=platforms and platforms / "meta") as meta,
    ):
        shop = Shop(folder, google, meta, wire)
        opened.append(shop)
        shop.settings = {**_settings(google, meta), **changes}
        _people(shop, customers)
        shop.write()
        yield shop


def _settings(google: WatchedGoogle, meta: WatchedMeta) -> dict:
    poll = {"first_s": 0.02, "factor": 1.3, "max_s": 0.2}
    return {
        "log_level": "error",
        "sources": {
            "customers": {"path": "customers.csv"},
            "events": {"path": "events.csv"},
            "consent": {"path": "consent.csv"},
        },
        "segmentation": {"k": 4},
        "identity": {"default_region": "US"},
        "audiences": {"minimum_size": 10, "minimum_share": 0.0},
        "destinations": [
            {
                "name": "google",
                "platform": "google_data_manager",
                "account_id": GOOGLE_ACCOUNT,
                "endpoint": google.grpc_endpoint,
                "poll": poll,
                "retry": {"attempts": 3, "first_s": 0.01, "max_s": 0.05},
            },
            {
                "name": "ads",
                "platform": "google_ads",
                "account_id": ADS_ACCOUNT,
                "endpoint": google.grpc_endpoint,
                "poll": poll,
                "retry": {"attempts": 3, "first_s": 0.01, "max_s": 0.05},
            },
            {
                "name": "meta",
                "platform": "meta",
                "ad_account_id": META_ACCOUNT,
                "access_token": TOKEN,
                "endpoint": meta.endpoint,
                "retry": {"attempts": 3, "first_s": 0.01, "max_s": 0.05},
            },
        ],
    }


def _people(shop: Shop, count: int) -> None:
    """Make *count* customers, a quarter of each behaviour, all with consent."""
    for number in range(count):
        add_customer(shop, number)


def add_customer(shop: Shop, number: int, *, behaviour: int | None = None) -> str:
    """Make one more customer, with consent; the number says who, and how they behave."""
    customer = f"c{number:05d}"
    areas = (415, 212, 310, 617, 305, 206, 312, 404, 602, 702)  # nobody shares a number with another
    area = areas[number // 100]
    shop.customers[customer] = {
        "customer_id": customer,
        "email": f"canary.person{number}@example.com",
        "phone": f"+1{area}5550{number % 100 + 100:03d}" if number % 3 else "",
        "first_name": f"Canaryfirst{number}",
        "last_name": f"Canarylast{number}",
        "postal_code": "94105",
        "country": "US",
    }
    shop.consent.append(grant(customer))
    chance = random.Random(number)
    orders, value, hour, category = BEHAVIOURS[number % len(BEHAVIOURS) if behaviour is None else behaviour]
    for order in range(orders):
        at = LAST_DAY - timedelta(days=chance.uniform(0, 89), hours=24 - hour)
        shop.events.append(
            {
                "customer_id": customer,
                "occurred_at": at.isoformat(),
                "value": f"{value * chance.uniform(0.8, 1.2):.2f}",
                "order_id": f"{customer}-{order}",
                "category": category,
            }
        )
    return customer


def grant(
    customer: str, at: str = "2025-01-01T00:00:00Z", status: str = "granted", **more: str
) -> dict[str, str]:
    """Write one consent record."""
    row = {"customer_id": customer, "status": status, "recorded_at": at, "purpose": "advertising"}
    return row | more


def write_csv(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows under the names of all of them."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["customer_id"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=names, restval="")
        writer.writeheader()
        writer.writerows(rows)
