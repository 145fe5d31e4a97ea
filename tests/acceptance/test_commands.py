"""Every command as its user meets it: help, answers for machines, exit codes, the daemon."""

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from shop import DESTINATIONS, TOKEN, Answer, Shop
from wire import sha256

from cohortd.cli.entry import run

COMMANDS = (
    "demo", "init", "check", "recluster", "plan", "sync", "run", "revoke", "consent", "consent import",
    "log", "log show", "log export", "log verify", "trace", "audiences", "runs", "status", "emulate",
    "normalize",
)  # fmt: skip
PLAN = {"plan_id": str, "model_version": int, "audiences": list, "guards": list}
PLAN_AUDIENCE = {
    "audience": str, "destination": str, "eligible": int, "adds": int, "removes": int, "refreshes": int,
    "held": (str, type(None)),
}  # fmt: skip
SYNC = {"run_id": str, "status": str, "audiences": list}
SYNC_AUDIENCE = {
    "audience": str, "destination": str, "remote_id": (str, type(None)), "added": int, "removed": int,
    "pending": int, "rejected": int,
}  # fmt: skip


def _is_shaped(found: object, shape: dict[str, object]) -> bool:
    return isinstance(found, dict) and all(
        name in found and isinstance(found[name], kind)  # type: ignore[arg-type]
        for name, kind in shape.items()
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run([*command.split(), "--help"])
    said = capsys.readouterr().out

    assert code == 0
    assert len(said) > 100


def test_the_commands_of_the_design_are_all_there(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    said = capsys.readouterr().out

    assert [command for command in COMMANDS if command.split()[0] not in said] == []


def test_plan_and_sync_answer_machines_as_designed(shop: Shop) -> None:
    plan, sync = shop.call("plan", "--json"), shop.sync()
    stopped_guard = {"guard": str, "detail": str}
    shop.consent = shop.consent[:240]
    shop.write()
    guarded = shop.call("plan", "--json")

    assert (plan.code, sync.code, guarded.code) == (0, 0, 0)
    assert _is_shaped(plan.json, PLAN)
    assert len(plan.json["audiences"]) == 12
    assert all(_is_shaped(a, PLAN_AUDIENCE) for a in plan.json["audiences"])
    assert _is_shaped(sync.json, SYNC)
    assert len(sync.json["audiences"]) == 12
    assert all(_is_shaped(a, SYNC_AUDIENCE) for a in sync.json["audiences"])
    assert guarded.json["guards"]
    assert all(_is_shaped(g, stopped_guard) for g in guarded.json["guards"])


def test_a_plan_sends_nothing_and_foretells_the_sync(shop: Shop) -> None:
    plan = shop.call("plan", "--json").json
    untouched = shop.held()
    sync = shop.sync().json

    assert untouched == {}
    assert [(a["audience"], a["destination"], a["adds"]) for a in plan["audiences"]] == [
        (a["audience"], a["destination"], a["added"]) for a in sync["audiences"]
    ]


#: Other commands that answer machines, and what their answers hold.
ANSWERS: dict[str, dict[str, object]] = {
    "check": {"status": str, "checks": list},
    "recluster": {"model_version": int, "reclustered": bool, "segments": list},
    "run --once --wait --timeout 30": SYNC,
    "revoke --customer c00007": {"status": str, "subject": str, "audiences": int, "open": int},
    "log show": {"entries": list},
    "log verify": {"status": str, "entries": int, "head": str, "public_key": str},
    "trace --customer c00007": {"found": bool, "decisions": list, "history": list, "removals": list},
    "audiences": {"audiences": list},
    "runs": {"runs": list},
    "status": {"status": str, "checks": list},
    "status --health": {"status": str},
}


def test_every_other_command_answers_machines_with_one_json_object_and_nothing_else(synced: Shop) -> None:
    answers = {command: synced.call(*command.split(), "--json") for command in ANSWERS}

    assert {command: a.code for command, a in answers.items() if a.code} == {}, answers
    assert [command for command, a in answers.items() if a.out.count("\n") != 1] == []
    assert [command for command, a in answers.items() if not _is_shaped(a.json, ANSWERS[command])] == []


def test_a_run_accounts_for_every_batch(synced: Shop) -> None:
    run = synced.call("runs", "--json").json["runs"][0]["run_id"]
    told = synced.call("runs", "--run", run, "--json").json
    words = synced.call("runs", "--run", run)
    unknown = synced.call("runs", "--run", "20200101T000000-0000")

    assert told["run"]["run_id"] == run
    assert {batch["destination"] for batch in told["batches"]} == set(DESTINATIONS)
    assert all(batch["state"] == "confirmed" for batch in told["batches"])
    assert sum(batch["done"] for batch in told["batches"]) == sum(b["members"] for b in told["batches"]) > 0
    assert words.out.count("confirmed") == len(told["batches"])
    assert unknown.code == 2
    assert "there is no run" in unknown.err


def test_a_trace_tells_what_was_sent_and_when_it_was_taken_back(synced: Shop) -> None:
    email = synced.customers["c00007"]["email"]
    before = synced.call("trace", "--email", email, "--json").json
    synced.call("revoke", "--email", email)
    synced.call("sync", "--wait", "--timeout", "30")  # Google says only later what it took back
    after = synced.call("trace", "--email", email, "--json").json
    nobody = synced.call("trace", "--email", "nobody@example.com", "--json").json

    assert {row["destination"] for row in before["memberships"]} == {"google", "ads", "meta"}
    assert before["history"] == []
    assert after["memberships"] == []
    assert {row["destination"] for row in after["history"]} == {"google", "ads", "meta"}
    assert [row["event"] for row in after["removals"]].count("confirmed") == 3
    assert nobody["found"] is False


def test_a_trace_names_the_rule_and_does_not_call_a_revoked_person_sendable(synced: Shop) -> None:
    customer = "c00007"
    before = synced.call("trace", "--customer", customer).out
    synced.call("revoke", "--customer", customer)
    after = synced.call("trace", "--customer", customer).out

    assert "may be sent on google by the consent rule granted" in before
    assert "Consent was taken back since then, so nothing more is sent." not in before
    assert "Consent was taken back since then, so nothing more is sent." in after


def test_tables_for_files_and_pagers_end_with_their_text(synced: Shop) -> None:
    said = synced.call("audiences").out

    assert said.count("\n") > 3
    assert [line for line in said.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize(
    "line",
    [
        ["sync", "--no-such-option"],
        ["no-such-command"],
        ["revoke"],
        ["revoke", "--customer", "c1", "--email", "a@example.com"],
        ["revoke", "--email", "no address"],
        ["revoke", "--phone", "12"],
        ["trace"],
        ["sync", "--destination", "tiktok"],
        ["sync", "--approve", "yes"],
        ["sync", "--as-of", "yesterday"],
        ["run", "--as-of", "2026-01-01"],
        ["consent", "import", "not-there.csv"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2_and_a_sentence(shop: Shop, line: list[str]) -> None:
    answer = shop.call(*line)

    assert answer.code == 2, answer.out + answer.err
    assert answer.err.startswith("cohortd: ")
    assert "Traceback" not in answer.err


def test_a_failure_answers_machines_too(shop: Shop) -> None:
    shop.change(destinations=[])
    (shop.folder / "customers.csv").unlink()
    answer = shop.call("sync", "--json")

    assert (answer.code, answer.json["exit_code"], answer.json["status"]) == (2, 2, "failed")
    assert answer.json["error"]


def test_status_wants_a_person_where_a_destination_is_paused_and_health_does_not(synced: Shop) -> None:
    well = synced.call("status"), synced.call("status", "--health")
    synced.settings["destinations"][2]["access_token"] = TOKEN + "-old"
    synced.meta._graph._rules = type(synced.meta._graph._rules)(token=TOKEN)
    synced.customers["c00007"]["email"] = "canary.other@example.com"
    synced.write()
    sync = synced.sync()
    status, health = synced.call("status", "--json"), synced.call("status", "--health", "--json")
    paused = [check for check in status.json["checks"] if not check["ok"]]

    assert [a.code for a in well] == [0, 0]
    assert (sync.code, sync.json["status"]) == (1, "partial"), sync.out
    assert (status.code, health.code) == (1, 0)
    assert any(check["subject"] == "destination meta" and check["cure"] for check in paused)
    assert TOKEN not in sync.out + sync.err + status.out


def test_check_names_what_is_wrong_at_a_destination(shop: Shop) -> None:
    shop.meta._graph._rules = type(shop.meta._graph._rules)(token="another")
    answer = shop.call("check", "--json")
    bad = [check for check in answer.json["checks"] if not check["ok"]]

    assert answer.code == 1
    assert bad
    assert all(check["subject"].startswith("destination meta") for check in bad)
    assert all(check["cure"] for check in bad)


#: Call, value, what it is normalized to, and its SHA-256 where a platform has published it.
ALEXZ = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
CLOUDY = "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
VECTORS: dict[str, tuple[str, str | None, str | None]] = {
    "--platform google --field email": ("  ALEXZ@example.com   ", "alexz@example.com", ALEXZ),
    "--field email --platform google": (
        "Cloudy.SanFrancisco@gmail.com",
        "cloudysanfrancisco@gmail.com",
        CLOUDY,
    ),
    "--platform meta --field email": (" Jane.Doe@Example.COM ", "jane.doe@example.com", None),
    "--platform google --field phone --region US": ("(415) 555-0100", "+14155550100", None),
    "--platform meta --field phone --region US": ("(415) 555-0100", "14155550100", None),
    "--platform google --field first_name": (" Mary ", "mary", None),
    "--platform meta --field country": ("US", "us", None),
    "--platform google --field phone": ("(415) 555-0100", None, None),
    "--platform meta --field email --json": ("nonsense", None, None),
}


@pytest.mark.parametrize("line", VECTORS)
def test_normalize_shows_how_a_value_is_normalized_and_hashed(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value, wanted, digest = VECTORS[line]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{value}\n"))
    code = run(["normalize", *line.split()])
    found = json.loads(capsys.readouterr().out)

    assert code == 0
    assert found["normalized"] == wanted
    assert found["sha256"] == (digest or (sha256(wanted) if wanted else None))
    assert (found["reason"] is None) == (wanted is not None)


@contextmanager
def _daemon(shop: Shop) -> Iterator["subprocess.Popen[str]"]:
    process = shop.start("run")
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def _until(process: "subprocess.Popen[str]", true: object, *, seconds: float = 200) -> None:
    ends = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert process.poll() is None, "the daemon ended"
        assert time.monotonic() < ends, "nothing happened"
        time.sleep(0.05)


def _end(process: "subprocess.Popen[str]") -> Answer:
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    return Answer(process.returncode, out, err)


def test_the_daemon_syncs_sends_revocations_of_others_and_leaves_with_0_on_sigterm(shop: Shop) -> None:
    """It leads all the while: a sync beside it is refused, a revocation is recorded and sent by it."""
    gone = "c00041"
    with _daemon(shop) as process:
        _until(process, lambda: len(shop.held()) == 12 and shop.on("meta") >= shop.expected([gone], "meta"))
        _until(
            process,
            lambda: all(shop.expected(shop.customers, d) == shop.on(d) for d in ("google", "ads", "meta")),
        )
        beside = shop.call("sync", "--json")
        revoked = shop.call("revoke", "--customer", gone, "--json")
        _until(process, lambda: shop.destinations_of(gone) == set())
        ended = _end(process)

    assert beside.code == 1
    assert "another cohortd process" in beside.json["error"]
    assert (revoked.code, revoked.json["status"]) == (0, "queued")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert shop.unknown_to_ledger() == {}
    assert shop.call("status", "--health").code == 0


def test_an_approval_beside_the_daemon_is_handed_to_it(synced: Shop) -> None:
    """The daemon alone may send; whoever approves gets the report of its run."""
    synced.change(schedule={"sync": None, "recluster": None, "revocations": None, "polling": None})
    silent = [customer for customer in synced.customers if int(customer[1:]) % 16 <= 3]
    synced.consent = [row for row in synced.consent if row["customer_id"] not in silent]
    synced.write()
    plan = synced.call("plan", "--json").json
    with _daemon(synced) as process:
        _until(process, lambda: "another cohortd" in synced.call("sync", "--json").out)
        narrowed = synced.call("sync", "--approve", plan["plan_id"], "--destination", "meta", "--json")
        approved = synced.call("sync", "--approve", plan["plan_id"], "--json")
        stale = synced.call("sync", "--approve", "0" * 12, "--json")
        _until(
            process,
            lambda: [synced.destinations_of(customer) for customer in silent] == [set()] * len(silent),
        )
        ended = _end(process)

    assert plan["guards"]
    assert (narrowed.code, "another cohortd" in narrowed.out) == (1, True)
    assert approved.code == 0, approved.out
    assert approved.json["plan_id"] == plan["plan_id"]
    assert approved.json["status"] != "stopped"
    assert (stale.code, stale.json["status"]) == (0, "done")  # nothing is left for a guard to stop
    assert list((synced.data_dir / "approvals").iterdir()) == []
    assert ended.code == 0, ended.err


def test_the_daemon_ends_at_once_where_nothing_is_under_way(synced: Shop) -> None:
    """With a schedule that is not due it only stands ready."""
    synced.change(schedule={"sync": None, "recluster": None, "revocations": None, "polling": None})
    quiet = synced.wire.sent()
    with _daemon(synced) as process:
        _until(
            process,
            lambda: "another cohortd" in synced.call("revoke", "--customer", "nobody", "--json").out,
        )
        ended = _end(process)

    assert ended.code == 0, ended.err
    assert synced.wire.sent() == quiet
