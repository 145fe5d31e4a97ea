"""PostgreSQL's errors as ours; they show neither a statement's values nor a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from cohortd.core.errors import LedgerError, LedgerUnreachableError
from cohortd.ledger.database import BUSY_TIMEOUT_S, without_digests

_BUSY: Final = (
    f"another process has been writing to the ledger for {BUSY_TIMEOUT_S} s; try again when it is done"
)
_READ_ONLY: Final = (
    "the ledger's database is read-only; give the address of the primary, and a user that may write"
)
#: What the server's codes mean for people.
_BY_CODE: Final = {
    "55P03": _BUSY,
    "25006": _READ_ONLY,
    "3D000": "the ledger's database is not there; make it with: createdb --encoding UTF8 NAME",
    "53100": "the disk of the ledger's database is full",
}
#: Classes of codes: the connection is gone, or the server is going or has no room for us.
_GONE: Final = ("08", "57P", "25P03", "53300")


@contextmanager
def translated_errors(url: URL) -> Iterator[None]:
    """Turn the driver's errors into ours.

    A server may quote a row in the detail of an error: only its first sentence is told.
    """
    import psycopg  # noqa: PLC0415 - an extra; who uses SQLite does without

    try:
        yield
    except DBAPIError as error:
        raise _ours(error.orig, url) from None
    except psycopg.Error as error:
        raise _ours(error, url) from None


def _ours(error: BaseException | None, url: URL) -> LedgerError:
    code = getattr(error, "sqlstate", None) or ""
    diagnosis = getattr(error, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or _first_line(str(error))
    said = without_digests(said)
    if url.password:
        said = said.replace(str(url.password), "…")
    if code in _BY_CODE:
        return LedgerError(_BY_CODE[code])
    if code == "42501":
        return LedgerError(
            f"the ledger's database refused: {said}; its user needs CREATE on the schema, and to own the"
            " ledger's tables"
        )
    if code.startswith(_GONE) or (not code and type(error).__name__ == "OperationalError"):
        return LedgerUnreachableError(
            f"the ledger's database at {url.host or url.query.get('host', 'localhost')} is out of reach or"
            f" lets nobody in: {said}"
        )
    if code.startswith("22"):  # the server quotes the value
        return LedgerError(f"the ledger refused: a value does not fit its column ({code})")
    return LedgerError(f"the ledger refused: {said}")


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else "it did not say why"
