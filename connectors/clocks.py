"""How far a platform's clock is ahead of ours, by the ``Date`` of any answer; nothing is told to it."""

import time
from email.utils import parsedate_to_datetime

import requests

_TIMEOUT_S = 5.0
#: ``Date`` has whole seconds, cut off.
_HALF_A_SECOND = 0.5


def ahead_s(url: str) -> float | None:
    """Ask a server for no more than its headers; None where it does not answer or tells no time."""
    began = time.time()
    try:
        answer = requests.head(url, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return None
    try:
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return told.timestamp() + _HALF_A_SECOND - (began + time.time()) / 2
