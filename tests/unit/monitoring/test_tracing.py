"""Spans lie within each other, say counts and names of ours, and never an error's words."""

import contextlib
import threading
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cohortd.core.delivery import Action, Batch, BatchState, Lane, Receipt
from cohortd.core.errors import GoneError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.observing import Trace
from cohortd.monitoring.tracing import traced_by
from cohortd.pipeline.crew import Crew
from connectors.memory import MemoryConnector
from connectors.retrying import RetryingConnector

MEMBER = Member(b"canary-member", (Identifier(IdentifierKind.EMAIL, b"\xab" * 32),))


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def trace(kept: InMemorySpanExporter) -> Trace:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return traced_by(provider)


def test_a_request_is_told_below_its_run_by_counts_and_ids_alone(
    kept: InMemorySpanExporter, trace: Trace
) -> None:
    connector = RetryingConnector(MemoryConnector(), trace=trace)
    batch = Batch(7, "no such audience", Action.REMOVE, (MEMBER,), Lane.REVOCATION)
    with trace("sync"), contextlib.suppress(GoneError):
        connector.apply(batch)
    request, run = kept.get_finished_spans()

    assert (run.name, request.name) == ("cohortd.sync", "cohortd.apply")
    assert request.parent is not None
    assert request.parent.span_id == run.context.span_id
    assert request.attributes == {
        "cohortd.platform": connector.platform,
        "cohortd.batch": 7,
        "cohortd.operation": "remove",
        "cohortd.lane": "revocation",
        "cohortd.members": 1,
        "cohortd.error": "GoneError",
    }


def test_of_an_error_only_its_kind_is_told(kept: InMemorySpanExporter, trace: Trace) -> None:
    with pytest.raises(KeyError), trace("read"):
        raise KeyError("leak@example.com")
    (span,) = kept.get_finished_spans()

    assert (span.status.description, span.events) == ("KeyError", ())
    assert "leak" not in span.to_json()


def test_what_is_sent_in_threads_stays_below_its_run(kept: InMemorySpanExporter, trace: Trace) -> None:
    receipt = Receipt(BatchState.CONFIRMED)

    def call() -> Receipt:
        with trace("apply"):
            return receipt

    several = SimpleNamespace(concurrency=2)
    claimed = SimpleNamespace(remote=SimpleNamespace(target=SimpleNamespace(destination="meta")))
    with trace("sync"), Crew({"meta": several}, stop=threading.Event()) as crew:  # type: ignore[dict-item]
        crew.begin(claimed, call)  # type: ignore[arg-type]
        while crew.answered(within_s=60) is None:
            pass
    apply, run = kept.get_finished_spans()

    assert apply.parent is not None
    assert apply.parent.span_id == run.context.span_id
