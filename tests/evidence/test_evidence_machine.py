"""A few stories of the state machine; thousands: ``python -m tests.evidence machine``."""

from hypothesis import HealthCheck, settings

from tests.evidence.machine import EvidenceMachine

TestEvidenceMachine = EvidenceMachine.TestCase
TestEvidenceMachine.settings = settings(
    max_examples=30,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
