"""Takes events by HTTP and nothing else: a body of known and limited size, by POST."""

import json
from http import HTTPStatus

from cohortd.receiver.desk import Answer, Desk
from cohortd.receiver.narrow import NarrowHandler, NarrowServer, Reply, Terms


class Receiver(NarrowServer):
    """Listens for events for the length of a block."""

    def __init__(self, address: tuple[str, int], desk: Desk) -> None:
        """Bind, but take nothing yet.

        Raises:
            AddressError: The address cannot be had now.
        """
        self.desk = desk
        limits = desk.limits
        super().__init__(
            address, _Handler, Terms("receiver", "receiver.listen", limits.connections, limits.whole_s)
        )


class _Handler(NarrowHandler):
    server: Receiver
    verb = "POST"

    def do_POST(self) -> None:  # noqa: N802 - the base names it
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            twice = headers.get(name.lower())
            headers[name.lower()] = value if twice is None else f"{twice}, {value}"
        self.reply(_reply(self.server.desk.answer(self.path, headers, self._read_whole)))

    def _read_whole(self, length: int) -> bytes:
        """Read a body; once it is here, its sender no longer holds the place."""
        raw: bytes = self.rfile.read(length)
        if len(raw) == length:
            self.server.places.keep(self.connection)
        return raw

    def handle_expect_100(self) -> bool:
        """Ask for a body only where it may come; ``do_POST`` refuses all others."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length[:12]) <= self.server.desk.limits.most_bytes:
            return super().handle_expect_100()
        return True

    def refusal(self, status: HTTPStatus) -> Reply:
        return _reply(Answer(status, "events are taken by POST"))


def _reply(answer: Answer) -> Reply:
    again = {"Retry-After": str(answer.after_s)} if answer.after_s else {}
    return Reply(answer.status, json.dumps({"status": answer.said}).encode(), headers=again)
