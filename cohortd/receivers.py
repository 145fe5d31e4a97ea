"""The settings' receiver, wired: what listens, and what it hands events to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from cohortd.core.errors import SettingsError
from cohortd.pipeline.receiving import Receiving
from cohortd.pipeline.wiring import Pipeline
from cohortd.receiver import (
    PRESETS,
    Auth,
    AuthKind,
    Desk,
    EventShape,
    Inlet,
    Receiver,
    ReceiverLimits,
    can_sign,
)
from config.receiver import Receiver as ReceiverSettings
from config.receiver import ReceiverAuth, ReceiverSource

_HEADERS = {AuthKind.HMAC: "X-Signature", AuthKind.BEARER: "Authorization"}
_PREFIXES = {AuthKind.BEARER: "Bearer "}
log = structlog.get_logger()


@contextmanager
def open_receiver(settings: ReceiverSettings | None, pipeline: Pipeline) -> Iterator[Receiver | None]:
    """Listen for the length of a block; without settings nothing does.

    Raises:
        SettingsError: The address cannot be had, or a secret is none that can be used.
    """
    if settings is None:
        yield None
        return
    receiving = Receiving(pipeline, {each.name: shape_of(each) for each in settings.sources})
    desk = Desk(
        [Inlet(each.name, each.place, _auth(each)) for each in settings.sources],
        take=receiving.take,
        limits=ReceiverLimits(settings.most_bytes, settings.most_a_minute),
        clock=pipeline.clock,
    )
    carrying = threading.Thread(
        target=receiving.carry, kwargs={"stop": pipeline.stop.is_set}, name="receiver-carrying"
    )
    receiver = Receiver((settings.host, settings.port), desk)
    carrying.start()
    try:
        with receiver:
            log.info("receiver_listens", port=receiver.port, sources=len(settings.sources))
            yield receiver
    finally:
        receiving.close()
        carrying.join()


def shape_of(source: ReceiverSource) -> EventShape:
    """Lay what the settings say over the preset, if there is one."""
    given = {
        name: value
        for name in type(source.mapping).model_fields
        if (value := getattr(source.mapping, name)) is not None
    }
    return replace(PRESETS[source.preset] if source.preset else EventShape(), **given)


def _auth(source: ReceiverSource) -> Auth:
    given: ReceiverAuth = source.auth
    kind = AuthKind(given.kind)
    auth = Auth(
        kind=kind,
        secret=given.secret.get_secret_value() if given.secret else "",
        header=given.header or _HEADERS.get(kind, ""),
        prefix=_PREFIXES.get(kind, "") if given.prefix is None else given.prefix,
        base64=given.encoding == "base64",
        timestamp_header=given.timestamp_header or "",
        id_header=given.id_header or "",
        tolerance_s=given.tolerance_s,
    )
    if not can_sign(auth):
        raise SettingsError(f"receiver: {source.name}: the secret cannot be used for {kind.value}")
    return auth
