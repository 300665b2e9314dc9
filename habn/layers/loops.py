"""The layer as compiled loops, for float32 and bfloat16 on a CPU: `habn.layers.compiled` has what they compute.

Arrays: feature maps and their gradients (N, P, C) with P pixels, channels innermost, float32, or bfloat16 as its bits
in uint16, since neither NumPy nor Numba has that type. All else is float32: hidden (N, H, P), the context s (N, P), and
the table (N, 9, C), whose rows are those of `TABLE`. There are at least eight channels; channels go by eights, of
which the last may begin among the eight before it.

Every loop takes the first and last of its pieces, so that threads can share them. A piece is a picture, or up to
`PIECE` pixels of one; its sums are its own, and are added in order, so the answer does not depend on the threads.
"""

import numpy as np
from numba import njit

from habn.layers import simd

PIECE = 2048
BLOCK = 32  # pixels whose variance is summed about their own mean; they fit into the nearest cache
SCALE, BIAS, MEAN, VAR, D_SCALE, D_BIAS, D_MEAN, D_VAR, LEAST = TABLE = range(9)
"""Rows of a table: the parameters where s is 0, what one unit of s adds, and the least variance; variances with eps."""

LARGEST = np.finfo(np.float32).max
ROUNDING = np.float32(16 * np.finfo(np.float32).eps)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


def compiled(function):
    """Compile with what is kept of earlier processes, where there is a folder for it that may be written."""
    options = dict(nogil=True, fastmath={*simd.FAST}, error_model="numpy")  # or a division by 0 would raise
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no such folder
        return njit(**options)(function)


@compiled
def _bounds(piece, pixels):
    """Picture, first and last pixel of a piece."""
    each = (pixels + PIECE - 1) // PIECE
    start = piece % each * PIECE
    return piece // each, start, min(pixels, start + PIECE)


@compiled
def _last_lanes(channels):
    """1 where the last eight channels are not among the eights before them, else 0."""
    fresh = np.ones(simd.WIDTH, np.float32)
    if channels % simd.WIDTH:
        fresh[: simd.WIDTH - channels % simd.WIDTH] = ZERO
    return fresh


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
def measure(first, last, x, weight, with_statistics, hidden, size, means, squares):
    """hidden = weight x of each pixel; of each piece mean and sum of squared deviations, (pieces, C)."""
    pixels, channels = x.shape[1:]
    xs, weights = x.reshape(-1), weight.reshape(-1)
    fresh, every = _last_lanes(channels), np.ones(simd.WIDTH, np.float32)
    mean, square = np.empty(channels, np.float32), np.empty(channels, np.float32)
    products = np.empty(len(weight) * BLOCK * simd.WIDTH, np.float32)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, pixels)
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
        n, start, stop = _bounds(piece, pixels)
        if start == 0:
            total[:] = means[piece]
            deviations[:] = squares[piece]
        else:
            _merge(float(start), total, deviations, float(stop - start), means[piece], squares[piece])
        if stop == pixels:
            mean[n] = total[: mean.shape[1]]  # fewer where x was widened
            var[n] = deviations[: mean.shape[1]] / pixels


@compiled
def normalize(first, last, x, context, table, y):
    pixels, channels = x.shape[1:]
    xs, ys, tables = x.reshape(-1), y.reshape(-1), table.reshape(-1)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, pixels)
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
def normalize_backward(first, last, grad_y, x, context, table, grad_context, grad_tables):
    """Gradients of context and table, the latter's summed over each piece, (pieces, 9, C)."""
    pixels, channels = x.shape[1:]
    xs, gs, tables, sums = x.reshape(-1), grad_y.reshape(-1), table.reshape(-1), grad_tables.reshape(-1)
    fresh, every = _last_lanes(channels), np.ones(simd.WIDTH, np.float32)
    grad_s = np.empty(BLOCK * simd.WIDTH, np.float32)
    zero, half = simd.same(ZERO), simd.same(HALF)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, pixels)
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
                _accumulate(sums, row, of_scale * counts)
                _accumulate(sums, row + BIAS * channels, of_bias * counts)
                _accumulate(sums, row + MEAN * channels, of_mean * counts)
                _accumulate(sums, row + VAR * channels, of_var * counts)
                _accumulate(sums, row + D_SCALE * channels, of_d_scale * counts)
                _accumulate(sums, row + D_BIAS * channels, of_d_bias * counts)
                _accumulate(sums, row + D_MEAN * channels, of_d_mean * counts)
                _accumulate(sums, row + D_VAR * channels, of_d_var * counts)
                _accumulate(sums, row + LEAST * channels, of_least * counts)
            for p in range(block, end):
                grad_context[n, p] = simd.total(simd.load(grad_s, (p - block) * simd.WIDTH))


