"""How the server is, for whoever watches it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STARTED = time.monotonic()


def health_of(facts: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """What `/healthz` says: these facts, what the process takes in memory, and for how long it runs."""

    def health() -> dict[str, Any]:
        seconds = round(time.monotonic() - _STARTED, 1)
        return {"status": "ok", **facts(), "memory_mb": _memory(), "seconds": seconds}

    return health


def _memory() -> int | None:
    """Megabytes in memory; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000
