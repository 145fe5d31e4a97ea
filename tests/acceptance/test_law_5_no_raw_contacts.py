"""Law 5: no raw contact data beyond identity, and hashes by their first eight digits only."""

import io
import logging
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from shop import DESTINATIONS, TOKEN, Shop, grant, open_shop, write_csv
from wire import sha256

from cohortd.emulators.faults import Fault, FaultKind

#: Values that are raw whoever they are of; phones and digests come from the customers themselves.
MARKS = ("canary", "1985-07-13", "Kanarienweg")
#: Orders to a database, a terminal, a page, a spreadsheet and a template.
ORDERS = "'; DROP TABLE run; --\x1b[31m\x07<script>alert(1)</script>=1+1{{7*7}}%s"
LEDGER = ("cohortd.db: ", "cohortd.db-wal: ")


@dataclass
class Cycle:
    """Everything a shop said and left behind in a life with all its troubles."""

    shop: Shop
    people: list[dict[str, str]]
    said: list[str] = field(default_factory=list)
    staged: list[str] = field(default_factory=list)
    #: The removal log as pages.
    exports: list[str] = field(default_factory=list)

    def call(self, *arguments: str) -> None:
        answer = self.shop.call(*arguments)
        self.said += [answer.out, answer.err]

    def secrets(self) -> list[str]:
        """Raw values and whole digests that nobody may see."""
        found = [*MARKS, TOKEN]
        for row in self.people:
            raw = [row["email"], row["phone"], row["phone"][1:], row["phone"][2:]]
            hashed = [row["email"], row["phone"], row["phone"][1:], row["first_name"].lower()]
            found += [value for value in raw if value]
            found += [sha256(value) for value in [*hashed, row["last_name"].lower()] if value]
        found += [b64encode(bytes.fromhex(one)).decode() for one in found if _is_digest(one)]
        return list(dict.fromkeys(found))


def _first_syncs(cycle: Cycle) -> None:
    """Looks before, then syncs through everything that goes wrong at a platform."""
    cycle.call("check")
    cycle.call("plan")
    for stand_in in (cycle.shop.google, cycle.shop.meta):
        email = cycle.people[0]["email"]
        stand_in.faults.add(Fault(call="*[!g]", kind=FaultKind.DROP_AFTER, after=9, times=2))
        stand_in.faults.add(Fault(call="*[!g]", status=502, body=f"<p>{email}</p>", times=2))
        stand_in.faults.add(Fault(call="*.processing", code="INTERNAL_ERROR", times=1))
    for _ in range(3):
        cycle.call("run", "--once", "--wait", "--timeout", "30")


def _revocations(cycle: Cycle) -> None:
    """In every way, some of them mistaken."""
    shop, (first, second, third) = cycle.shop, cycle.people[:3]
    cycle.call("revoke", "--customer", first["customer_id"], "--reason", f"{first['email']} called")
    cycle.call("revoke", "--email", second["email"], "--json")
    cycle.call("revoke", "--phone", second["phone"])
    cycle.call("revoke", "--email", "canary.nobody@")
    cycle.call("revoke", "--customer", ORDERS, "--reason", ORDERS)
    cycle.call("revoke", "--phone", "canary 12")
    shop.consent.append(
        {"email": third["email"], "status": "revoked", "recorded_at": "2026-02-01T00:00:00Z"}
        | {"source": ORDERS, "regulation": ORDERS}
    )
    shop.consent.append(grant("canary@example.com"))
    shop.customers["c00010"]["email"] = "canary broken mail"
    shop.customers["c00013"]["phone"] = "canary 5550"
    shop.write()
    cycle.call("sync", "--wait", "--timeout", "30")
    file = shop.folder / "import.csv"
    write_csv(file, [{"email": "canary(at)example.com", "status": "revoked", "recorded_at": "canary day"}])
    cycle.call("consent", "import", str(file))


def _mistakes(cycle: Cycle) -> None:
    """An expired token, and tables with contact data where none belongs."""
    shop = cycle.shop
    shop.meta.faults.add(Fault(kind=FaultKind.TOKEN_EXPIRED, times=None))
    cycle.call("sync", "--json")
    cycle.call("check", "--json")
    shop.meta.faults.clear()
    for bad in ('"canary.open@example.com\n', "canary@x.com" + 7 * ",canary" + "\n"):
        with (shop.folder / "customers.csv").open("a") as table:
            table.write(99 * bad)
        cycle.call("sync", "--json")
        cycle.call("check")
    for table in ("customers", "consent"):
        shop.write()
        file = shop.folder / f"{table}.csv"
        file.write_text(file.read_text().partition("\n")[2])  # the first row for a header
        cycle.call("sync", "--json")
        cycle.call("check")
    shop.customers["canary@example.com"] = {**cycle.people[2], "customer_id": "canary@example.com"}
    shop.write()
    cycle.call("plan", "--json")
    del shop.customers["canary@example.com"]
    shop.write()


