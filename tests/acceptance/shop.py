"""A small shop with everything a run needs: tables, settings, stand-ins of the platforms, the commands."""

import contextlib
import csv
import io
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from cohortd.cli.entry import run
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from cohortd.emulators.meta import MetaEmulator

GOOGLE_ACCOUNT = "1234567890"
ADS_ACCOUNT = "2345678901"
META_ACCOUNT = "act_3456789012"
LAST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
#: Orders in 90 days, value of an order, hour of the day, category: four behaviours.
BEHAVIOURS = ((1, 15.0, 20, "toys"), (3, 120.0, 10, "tools"), (12, 25.0, 12, "food"), (20, 200.0, 18, "wine"))


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
    google: GoogleEmulator
    meta: MetaEmulator
    customers: dict[str, dict[str, str]] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)
    consent: list[dict[str, str]] = field(default_factory=list)
    settings: dict = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "cohortd.yaml"

    @property
    def data_dir(self) -> Path:
        return self.folder / "var"

    def write(self) -> None:
        """Bring the files to what the fields say."""
        _write_csv(self.folder / "customers.csv", self.customers.values())
        _write_csv(self.folder / "events.csv", self.events)
        _write_csv(self.folder / "consent.csv", self.consent)
        self.config.write_text(yaml.safe_dump(self.settings), encoding="utf-8")

    def call(self, *arguments: str) -> Answer:
        """Call a command in this process, with ``-c`` and the settings file after its name."""
        out, err = io.StringIO(), io.StringIO()
        words = 2 if arguments[0] in ("log", "consent") else 1
        line = [*arguments[:words], "-c", str(self.config), *arguments[words:]]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(line)
        return Answer(code, out.getvalue(), err.getvalue())

    def sync(self, *arguments: str) -> Answer:
        """Sync and wait for every confirmation."""
        return self.call("sync", "--wait", "--timeout", "30", "--json", *arguments)

    def held(self) -> dict[str, frozenset[str]]:
        """Remote id -> identifiers, over all platforms."""
        found = {f"google:{a.id}": self.google.identifiers(a.id) for a in self.google.audiences()}
        return found | {f"meta:{a.id}": self.meta.members(a.id) for a in self.meta.audiences()}

    def everything_held(self) -> set[str]:
        """Every identifier on any platform."""
        return set().union(*self.held().values()) if self.held() else set()

    def segments(self) -> Mapping[str, set[str]]:
        """Remote id -> identifiers, without empty audiences."""
        return {remote: set(held) for remote, held in self.held().items() if held}


@contextlib.contextmanager
def open_shop(folder: Path, *, customers: int = 480, **changes: object) -> Iterator[Shop]:
    """Open a shop in *folder*; *changes* replace top-level settings."""
    folder.mkdir(parents=True, exist_ok=True)
    with GoogleEmulator(rules=GoogleRules(minimum_served=1)) as google, MetaEmulator() as meta:
        shop = Shop(folder, google, meta)
        shop.settings = {**_settings(google, meta), **changes}
        _people(shop, customers)
        shop.write()
        yield shop


def _settings(google: GoogleEmulator, meta: MetaEmulator) -> dict:
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
                "access_token": "canary-token-7f3a",
                "endpoint": meta.endpoint,
                "retry": {"attempts": 3, "first_s": 0.01, "max_s": 0.05},
            },
        ],
    }


def _people(shop: Shop, count: int) -> None:
    """Make *count* customers, a quarter of each behaviour, all with consent."""
    chance = random.Random(7)
    for number in range(count):
        customer = f"c{number:05d}"
        orders, value, hour, category = BEHAVIOURS[number % len(BEHAVIOURS)]
        shop.customers[customer] = {
            "customer_id": customer,
            "email": f"canary.person{number}@example.com",
            "phone": f"+1415555{number % 100 + 100:04d}" if number % 3 else "",
            "first_name": f"Canaryfirst{number}",
            "last_name": f"Canarylast{number}",
            "postal_code": "94105",
            "country": "US",
        }
        shop.consent.append(grant(customer))
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


def grant(customer: str, at: str = "2025-01-01T00:00:00Z", status: str = "granted") -> dict[str, str]:
    """Write one consent record."""
    return {"customer_id": customer, "status": status, "recorded_at": at, "purpose": "advertising"}


def _write_csv(path: Path, rows: object) -> None:
    rows = list(rows)  # type: ignore[call-overload]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["customer_id"])
        writer.writeheader()
        writer.writerows(rows)
