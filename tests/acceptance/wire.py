"""The platforms' stand-ins with somebody listening on the wire."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from cohortd.core.payloads import digest_of
from cohortd.emulators.google import GoogleEmulator
from cohortd.emulators.meta import MetaEmulator
from cohortd.emulators.meta_nodes import Call, Reply

#: Calls that carry members towards a platform.
ADDS = ("dm.audience_members.ingest", "users.add", "users.replace")
MEMBER_CALLS = (*ADDS, "dm.audience_members.remove", "users.remove", "ads.jobs.add")


class Wire:
    """Every call to any platform: what it said, and hooks before and after it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        #: Called with the name and text of each call before the platform looks at it.
        self.before: Callable[[str, str], None] | None = None
        #: Called with the name of each call when the platform is done with it.
        self.after: Callable[[str], None] | None = None
        self._under_way = 0
        self._idle = threading.Condition()

    def begin(self, name: str, text: str) -> None:
        with self._idle:
            self._under_way += 1
            self.messages.append((name, text))
        if self.before is not None:
            self.before(name, text)

    def end(self, name: str) -> None:
        try:
            if self.after is not None:
                self.after(name)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    def wait_idle(self) -> None:
        """Wait until the platforms are done with everything that reached them."""
        with self._idle:
            assert self._idle.wait_for(lambda: not self._under_way, timeout=30)

    def sent(self) -> Counter[str]:
        """Calls that carried members, by name."""
        return Counter(name for name, _ in self.messages if name in MEMBER_CALLS)

    def texts(self, *names: str) -> str:
        """Everything said in calls of these names, all calls without any."""
        return "\n".join(text for name, text in self.messages if not names or name in names)


class WatchedMeta(MetaEmulator):
    """Meta, heard."""

    def __init__(self, wire: Wire, **options: Any) -> None:
        super().__init__(**options)
        self._wire = wire

    def respond(self, call: Call) -> Reply | None:
        name = self._graph.name_of(call)
        spoken = {key: value for key, value in call.params.items() if key != "access_token"}
        self._wire.begin(name, f"{'/'.join(call.path)} {spoken}")
        try:
            return super().respond(call)
        finally:
            self._wire.end(name)


class WatchedGoogle(GoogleEmulator):
    """Both of Google's APIs, heard."""

    def __init__(self, wire: Wire, **options: Any) -> None:
        super().__init__(**options)
        self._switchboard = _Tap(self._switchboard, wire)


class _Tap:
    """Stands before the switchboard of the stand-in."""

    def __init__(self, inner: Any, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    @property
    def calls(self) -> Counter[str]:
        return self._inner.calls

    @property
    def stopping(self) -> threading.Event:
        return self._inner.stopping

    def put_through(self, name: str, request: Any, handler: Any, *, words: Any) -> Any:
        self._wire.begin(name, str(request))
        try:
            return self._inner.put_through(name, request, handler, words=words)
        finally:
            self._wire.end(name)


def sha256(text: str) -> str:
    """Hash as the platforms want it."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_google(row: dict[str, str]) -> set[str]:
    """What Google should hold of a customer, worked out by hand."""
    found = {f"email:{sha256(row['email'].lower())}"} if row["email"] else set()
    if row["phone"]:
        found.add(f"phone:{sha256(row['phone'])}")
    if all(row[name] for name in ("first_name", "last_name", "postal_code", "country")):
        address = {
            "given_name": sha256(row["first_name"].lower()),
            "family_name": sha256(row["last_name"].lower()),
            "region_code": row["country"],
            "postal_code": row["postal_code"],
        }
        found.add(f"address:{digest_of(address).hex()}")
    return found


def of_meta(row: dict[str, str]) -> set[str]:
    """What Meta should hold of a customer, worked out by hand."""
    found = {f"email:{sha256(row['email'].lower())}"} if row["email"] else set()
    if row["phone"]:
        found.add(f"phone:{sha256(row['phone'].removeprefix('+'))}")
    return found
