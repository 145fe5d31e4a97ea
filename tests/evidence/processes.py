"""Work in a process of its own, which may be killed."""

import os
import sys
import traceback
from collections.abc import Callable

from tests.evidence.records import BrokenLawError


def in_a_process(work: Callable[[], None]) -> int:
    """Run in a fork; return the signal that killed it, or 0.

    Raises:
        BrokenLawError: It failed; what it said stands above.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise BrokenLawError("a law was broken: see above")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
