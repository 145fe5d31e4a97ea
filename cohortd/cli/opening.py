"""From the settings file to a pipeline, for the length of one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cohortd.cli.output import progress

if TYPE_CHECKING:
    from cohortd.pipeline.wiring import Pipeline


@contextmanager
def opened(config: str | None, *, as_json: bool) -> Iterator["Pipeline"]:
    """Load the settings, set up logs, and open everything a run needs."""
    from cohortd.bootstrap import load_settings, open_pipeline, start_logs
    from cohortd.monitoring.opening import observing

    settings = load_settings(config)
    start_logs(settings)
    with (
        progress(quiet=as_json) as show,
        observing(settings) as observer,
        open_pipeline(settings, progress=show, observer=observer) as pipeline,
    ):
        yield pipeline
