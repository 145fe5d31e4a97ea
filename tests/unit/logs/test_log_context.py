"""What a run binds to its lines is bound in its threads too."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars, get_contextvars

from cohortd.pipeline.crew import Crew
from cohortd.pipeline.delivery import _apply


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_connector_says_of_which_run_and_audience_it_speaks(at_once: int) -> None:
    bound: list[dict[str, Any]] = []
    connector = SimpleNamespace(apply=lambda _: bound.append(dict(get_contextvars())))
    destination: Any = SimpleNamespace(concurrency=at_once, connector=connector)
    target = SimpleNamespace(audience="s3", destination="meta")
    claimed: Any = SimpleNamespace(batch=SimpleNamespace(id=7), remote=SimpleNamespace(target=target))
    with bound_contextvars(run_id="r1"), Crew({"meta": destination}, stop=threading.Event()) as crew:
        crew.begin(claimed, lambda: _apply(destination, claimed))
        answered = crew.answered(within_s=timedelta(minutes=1).total_seconds())
        assert answered is not None
        answered[1]()

    assert bound == [{"run_id": "r1", "audience": "s3", "destination": "meta", "batch": 7}]
    assert structlog.contextvars.get_contextvars() == {}
