"""Who listens at an address: a cohortd that takes these sources' events, somebody else, or nobody."""

import contextlib
import http.client
import socket
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Final

#: How long an answer is waited for; seconds.
_WITHIN_S: Final = 3.0
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound to, but looked at


class Listener(StrEnum):
    """Who is found at an address."""

    OURS = "a cohortd takes these sources' events there"
    ANOTHER_OURS = "a cohortd with other sources listens there"
    STRANGER = "something else than cohortd answers there"
    NOBODY = "nothing listens there"
    NEVER = "it cannot be had: it is no address of this machine, or not ours to use"


def who_listens(address: tuple[str, int], paths: Sequence[str]) -> Listener:
    """Look who is there, by requests that nobody would take for an event; nothing is logged for them."""
    found = {_answer(address, path) for path in paths}
    if found == {Listener.NOBODY}:
        return Listener.NOBODY if _can_be_had(address) else Listener.NEVER
    for each in (Listener.STRANGER, Listener.ANOTHER_OURS, Listener.NOBODY):
        if each in found:
            return each
    return Listener.OURS


def _answer(address: tuple[str, int], path: str) -> Listener:
    """Ask at one path: without a kind of content, what we take is told from what we do not know."""
    host, port = address
    connection = http.client.HTTPConnection(_ANYWHERE.get(host, host), port, timeout=_WITHIN_S)
    with contextlib.closing(connection):
        try:
            connection.connect()
        except (OSError, UnicodeError):
            return Listener.NOBODY
        try:
            connection.request("POST", path, b"")
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return Listener.STRANGER
    if answer.headers.get("Server") != "cohortd":
        return Listener.STRANGER
    return Listener.ANOTHER_OURS if answer.status == HTTPStatus.NOT_FOUND else Listener.OURS


def _can_be_had(address: tuple[str, int]) -> bool:
    """Bind without listening, so that a daemon that starts meanwhile is not in the way."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(address)
        except (OSError, UnicodeError):
            return False
    return True
