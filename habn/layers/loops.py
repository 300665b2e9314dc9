"""The formula of `habn.layers.kernels` as compiled loops over pixels, for float32 on a CPU.

Arrays: x, y and their gradients (N, P, C) with P pixels; context (N, P); factors (8, N, C), which are scale, bias, mean
and var, then their slopes.
"""

import numpy as np
from numba import njit

# These and NumPy's error model let LLVM vectorize the division and the sums over channels. All of fastmath would also
# promise that there are no NaN, and so hide those that come in.
FAST = {"reassoc", "contract", "arcp", "nsz"}
# On one thread they are as fast as memory. Numba's own threads next to PyTorch's cost six times as much as they saved.
compiled = njit(nogil=True, fastmath=FAST, error_model="numpy")


@njit(fastmath=FAST)
def _add(total, row, weight):
    for c in range(len(row)):
        total[c] += weight * row[c]


@compiled
def forward(x, context, factors, eps, floor, y):
    for n in range(x.shape[0]):
        scale, bias, mean, var = factors[0, n], factors[1, n], factors[2, n], factors[3, n]
        d_scale, d_bias, d_mean, d_var = factors[4, n], factors[5, n], factors[6, n], factors[7, n]
        for p in range(x.shape[1]):
            s = context[n, p]
            for c in range(x.shape[2]):
                v = max(var[c] + s * d_var[c], floor * var[c])
                normal = (x[n, p, c] - mean[c] - s * d_mean[c]) / np.sqrt(v + eps)
                y[n, p, c] = normal * (scale[c] + s * d_scale[c]) + bias[c] + s * d_bias[c]


@compiled
def backward(grad_y, x, context, factors, eps, floor, grad_x, grad_context, grad_factors):
    # Each inner loop writes one row only: with more, LLVM cannot prove that they do not overlap and leaves them scalar.
    for n in range(x.shape[0]):
        scale, mean, var = factors[0, n], factors[2, n], factors[3, n]
        d_scale, d_bias, d_mean, d_var = factors[4, n], factors[5, n], factors[6, n], factors[7, n]
        channels = x.shape[2]
        inverse, above = np.empty(channels, np.float32), np.empty(channels, np.float32)
        g_scale, g_var = np.empty(channels, np.float32), np.empty(channels, np.float32)
        for p in range(x.shape[1]):
            s, g, g_x = context[n, p], grad_y[n, p], grad_x[n, p]
            for c in range(channels):
                above[c] = np.float32(1) if var[c] + s * d_var[c] > floor * var[c] else np.float32(0)
            for c in range(channels):
                inverse[c] = np.float32(1) / np.sqrt(max(var[c] + s * d_var[c], floor * var[c]) + eps)
            for c in range(channels):
                g_scale[c] = g[c] * (x[n, p, c] - mean[c] - s * d_mean[c]) * inverse[c]
            for c in range(channels):
                g_var[c] = np.float32(-0.5) * g_scale[c] * (scale[c] + s * d_scale[c]) * inverse[c] * inverse[c]
            for c in range(channels):
                g_x[c] = g[c] * (scale[c] + s * d_scale[c]) * inverse[c]
            _add(grad_factors[0, n], g_scale, np.float32(1))
            _add(grad_factors[1, n], g, np.float32(1))
            _add(grad_factors[2, n], g_x, np.float32(-1))
            _add(grad_factors[4, n], g_scale, s)
            _add(grad_factors[5, n], g, s)
            _add(grad_factors[6, n], g_x, -s)
            for c in range(channels):
                grad_factors[3, n, c] += g_var[c] * (above[c] + (np.float32(1) - above[c]) * floor)
            for c in range(channels):
                grad_factors[7, n, c] += g_var[c] * above[c] * s
            g_context = np.float32(0)
            for c in range(channels):
                g_context += (
                    g_scale[c] * d_scale[c] + g[c] * d_bias[c] - g_x[c] * d_mean[c] + g_var[c] * above[c] * d_var[c]
                )
            grad_context[n, p] = g_context