def _looks(cycle: Cycle) -> None:
    """Every command that tells something."""
    first, second, third = cycle.people[:3]
    for kind, value in (
        ("--email", second["email"]),
        ("--customer", first["customer_id"]),
        ("--phone", third["phone"]),
        ("--customer", ORDERS),
    ):
        cycle.call("trace", kind, value)
        cycle.call("trace", kind, value, "--json")
    for form in ("csv", "jsonl", "html"):
        cycle.call("log", "export", "--format", form)
    cycle.exports.append(cycle.said[-2])
    for line in ("log show", "log verify", "audiences", "runs", "status", "recluster --force"):
        cycle.call(*line.split(), "--json")
        cycle.call(*line.split())


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cycle]:
    """A shop's whole life at the chattiest log level, once for all tests of this file."""
    logs = logging.StreamHandler(written := io.StringIO())
    logging.getLogger().addHandler(logs)
    with open_shop(tmp_path_factory.mktemp("life"), log_level="debug") as shop:
        for row in shop.customers.values():
            row |= {"birth_date": "1985-07-13", "gender": "f", "city": "Canarycity", "state": "CA"}
            row |= {"street": "Kanarienweg 5", "note": "canary note"}
        shop.write()
        found = Cycle(shop, [dict(shop.customers[f"c{n:05d}"]) for n in (1, 2, 4, 5, 7, 8, 10, 11, 13)])
        once = threading.Lock()

        def look_at_staged(name: str, _text: str) -> None:
            if name == "audiences.create" and once.acquire(blocking=False):
                found.staged += _texts(shop.data_dir / "work")

        shop.wire.before = look_at_staged
        for part in (_first_syncs, _revocations, _mistakes, _looks):
            part(found)
        found.said.append(written.getvalue())
        yield found
    logging.getLogger().removeHandler(logs)


def _texts(folder: Path) -> list[str]:
    """What files say: Parquet by its cells (its pages are compressed), others byte by byte."""
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.suffix == ".parquet":
            table = pq.read_table(file)
            found.append(f"{file.name}: {table.schema}\n{table.to_pylist()}")
        else:
            found.append(f"{file.name}: {file.read_bytes().decode('latin-1')}")
    return found


def _seen_in(secrets: list[str], texts: list[str]) -> list[tuple[str, str]]:
    lowered = [text.lower() for text in texts]
    return [(secret, text[:40]) for secret in secrets for text in lowered if secret.lower() in text]


def test_the_life_was_a_full_one(cycle: Cycle) -> None:
    said = "\n".join(cycle.said)

    assert [len(cycle.shop.google.audiences()), len(cycle.shop.meta.audiences())] == [8, 4]
    assert cycle.shop.destinations_of("c00016") == set(DESTINATIONS)
    assert [c for c in ("c00001", "c00002", "c00004") if cycle.shop.destinations_of(c)] == []
    assert len(cycle.staged) >= 2
    assert all(word in said for word in ("batch_sent", "confirmed", "guard", "left out", "unaltered"))
    assert list((cycle.shop.data_dir / "reports").glob("*.html"))


def test_nothing_raw_and_no_whole_digest_is_said(cycle: Cycle) -> None:
    assert _seen_in(cycle.secrets(), cycle.said) == []


def test_nothing_raw_and_no_whole_digest_is_in_any_file_but_the_ledger(cycle: Cycle) -> None:
    texts = [text for text in _texts(cycle.shop.data_dir) if not text.startswith("cohortd.db")]

    assert len(texts) > 5
    assert _seen_in(cycle.secrets(), texts) == []


def test_no_order_in_a_text_is_carried_out(cycle: Cycle) -> None:
    said = "\n".join(cycle.said)
    pages = [path.read_text(encoding="utf-8") for path in cycle.shop.data_dir.rglob("*.html")]

    assert "DROP TABLE run" in said
    assert [order for order in ("\x1b", "\x07") if order in said] == []
    assert [page[:40] for page in [*pages, *cycle.exports] if "<script>alert" in page] == []
    assert cycle.shop.query("SELECT count(*) > 5 FROM run") == [(1,)]


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def test_the_ledger_holds_nothing_raw(cycle: Cycle) -> None:
    """Byte by byte: also what was deleted and is still in a free page."""
    ledger = [text for text in _texts(cycle.shop.data_dir) if text.startswith(LEDGER)]
    kept = bytes.fromhex(sha256(cycle.people[-2]["email"])).decode("latin-1")

    assert any(kept in text for text in ledger)
    assert _seen_in([secret for secret in cycle.secrets() if not _is_digest(secret)], ledger) == []


def test_the_ledger_writes_a_digest_out_only_where_it_is_a_consent_records_subject(cycle: Cycle) -> None:
    """Elsewhere digests are bytes; Google's address and Meta's profile are kept as they go on the wire."""
    digests = [secret for secret in cycle.secrets() if _is_digest(secret)]
    tables = cycle.shop.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    found = set()
    for (table,) in tables:
        for _, column, kind, *_ in cycle.shop.query(f"PRAGMA table_info({table})"):
            if kind == "TEXT":
                values = str(cycle.shop.query(f'SELECT DISTINCT "{column}" FROM "{table}"'))
                found |= {(table, column) for digest in digests if digest in values}

    assert found <= {("consent_record", "subject")}


def test_no_contact_column_is_staged_while_a_run_is_under_way(cycle: Cycle) -> None:
    assert _seen_in(cycle.secrets(), cycle.staged) == []
    assert [text for text in cycle.staged if "email" in text or "phone" in text] == []


def test_the_platforms_receive_nothing_raw_but_what_their_rules_want_so(cycle: Cycle) -> None:
    raw = [secret for secret in cycle.secrets() if not _is_digest(secret)]
    spoken = [f"{name}: {text}" for name, text in cycle.shop.wire.messages]
    to_meta = [text for text in spoken if text.startswith(("users.", "audiences."))]

    assert len(spoken) > 50
    assert _seen_in(raw, spoken) == []
    assert _seen_in(["94105"], to_meta) == []
    assert any("94105" in text for text in spoken)
