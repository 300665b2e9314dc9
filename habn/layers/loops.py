"""The layer as compiled loops, for float32 and bfloat16 on a CPU: `habn.layers.compiled` has what they compute.

Arrays: feature maps and their gradients (N, P, C) with P pixels, channels innermost, float32, or bfloat16 as its bits
in uint16, since neither NumPy nor Numba has that type. All else is float32: hidden (N, H, P), the context s (N, P), and
the table (N, 9, C), whose rows are those of `TABLE`.

Every loop takes the first and last of its pieces, so that threads can share them. A piece is a picture, or up to
`PIECE` pixels of one; its sums are its own, and are added in order, so the answer does not depend on the threads.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

PIECE = 2048
BLOCK = 64  # pixels whose variance is summed about their own mean; they fit into the nearest cache
SCALE, BIAS, MEAN, VAR, D_SCALE, D_BIAS, D_MEAN, D_VAR, LEAST = TABLE = range(9)
"""Rows of a table: the parameters where s is 0, what one unit of s adds, and the least variance; variances with eps."""

# These and NumPy's error model let LLVM vectorize the division and the sums over channels. All of fastmath would also
# promise that there are no NaN, and so hide those that come in.
FAST = {"reassoc", "contract", "arcp", "nsz"}
LARGEST = np.finfo(np.float32).max
ROUNDING = np.float32(16 * np.finfo(np.float32).eps)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)


def compiled(function):
    """Compile with what is kept of earlier processes, where there is a folder for it that may be written."""
    options = dict(nogil=True, fastmath=FAST, error_model="numpy")
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no such folder
        return njit(**options)(function)


@intrinsic
def _load(context, value):
    """A float32 from an element of a feature map."""

    def from_bits(context, builder, signature, arguments):
        word = ir.IntType(32)
        bits = builder.shl(builder.zext(arguments[0], word), ir.Constant(word, 16))
        return builder.bitcast(bits, ir.FloatType())

    def as_it_is(context, builder, signature, arguments):
        return arguments[0]

    return types.float32(value), from_bits if value == types.uint16 else as_it_is


@intrinsic
def _store(context, value, like):
    """A float32 as an element of a feature map, rounded to the nearest, to even between two."""

    def to_bits(context, builder, signature, arguments):
        word = ir.IntType(32)
        bits = builder.bitcast(arguments[0], word)
        odd = builder.and_(builder.lshr(bits, ir.Constant(word, 16)), ir.Constant(word, 1))
        rounded = builder.lshr(builder.add(bits, builder.add(odd, ir.Constant(word, 0x7FFF))), ir.Constant(word, 16))
        is_nan = builder.fcmp_unordered("uno", arguments[0], arguments[0])
        return builder.trunc(builder.select(is_nan, ir.Constant(word, 0x7FC0), rounded), ir.IntType(16))

    def as_it_is(context, builder, signature, arguments):
        return arguments[0]

    return like(types.float32, like), to_bits if like == types.uint16 else as_it_is


@compiled
def _bounds(piece, pixels):
    """Picture, first and last pixel of a piece."""
    each = (pixels + PIECE - 1) // PIECE
    start = piece % each * PIECE
    return piece // each, start, min(pixels, start + PIECE)


@compiled
def _project(x, weight, start, stop, hidden):
    channels = x.shape[1]
    for h in range(len(weight)):
        w = weight[h]
        p = start
        while p + 4 <= stop:
            a, b, c, d = ZERO, ZERO, ZERO, ZERO
            for k in range(channels):
                a += w[k] * _load(x[p, k])
                b += w[k] * _load(x[p + 1, k])
                c += w[k] * _load(x[p + 2, k])
                d += w[k] * _load(x[p + 3, k])
            hidden[h, p], hidden[h, p + 1], hidden[h, p + 2], hidden[h, p + 3] = a, b, c, d
            p += 4
        while p < stop:
            a = ZERO
            for k in range(channels):
                a += w[k] * _load(x[p, k])
            hidden[h, p] = a
            p += 1


@compiled
def _add_pixels(x, start, stop, total):
    p = start
    while p + 4 <= stop:
        for k in range(len(total)):
            total[k] += (_load(x[p, k]) + _load(x[p + 1, k])) + (_load(x[p + 2, k]) + _load(x[p + 3, k]))
        p += 4
    while p < stop:
        for k in range(len(total)):
            total[k] += _load(x[p, k])
        p += 1


@compiled
def _add_squares(x, start, stop, mean, total):
    p = start
    while p + 4 <= stop:
        for k in range(len(total)):
            a, b = _load(x[p, k]) - mean[k], _load(x[p + 1, k]) - mean[k]
            c, d = _load(x[p + 2, k]) - mean[k], _load(x[p + 3, k]) - mean[k]
            total[k] += (a * a + b * b) + (c * c + d * d)
        p += 4
    while p < stop:
        for k in range(len(total)):
            a = _load(x[p, k]) - mean[k]
            total[k] += a * a
        p += 1


@compiled
def _merge(count, mean, squares, added, their_mean, their_squares):
    """Mean and squared deviations of two sets of pixels together, after Chan, Golub and LeVeque 1983."""
    share = added / (count + added)
    for k in range(len(mean)):
        squares[k] += their_squares[k] + (their_mean[k] - mean[k]) ** 2 * (count * share)
    for k in range(len(mean)):
        mean[k] += (their_mean[k] - mean[k]) * share


@compiled
def measure(first, last, x, weight, with_statistics, hidden, means, squares):
    """hidden = weight x of each pixel; of each piece mean and sum of squared deviations, (pieces, C)."""
    channels = x.shape[2]
    mean, square = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, x.shape[1])
        if not with_statistics:
            _project(x[n], weight, start, stop, hidden[n])
            continue
        means[piece] = ZERO
        squares[piece] = ZERO
        for p in range(start, stop, BLOCK):
            end = min(p + BLOCK, stop)
            _project(x[n], weight, p, end, hidden[n])
            mean[:] = ZERO
            _add_pixels(x[n], p, end, mean)
            for k in range(channels):
                mean[k] /= np.float32(end - p)
            square[:] = ZERO
            _add_squares(x[n], p, end, mean, square)
            _merge(np.float32(p - start), means[piece], squares[piece], np.float32(end - p), mean, square)


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
            mean[n] = total
            var[n] = deviations / pixels


@compiled
def normalize(first, last, x, context, table, y):
    for piece in range(first, last):
        n, start, stop = _bounds(piece, x.shape[1])
        t = table[n]
        for p in range(start, stop):
            s = context[n, p]
            for c in range(x.shape[2]):
                v = max(t[VAR, c] + s * t[D_VAR, c], t[LEAST, c])
                normal = (_load(x[n, p, c]) - t[MEAN, c] - s * t[D_MEAN, c]) / np.sqrt(v)
                value = normal * (t[SCALE, c] + s * t[D_SCALE, c]) + t[BIAS, c] + s * t[D_BIAS, c]
                y[n, p, c] = _store(value, x[n, p, c])


GROUP = 8  # pixels whose sums over channels are added together, so that totals are read and written once for all


@compiled
def _add_rows(rows, weights, total):
    """total += weights @ rows, both of GROUP."""
    for c in range(len(total)):
        total[c] += (
            (weights[0] * rows[0, c] + weights[1] * rows[1, c]) + (weights[2] * rows[2, c] + weights[3] * rows[3, c])
        ) + ((weights[4] * rows[4, c] + weights[5] * rows[5, c]) + (weights[6] * rows[6, c] + weights[7] * rows[7, c]))


@compiled
def normalize_backward(first, last, grad_y, x, context, table, grad_context, grad_tables):
    """Gradients of context and table, the latter's summed over each piece, (pieces, 9, C)."""
    # Each inner loop writes one row only: with more, LLVM cannot prove that they do not overlap and leaves them scalar.
    channels = x.shape[2]
    shape = (GROUP, channels)
    g_bias, g_scale, g_mean = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.float32)
    g_var, g_least = np.empty(shape, np.float32), np.empty(shape, np.float32)
    inverse = np.empty(channels, np.float32)
    ones, s = np.ones(GROUP, np.float32), np.zeros(GROUP, np.float32)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, x.shape[1])
        t, total = table[n], grad_tables[piece]
        total[:] = ZERO
        for p in range(start, stop, GROUP):
            for k in range(GROUP):
                if p + k >= stop:  # the last group may be short
                    g_bias[k], g_scale[k], g_mean[k], g_var[k], g_least[k] = ZERO, ZERO, ZERO, ZERO, ZERO
                    s[k] = ZERO
                    continue
                s[k] = context[n, p + k]
                for c in range(channels):
                    inverse[c] = ONE / np.sqrt(max(t[VAR, c] + s[k] * t[D_VAR, c], t[LEAST, c]))
                for c in range(channels):
                    g_bias[k, c] = _load(grad_y[n, p + k, c])
                for c in range(channels):
                    normal = (_load(x[n, p + k, c]) - t[MEAN, c] - s[k] * t[D_MEAN, c]) * inverse[c]
                    g_scale[k, c] = g_bias[k, c] * normal
                for c in range(channels):
                    g_mean[k, c] = -g_bias[k, c] * (t[SCALE, c] + s[k] * t[D_SCALE, c]) * inverse[c]
                for c in range(channels):
                    scale = t[SCALE, c] + s[k] * t[D_SCALE, c]
                    g_least[k, c] = -HALF * g_scale[k, c] * scale * inverse[c] * inverse[c]
                for c in range(channels):
                    g_var[k, c] = g_least[k, c] if t[VAR, c] + s[k] * t[D_VAR, c] > t[LEAST, c] else ZERO
                total_context = ZERO
                for c in range(channels):
                    total_context += (g_scale[k, c] * t[D_SCALE, c] + g_bias[k, c] * t[D_BIAS, c]) + (
                        g_mean[k, c] * t[D_MEAN, c] + g_var[k, c] * t[D_VAR, c]
                    )
                grad_context[n, p + k] = total_context
                for c in range(channels):
                    g_least[k, c] -= g_var[k, c]
            _add_rows(g_scale, ones, total[SCALE])
            _add_rows(g_bias, ones, total[BIAS])
            _add_rows(g_mean, ones, total[MEAN])
            _add_rows(g_var, ones, total[VAR])
            _add_rows(g_scale, s, total[D_SCALE])
            _add_rows(g_bias, s, total[D_BIAS])
            _add_rows(g_mean, s, total[D_MEAN])
            _add_rows(g_var, s, total[D_VAR])
            _add_rows(g_least, ones, total[LEAST])


