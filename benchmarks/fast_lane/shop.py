"""A company with many customers and an older audience that holds millions of people."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import requests

from benchmarks.ledger.people import CHUNK, digests_of, members
from benchmarks.ledger.places import FileFiller
from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.identifiers import IdentifierKind, member_key
from cohortd.core.planning import Target
from cohortd.core.times import now_utc

ACCOUNT: Final = "act_3456789012"
TOKEN: Final = "no-secret"  # noqa: S105 - the stand-in takes any
#: An audience whose segment is gone: a sync leaves it alone, only revocations reach it.
_OLD: Final = Target("s9000", "meta")
_SENT: Final = 86_400

_CUSTOMERS: Final = """
COPY (SELECT 'c' || lpad(i::VARCHAR, 9, '0') AS customer_id, 'person' || i || '@example.com' AS email,
        '+1415' || (5550000 + i % 1000)::VARCHAR AS phone, 'US' AS country
    FROM range({customers}) AS t(i)) TO '{path}' (FORMAT PARQUET)
"""
_EVENTS: Final = """
COPY (SELECT 'c' || lpad((i // 3)::VARCHAR, 9, '0') AS customer_id,
        TIMESTAMP '2026-08-01' + to_seconds((hash(i, 1) % 7776000)::BIGINT) AS occurred_at,
        (1 + hash(i // 3, 2) % 200)::DOUBLE AS value, 'o' || i AS order_id
    FROM range({customers} * 3) AS t(i)) TO '{path}' (FORMAT PARQUET)
"""


def make(folder: Path, *, customers: int, memberships: int, endpoint: str, known: Sequence[str]) -> Path:
    """Write tables and settings, and fill the ledger; return the settings' path.

    Args:
        customers: In the tables, none of them sent yet: the next sync is the first.
        memberships: In the ledger, on the older audience.
        endpoint: Of the stand-in.
        known: Customer ids of people on that audience.
    """
    with duckdb.connect() as database:
        database.execute(_CUSTOMERS.format(customers=customers, path=folder / "customers.parquet"))
        database.execute(_EVENTS.format(customers=customers, path=folder / "events.parquet"))
    settings = folder / "cohortd.yaml"
    settings.write_text(json.dumps(_settings(endpoint)))  # JSON is YAML
    with open_pipeline(load_settings(str(settings))) as pipeline:
        remote = pipeline.ledger.remotes.intend(
            _OLD, platform="meta", account=ACCOUNT, name="Everybody once", at=now_utc()
        )
        pipeline.ledger.remotes.attach(remote.id, _audience(endpoint), at=now_utc())
        secret = pipeline.ledger.secret
    _fill(folder / "var" / "cohortd.db", memberships, [member_key(one, secret) for one in known])
    return settings


def digest_of_known(number: int) -> bytes:
    """What one of the known people was sent by."""
    return digests_of(number, 1, int(IdentifierKind.EMAIL)).tobytes()


def _settings(endpoint: str) -> dict[str, object]:
    return {
        "sources": {"customers": {"path": "customers.parquet"}, "events": {"path": "events.parquet"}},
        "segmentation": {"k": 4},
        "consent": {"default": "granted"},
        "audiences": {"when_gone": "leave"},
        "destinations": [
            {
                "name": "meta",
                "platform": "meta",
                "ad_account_id": ACCOUNT,
                "access_token": TOKEN,
                "endpoint": endpoint,
            }
        ],
        "schedule": {"sync": "* * * * *", "recluster": None},
    }


def _audience(endpoint: str) -> str:
    answer = requests.post(
        f"{endpoint}/v25.0/{ACCOUNT}/customaudiences",
        data={
            "name": "Everybody once",
            "subtype": "CUSTOM",
            "access_token": TOKEN,
            "customer_file_source": "USER_PROVIDED_ONLY",
        },
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def _fill(ledger: Path, memberships: int, known: Sequence[bytes]) -> None:
    """Put people of two identifiers into the ledger as if they had been sent."""
    filler = FileFiller(ledger)
    filler.begin()
    people = memberships // 2
    for kind in (int(IdentifierKind.EMAIL), int(IdentifierKind.PHONE)):
        for first in range(0, people, CHUNK):
            count = min(CHUNK, people - first)
            owners = members(first, count)
            for number in range(first, min(first + count, len(known))):
                owners[number - first] = np.frombuffer(known[number], dtype=np.uint64)
            filler.add(kind, digests_of(first, count, kind), owners, _SENT)
    filler.end()
