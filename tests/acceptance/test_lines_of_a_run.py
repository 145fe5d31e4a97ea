"""Of every line that a run logs one can tell which run, and which audience, it is about."""

import json

from shop import Shop, grant


def test_a_runs_lines_name_it_and_those_of_a_batch_name_its_audience(synced: Shop) -> None:
    synced.change(log_level="info", log_format="json")
    synced.consent.append(grant("c00041", "2026-02-01T00:00:00Z", "revoked"))
    synced.write()
    answer = synced.sync()
    lines = [json.loads(line) for line in answer.err.splitlines() if line.startswith("{")]
    of_batches = [line for line in lines if "batch" in line or line["event"].startswith("batch_")]

    assert answer.code == 0, answer.err
    assert {line["event"] for line in of_batches} >= {"batch_sent", "platform_said"}
    assert [line for line in of_batches if not {"audience", "destination", "batch"} <= set(line)] == []
    assert [line for line in lines if "run_id" not in line] == []
    assert "c00041" not in answer.err
