from datetime import timedelta

from ledger_world import NOW, World

from cohortd.ledger import JobRow

MINUTE = timedelta(minutes=1)


def test_a_job_is_known_by_its_last_time(world: World) -> None:
    jobs = world.ledger.jobs
    jobs.begin("sync", at=NOW)
    running = jobs.all()
    jobs.tell("sync", "stuck at a.py:1")
    told = jobs.all()["sync"].detail
    jobs.end("sync", at=NOW + MINUTE, outcome="failed", detail="why")
    failed = jobs.all()
    jobs.begin("sync", at=NOW + 2 * MINUTE)

    assert running == {"sync": JobRow("sync", NOW, None, "running")}
    assert told == "stuck at a.py:1"
    assert failed == {"sync": JobRow("sync", NOW, NOW + MINUTE, "failed", "why")}
    assert jobs.all() == {"sync": JobRow("sync", NOW + 2 * MINUTE, None, "running")}


def test_how_often_in_a_row_a_job_was_cut_off_is_counted(world: World) -> None:
    jobs = world.ledger.jobs
    jobs.begin("done", at=NOW)
    jobs.end("done", at=NOW, outcome="done")
    counts = []
    for _ in range(2):
        jobs.begin("fit", at=NOW)
        jobs.interrupt_open(NOW + MINUTE)
        counts.append(jobs.all()["fit"].cut_off)
    jobs.begin("fit", at=NOW)
    jobs.end("fit", at=NOW, outcome="done")

    assert counts == [1, 2]
    assert jobs.all()["fit"] == JobRow("fit", NOW, NOW, "done")
    assert jobs.all()["done"].outcome == "done"
