import json
from dataclasses import replace
from datetime import timedelta

import pytest
from ledger_world import GOOGLE, NOW, World, on_sqlite
from sqlalchemy import Connection

from cohortd.core.delivery import RemoteStatus
from cohortd.core.errors import LedgerError, SettingsError
from cohortd.core.modelling import CentroidModel, LineageEvent, ModelVersion, Part, PreparedFeature, Segment
from cohortd.ledger import Applied, Reading
from cohortd.ledger.models import decode, encode

VERSION = ModelVersion(
    id=0,
    created_at=NOW,
    as_of=NOW - timedelta(days=1, microseconds=7),
    reason="first",
    algorithm="kmeans",
    centroid_model=CentroidModel(
        features=(PreparedFeature("recency_days", 0.1 + 0.2, log=True, center=1 / 3, scale=5e-324),),
        centroids=((1e308, -0.0), (2**-1074, 0.1)),
        segment_ids=("s1", "s2"),
        margin=0.15,
        parts=(Part(0, (1 / 3,), ((1e-308,),), 0.1), Part(0, (2.0,)), Part(1, (), (), 4.0)),
        soft=True,
    ),
    segments=(
        Segment("s1", "Regulars", "They come often."),
        Segment("s2", "New", "New.", held="too small", kind="leftovers"),
    ),
    lineage=(LineageEvent("split", "s2", "s1", "by size"),),
    quality={"silhouette": 1 / 7, "k_scores": {"4": 0.5}, "customers": 3},
)


def test_a_model_version_comes_back_exactly_with_its_number(world: World) -> None:
    models = world.ledger.models
    assert models.current() is None
    assert models.next_segment_number() == 1
    saved = models.save(VERSION, next_segment_number=3, at=NOW)
    again = models.save(VERSION, next_segment_number=5, at=NOW)

    assert (saved.id, again.id) == (1, 2)
    assert models.current() == again
    assert models.get(1) == saved
    assert models.get(9) is None
    assert str(saved.centroid_model.centroids) == str(VERSION.centroid_model.centroids)
    assert models.next_segment_number() == 5


def test_a_model_version_of_before_there_were_parts_is_read() -> None:
    body = json.loads(encode(VERSION))
    for name in ("parts", "soft"):
        del body["centroid_model"][name]
    del body["restores"]
    for segment in body["segments"]:
        del segment["kind"]

    found = decode(json.dumps(body))

    assert found.centroid_model == replace(VERSION.centroid_model, parts=(), soft=False)
    assert [segment.kind for segment in found.segments] == ["segment", "segment"]


def test_a_segment_can_be_renamed_by_people(world: World) -> None:
    models = world.ledger.models
    with pytest.raises(LedgerError, match="none yet"):
        models.rename("s1", "x", "y")
    models.save(VERSION, next_segment_number=3, at=NOW)
    models.rename("s1", "VIP", "Our best.")
    current = models.current()

    assert current is not None
    assert current.segments == (Segment("s1", "VIP", "Our best."), VERSION.segments[1])
    with pytest.raises(LedgerError, match="there is no segment s9; there are s1, s2"):
        models.rename("s9", "x", "y")


def test_models_beside_each_other_have_versions_numbers_and_assignments_of_their_own(world: World) -> None:
    main, value = world.ledger.models, world.ledger.of_model("value").models
    first = main.save(VERSION, next_segment_number=9, at=NOW)
    beside = value.save(VERSION, next_segment_number=3, at=NOW, follows=0)
    main.set_assignment("main.parquet", run_id="r1", at=NOW, model_version=first.id)
    value.set_assignment("value.parquet", run_id="r1", at=NOW, model_version=beside.id)

    assert (first.id, beside.id) == (1, 2)
    assert [models.current() for models in (main, value, main.of("other"))] == [first, beside, None]
    assert [models.next_segment_number() for models in (main, value, main.of("other"))] == [9, 3, 1]
    assert [models.get(1) for models in (main, value)] == [first, None]
    assert [str(models.assignment()) for models in (main, value)] == ["main.parquet", "value.parquet"]
    assert [kept.version.id for kept in value.history(limit=9)] == [2]


def test_the_last_applied_assignment_is_pointed_to(world: World) -> None:
    models = world.ledger.models
    assert models.assignment() is None
    models.set_assignment("1.parquet", run_id="r1", at=NOW)
    models.set_assignment("2.parquet", run_id="r2", at=NOW, model_version=4)
    models.set_assignment("3.parquet", run_id="r3", at=NOW)

    assert models.assignment() == "3.parquet"
    assert models.applied() == Applied("3.parquet", 4)


def test_runs_are_listed_newest_first_and_found_by_kind_and_status(world: World) -> None:
    runs = world.ledger.runs
    first = runs.start("sync", as_of=NOW, at=NOW)
    second = runs.start("recluster", as_of=NOW, at=NOW + timedelta(minutes=1))
    runs.finish(first, status="partial", summary={"notes": ["x"]}, at=NOW + timedelta(minutes=2))

    assert first.startswith("20261122T120000-")
    assert [run.id for run in runs.list(10)] == [second, first]
    assert len(runs.list(1)) == 1
    found = runs.last(kind="sync", status=("done", "partial"))
    assert found is not None
    assert (found.id, found.summary, found.finished_at) == (
        first,
        {"notes": ["x"]},
        NOW + timedelta(minutes=2),
    )
    assert runs.last("sync", "done") is None
    assert runs.last(status=()) is None
    newest = runs.last()
    assert newest is not None
    assert (newest.id, newest.status, newest.finished_at) == (second, "running", None)


