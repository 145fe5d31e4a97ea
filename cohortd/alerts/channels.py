"""One URL that takes messages; Apprise knows how.

A URL is a secret as a whole: of webhooks the path is what lets one in. So a channel is known by its kind
and the first digits of its URL's digest, and nothing that Apprise says of a failure is repeated.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cohortd.core.printable import printable
from cohortd.core.redaction import Redactor

#: How long each part of a service's answer is waited for, where the URL does not say (rto=); seconds.
#: Apprise's own few seconds have a slow service take a message that counts as not taken, and get it again.
_READ_S: Final = 20.0
_SHOWN: Final = 8
_UNKNOWN: Final = "it is no URL that Apprise knows, or something is missing in it"
_NOT_TAKEN: Final = "the service could not be reached, or did not take it"
_STATUS: Final = re.compile(r"error=([1-5]\d\d)\b")


class Mood(StrEnum):
    """What kind of message it is; services show it by a colour."""

    TEST = "info"
    TROUBLE = "warning"
    OVER = "success"


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says."""

    title: str
    body: str
    mood: Mood


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go."""

    #: Such as ``slack-3f2a91bc``.
    name: str
    redactor: Redactor
    _url: str = field(repr=False)

    def send(self, message: Message) -> str:
        """Send a message; return why it was not taken, empty where it was.

        A service that goes on answering, only slowly, takes as long as it likes: see ``Sending``.
        """
        import apprise  # noqa: PLC0415 - a quarter of a second that only those pay who send

        asset = apprise.AppriseAsset(
            app_id="cohortd",
            app_desc="cohortd",
            app_url="",
            async_mode=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            # Past such a limit Apprise goes on in a thread of a small pool, which keeps the process alive.
            service_timeout=0,
        )
        service = apprise.Apprise.instantiate(self._url, asset=asset)
        if service is None:
            return _UNKNOWN
        if service.socket_read_timeout == type(service).socket_read_timeout:
            service.socket_read_timeout = _READ_S
        said: list[str] = []
        sender = apprise.Apprise(asset=asset)
        sender.add(service)
        is_taken = sender.notify(
            title=printable(self.redactor.text(" ".join(message.title.splitlines()))),
            body=self._shown(message.body),
            notify_type=apprise.NotifyType(message.mood.value),
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
            log_callback=lambda entry, _service: said.append(str(entry.message)),
        )
        return "" if is_taken else _why(said)

    def _shown(self, body: str) -> str:
        """Redact paragraph by paragraph: a long text is cut, as no log line would need it whole."""
        return "\n\n".join(printable(self.redactor.text(each)) for each in body.split("\n\n"))


def open_channels(urls: Iterable[str], *, redactor: Redactor) -> tuple[Channel, ...]:
    """Name the channels, one a URL; nothing is asked of them yet."""
    return tuple(Channel(_name(url), redactor, url) for url in dict.fromkeys(urls))


def _name(url: str) -> str:
    kind = re.sub(r"[^a-z0-9]", "", url.partition("://")[0].lower())
    return f"{kind}-{hashlib.sha256(url.encode()).hexdigest()[:_SHOWN]}"


def _why(said: Iterable[str]) -> str:
    """Take the HTTP status out of what Apprise says, and nothing else: it may name the URL."""
    for line in said:
        if found := _STATUS.search(line):
            return f"the service answered HTTP {found[1]}"
    return _NOT_TAKEN
