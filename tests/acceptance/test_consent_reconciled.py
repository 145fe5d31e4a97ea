"""The consent platform's whole export against the ledger: what webhooks lost is found and done."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from shop import Answer, Shop, grant, open_shop, write_csv

from cohortd import bootstrap
from cohortd.core.times import now_utc
from cohortd.daemon.jobs import jobs_of
from cohortd.daemon.work import Work
from cohortd.pipeline.dropping import take_all_in

LATER, LATEST = "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"


def _export(shop: Shop, rows: Iterable[dict[str, str]]) -> Path:
    """Write an export: everybody granted, but for whom *rows* says otherwise."""
    others = {row["customer_id"]: row for row in rows}
    file = shop.folder / "export.csv"
    fresh = grant("fresh", at=now_utc().isoformat())
    write_csv(file, [fresh, *(others.get(c, grant(c)) for c in shop.customers)])
    return file


def _reconcile(shop: Shop, rows: Iterable[dict[str, str]] = (), *options: str) -> Answer:
    return shop.call("consent", "reconcile", str(_export(shop, rows)), "--json", *options)


@pytest.fixture
def small(tmp_path: Path) -> Iterable[Shop]:
    with open_shop(tmp_path / "shop", customers=40) as opened:
        yield opened


def test_who_withdrew_there_and_not_here_is_gone_everywhere_at_once(synced: Shop) -> None:
    answer = _reconcile(synced, [grant("c00041", at=LATER, status="revoked")])
    again = _reconcile(synced, [grant("c00041", at=LATER, status="revoked")])
    [run] = [
        row for row in synced.call("runs", "--json").json["runs"] if row["run_id"] == answer.json["run_id"]
    ]

    assert (answer.code, answer.json["status"], answer.json["withdrawn"]) == (0, "done", 1)
    assert answer.json["differences"]["withdrawn_there"] == 1
    assert len(answer.json["samples"]["withdrawn_there"][0]) == 32
    assert synced.destinations_of("c00041") == set()
    assert (again.json["withdrawn"], again.json["differences"]["same"]) == (0, 1)
    assert (run["kind"], run["status"]) == ("reconciliation", "done")


def test_every_kind_of_difference_is_told_and_what_the_rules_answer_is_lifted(small: Shop) -> None:
    small.call("revoke", "--customer", "c00001")  # granted there before: stays out
    events = [
        grant("c00002", at=LATER, status="revoked"),
        grant("c00003", at=LATER, status="revoked"),
        grant("c00004", at=LATEST, status="revoked"),
        grant("gone", at=LATER, status="revoked"),
        grant("left"),
    ]
    write_csv(small.folder / "events-here.csv", events)
    small.call("consent", "import", str(small.folder / "events-here.csv"))
    answer = _reconcile(
        small,
        [
            grant("c00002", at=LATEST),
            grant("c00003", at=LATER, status="revoked"),
            grant("c00004", at=LATER, status="revoked"),
            grant("c00005", at=LATER, status="revoked", purpose="analytics"),
        ],
    )

    assert answer.code == 0, answer.out
    assert answer.json["differences"] == {
        "same": 1,
        "granted_there_later": 1,
        "withdrawn_here_later": 1,
        "other_times": 1,
        "granted_there": 36,
        "absent_there": 2,
        "absent_there_withdrawn": 1,
    }
    assert (answer.json["withdrawn"], answer.json["lifted"]) == (0, 2)  # for Google, and for Meta
    assert small.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(4,)]
    assert len(answer.json["samples"]["absent_there"]) == 2


def test_a_withdrawal_that_a_later_grant_here_answers_is_not_taken_in_again(small: Shop) -> None:
    events = [grant("c00002", at=LATER, status="revoked"), grant("c00002", at=LATEST)]
    write_csv(small.folder / "events-here.csv", events)
    small.call("consent", "import", str(small.folder / "events-here.csv"))
    stale = grant("c00002", at=LATER, status="revoked", source="export")
    answer = _reconcile(small, [stale])

    assert answer.json["differences"]["granted_here_later"] == 1
    assert answer.json["withdrawn"] == 0


def test_an_export_that_shrank_gives_its_withdrawals_and_nothing_else(small: Shop) -> None:
    _reconcile(small)
    small.call("revoke", "--customer", "c00001")
    for customer in list(small.customers)[20:]:
        small.customers.pop(customer)
    rows = [grant("c00001", at=now_utc().isoformat()), grant("c00002", at=LATER, status="revoked")]
    shrunk, accepted = _reconcile(small, rows), _reconcile(small, rows, "--accept-shrunk")

    assert (shrunk.code, shrunk.json["status"]) == (3, "stopped")
    assert (shrunk.json["people"], shrunk.json["people_before"]) == (21, 41)
    assert (shrunk.json["withdrawn"], shrunk.json["lifted"]) == (1, 0)
    assert "absent_there" not in shrunk.json["differences"]
    assert "--accept-shrunk" in shrunk.json["notes"][0]
    assert accepted.code == 0
    assert accepted.json["lifted"] == 2


def test_withdrawals_by_e_mail_and_without_a_time_are_taken_in_once_and_a_grant_since_stays(
    small: Shop,
) -> None:
    email = small.customers["c00003"]["email"]
    file = small.folder / "export.csv"
    write_csv(
        file,
        [
            {"customer_id": "c00001", "status": "revoked"},
            {"email": email, "status": "revoked", "recorded_at": LATER},
            {"email": small.customers["c00006"]["email"], "status": "denied"},
        ],
    )
    first = small.call("consent", "reconcile", str(file), "--json")
    small.consent.append(grant("c00001", at=now_utc().isoformat()))
    small.write()
    with bootstrap.open_pipeline(bootstrap.load_settings(str(small.config))) as pipeline:
        take_all_in(pipeline, as_of=pipeline.clock())
    second = small.call("consent", "reconcile", str(file), "--json")

    assert (first.json["withdrawn"], first.json["differences"]) == (3, {"withdrawn_there": 3})
    assert (second.json["withdrawn"], second.json["differences"]["same"]) == (0, 3)
    assert small.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(2,)]


def test_a_newer_grant_by_the_same_e_mail_lifts_what_was_withdrawn_by_it(small: Shop) -> None:
    email = small.customers["c00003"]["email"]
    small.call("revoke", "--email", email)
    small.ahead = timedelta(minutes=2)
    at = (now_utc() + timedelta(minutes=1)).isoformat()
    write_csv(small.folder / "export.csv", [{"email": email, "status": "granted", "recorded_at": at}])
    answer = small.call("consent", "reconcile", str(small.folder / "export.csv"), "--json")

    assert (answer.json["differences"], answer.json["lifted"]) == ({"granted_there_later": 1}, 2)
    assert small.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(0,)]


def test_what_was_read_before_an_export_broke_off_is_taken_in(small: Shop) -> None:
    folder = small.folder / "export"
    folder.mkdir()
    (folder / "a.csv").write_text(f"customer_id,status,recorded_at\nc00001,revoked,{LATER}\n")
    (folder / "b.csv").write_text("who,what\n1,2\n")
    small.change(sources={"consent_export": {"path": "export"}})
    answer = small.call("consent", "reconcile", "--json")
    [run] = small.call("runs", "--json").json["runs"]

    assert answer.code == 2
    assert (run["kind"], run["status"]) == ("reconciliation", "failed")
    assert small.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(1,)]


def test_an_old_export_and_one_that_loses_a_withdrawal_are_told(small: Shop) -> None:
    file = small.folder / "export.csv"
    file.write_text(
        "email,status,recorded_at\nnot-an-address,revoked,2026-02-01\na@example.com,granted,2025-01-01\n"
    )
    answer = small.call("consent", "reconcile", str(file), "--json")
    stale, lost = answer.json["notes"][0], answer.json["notes"][-1]

    assert (answer.code, answer.json["status"]) == (1, "partial")
    assert "its newest record is of 2025-01-01" in stale
    assert "1 withdrawals name nobody" in lost


def test_the_settings_export_is_read_by_its_own_columns_and_status_tells_how_it_went(small: Shop) -> None:
    columns = {"customer_id": "who", "status": "said", "recorded_at": "at"}
    small.change(sources={"consent_export": {"path": "theirs.csv", "columns": columns}})
    missing = small.call("consent", "reconcile", "--json")
    told = small.call("status", "--json").json["checks"]
    (small.folder / "theirs.csv").write_text(f"who,said,at\nc00001,revoked,{now_utc().isoformat()}\n")
    answer = small.call("consent", "reconcile", "--json")
    after = small.call("status", "--json").json["checks"]

    assert (missing.code, answer.code, answer.json["withdrawn"]) == (2, 0, 1)
    assert [check["ok"] for check in told if check["subject"] == "consent export"] == [False]
    assert [check["ok"] for check in after if check["subject"] == "consent export"] == [True]


def test_the_daemons_job_takes_withdrawals_in_and_sends_their_removals(synced: Shop) -> None:
    _export(synced, [grant("c00042", at=LATER, status="revoked")])
    synced.change(sources={"consent_export": {"path": "export.csv"}})
    settings = bootstrap.load_settings(str(synced.config))
    with bootstrap.open_pipeline(settings) as pipeline, pipeline.ledger.leadership() as epoch:
        jobs = {job.name: job for job in jobs_of(Work(pipeline, epoch))}
        jobs["reconciliation"].do()

    assert jobs["reconciliation"].turn.when == "30 4 * * *"
    assert not synced.destinations_of("c00042") & {"meta"}
    assert synced.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(1,)]
