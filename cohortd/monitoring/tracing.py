"""Runs, steps and requests told by OpenTelemetry: names of ours and counts, never a payload."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from cohortd import __version__
from cohortd.core.errors import CohortdError, SettingsError
from cohortd.core.observing import Trace

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider


@contextmanager
def exported() -> Iterator[Trace]:
    """Send spans to where the ``OTEL_...`` variables say, for the length of a block.

    Raises:
        SettingsError: The extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415 - too
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - too
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - too
    except ImportError:
        raise SettingsError(
            "monitoring.traces: OpenTelemetry is not installed; pip install 'cohortd[otel]'"
        ) from None
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say stands above it.
    resource = Resource({SERVICE_NAME: "cohortd"}).merge(Resource.create())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield traced_by(provider)
    finally:
        provider.shutdown()


def traced_by(provider: "TracerProvider") -> Trace:
    """Tell a provider of every step."""
    tracer = provider.get_tracer("cohortd", __version__)

    def trace(step: str, /, **told: str | int) -> AbstractContextManager[None]:
        return _span(tracer, step, told)

    return trace


@contextmanager
def _span(tracer: "Tracer", step: str, told: dict[str, str | int]) -> Iterator[None]:
    """One span; of an error only its kind is told: its words may quote data."""
    attributes = {f"cohortd.{name}": value for name, value in told.items()}
    with tracer.start_as_current_span(
        f"cohortd.{step}", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as error:
            from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - an extra

            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            if isinstance(error, CohortdError):
                span.set_attribute("cohortd.error", type(error).__name__)
            raise
