"""What each code means that the operating system gives for a file; the names are those of errno(3)."""

import errno
from dataclasses import dataclass
from typing import Final

#: Room and a network folder come back when somebody sees to it; seconds until the next try.
AFTER_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means; with a cure a person must act, without one it is tried again."""

    what: str
    after_s: float | None = None
    cure: str = ""


_AGAIN: Final = Rule("the folder's disk did not answer as it should")
_FULL: Final = Rule("there is no room left for the files", after_s=AFTER_S)
_DENIED: Final = Rule(
    "cohortd may not read or write in the destination's folder",
    cure="Give the user that runs cohortd the right to read and write there.",
)
_MISSING: Final = Rule(
    "the destination's folder is not there",
    cure="Mount it, or correct `folder` of the destination.",
)
UNKNOWN: Final = Rule(
    "the folder's disk refuses for a reason cohortd does not know",
    cure="Look the code up, see to the disk or choose another `folder`, and tell the maintainers.",
)

BY_CODE: Final[dict[int, Rule]] = {
    errno.EIO: _AGAIN,
    errno.EAGAIN: _AGAIN,
    errno.EBUSY: _AGAIN,
    errno.EINTR: _AGAIN,
    errno.ENOLCK: _AGAIN,
    errno.ESTALE: _AGAIN,
    errno.ETIMEDOUT: _AGAIN,
    errno.EHOSTDOWN: _AGAIN,
    errno.EMFILE: _AGAIN,
    errno.ENFILE: _AGAIN,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _MISSING,
}