def test_runs_that_a_dead_process_left_open_are_abandoned(world: World) -> None:
    runs = world.ledger.runs
    run_id = runs.start("sync", as_of=NOW, at=NOW)

    assert runs.abandon_open(NOW) == 1
    assert runs.abandon_open(NOW) == 0
    last = runs.last()
    assert last is not None
    assert (last.id, last.status) == (run_id, "abandoned")
    with pytest.raises(LedgerError, match="no run nowhere"):
        runs.finish("nowhere", status="done", summary={}, at=NOW)


def test_a_remote_audience_is_intended_once_and_keeps_what_the_platform_says(world: World) -> None:
    remotes = world.ledger.remotes
    assert remotes.get(GOOGLE) is None
    ask = {"platform": "google_data_manager", "account": "1", "at": NOW}
    made = remotes.intend(GOOGLE, name="A", **ask)
    again = remotes.intend(GOOGLE, name="B", **ask)
    assert (made.state, made.remote_id, again.id, again.name) == ("creating", None, made.id, "B")
    remotes.resume(made.id)
    remotes.attach(made.id, "list/1", at=NOW)
    status = RemoteStatus(10, 20, "80%", "OPEN", usable=True)
    world.ledger.readings.keep(made.id, Reading(NOW, status, confirmed=1, held=1))
    found = remotes.get(GOOGLE)

    assert found is not None
    assert (found.state, found.remote_id, found.checked_at) == ("ready", "list/1", NOW)
    assert found.status == RemoteStatus(10, 20, "80%", "OPEN", usable=True)
    remotes.retire(made.id, at=NOW)
    assert [r.state for r in remotes.all()] == ["retired"]
    assert remotes.intend(GOOGLE, name="C", **ask).state == "creating"


def test_an_unknown_platform_must_say_its_family(world: World) -> None:
    with pytest.raises(SettingsError, match="say whose normalization rules"):
        world.ledger.remotes.intend(GOOGLE, platform="memory", account="1", name="x", at=NOW)


def test_what_is_not_there_is_an_error(world: World) -> None:
    with pytest.raises(LedgerError, match="no remote audience 7"):
        world.ledger.remotes.pause(7, note="x")
    with pytest.raises(LedgerError, match="no remote audience 7"):
        world.ledger.remotes.attach(7, "x", at=NOW)
    assert world.ledger.remotes.blocked_until("nowhere") is None


def before_several_models(connection: Connection) -> None:
    """Take out what was added since model versions are kept that were held back."""
    connection.exec_driver_sql("ALTER TABLE model_version DROP COLUMN model")
    connection.exec_driver_sql(
        "CREATE TABLE assignment (id INTEGER NOT NULL PRIMARY KEY, path TEXT DEFAULT '' NOT NULL,"
        " run_id TEXT DEFAULT '' NOT NULL, at TEXT DEFAULT '' NOT NULL, CHECK (id = 1)) STRICT"
    )
    connection.exec_driver_sql("INSERT INTO assignment SELECT 1, path, run_id, at FROM model_assignment")
    connection.exec_driver_sql("DROP TABLE model_assignment")


def before_the_clock_of_removals(connection: Connection) -> None:
    """Take out what was added since events are received, and removals have a clock and persons a key."""
    for table in ("received_event", "removal_subject", "erasure", "job", "alert", "alert_channel"):
        connection.exec_driver_sql(f"DROP TABLE {table}")
    clock = ("received_at", "due_at", "operator")
    entry = ("schema_version", "record_id", "regulation", "legal_basis", "purpose", "rule", "evidence")
    columns = {
        "withdrawal": clock,
        "removal_log": (*entry, *clock, "on_time", "attempts", "request"),
        "removal_head": ("root", "peaks"),
    }
    for table, names in columns.items():
        for name in names:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {name}")


@on_sqlite
def test_runs_of_a_ledger_from_before_keep_their_order(world: World) -> None:
    started = [world.ledger.runs.start("sync", as_of=NOW, at=NOW) for _ in range(3)]
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE run DROP COLUMN number")
        for name in ("put_back_at", "asserted_at", "normalization", "normalized_since"):
            connection.exec_driver_sql(f"ALTER TABLE installation DROP COLUMN {name}")
        connection.exec_driver_sql("DROP INDEX batch_item_member")
        connection.exec_driver_sql("ALTER TABLE remote DROP COLUMN match_rate")
        connection.exec_driver_sql("ALTER TABLE batch DROP COLUMN by_resync")
        for name in ("legal_basis", "confirmed"):
            connection.exec_driver_sql(f"ALTER TABLE consent_record DROP COLUMN {name}")
        connection.exec_driver_sql("ALTER TABLE model_version DROP COLUMN held_back")
        before_several_models(connection)
        before_the_clock_of_removals(connection)
        for table in ("resync", "request_count", "reading"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    world.restart()
    started.append(world.ledger.runs.start("sync", as_of=NOW, at=NOW))

    assert [run.id for run in world.ledger.runs.list(9)] == started[::-1]


def test_an_assignment_that_an_older_version_noted_by_its_whole_path_is_known_by_its_name(
    world: World,
) -> None:
    models = world.ledger.models

    models.set_assignment("/elsewhere/var/assignments/1.parquet", run_id="r1", at=NOW)

    assert models.assignment() == "1.parquet"
