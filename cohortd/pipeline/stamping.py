"""Time stamps of signed heads (RFC 3161): an authority outside says that a head was there by then."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cohortd.core.errors import CohortdError, SettingsError
from cohortd.core.removals import SignedHead
from cohortd.ledger import KeptHead

if TYPE_CHECKING:
    from rfc3161_client import Verifier

_MISSING: Final = "time stamps need a library more: pip install 'cohortd[stamp]'"
_TIMEOUT_S: Final = 20.0
_QUERY: Final = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
#: Answers are a few kilobytes; whatever is longer is none.
_MOST_BYTES: Final = 65_536


class StampError(CohortdError):
    """A head could not be stamped; it is tried again with the next one."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """What time stamps of kept heads say."""

    #: How many there are.
    count: int = 0
    #: When the newest was made; None where there is none.
    newest: datetime | None = None
    #: The first that does not hold, in words; empty if all do.
    finding: str = ""


def stamp(url: str, head: SignedHead) -> bytes:
    """Have a head stamped; return the authority's answer.

    Raises:
        StampError: The authority cannot be reached, refuses, or stamped something else; or the library
            is not there, which must hold up no revocation.
    """
    if not _has_library():
        raise StampError(_MISSING)
    import requests  # noqa: PLC0415 - slow to load, and most commands stamp nothing
    from rfc3161_client import TimestampRequestBuilder, decode_timestamp_response  # noqa: PLC0415

    query = TimestampRequestBuilder().data(_stamped(head)).build()
    try:
        answer = requests.post(url, data=query.as_bytes(), headers=_QUERY, timeout=_TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise StampError(f"the time-stamp authority did not answer: {type(error).__name__}") from None
    if len(answer.content) > _MOST_BYTES:
        raise StampError("the time-stamp authority's answer is no time stamp: it is too long")
    try:
        stamped = decode_timestamp_response(answer.content)
        imprint = stamped.tst_info.message_imprint.message
    except ValueError:
        raise StampError("the time-stamp authority's answer is no time stamp") from None
    if imprint != query.message_imprint.message or stamped.tst_info.nonce != query.nonce:
        raise StampError("the time-stamp authority stamped something else")
    return answer.content


def check_stamps(heads: Collection[KeptHead], certificate: Path) -> Stamps:
    """Check every time stamp among kept heads.

    Args:
        heads: The heads.
        certificate: PEM: the certificate of the authority's root, and of what stands between.

    Raises:
        SettingsError: The certificate cannot be read, or the library is not there.
    """
    if not _has_library():
        raise SettingsError(_MISSING)
    from rfc3161_client import VerificationError, decode_timestamp_response  # noqa: PLC0415

    verifier = _verifier(certificate)
    stamped = [each for each in heads if each.stamp]
    newest: datetime | None = None
    for each in stamped:
        try:
            answer = decode_timestamp_response(each.stamp)
            verifier.verify_message(answer, _stamped(each.head))
        except (VerificationError, ValueError):
            said = f"entry {each.head.seq}: the time stamp of a kept head of it is not of this head"
            return Stamps(len(stamped), newest, f"{said}, or not by this authority")
        at = answer.tst_info.gen_time
        newest = at if newest is None else max(newest, at)
    return Stamps(len(stamped), newest)


def _has_library() -> bool:
    return find_spec("rfc3161_client") is not None


def _stamped(head: SignedHead) -> bytes:
    """What is stamped of a head: what was signed, and the signature."""
    return f"{head.signed_text}\n{head.signature}".encode()


def _verifier(certificate: Path) -> "Verifier":
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415
    from rfc3161_client import VerifierBuilder  # noqa: PLC0415

    try:
        found = load_pem_x509_certificates(certificate.read_bytes())
    except OSError as error:
        raise SettingsError(f"cannot read {certificate}: {error.strerror}") from None
    except ValueError:
        raise SettingsError(f"{certificate}: holds no certificate in PEM") from None
    builder = VerifierBuilder()
    for each in found:
        is_root = each.issuer == each.subject
        builder = (
            builder.add_root_certificate(each) if is_root else builder.add_intermediate_certificate(each)
        )
    return builder.build()
