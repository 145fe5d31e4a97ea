"""Consent events by HTTP: who sent them is proven, then they are read. Others use these names alone."""

from cohortd.receiver.desk import Answer, Desk, Inlet, Received, ReceiverLimits, Take, Verdict
from cohortd.receiver.events import Named, Reading, Said, read_event
from cohortd.receiver.listening import Listening
from cohortd.receiver.narrow import NarrowHandler, NarrowServer, Reply, Terms
from cohortd.receiver.probing import Listener, who_listens
from cohortd.receiver.serving import Receiver
from cohortd.receiver.shapes import PRESETS, EventShape
from cohortd.receiver.signatures import Auth, AuthKind, can_sign, key_bytes

__all__ = [
    "PRESETS",
    "Answer",
    "Auth",
    "AuthKind",
    "Desk",
    "EventShape",
    "Inlet",
    "Listener",
    "Listening",
    "Named",
    "NarrowHandler",
    "NarrowServer",
    "Reading",
    "Received",
    "Receiver",
    "ReceiverLimits",
    "Reply",
    "Said",
    "Take",
    "Terms",
    "Verdict",
    "can_sign",
    "key_bytes",
    "read_event",
    "who_listens",
]
