"""A line says when, how bad, in which room and under which run; what must not be seen is not in it."""

import json
import logging
from pathlib import Path

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from cohortd.logs import set_up_logs
from cohortd.logs.rooms import room_of
from config.logs import ROOMS

ROOT = Path(__file__).parents[3]
EMAIL = "canary@example.com"


def _say(module: str, method: str = "info", event: str = "batch_sent", **values: object) -> None:
    """Say something as code of *module* would."""
    names = {"__name__": module, "structlog": structlog}
    exec("def say(method, event, values): getattr(structlog.get_logger(), method)(event, **values)", names)
    names["say"](method, event, values)  # type: ignore[operator]


def test_a_line_names_its_room_run_and_audience(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", form="json")
    with bound_contextvars(run_id="20261122T173419-ab12", audience="s3"):
        _say("cohortd.pipeline.sending", members=12)
    line = json.loads(capsys.readouterr().err)

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "batch_sent",
        "level": "info",
        "room": "pipeline",
        "run_id": "20261122T173419-ab12",
        "audience": "s3",
        "members": 12,
    }


@pytest.mark.parametrize(
    ("module", "room"),
    [
        ("cohortd.ledger.outbox", "ledger"),
        ("connectors.meta.connector", "connectors"),
        ("cohortd.receivers", "receivers"),
        ("apscheduler.schedulers.base", "vendors"),
    ],
)
def test_a_room_is_the_package_below_the_product_or_at_the_root(module: str, room: str) -> None:
    assert room_of(module) == room


def test_every_room_on_disk_may_have_a_level_of_its_own() -> None:
    below = {path.parent.name for path in (ROOT / "cohortd").glob("*/__init__.py")}

    assert below | {"connectors", "clustering", "consent", "config"} <= set(ROOMS)


def test_a_room_may_say_more_or_less_than_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", levels={"ledger": "debug", "connectors": "warning"}, form="json")
    for module in ("cohortd.ledger.outbox", "connectors.meta", "cohortd.pipeline.syncing"):
        for method in ("debug", "info", "warning"):
            _say(module, method)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [(line["room"], line["level"]) for line in lines] == [
        ("ledger", "debug"),
        ("ledger", "info"),
        ("ledger", "warning"),
        ("connectors", "warning"),
        ("pipeline", "info"),
        ("pipeline", "warning"),
    ]


@pytest.mark.parametrize("form", ["json", "human"])
def test_people_and_secrets_are_taken_out_of_lines_of_either_form(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    set_up_logs("info", form=form, spared=["1234567890"])  # type: ignore[arg-type]
    digest = "ab" * 32
    with bound_contextvars(about=EMAIL):
        _say(
            "cohortd.pipeline",
            event=f"no_way {EMAIL}",
            reason=f"{EMAIL} at account 1234567890",
            access_token="abc-def",
            nested=[{"email": "ann", EMAIL: digest}],
            error=ValueError(EMAIL),
            **{f"key {EMAIL}": 1},
        )
    said = capsys.readouterr().err

    assert EMAIL not in said
    assert "abc-def" not in said
    assert "ann" not in said.replace("channel", "")
    assert digest[:9] not in said
    assert digest[:8] in said
    assert "account 1234567890" in said


def test_a_line_for_people_has_no_colours_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", form="human")
    _say("cohortd.pipeline")
    said = capsys.readouterr().err

    assert "batch_sent" in said
    assert "\x1b" not in said


def test_chatty_loggers_of_vendors_are_tamed() -> None:
    logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)  # as a library might
    set_up_logs("debug")

    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.INFO)
    assert not logging.getLogger("apprise").isEnabledFor(logging.INFO)
