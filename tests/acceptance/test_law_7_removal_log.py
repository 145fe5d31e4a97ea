"""Law 7: whatever is done to the removal log, ``cohortd log verify`` finds it."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator

import pysqlite3
import pytest
from shop import Shop, open_shop

COLUMNS = (
    "seq, at, event, subject, cause, source, event_time, audience, destination, platform, account,"
    " remote_id, identifier_kinds, batch, detail, previous, hash, schema_version, record_id, regulation,"
    " legal_basis, purpose, rule, evidence, received_at, due_at, on_time, attempts, request, operator"
)


@pytest.fixture(scope="module")
def with_removals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop from which two people were taken back, everywhere."""
    with open_shop(tmp_path_factory.mktemp("with-removals")) as shop:
        assert shop.sync().code == 0
        for customer in ("c00001", "c00002"):
            assert shop.call("revoke", "--customer", customer).code == 0
        assert shop.call("run", "--once", "--wait", "--timeout", "30").code == 0
        assert shop.query("SELECT count(*) FROM removal_log")[0][0] > 12
        yield shop


@pytest.fixture
def logged(with_removals: Shop) -> Iterator[Shop]:
    """The same shop for each test: what a test does to its files is undone."""
    with contextlib.closing(pysqlite3.connect(with_removals.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = with_removals.folder / "kept"
    shutil.copytree(with_removals.data_dir, kept)
    yield with_removals
    shutil.rmtree(with_removals.data_dir)
    kept.rename(with_removals.data_dir)


def _tamper(shop: Shop, *statements: str) -> None:
    """Write to the file as somebody would who owns the machine."""
    with contextlib.closing(pysqlite3.connect(shop.database)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def _move(first: int, second: int) -> tuple[str, ...]:
    return (
        f"UPDATE removal_log SET seq = -1 WHERE seq = {first}",
        f"UPDATE removal_log SET seq = {first} WHERE seq = {second}",
        f"UPDATE removal_log SET seq = {second} WHERE seq = -1",
    )


def _copy(at: int, *, seq: str) -> str:
    names = COLUMNS.replace("seq,", f"{seq},", 1)
    return f"INSERT INTO removal_log ({COLUMNS}) SELECT {names} FROM removal_log WHERE seq = {at}"


#: What somebody does to the log, and the words by which it is named.
TAMPERINGS: dict[str, tuple[tuple[str, ...], str]] = {
    "a field was changed": (("UPDATE removal_log SET detail = 'x' WHERE seq = 5",), "entry 5: was changed"),
    "a time was changed": (
        ("UPDATE removal_log SET at = '2026-01-01T00:00:00.000000Z' WHERE seq = 3",),
        "entry 3: was changed",
    ),
    "the subject was changed": (
        ("UPDATE removal_log SET subject = (SELECT max(subject) FROM removal_log) || 'a' WHERE seq = 1",),
        "entry 1: was changed",
    ),
    "a confirmation was made to be on time": (
        ("UPDATE removal_log SET due_at = '2099-01-01T00:00:00.000000Z' WHERE seq = 7",),
        "entry 7: was changed",
    ),
    "an entry was made one of the first version": (
        (
            (
                "UPDATE removal_log SET schema_version = 1, due_at = '', on_time = '', received_at = ''"
                " WHERE seq = 7"
            ),
        ),
        "entry 7: was changed",
    ),
    "the root of the signed head was changed": (
        ("UPDATE removal_head SET root = hash",),
        "not by this key",
    ),
    "a row was deleted": (("DELETE FROM removal_log WHERE seq = 4",), "entry 4: is missing"),
    "the first row was deleted": (("DELETE FROM removal_log WHERE seq = 1",), "entry 1: is missing"),
    "a row was deleted and the rest numbered anew": (
        (
            "DELETE FROM removal_log WHERE seq = 4",
            "UPDATE removal_log SET seq = -seq WHERE seq > 4",
            "UPDATE removal_log SET seq = -seq - 1 WHERE seq < 0",
        ),
        "deleted",
    ),
    "a row was inserted": ((_copy(2, seq="1 + (SELECT max(seq) FROM removal_log)"),), "inserted"),
    "two rows were exchanged": (_move(3, 4), "entry 3: was moved"),
    "the end was cut off": (
        ("DELETE FROM removal_log WHERE seq > 6",),
        "entry 7: is missing",
    ),
    "the end was cut off with its head": (
        ("DELETE FROM removal_log WHERE seq > 6", "DELETE FROM removal_head"),
        "entry 6: is not signed",
    ),
    "everything was deleted": (("DELETE FROM removal_log", "DELETE FROM removal_head"), "cut off"),
    "the signed head was set back": (
        (
            "DELETE FROM removal_log WHERE seq > 6",
            "UPDATE removal_head SET seq = 6, hash = (SELECT hash FROM removal_log WHERE seq = 6)",
        ),
        "not by this key",
    ),
}


def test_an_untouched_log_is_whole_and_signed(logged: Shop) -> None:
    answer = logged.call("log", "verify", "--json")
    said = logged.call("log", "verify")

    assert (answer.code, said.code) == (0, 0)
    assert answer.json["status"] == "ok"
    assert answer.json["finding"] is None
    assert answer.json["entries"] == logged.query("SELECT count(*) FROM removal_log")[0][0]
    assert "unaltered" in said.out


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_log_is_found_altered_when(logged: Shop, tampering: str) -> None:
    statements, named = TAMPERINGS[tampering]
    _tamper(logged, *statements)
    answer = logged.call("log", "verify", "--json")
    said = logged.call("log", "verify")

    assert (answer.code, said.code) == (1, 1), answer.out
    assert answer.json["status"] == "altered"
    assert named in answer.json["finding"]
    assert "ALTERED" in said.out


def _keep(shop: Shop) -> Callable[[], None]:
    """Copy the database as it is now; give back what puts it there again."""
    with contextlib.closing(pysqlite3.connect(shop.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = shop.folder / "older.db"
    shutil.copyfile(shop.database, copy)

    def put_back() -> None:
        for file in shop.data_dir.glob("cohortd.db-*"):
            file.unlink()
        shutil.copyfile(copy, shop.database)

    return put_back


def test_an_older_database_that_was_put_back_comes_to_light(logged: Shop) -> None:
    put_back = _keep(logged)
    older = logged.call("log", "verify", "--json").json["entries"]
    assert logged.call("revoke", "--customer", "c00003").code == 0
    put_back()
    answer = logged.call("log", "verify", "--json")

    assert answer.code == 1
    assert f"the log ends at entry {older}" in answer.json["finding"]
    assert "older database was put back" in answer.json["finding"]


def test_a_log_signed_by_another_key_is_found(logged: Shop) -> None:
    (logged.data_dir / "keys" / "removal-log.pem").unlink()
    answer = logged.call("log", "verify", "--json")

    assert answer.code == 1
    assert "not by this key" in answer.json["finding"]


def test_a_log_that_was_rolled_back_and_grew_again_is_found(logged: Shop) -> None:
    put_back = _keep(logged)
    older = logged.call("log", "verify", "--json").json["entries"]
    assert logged.call("revoke", "--customer", "c00003").code == 0
    put_back()
    for customer in ("c00004", "c00005"):
        assert logged.call("revoke", "--customer", customer).code == 0
    answer = logged.call("log", "verify", "--json")

    assert answer.json["entries"] > older
    assert answer.code == 1
    assert "older database was put back" in answer.json["finding"]


def test_heads_and_a_key_kept_elsewhere_prove_what_the_owner_of_the_machine_cannot_undo(
    logged: Shop,
) -> None:
    heads = logged.data_dir / "removal-log-heads.jsonl"
    copy = logged.folder / "heads-of-the-auditor.jsonl"
    shutil.copyfile(heads, copy)
    key = logged.call("log", "verify", "--json").json["public_key"]
    true = logged.call("log", "verify", "--public-key", key, "--heads", str(copy), "--json")
    put_back = _keep(logged)
    assert logged.call("revoke", "--customer", "c00003").code == 0
    shutil.copyfile(heads, copy)
    put_back()
    heads.unlink()
    unaware = logged.call("log", "verify", "--json")
    aware = logged.call("log", "verify", "--heads", str(copy), "--json")
    foreign = logged.call("log", "verify", "--public-key", "00" * 32, "--json")
    empty = logged.call("log", "verify", "--heads", str(logged.folder / "none.jsonl"))

    assert (true.code, true.json["status"]) == (0, "ok")
    assert true.json["witnesses"] > 1
    assert (unaware.code, unaware.json["witnesses"]) == (0, 1)
    assert aware.code == 1
    assert "older database was put back" in aware.json["finding"]
    assert "not by this key" in foreign.json["finding"]
    assert (empty.code, "holds no signed head" in empty.err) == (2, True)


def test_the_product_itself_cannot_change_or_delete_a_line(logged: Shop) -> None:
    for statement in ("UPDATE removal_log SET detail = 'x'", "DELETE FROM removal_log"):
        with (
            contextlib.closing(pysqlite3.connect(logged.database)) as connection,
            pytest.raises(pysqlite3.DatabaseError),
        ):
            connection.execute(statement)

    assert logged.call("log", "verify").code == 0


def test_every_step_of_a_removal_is_in_the_log_of_every_audience(logged: Shop) -> None:
    shown = logged.call("log", "show", "--limit", "500", "--json").json["entries"]
    subject = shown[0]["subject"]
    steps = {
        d: [e["event"] for e in shown if (e["subject"], e["destination"]) == (subject, d)]
        for d in ("", "google", "ads", "meta")
    }
    exported = logged.call("log", "export", "--format", "jsonl").out.splitlines()

    assert steps[""] == ["recorded"]
    assert steps["google"] == steps["ads"] == ["queued", "sent", "accepted", "confirmed"]
    assert [step for step in steps["meta"] if step != "accepted"] == ["queued", "sent", "confirmed"]
    assert [json.loads(line)["hash"] for line in exported] == [e["hash"] for e in shown]


def test_one_persons_entries_are_proven_to_whoever_has_the_public_key(logged: Shop) -> None:
    file = logged.folder / "proof.json"
    key = logged.call("log", "verify", "--json").json["public_key"]
    written = logged.call("log", "prove", "--customer", "c00001", "--output", str(file), "--json")
    text = file.read_text()
    told = json.loads(text)["entries"]
    elsewhere = ["log", "verify", "--proof", str(file), "--public-key"]
    true = logged.call(*elsewhere, key, "--json")
    foreign = logged.call(*elsewhere, "00" * 32)
    file.write_text(text.replace('"confirmed"', '"rejected"', 1))
    altered = logged.call(*elsewhere, key, "--json")

    assert (written.code, true.code, true.json["status"]) == (0, 0, "ok")
    assert true.json["entries"] == written.json["entries"] == len(told) > 3
    assert len({each["entry"]["subject"] for each in told}) == 1
    assert (foreign.code, altered.code) == (1, 1)
    assert "was changed" in altered.json["finding"]


def test_a_proof_is_asked_for_of_somebody_in_the_log_and_read_from_a_proof(logged: Shop) -> None:
    file = logged.folder / "proof.json"
    file.write_text("{}")
    nobody = logged.call("log", "prove", "--customer", "c00009", "--output", str(file))
    keyless = logged.call("log", "verify", "--proof", str(file))
    empty = logged.call("log", "verify", "--proof", str(file), "--public-key", "00" * 32)

    assert (nobody.code, "no entry about this person" in nobody.err) == (2, True)
    assert (keyless.code, "--public-key" in keyless.err) == (2, True)
    assert (empty.code, "holds no proof" in empty.err) == (2, True)


def test_that_the_log_only_grew_is_proven_without_any_entry(logged: Shop) -> None:
    kept, file = logged.folder / "heads-of-the-auditor.jsonl", logged.folder / "growth.json"
    shutil.copyfile(logged.data_dir / "removal-log-heads.jsonl", kept)
    key = logged.call("log", "verify", "--json").json["public_key"]
    before = logged.call("log", "verify", "--json").json["entries"]
    assert logged.call("revoke", "--customer", "c00003").code == 0
    written = logged.call("log", "prove", "--since", str(kept), "--output", str(file), "--json")
    asked = ["log", "verify", "--proof", str(file), "--public-key", key, "--head", str(kept)]
    true = logged.call(*asked, "--json")
    file.write_text(file.read_text().replace('"path": [\n  "', '"path": [\n  "f', 1))
    altered = logged.call(*asked)

    assert (written.code, true.code, true.json["status"]) == (0, 0, "ok")
    assert (true.json["since"], true.json["head"] > before) == (before, True)
    assert "subject" not in file.read_text()
    assert (altered.code, "ALTERED" in altered.out) == (1, True)


def test_of_whoever_is_forgotten_the_log_and_what_was_proven_stay_true(logged: Shop) -> None:
    file = logged.folder / "proof.json"
    key = logged.call("log", "verify", "--json").json["public_key"]
    asked = ("log", "prove", "--customer", "c00001", "--output", str(file))
    assert logged.call(*asked).code == 0
    told = json.loads(file.read_text())["entries"][0]["told"]
    _tamper(logged, "DELETE FROM removal_subject")
    again = logged.call(*asked)
    trace = logged.call("trace", "--customer", "c00001", "--no-why", "--json").json

    assert told["source"] == "cohortd revoke"
    assert logged.call("log", "verify").code == 0
    assert logged.call("log", "verify", "--proof", str(file), "--public-key", key).code == 0
    assert (again.code, "no entry about this person" in again.err) == (2, True)
    assert trace["removals"] == []
    assert "forgotten" in logged.call("log", "export").out
