"""Memory that a daemon gives back between its jobs; with another C library than glibc, less of it."""

import ctypes
import gc
from typing import Final

import pyarrow as pa

#: mallopt's name for the most heaps: by default eight a core, each of which keeps what it was once given.
_ARENA_MAX: Final = -8
_ARENAS: Final = 2


def spread_little() -> None:
    """Let threads share heaps; call it before there are any."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what a job took and let go."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
