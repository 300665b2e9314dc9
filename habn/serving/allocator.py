"""How much memory the C library keeps back for threads and for later."""

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_ARENAS = 2
_LARGE = 1_000_000


def return_freed_memory() -> None:
    """Let the process give back what it has freed; to be called before it starts threads.

    glibc makes an arena of 64 MB for each thread that allocates, up to eight for each core, and raises by itself, up to
    32 MB, the size from which on memory is returned at once. A server whose arrays of some megabytes are made in many
    threads keeps gigabytes so. Other C libraries are left alone.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        for parameter, value in ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE)):
            libc.mallopt(parameter, value)
