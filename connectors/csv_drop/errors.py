"""From the operating system's errors to ours."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cohortd.core.errors import FatalError, RetryableError, SyncError
from connectors.csv_drop.codes import BY_CODE, UNKNOWN


def translate(error: OSError) -> SyncError:
    """Turn the system's error into ours; no path goes along, since it may name an audience."""
    rule = BY_CODE.get(error.errno or 0, UNKNOWN)
    code = errno.errorcode.get(error.errno or 0, "no code")
    detail = f"{rule.what} ({code}: {os.strerror(error.errno or 0)})"
    if rule.cure:
        return FatalError(detail, cure=rule.cure)
    return RetryableError(detail, after_s=rule.after_s)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Let nothing of the operating system out but our errors."""
    try:
        yield
    except OSError as error:
        raise translate(error) from None
