"""The whole layer in evaluation, where nothing has to be kept for a gradient: three phases that threads go through."""

import numpy as np

from habn.layers.loops.context import (
    EPS,
    MINMAX,
    SIGMOID,
    highest_of,
    lowest_of,
    make_finite,
    rectified_sum,
    rectify,
    subtract,
    sum_of,
    weighted_sum,
)
from habn.layers.loops.features import measure_piece, merge_pieces
from habn.layers.loops.formula import BIAS, D_BIAS, D_MEAN, D_SCALE, D_VAR, LEAST, MEAN, SCALE, VAR, normalize_piece
from habn.layers.loops.pieces import ONE, PIECE, ZERO, bounds, compiled, shared


@compiled
def evaluate(
    claims, count, x, scale, bias, mean, var, delta, closed, weight1, bias1, weight2, bias2, weight3, bias3,
    kind, own, relative, eps, floor, maps, found, statistics, y,
):  # fmt: skip
    """y of x, (N, P, C), with a context of kind MINMAX or SIGMOID.

    Scale and bias are (1 or N, C), delta is (4, 1 or C); `own` asks for the picture's own statistics, `relative` for
    deltas in units of the deviation. What follows is room, all in a row: `maps` for hidden and s; `found` for each
    piece's mean of hidden and ends of s, and each picture's sizes of hidden; and `statistics`, (2, pieces, C), for what
    `measure` finds.

    With a sigmoid and static statistics each piece is read from memory once. Otherwise all are measured first.
    """
    pictures, pixels, features = len(x), x.shape[1], len(weight1)
    hidden = maps[: -pictures * pixels].reshape(pictures, features, pixels)
    context = maps[-pictures * pixels :].reshape(pictures, pixels)
    centres = found[: count * features].reshape(count, features)
    ends = found[count * features : count * (features + 2)].reshape(count, 2)
    size = found[count * (features + 2) :].reshape(pictures, features)
    means, squares = statistics[0], statistics[1]
    needs_own = own and not (closed[2] and closed[3])
    at_once = kind == SIGMOID and not needs_own
    weight, offset = _standardized(kind, weight1, bias1, mean, var)
    if not at_once:
        for piece in shared(claims, 0, count):
            measure_piece(piece, x, weight, needs_own, hidden, size, means, squares)
            n, start, stop = bounds(piece, pixels)
            for h in range(features):
                centres[piece, h] = sum_of(hidden[n, h, start:stop]) / (stop - start)
    table = _table(pictures, scale, bias, mean, var, delta, closed, relative, eps, floor)
    if needs_own:
        _move_to_own(pixels, means, squares, mean, var, delta, closed, table)
    one, two = np.empty((features, PIECE), np.float32), np.empty((features, PIECE), np.float32)
    lowest, width = np.empty(pictures, np.float32), np.empty(pictures, np.float32)
    if kind == MINMAX:
        centre = _mean(pictures, pixels, centres)
        for piece in shared(claims, 1, count):
            n, start, stop = bounds(piece, pixels)
            for h in range(features):
                row = one[h, : stop - start]
                row[:] = hidden[n, h, start:stop]
                subtract(row, centre[n, h], size[n, h])
            m = context[n, start:stop]
            _encode(one, offset, weight2, bias2, weight3, bias3, two, m)
            rectify(m)
            make_finite(m)
            ends[piece, 0], ends[piece, 1] = lowest_of(m), highest_of(m)
        _find_width(pixels, ends, lowest, width)
    for piece in shared(claims, 2, count):
        n, start, stop = bounds(piece, pixels)
        s = context[n, start:stop]
        if at_once:
            measure_piece(piece, x, weight, False, hidden, size, means, squares)
        if kind == SIGMOID:
            one[:, : stop - start] = hidden[n, :, start:stop]
            _encode(one, offset, weight2, bias2, weight3, bias3, two, s)
            for p in range(len(s)):
                s[p] = ONE / (ONE + np.exp(-s[p]))
        else:
            subtract(s, lowest[n], lowest[n])
            for p in range(len(s)):
                s[p] /= width[n]
        normalize_piece(piece, x, context, table, y)


