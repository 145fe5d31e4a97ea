"""The engine in a process of its own: the same answers, and nothing of it stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from engine_events import AS_OF, random_events, stage_customers, stage_events

from cohortd.core.errors import CohortdError, FaultApartError, SettingsError
from cohortd.engine import Engine, Vocabulary, connect, parse_condition, resolve
from cohortd.engine.apart import EngineApart

_GONE_WITHIN_S = 60.0
_ENDS_AT_ONCE = """
import os, sys
from pathlib import Path
from cohortd.engine import connect
engine = connect("duckdb", Path(sys.argv[1]), is_apart=True)
print(engine._worker.pid, flush=True)
os._exit(1)
"""


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineApart]:
    with EngineApart.duckdb(tmp_path_factory.mktemp("apart"), threads=2) as opened:
        yield opened


def _sampled(engine: Engine) -> pd.DataFrame:
    events = stage_events(engine, random_events(300, customers=20))
    customers = stage_customers(engine, {"customer_id": [f"c{n:03}" for n in range(20)]})
    specs = resolve(("recency_days", "channel_share"), ())
    features = engine.features(events, customers, specs, as_of=AS_OF, window=None)
    return engine.sample(features, 10, "a lot")


def test_it_computes_the_same_to_the_last_bit(apart, engine):
    assert apart.near(type) is Engine
    pd.testing.assert_frame_equal(_sampled(apart), _sampled(engine), check_exact=True)
    pd.testing.assert_frame_equal(_sampled(apart.beside("another")), _sampled(engine), check_exact=True)


def test_what_it_refuses_is_said_as_ever(apart):
    customers = stage_customers(apart, {"customer_id": ["1"]}, name="few")

    with pytest.raises(SettingsError, match="none of the asked features"):
        apart.features(customers, customers, [], as_of=AS_OF, window=None)


def test_conditions_of_people_reach_it(apart):
    customers = stage_customers(apart, {"customer_id": ["a", "b"], "tier": ["gold", "tin"]}, name="all")
    condition = parse_condition("tier = 'gold'", ("tier",), Vocabulary())

    found = apart.belonging(customers, {}, conditions={"golden": condition})

    assert found["golden"].to_dict() == {"a": True}


def test_a_fault_is_told_by_kind_and_place_alone(apart):
    with pytest.raises(FaultApartError) as told:
        apart.near(int, "ann@example.com")

    assert str(told.value).startswith("TypeError at engine.py:")
    assert apart.near(type) is Engine  # it goes on


def test_one_that_was_killed_fails_the_run_and_says_how(tmp_path: Path):
    with EngineApart.duckdb(tmp_path) as engine:
        os.kill(engine._worker.pid, signal.SIGKILL)

        with pytest.raises(CohortdError, match=r"ended by signal 9; it may have run out of memory"):
            engine.near(type)
    assert not (tmp_path / "spill").exists()


def test_it_ends_with_whoever_started_it_however_that_ends(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", _ENDS_AT_ONCE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    own, until = Path("/proc") / done.stdout.strip(), time.monotonic() + _GONE_WITHIN_S

    assert done.returncode == 1
    while own.exists() and "(zombie)" not in (own / "status").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_every_method_is_asked_of_the_other_process_or_said_to_stay():
    own = {name for name in vars(Engine) if not name.startswith("_")}

    assert own == {name for name in vars(EngineApart) if not name.startswith("_")} - {"ask"} | {"stage"}


def test_an_engine_that_is_not_asked_to_be_apart_is_in_this_process(tmp_path: Path):
    with connect("duckdb", tmp_path) as engine:
        assert type(engine) is Engine
