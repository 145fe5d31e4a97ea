"""Meta's part of the table of errors."""

from collections.abc import Iterator
from typing import Final

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.errors import FatalError, RetryableError
from connectors.meta.audiences import DELIVERY, OPERATION, status_of
from connectors.meta.client import TLS_CURE
from connectors.meta.codes import BY_CODE, BY_STATUS, BY_SUBCODE
from connectors.meta.errors import GraphFault, rule_for, translate
from connectors.sayings import Saying, Section

BAD_REQUEST: Final = 400

#: Cases in which one code means several things: Meta's words decide.
BY_WORDS: Final = (
    GraphFault(500, code=1, message="Please reduce the amount of data you're asking for"),
    GraphFault(
        BAD_REQUEST, code=100, message="API calls from the server require an appsecret_proof argument"
    ),
    GraphFault(BAD_REQUEST, code=100, message="You must agree to the Custom Audience terms"),
)
#: Codes that no row names, by what they have in common.
BY_RANGE: Final = (
    ("any other of 200 to 299", GraphFault(BAD_REQUEST, code=205)),
    ("any other of 80000 to 80014", GraphFault(BAD_REQUEST, code=80007)),
    ("any below 0", GraphFault(BAD_REQUEST, code=-3)),
    ("any other, HTTP 500 or above", GraphFault(500, code=77777)),
    ("any other, `is_transient`", GraphFault(BAD_REQUEST, code=77777, is_transient=True)),
    ("any other", GraphFault(BAD_REQUEST, code=77777)),
)
#: Answers without a readable error that no row names.
BY_OTHER_STATUS: Final = (("any other of 500 to 599", 502), ("any other", 404))


def faults() -> Iterator[tuple[str, GraphFault]]:
    """Every fault of the table, by what stands in its first column."""
    for code, subcode in BY_SUBCODE:
        yield f"{code} / {subcode}", GraphFault(BAD_REQUEST, code=code, subcode=subcode)
    yield "100 / 33, of the ad account", GraphFault(BAD_REQUEST, code=100, subcode=33, of_account=True)
    for fault in BY_WORDS:
        yield f"{fault.code}, “{fault.message}”", fault
    for code in BY_CODE:
        yield str(code), GraphFault(BAD_REQUEST, code=code)
    yield from BY_RANGE


def pages() -> Iterator[tuple[str, GraphFault]]:
    """Every answer of the table that holds no error of Meta's."""
    for status in BY_STATUS:
        yield f"HTTP {status}", GraphFault(status)
    for name, status in BY_OTHER_STATUS:
        yield f"HTTP {name}", GraphFault(status)


def sections() -> list[Section]:
    """Meta's part of the table."""
    return [
        Section(
            "Error codes",
            "`error.code` and `error.error_subcode` of an answer. A row with both goes before a row with "
            "the code alone. Where the usage headers name a time to regain access, that is waited; "
            "without one the waits of a limit double up to an hour.",
            [_saying(name, fault) for name, fault in faults()],
        ),
        Section(
            "Answers that are not Meta's",
            "A page, an empty body, JSON without a readable error: by the HTTP status.",
            [_saying(name, fault) for name, fault in pages()],
        ),
        Section("The connection", "No answer at all.", _of_connection()),
        Section("Answers to an upload", "`num_received` and `num_invalid_entries`.", _of_upload()),
        Section(
            "States of an audience",
            "`operation_status` and `delivery_status`, shown by `cohortd audiences`, and by `status` and "
            "in a run's notes where a person should act.",
            _of_states(),
        ),
    ]


def _saying(name: str, fault: GraphFault) -> Saying:
    return Saying(name, rule_for(fault).what, translate(fault))


def _of_connection() -> list[Saying]:
    return [
        Saying("refused, reset, timed out", "nobody answered", RetryableError("no answer")),
        Saying("TLS", "the certificate is not trusted", FatalError("no trust", cure=TLS_CURE)),
        Saying("the SDK crashes", "an answer it does not expect", RetryableError("no answer")),
    ]


def _of_upload() -> list[Saying]:
    confirmed = BatchState.CONFIRMED
    return [
        Saying("all received, none invalid", "all was taken", Receipt(confirmed)),
        Saying("invalid, in the samples", "these rows are at fault", Receipt(confirmed, rejected={0: "x"})),
        Saying(
            "invalid, not in the samples, of an add",
            "some rows are at fault, Meta does not say which",
            Receipt(confirmed, unattributed={"x": 1}),
        ),
        Saying(
            "invalid, not in the samples, of a removal",
            "somebody may still be there",
            Receipt(BatchState.REJECTED, unattributed={"x": 1}),
        ),
        Saying("fewer received than sent, or no number", "a part was lost", RetryableError("a part")),
    ]


def _of_states() -> list[Saying]:
    operations = {code: {"operation_status": {"code": code}} for code in OPERATION}
    deliveries = {code: {"delivery_status": {"code": code}} for code in (*DELIVERY, 400)}
    nodes = {
        f"operation {code}": node | {"delivery_status": {"code": 200}} for code, node in operations.items()
    }
    nodes |= {f"delivery {code}": node for code, node in deliveries.items()}
    return [
        Saying(code, status_of(node).state.removesuffix("; ready"), status_of(node))
        for code, node in nodes.items()
    ]