@njit
def _accumulate(sums, at, value):
    simd.store(sums, at, simd.load(sums, at) + value)


@compiled
def measure_backward(
    first, last, grad_y, x, context, table, weight, grad_hidden, offset, slope, grad_x, grad_weights
):  # fmt: skip
    """Gradient of x through all that it takes part in; that of weight, summed over each piece, (pieces, H, C).

    offset + slope * x is the part of the statistics, each (N, C).
    """
    pixels, channels = x.shape[1:]
    xs, gs, outs, tables = x.reshape(-1), grad_y.reshape(-1), grad_x.reshape(-1), table.reshape(-1)
    offsets, slopes = offset.reshape(-1), slope.reshape(-1)
    weights, sums = weight.reshape(-1), grad_weights.reshape(-1)
    fresh, every = _last_lanes(channels), np.ones(simd.WIDTH, np.float32)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, pixels)
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
                    _accumulate(sums, (piece * len(weight) + h) * channels + c, of_weight * counts)


MINMAX, DISTRIBUTION, ZSCORE = range(3)
EPS = np.float32(1e-5)


@compiled
def _sum(row):
    total = 0.0
    for p in range(len(row)):
        total += row[p]
    return total


@compiled
def _dot(row, other):
    total = 0.0
    for p in range(len(row)):
        total += row[p] * other[p]
    return total


@compiled
def _subtract(row, value, size):
    """row -= value, and 0 where what remains is rounding alone, as between equal pixels, of numbers of that size."""
    for p in range(len(row)):
        difference = row[p] - value
        row[p] = ZERO if abs(difference) <= ROUNDING * size else difference


@compiled
def _rectify(row):
    for p in range(len(row)):
        row[p] = ZERO if row[p] < ZERO else row[p]  # a NaN goes through, as in PyTorch


@compiled
def _rectified_sum(rows, weight, bias, out):
    """out = ReLU(bias + weight rows)."""
    out[:] = bias
    for h in range(len(rows)):
        for p in range(len(out)):
            out[p] += weight[h] * rows[h, p]
    _rectify(out)


@compiled
def _centre(hidden, size, out):
    """hidden of one picture, less its mean over the pixels."""
    for h in range(len(hidden)):
        out[h] = hidden[h]
        _subtract(out[h], np.float32(_sum(hidden[h]) / hidden.shape[1]), size[h])


@compiled
def _activate(hidden, bias, out):
    for h in range(len(hidden)):
        for p in range(hidden.shape[1]):
            out[h, p] = hidden[h, p] + bias[h]
        _rectify(out[h])


@compiled
def _from_lowest(row):
    """Subtract the lowest value, which is returned. What is not finite counts as 0."""
    for p in range(len(row)):
        row[p] = row[p] if abs(row[p]) <= LARGEST else ZERO
    lowest = row[0]
    for p in range(len(row)):
        lowest = min(lowest, row[p])
    _subtract(row, lowest, lowest)
    return lowest


@compiled
def _highest(row):
    highest = row[0]
    for p in range(len(row)):
        highest = max(highest, row[p])
    return highest


@compiled
def _stretch(kind, row):
    """Normalize a row whose lowest value is 0, in place; what it was divided by is returned."""
    if kind == ZSCORE:
        mean = np.float32(_sum(row) / len(row))
        for p in range(len(row)):
            row[p] -= mean
        size = np.float32(np.sqrt(_dot(row, row) / len(row) + float(EPS) ** 2))
    elif kind == DISTRIBUTION:
        size = np.float32(_sum(row) / len(row)) + EPS
    else:
        size = _highest(row) + EPS
    for p in range(len(row)):
        row[p] /= size
    return size


