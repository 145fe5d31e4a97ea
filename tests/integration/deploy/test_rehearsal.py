"""The compose file's rehearsal works: its settings load, its tables make audiences, ports agree."""

import shutil
from pathlib import Path

import pytest
import yaml

import config
from cohortd.bootstrap import endpoint_ports, open_pipeline
from cohortd.pipeline.planning import make_plan

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture
def rehearsal(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEPLOY / "rehearsal", tmp_path / "rehearsal"))


def test_the_rehearsal_plans_audiences_that_may_be_fed(rehearsal: Path) -> None:
    settings = config.load(rehearsal / "cohortd.yaml")

    with open_pipeline(settings) as pipeline:
        plan = make_plan(pipeline, as_of=pipeline.clock())

    assert plan.guards == ()
    assert any(delta.adds and target not in plan.held for target, delta in plan.deltas.items())


def test_the_emulators_listen_where_the_rehearsal_sends(rehearsal: Path) -> None:
    command = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"][
        "emulators"
    ]["command"]
    listened = {int(part) for part in command if part.isdigit()}

    assert set(endpoint_ports(config.load(rehearsal / "cohortd.yaml")).values()) <= listened
