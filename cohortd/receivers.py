"""The settings' receiver, wired: what listens, what it hands events to, and whether it does."""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import SettingsError
from cohortd.pipeline.wiring import Pipeline
from cohortd.receiver import (
    PRESETS,
    Auth,
    AuthKind,
    Desk,
    EventShape,
    Inlet,
    Listener,
    Listening,
    Receiver,
    ReceiverLimits,
    can_sign,
    key_bytes,
    who_listens,
)
from config.receiver import Receiver as ReceiverSettings
from config.receiver import ReceiverAuth, ReceiverSource

_HEADERS = {AuthKind.HMAC: "X-Signature", AuthKind.BEARER: "Authorization"}
_PREFIXES = {AuthKind.BEARER: "Bearer "}
#: Keys of fewer bytes can be found by trying; Standard Webhooks asks for 24.
_KEY_BYTES: Final = 16
#: How long the end waits for what withdrawn people carry; what was not read by then, the next plan reads.
_CARRYING_S: Final = 5.0
_WHERE_TO_LOOK: Final = "Is the daemon running? Its log says why it does not listen: server_not_opened."


@contextmanager
def open_receiver(settings: ReceiverSettings | None, pipeline: Pipeline) -> Iterator[Listening | None]:
    """Listen for the length of a block, as soon as the address can be had; without settings nothing does.

    Raises:
        SettingsError: A secret is none that can be used.
    """
    if settings is None:
        yield None
        return
    # Identity and libraries of data, which whoever looks from outside does not need.
    from cohortd.pipeline.receiving import Receiving  # noqa: PLC0415

    ended = threading.Event()
    shapes = {each.name: shape_of(each) for each in settings.sources}
    receiving = Receiving(replace(pipeline, stop=ended), shapes)
    desk = Desk(
        [Inlet(each.name, each.place, _auth(each)) for each in settings.sources],
        take=receiving.take,
        limits=ReceiverLimits(settings.most_bytes, settings.most_a_minute),
        clock=pipeline.clock,
    )
    carrying = threading.Thread(
        target=receiving.carry, kwargs={"stop": ended.is_set}, name="receiver-carrying", daemon=True
    )
    carrying.start()
    try:
        with Listening(partial(Receiver, (settings.host, settings.port), desk)) as listening:
            yield listening
    finally:
        receiving.close()
        if not pipeline.stop.is_set():
            carrying.join(_CARRYING_S)
        ended.set()
        carrying.join(_CARRYING_S)  # a table that does not answer is left: the ledger closes to it


def status_lines(settings: ReceiverSettings | None) -> list[AccessCheck]:
    """Say whether events are taken now, as seen from here."""
    if settings is None:
        return []
    found = _who_listens(settings)
    ok = found is Listener.OURS
    return [
        AccessCheck("receiver", ok=ok, detail=_told(settings, found), cure="" if ok else _WHERE_TO_LOOK)
    ]


def check_lines(settings: ReceiverSettings | None) -> list[AccessCheck]:
    """Say whether the address can be had, how good each secret is, and what others can reach."""
    if settings is None:
        return []
    found = _who_listens(settings)
    ok = found in {Listener.OURS, Listener.NOBODY}
    cure = "" if ok else "Choose another receiver.listen, or stop what is there."
    lines = [AccessCheck("receiver", ok=ok, detail=_told(settings, found), cure=cure)]
    lines += [_secret_line(source) for source in settings.sources]
    if not _is_loopback(settings.host):
        detail = (
            "others than this machine reach it, and it speaks plain HTTP: have a proxy with TLS before it,"
            " and let nobody else reach the port"
        )
        lines.append(AccessCheck("receiver: TLS", ok=True, detail=detail))
    return lines


def shape_of(source: ReceiverSource) -> EventShape:
    """Lay what the settings say over the preset, if there is one."""
    given = {
        name: value
        for name in type(source.mapping).model_fields
        if (value := getattr(source.mapping, name)) is not None
    }
    return replace(PRESETS[source.preset] if source.preset else EventShape(), **given)


def _who_listens(settings: ReceiverSettings) -> Listener:
    return who_listens((settings.host, settings.port), [each.place for each in settings.sources])


def _told(settings: ReceiverSettings, found: Listener) -> str:
    return f"{settings.listen}: {found.value}"


def _secret_line(source: ReceiverSource) -> AccessCheck:
    subject = f"receiver: {source.name}"
    try:
        auth = _auth(source)
    except SettingsError as error:
        return AccessCheck(subject, ok=False, detail=str(error), cure="Take a secret of that kind.")
    length = key_bytes(auth)
    weak = "" if length >= _KEY_BYTES else f"; it is worth {length} bytes, which is few: take 24 or more"
    return AccessCheck(subject, ok=True, detail=f"{source.place}, {auth.kind.value} with a secret{weak}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
