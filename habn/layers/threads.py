"""Shares the pieces of a compiled loop among plain threads, since the loops hold no lock of Python's.

Numba's own threads next to PyTorch's cost six times as much as they saved.
"""

import os
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue
from threading import Thread

import numpy as np
import torch

LEAST = 100_000
"""Elements of a feature map for which another thread is worth waking."""


def share(loop: Callable[..., None], pieces: int, elements: int, *arguments, phases: int = 1) -> None:
    """Call loop(claims, pieces, *arguments) in as many threads as PyTorch has; see `habn.layers.loops.pieces`.

    It comes back when all pieces are done. A thread that wakes too late finds none left, which is why it is not waited
    for.
    """
    arguments = (np.zeros(2 * phases, np.int64), pieces, *arguments)
    others = min(torch.get_num_threads(), pieces, elements // LEAST) - 1
    if others > 0 and _jobs().qsize() <= others:  # else they are busy, and what waits is kept in memory
        for _ in range(others):
            _jobs().put((loop, arguments))
    loop(*arguments)


@cache
def _jobs() -> SimpleQueue:
    """What the other threads of this process are to call."""
    jobs: SimpleQueue = SimpleQueue()
    for k in range(max(1, (os.cpu_count() or 2) - 1)):
        Thread(target=_work, args=(jobs,), name=f"habn-{k}", daemon=True).start()
    return jobs


def _work(jobs: SimpleQueue) -> None:
    while True:
        loop, arguments = jobs.get()
        loop(*arguments)
        del loop, arguments  # or they would be kept until the next job comes


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_jobs.cache_clear)  # threads do not outlive a fork