@compiled
def _standardized(kind, weight, bias, mean, var):
    """Weight and bias of the first convolution; for a sigmoid those of one that takes x as it is."""
    if kind != SIGMOID:
        return weight, bias
    folded, offset = np.empty_like(weight), bias.copy()
    for h in range(len(weight)):
        for c in range(weight.shape[1]):
            folded[h, c] = weight[h, c] / np.sqrt(var[c] + EPS)
            offset[h] -= folded[h, c] * mean[c]
    return folded, offset


@compiled
def _encode(one, offset, weight2, bias2, weight3, bias3, two, m):
    """The rest of the encoder, but for what follows its last convolution; `one` is lost."""
    for h in range(len(one)):
        row = one[h, : len(m)]
        for p in range(len(m)):
            row[p] += offset[h]
        rectify(row)
    for h in range(len(one)):
        rectified_sum(one, weight2[h], bias2[h], two[h, : len(m)])
    weighted_sum(two, weight3, bias3[0], m)


@compiled
def _table(pictures, scale, bias, mean, var, delta, closed, relative, eps, floor):
    """The table of the formula for static statistics, (N, 9, C)."""
    table = np.zeros((pictures, 9, len(mean)), np.float32)
    for n in range(pictures):
        for c in range(len(mean)):
            table[n, SCALE, c], table[n, BIAS, c] = scale[n % len(scale), c], bias[n % len(bias), c]
            table[n, MEAN, c], table[n, VAR, c] = mean[c], var[c] + eps
            table[n, LEAST, c] = floor * var[c] + eps
            d = c % delta.shape[1]
            if not closed[0]:
                table[n, D_SCALE, c] = delta[0, d]
            if not closed[1]:
                table[n, D_BIAS, c] = delta[1, d]
            if not closed[2]:
                table[n, D_MEAN, c] = delta[2, d] * (np.sqrt(var[c] + eps) if relative else ONE)
            if not closed[3]:
                table[n, D_VAR, c] = delta[3, d] * (var[c] if relative else ONE)
    return table


@compiled
def _move_to_own(pixels, means, squares, mean, var, delta, closed, table):
    """Put the way toward the pictures' own statistics into the table."""
    own_mean, own_var = np.empty((len(table), len(mean)), np.float32), np.empty((len(table), len(mean)), np.float32)
    merge_pieces(pixels, means, squares, own_mean, own_var)
    for n in range(len(table)):
        for c in range(len(mean)):
            d = c % delta.shape[1]
            if not closed[2]:
                table[n, D_MEAN, c] = _share(delta[2, d]) * (own_mean[n, c] - mean[c])
            if not closed[3]:
                table[n, D_VAR, c] = _share(delta[3, d]) * (own_var[n, c] - var[c])


@compiled
def _share(value):
    return ZERO if value < ZERO else ONE if value > ONE else value  # a NaN goes through, as in PyTorch


@compiled
def _mean(pictures, pixels, centres):
    """The mean of hidden in each picture, (N, H), from those of its pieces."""
    sums = np.zeros((pictures, centres.shape[1]))
    for piece in range(len(centres)):
        n, start, stop = bounds(piece, pixels)
        sums[n] += centres[piece] * float(stop - start)
    return (sums / pixels).astype(np.float32)


@compiled
def _find_width(pixels, ends, lowest, width):
    """Of each picture the lowest value, and what is divided by once it is subtracted."""
    for piece in range(len(ends)):
        n, start, stop = bounds(piece, pixels)
        lowest[n] = ends[piece, 0] if start == 0 else min(lowest[n], ends[piece, 0])
        width[n] = ends[piece, 1] if start == 0 else max(width[n], ends[piece, 1])
        if stop == pixels:
            subtract(width[n : n + 1], lowest[n], lowest[n])
            width[n] += EPS