@compiled
def _stretch_backward(kind, size, s, g):
    """Turn g, the gradient of s, into that of what `_stretch` was given, in place."""
    product = _dot(g, s)
    if kind == ZSCORE:
        share = np.float32(product / len(s))
        for p in range(len(s)):
            g[p] = (g[p] - s[p] * share) / size
        share = np.float32(_sum(g) / len(s))
        for p in range(len(s)):
            g[p] -= share
    elif kind == DISTRIBUTION:
        share = np.float32(product / len(s))
        for p in range(len(s)):
            g[p] = (g[p] - share) / size
    else:
        for p in range(len(s)):
            g[p] /= size
        _give_to_equals(s, _highest(s), -product / size, g)


@compiled
def _give_to_equals(row, value, gradient, g):
    """Add a gradient in equal parts where a row has that value, as that of amin and amax goes."""
    equal = 0
    for p in range(len(row)):
        equal += row[p] == value
    share = np.float32(gradient / max(1, equal))
    for p in range(len(row)):
        g[p] += share if row[p] == value else ZERO


@compiled
def encode(first, last, hidden, size, bias, weight2, bias2, weight3, bias3, kind, context):
    """The context s (N, P) of hidden, from the centring onwards; a piece is a picture."""
    features, pixels = hidden.shape[1:]
    one, two = np.empty((features, pixels), np.float32), np.empty((features, pixels), np.float32)
    for n in range(first, last):
        _centre(hidden[n], size[n], one)
        _activate(one, bias, one)
        for h in range(features):
            _rectified_sum(one, weight2[h], bias2[h], two[h])
        _rectified_sum(two, weight3, bias3[0], context[n])
        _from_lowest(context[n])
        _stretch(kind, context[n])


@compiled
def encode_backward(
    first, last, grad_context, hidden, size, bias, weight2, bias2, weight3, bias3, kind,
    grad_hidden, grad_bias, grad_weight2, grad_bias2, grad_weight3, grad_bias3,
):  # fmt: skip
    """Gradients of hidden, and of the weights for each picture: a first axis of N."""
    features, pixels = hidden.shape[1:]
    shape = (features, pixels)
    centred, one, two = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.float32)
    m, s, g = np.empty(pixels, np.float32), np.empty(pixels, np.float32), np.empty(pixels, np.float32)
    g_two = np.empty(pixels, np.float32)
    for n in range(first, last):
        _centre(hidden[n], size[n], centred)
        _activate(centred, bias, one)
        for h in range(features):
            _rectified_sum(one, weight2[h], bias2[h], two[h])
        _rectified_sum(two, weight3, bias3[0], m)
        s[:] = m
        lowest = _from_lowest(s)
        g[:] = grad_context[n]
        away = s != ZERO
        _stretch_backward(kind, _stretch(kind, s), s, g)
        for p in range(pixels):
            g[p] = g[p] if away[p] else ZERO
        _give_to_equals(m, lowest, -_sum(g), g)
        for p in range(pixels):
            g[p] = g[p] if ZERO < m[p] <= LARGEST else ZERO
        grad_bias3[n] = _sum(g)
        grad_hidden[n] = ZERO
        for h in range(features):
            grad_weight3[n, h] = _dot(g, two[h])
            for p in range(pixels):
                g_two[p] = g[p] * weight3[h] if two[h, p] > ZERO else ZERO
            grad_bias2[n, h] = _sum(g_two)
            for k in range(features):
                grad_weight2[n, h, k] = _dot(g_two, one[k])
                for p in range(pixels):
                    grad_hidden[n, k, p] += g_two[p] * weight2[h, k] if one[k, p] > ZERO else ZERO
        for h in range(features):
            row = grad_hidden[n, h]
            grad_bias[n, h] = _sum(row)
            for p in range(pixels):
                row[p] = row[p] if centred[h, p] != ZERO else ZERO
            mean = np.float32(_sum(row) / pixels)
            for p in range(pixels):
                row[p] -= mean