@compiled
def measure_backward(
    first, last, grad_y, x, context, table, weight, grad_hidden, offset, slope, grad_x, grad_weights,
):  # fmt: skip
    """Gradient of x through all that it takes part in; that of weight, summed over each piece, (pieces, H, C).

    offset + slope * x is the part of the statistics, each (N, C).
    """
    channels = x.shape[2]
    part = np.empty(channels, np.float32)
    rows, g = np.empty((GROUP, channels), np.float32), np.zeros(GROUP, np.float32)
    for piece in range(first, last):
        n, start, stop = _bounds(piece, x.shape[1])
        t = table[n]
        for p in range(start, stop):
            s = context[n, p]
            for c in range(channels):
                part[c] = offset[n, c] + slope[n, c] * _load(x[n, p, c])
            for h in range(len(weight)):
                for c in range(channels):
                    part[c] += grad_hidden[n, h, p] * weight[h, c]
            for c in range(channels):
                root = np.sqrt(max(t[VAR, c] + s * t[D_VAR, c], t[LEAST, c]))
                direct = _load(grad_y[n, p, c]) * (t[SCALE, c] + s * t[D_SCALE, c]) / root
                grad_x[n, p, c] = _store(direct + part[c], x[n, p, c])
        if len(weight) > 0:
            grad_weights[piece] = ZERO
            for p in range(start, stop, GROUP):
                for k in range(GROUP):
                    if p + k < stop:
                        for c in range(channels):
                            rows[k, c] = _load(x[n, p + k, c])
                    else:
                        rows[k] = ZERO
                for h in range(len(weight)):
                    for k in range(GROUP):
                        g[k] = grad_hidden[n, h, p + k] if p + k < stop else ZERO
                    _add_rows(rows, g, grad_weights[piece, h])


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
