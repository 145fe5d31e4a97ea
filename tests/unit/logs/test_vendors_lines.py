"""Of what libraries log only the place is told, however they log it and whatever level they were given."""

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from cohortd.logs import keep_quiet, set_up_logs

SECRET = "https://graph.facebook.com/v24.0/2385/users?access_token=EAABsbCS1iHg canary@example.com"
LOGGERS = (
    "apprise",
    "facebook_business.api",
    "google.ads.googleads.client",
    "google.auth.transport.requests",
    "grpc._channel",
    "urllib3.connectionpool",
    "sqlalchemy.engine.Engine",
    "apscheduler.scheduler",
    "opentelemetry.sdk.trace.export",
    "somebody.else",
)


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without pytest's own handlers; all is put back at the end."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
        # Google's keeps its own to itself once a client of it was loaded.
        monkeypatch.setattr(logging.getLogger(name.partition(".")[0]), "propagate", True)
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("own_process")
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.CRITICAL])
def test_no_library_says_anything_in_its_own_words(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    keep_quiet()
    set_up_logs("debug", levels={"vendors": "debug"}, form="json")
    logging.warning(SECRET)  # noqa: LOG015 - as a library does, which sets up handlers where there are none
    logging.basicConfig(level=logging.DEBUG)  # as others do
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)  # as a library might, or who debugs it
        logging.getLogger(name).log(level, "%s", SECRET)
        logging.getLogger(name).log(level, "it failed", exc_info=ValueError(SECRET), stack_info=True)
    said = capfd.readouterr()
    lines = [json.loads(line) for line in said.err.splitlines()]

    assert "canary" not in said.out + said.err
    assert "EAAB" not in said.out + said.err
    assert {line["event"] for line in lines} == {"library_warned"}
    assert {line["library"] for line in lines} == {"root"} | (
        set(LOGGERS) if level >= logging.WARNING else set()
    )
