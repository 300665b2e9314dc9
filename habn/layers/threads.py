"""Shares the pieces of a compiled loop among plain threads, since the loops hold no lock of Python's.

Numba's own threads next to PyTorch's cost six times as much as they saved.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch

LEAST = 100_000
"""Elements of a feature map for which another thread is worth waking."""


def share(loop: Callable[..., None], pieces: int, elements: int, *arguments) -> None:
    """Call loop(first, last, *arguments) on ranges that make up all pieces, in as many threads as PyTorch has."""
    threads = max(1, min(torch.get_num_threads(), pieces, elements // LEAST))
    ends = [pieces * k // threads for k in range(threads + 1)]
    others = [_pool().submit(loop, *ends[k : k + 2], *arguments) for k in range(1, threads)]
    try:
        loop(*ends[:2], *arguments)
    finally:
        for other in others:  # they write into arrays of this call
            other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 2) - 1), thread_name_prefix="habn")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not outlive a fork
