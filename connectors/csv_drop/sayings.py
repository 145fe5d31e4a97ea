"""The part of the table of errors that files for upload by hand have."""

import errno

from cohortd.core.errors import GoneError
from connectors.csv_drop.codes import BY_CODE, UNKNOWN
from connectors.csv_drop.errors import translate
from connectors.sayings import Saying, Section


def sections() -> list[Section]:
    """Write it of the codes."""
    known = [
        Saying(errno.errorcode[code], rule.what, translate(OSError(code, "")))
        for code, rule in BY_CODE.items()
    ]
    return [
        Section(
            "Codes of the operating system",
            "`errno` of whatever was done to a file or a folder.",
            [*known, Saying("any other", UNKNOWN.what, translate(OSError(0, "")))],
        ),
        Section(
            "The audience's folder",
            "`audience.json` says that a folder is an audience.",
            [
                Saying(
                    "not there, while the destination's folder is",
                    "somebody deleted it",
                    GoneError("gone", cure="Put its folder back, or have it made anew.", scope="audience"),
                )
            ],
        ),
    ]
