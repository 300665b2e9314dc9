"""The formula, from a table of its parameters and s; and its gradient."""

import numpy as np

from habn.layers.loops import simd
from habn.layers.loops.pieces import BLOCK, HALF, ONE, ZERO, accumulate, bounds, compiled, last_lanes, shared

SCALE, BIAS, MEAN, VAR, D_SCALE, D_BIAS, D_MEAN, D_VAR, LEAST = TABLE = range(9)
"""Rows of a table: the parameters where s is 0, what one unit of s adds, and the least variance; variances with eps."""


@compiled
def normalize(claims, count, x, context, table, y):
    """y of x, by the formula."""
    for piece in shared(claims, 0, count):
        normalize_piece(piece, x, context, table, y)


@compiled
def normalize_piece(piece, x, context, table, y):
    pixels, channels = x.shape[1:]
    xs, ys, tables = x.reshape(-1), y.reshape(-1), table.reshape(-1)
    n, start, stop = bounds(piece, pixels)
    for block in range(start, stop, BLOCK):
        for c in range(0, channels, simd.WIDTH):
            c = min(c, channels - simd.WIDTH)
            row = n * 9 * channels + c
            scale, d_scale = simd.load(tables, row), simd.load(tables, row + D_SCALE * channels)
            bias, d_bias = simd.load(tables, row + BIAS * channels), simd.load(tables, row + D_BIAS * channels)
            mean, d_mean = simd.load(tables, row + MEAN * channels), simd.load(tables, row + D_MEAN * channels)
            var, d_var = simd.load(tables, row + VAR * channels), simd.load(tables, row + D_VAR * channels)
            least = simd.load(tables, row + LEAST * channels)
            for p in range(block, min(block + BLOCK, stop)):
                at = (n * pixels + p) * channels + c
                simd.fetch(xs, at + BLOCK * channels)
                s = simd.same(context[n, p])
                v = var + s * d_var
                normal = (simd.load(xs, at) - mean - s * d_mean) / simd.root(simd.where_greater(v, least, v, least))
                simd.store(ys, at, normal * (scale + s * d_scale) + (bias + s * d_bias))


@compiled
def normalize_backward(claims, count, grad_y, x, context, table, grad_context, grad_tables):
    """Gradients of context and table, the latter's summed over each piece, (pieces, 9, C)."""
    pixels, channels = x.shape[1:]
    xs, gs, tables, sums = x.reshape(-1), grad_y.reshape(-1), table.reshape(-1), grad_tables.reshape(-1)
    fresh, every = last_lanes(channels), np.ones(simd.WIDTH, np.float32)
    grad_s = np.empty(BLOCK * simd.WIDTH, np.float32)
    zero, half = simd.same(ZERO), simd.same(HALF)
    for piece in shared(claims, 0, count):
        n, start, stop = bounds(piece, pixels)
        grad_tables[piece] = ZERO
        for block in range(start, stop, BLOCK):
            end = min(block + BLOCK, stop)
            grad_s[:] = ZERO
            for c in range(0, channels, simd.WIDTH):
                counts = simd.load(every if c + simd.WIDTH <= channels else fresh, 0)
                c = min(c, channels - simd.WIDTH)
                row = n * 9 * channels + c
                scale, d_scale = simd.load(tables, row), simd.load(tables, row + D_SCALE * channels)
                mean, d_mean = simd.load(tables, row + MEAN * channels), simd.load(tables, row + D_MEAN * channels)
                var, d_var = simd.load(tables, row + VAR * channels), simd.load(tables, row + D_VAR * channels)
                d_bias, least = simd.load(tables, row + D_BIAS * channels), simd.load(tables, row + LEAST * channels)
                of_scale, of_bias, of_mean, of_var, of_least = zero, zero, zero, zero, zero
                of_d_scale, of_d_bias, of_d_mean, of_d_var = zero, zero, zero, zero
                for p in range(block, end):
                    at = (n * pixels + p) * channels + c
                    simd.fetch(xs, at + BLOCK * channels)
                    simd.fetch(gs, at + BLOCK * channels)
                    s, g = simd.same(context[n, p]), simd.load(gs, at)
                    v = var + s * d_var
                    inverse = simd.same(ONE) / simd.root(simd.where_greater(v, least, v, least))
                    normal = (simd.load(xs, at) - mean - s * d_mean) * inverse
                    g_mean = zero - g * (scale + s * d_scale) * inverse
                    g_scale = g * normal
                    g_v = half * g_mean * normal * inverse
                    g_var = simd.where_greater(v, least, g_v, zero)
                    of_scale, of_d_scale = of_scale + g_scale, of_d_scale + s * g_scale
                    of_bias, of_d_bias = of_bias + g, of_d_bias + s * g
                    of_mean, of_d_mean = of_mean + g_mean, of_d_mean + s * g_mean
                    of_var, of_d_var = of_var + g_var, of_d_var + s * g_var
                    of_least = of_least + (g_v - g_var)
                    g_s = g_scale * d_scale + g * d_bias + g_mean * d_mean + g_var * d_var
                    place = (p - block) * simd.WIDTH
                    simd.store(grad_s, place, simd.load(grad_s, place) + g_s * counts)
                row = piece * 9 * channels + c
                accumulate(sums, row, of_scale * counts)
                accumulate(sums, row + BIAS * channels, of_bias * counts)
                accumulate(sums, row + MEAN * channels, of_mean * counts)
                accumulate(sums, row + VAR * channels, of_var * counts)
                accumulate(sums, row + D_SCALE * channels, of_d_scale * counts)
                accumulate(sums, row + D_BIAS * channels, of_d_bias * counts)
                accumulate(sums, row + D_MEAN * channels, of_d_mean * counts)
                accumulate(sums, row + D_VAR * channels, of_d_var * counts)
                accumulate(sums, row + LEAST * channels, of_least * counts)
            for p in range(block, end):
                grad_context[n, p] = simd.total(simd.load(grad_s, (p - block) * simd.WIDTH))
