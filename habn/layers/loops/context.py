"""The context s, from the encoder's first products; and its gradient."""

import numpy as np

from habn.layers.loops.pieces import ZERO, compiled, shared

MINMAX, DISTRIBUTION, ZSCORE, SIGMOID = range(4)
EPS = np.float32(1e-5)
LARGEST = np.finfo(np.float32).max
ROUNDING = np.float32(16 * np.finfo(np.float32).eps)


@compiled
def sum_of(row):
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
def subtract(row, value, size):
    """row -= value, and 0 where what remains is rounding alone, as between equal pixels, of numbers of that size."""
    for p in range(len(row)):
        difference = row[p] - value
        row[p] = ZERO if abs(difference) <= ROUNDING * size else difference


@compiled
def rectify(row):
    for p in range(len(row)):
        row[p] = ZERO if row[p] < ZERO else row[p]  # a NaN goes through, as in PyTorch


@compiled
def weighted_sum(rows, weight, bias, out):
    """out = bias + weight rows."""
    out[:] = bias
    for h in range(len(rows)):
        for p in range(len(out)):
            out[p] += weight[h] * rows[h, p]


@compiled
def rectified_sum(rows, weight, bias, out):
    """out = ReLU(bias + weight rows)."""
    weighted_sum(rows, weight, bias, out)
    rectify(out)


@compiled
def _centre(hidden, size, out):
    """hidden of one picture, less its mean over the pixels."""
    for h in range(len(hidden)):
        out[h] = hidden[h]
        subtract(out[h], np.float32(sum_of(hidden[h]) / hidden.shape[1]), size[h])


@compiled
def _activate(hidden, bias, out):
    for h in range(len(hidden)):
        for p in range(hidden.shape[1]):
            out[h, p] = hidden[h, p] + bias[h]
        rectify(out[h])


@compiled
def _from_lowest(row):
    """Subtract the lowest value, which is returned. What is not finite counts as 0."""
    make_finite(row)
    lowest = lowest_of(row)
    subtract(row, lowest, lowest)
    return lowest


@compiled
def make_finite(row):
    for p in range(len(row)):
        row[p] = row[p] if abs(row[p]) <= LARGEST else ZERO


@compiled
def lowest_of(row):
    lowest = row[0]
    for p in range(len(row)):
        lowest = min(lowest, row[p])
    return lowest


@compiled
def highest_of(row):
    highest = row[0]
    for p in range(len(row)):
        highest = max(highest, row[p])
    return highest


@compiled
def _stretch(kind, row):
    """Normalize a row whose lowest value is 0, in place; what it was divided by is returned."""
    if kind == ZSCORE:
        mean = np.float32(sum_of(row) / len(row))
        for p in range(len(row)):
            row[p] -= mean
        size = np.float32(np.sqrt(_dot(row, row) / len(row) + float(EPS) ** 2))
    elif kind == DISTRIBUTION:
        size = np.float32(sum_of(row) / len(row)) + EPS
    else:
        size = highest_of(row) + EPS
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
        share = np.float32(sum_of(g) / len(s))
        for p in range(len(s)):
            g[p] -= share
    elif kind == DISTRIBUTION:
        share = np.float32(product / len(s))
        for p in range(len(s)):
            g[p] = (g[p] - share) / size
    else:
        for p in range(len(s)):
            g[p] /= size
        _give_to_equals(s, highest_of(s), -product / size, g)


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
def encode(claims, count, hidden, size, bias, weight2, bias2, weight3, bias3, kind, context):
    """The context s (N, P) of hidden, from the centring onwards; a piece is a picture."""
    features, pixels = hidden.shape[1:]
    one, two = np.empty((features, pixels), np.float32), np.empty((features, pixels), np.float32)
    for n in shared(claims, 0, count):
        _centre(hidden[n], size[n], one)
        _activate(one, bias, one)
        for h in range(features):
            rectified_sum(one, weight2[h], bias2[h], two[h])
        rectified_sum(two, weight3, bias3[0], context[n])
        _from_lowest(context[n])
        _stretch(kind, context[n])


@compiled
def encode_backward(
    claims, count, grad_context, hidden, size, bias, weight2, bias2, weight3, bias3, kind,
    grad_hidden, grad_bias, grad_weight2, grad_bias2, grad_weight3, grad_bias3,
):  # fmt: skip
    """Gradients of hidden, and of the weights for each picture: a first axis of N."""
    features, pixels = hidden.shape[1:]
    shape = (features, pixels)
    centred, one, two = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.float32)
    m, s, g = np.empty(pixels, np.float32), np.empty(pixels, np.float32), np.empty(pixels, np.float32)
    g_two = np.empty(pixels, np.float32)
    for n in shared(claims, 0, count):
        _centre(hidden[n], size[n], centred)
        _activate(centred, bias, one)
        for h in range(features):
            rectified_sum(one, weight2[h], bias2[h], two[h])
        rectified_sum(two, weight3, bias3[0], m)
        s[:] = m
        lowest = _from_lowest(s)
        g[:] = grad_context[n]
        away = s != ZERO
        _stretch_backward(kind, _stretch(kind, s), s, g)
        for p in range(pixels):
            g[p] = g[p] if away[p] else ZERO
        _give_to_equals(m, lowest, -sum_of(g), g)
        for p in range(pixels):
            g[p] = g[p] if ZERO < m[p] <= LARGEST else ZERO
        grad_bias3[n] = sum_of(g)
        grad_hidden[n] = ZERO
        for h in range(features):
            grad_weight3[n, h] = _dot(g, two[h])
            for p in range(pixels):
                g_two[p] = g[p] * weight3[h] if two[h, p] > ZERO else ZERO
            grad_bias2[n, h] = sum_of(g_two)
            for k in range(features):
                grad_weight2[n, h, k] = _dot(g_two, one[k])
                for p in range(pixels):
                    grad_hidden[n, k, p] += g_two[p] * weight2[h, k] if one[k, p] > ZERO else ZERO
        for h in range(features):
            row = grad_hidden[n, h]
            grad_bias[n, h] = sum_of(row)
            for p in range(pixels):
                row[p] = row[p] if centred[h, p] != ZERO else ZERO
            mean = np.float32(sum_of(row) / pixels)
            for p in range(pixels):
                row[p] -= mean
