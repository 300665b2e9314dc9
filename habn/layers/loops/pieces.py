"""What all loops have in common: how they are compiled, and the pieces that threads share.

A piece is a picture, or up to `PIECE` pixels of one. Whichever thread comes first takes the next piece, so nobody waits
for a thread that is slow to wake. A piece's sums are its own, and are added in order, so an answer does not depend on
the threads. Loops of several phases begin each of them when all pieces of the one before are done.
"""

import sys

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from habn.layers.loops import simd

PIECE = 512
BLOCK = 32  # pixels whose variance is summed about their own mean; they fit into the nearest cache
PATIENCE = 1000  # looks at whether others are done before the processor is left to them
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


def compiled(function):
    """Compile with what is kept of earlier processes, where there is a folder for it that may be written."""
    options = dict(nogil=True, fastmath={*simd.FAST}, error_model="numpy")  # or a division by 0 would raise
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no such folder
        return njit(**options)(function)


@njit(error_model="numpy")  # Numba cannot keep generators
def shared(claims, phase, count):
    """The pieces of a phase that fall to the thread that asks; it ends when those of all threads are done.

    Claims, int64, has two numbers for each phase, at first 0: the next piece, and how many are done.
    """
    piece = _add(claims, 2 * phase, 1)
    while piece < count:
        yield piece
        _add(claims, 2 * phase + 1, 1)
        piece = _add(claims, 2 * phase, 1)
    looks = 0
    while _add(claims, 2 * phase + 1, 0) < count:
        looks += 1
        if looks > PATIENCE:
            _leave_the_processor()


@intrinsic
def _add(context, claims, index, value):
    """Add to a number of claims, which is returned as it was; all that was written before is seen by who reads it."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [arguments[1]]), arguments[2], "seq_cst")

    return types.int64(claims, types.intp, types.int64), generate


@intrinsic
def _leave_the_processor(context):
    name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate


@compiled
def bounds(piece, pixels):
    """Picture, first and last pixel of a piece."""
    each = (pixels + PIECE - 1) // PIECE
    start = piece % each * PIECE
    return piece // each, start, min(pixels, start + PIECE)


@compiled
def last_lanes(channels):
    """1 where the last eight channels are not among the eights before them, else 0."""
    fresh = np.ones(simd.WIDTH, np.float32)
    if channels % simd.WIDTH:
        fresh[: simd.WIDTH - channels % simd.WIDTH] = ZERO
    return fresh


@njit
def accumulate(sums, at, value):
    """Add eight to those of an array from an index on."""
    simd.store(sums, at, simd.load(sums, at) + value)
