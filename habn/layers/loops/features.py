"""What is read off a feature map at full size: the encoder's first products, and the statistics; and their gradient."""

import numpy as np

from habn.layers.loops import simd
from habn.layers.loops.formula import D_SCALE, D_VAR, LEAST, VAR
from habn.layers.loops.pieces import BLOCK, ZERO, accumulate, bounds, compiled, last_lanes, shared


@compiled
def _merge(count, mean, squares, added, their_mean, their_squares):
    """Mean and squared deviations of two sets of pixels together, after Chan, Golub and LeVeque 1983."""
    share = added / (count + added)
    for k in range(len(mean)):
        squares[k] += their_squares[k] + (their_mean[k] - mean[k]) ** 2 * (count * share)
    for k in range(len(mean)):
        mean[k] += (their_mean[k] - mean[k]) * share


@compiled
def _add_sizes(pixel, weight, size):
    """size = abs(weight) abs(x) at one pixel."""
    for h in range(len(weight)):
        together = simd.same(ZERO)
        for c in range(0, weight.shape[1], simd.WIDTH):  # the last channels count twice where they are not eight
            c = min(c, weight.shape[1] - simd.WIDTH)
            together = together + simd.size(simd.load(pixel, c) * simd.load(weight[h], c))
        size[h] = simd.total(together)


@compiled
def measure(claims, count, x, weight, with_statistics, hidden, size, means, squares):
    """hidden = weight x of each pixel; of each piece mean and sum of squared deviations, (pieces, C)."""
    for piece in shared(claims, 0, count):
        measure_piece(piece, x, weight, with_statistics, hidden, size, means, squares)


@compiled
def measure_piece(piece, x, weight, with_statistics, hidden, size, means, squares):
    pixels, channels = x.shape[1:]
    xs, weights = x.reshape(-1), weight.reshape(-1)
    fresh, every = last_lanes(channels), np.ones(simd.WIDTH, np.float32)
    mean, square = np.empty(channels, np.float32), np.empty(channels, np.float32)
    products = np.empty(len(weight) * BLOCK * simd.WIDTH, np.float32)
    n, start, stop = bounds(piece, pixels)
    if start == 0:
        _add_sizes(xs[n * pixels * channels :], weight, size[n])
    if with_statistics:
        means[piece] = ZERO
        squares[piece] = ZERO
    for block in range(start, stop, BLOCK):
        end = min(block + BLOCK, stop)
        products[:] = ZERO
        for c in range(0, channels, simd.WIDTH):
            counts = simd.load(every if c + simd.WIDTH <= channels else fresh, 0)
            c = min(c, channels - simd.WIDTH)
            total = simd.same(ZERO)
            for p in range(block, end):
                at = (n * pixels + p) * channels + c
                simd.fetch(xs, at + BLOCK * channels)
                value = simd.load(xs, at)
                total = total + value
                value = value * counts
                for h in range(len(weight)):
                    place = (h * BLOCK + p - block) * simd.WIDTH
                    product = value * simd.load(weights, h * channels + c)
                    simd.store(products, place, simd.load(products, place) + product)
            if with_statistics:
                total = total / simd.same(np.float32(end - block))
                squared = simd.same(ZERO)
                for p in range(block, end):
                    value = simd.load(xs, (n * pixels + p) * channels + c) - total
                    squared = squared + value * value
                simd.store(mean, c, total)
                simd.store(square, c, squared)
        for h in range(len(weight)):
            for p in range(block, end):
                hidden[n, h, p] = simd.total(simd.load(products, (h * BLOCK + p - block) * simd.WIDTH))
        if with_statistics:
            _merge(np.float32(block - start), means[piece], squares[piece], np.float32(end - block), mean, square)


@compiled
def merge_pieces(pixels, means, squares, mean, var):
    """Mean and biased variance of each picture, (N, C), from those of its pieces."""
    channels = means.shape[1]
    total, deviations = np.empty(channels), np.empty(channels)
    for piece in range(len(means)):
        n, start, stop = bounds(piece, pixels)
        if start == 0:
            total[:] = means[piece]
            deviations[:] = squares[piece]
        else:
            _merge(float(start), total, deviations, float(stop - start), means[piece], squares[piece])
        if stop == pixels:
            mean[n] = total[: mean.shape[1]]  # fewer where x was widened
            var[n] = deviations[: mean.shape[1]] / pixels


@compiled
def measure_backward(
    claims, count, grad_y, x, context, table, weight, grad_hidden, offset, slope, grad_x, grad_weights
):  # fmt: skip
    """Gradient of x through all that it takes part in; that of weight, summed over each piece, (pieces, H, C).

    offset + slope * x is the part of the statistics, each (N, C).
    """
    pixels, channels = x.shape[1:]
    xs, gs, outs, tables = x.reshape(-1), grad_y.reshape(-1), grad_x.reshape(-1), table.reshape(-1)
    offsets, slopes = offset.reshape(-1), slope.reshape(-1)
    weights, sums = weight.reshape(-1), grad_weights.reshape(-1)
    fresh, every = last_lanes(channels), np.ones(simd.WIDTH, np.float32)
    for piece in shared(claims, 0, count):
        n, start, stop = bounds(piece, pixels)
        grad_weights[piece] = ZERO
        for block in range(start, stop, BLOCK):
            end = min(block + BLOCK, stop)
            for c in range(0, channels, simd.WIDTH):
                counts = simd.load(every if c + simd.WIDTH <= channels else fresh, 0)
                c = min(c, channels - simd.WIDTH)
                row = n * 9 * channels + c
                scale, d_scale = simd.load(tables, row), simd.load(tables, row + D_SCALE * channels)
                var, d_var = simd.load(tables, row + VAR * channels), simd.load(tables, row + D_VAR * channels)
                least = simd.load(tables, row + LEAST * channels)
                constant, linear = simd.load(offsets, n * channels + c), simd.load(slopes, n * channels + c)
                for p in range(block, end):
                    at = (n * pixels + p) * channels + c
                    simd.fetch(xs, at + BLOCK * channels)
                    simd.fetch(gs, at + BLOCK * channels)
                    s = simd.same(context[n, p])
                    v = var + s * d_var
                    g = simd.load(gs, at) * (scale + s * d_scale) / simd.root(simd.where_greater(v, least, v, least))
                    g = g + constant + linear * simd.load(xs, at)
                    for h in range(len(weight)):
                        g = g + simd.same(grad_hidden[n, h, p]) * simd.load(weights, h * channels + c)
                    simd.store(outs, at, g)
                for h in range(len(weight)):
                    of_weight = simd.same(ZERO)
                    for p in range(block, end):
                        value = simd.load(xs, (n * pixels + p) * channels + c)
                        of_weight = of_weight + simd.same(grad_hidden[n, h, p]) * value
                    accumulate(sums, (piece * len(weight) + h) * channels + c, of_weight * counts)
