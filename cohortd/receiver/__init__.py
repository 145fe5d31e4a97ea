"""Consent events by HTTP: who sent them is proven, then they are read. Others use these names alone."""

from cohortd.receiver.desk import Answer, Desk, Inlet, Received, ReceiverLimits, Take, Verdict
from cohortd.receiver.events import Named, Reading, Said, read_event
from cohortd.receiver.serving import Receiver
from cohortd.receiver.shapes import PRESETS, EventShape
from cohortd.receiver.signatures import Auth, AuthKind, can_sign

__all__ = [
    "PRESETS",
    "Answer",
    "Auth",
    "AuthKind",
    "Desk",
    "EventShape",
    "Inlet",
    "Named",
    "Reading",
    "Received",
    "Receiver",
    "ReceiverLimits",
    "Said",
    "Take",
    "Verdict",
    "can_sign",
    "read_event",
]
