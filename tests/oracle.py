"""HABN once more, in NumPy and float64, written from the equations alone: what the layer is held against.

Shares no code with `habn`. Slow on purpose: every full-size map is formed, and nothing is simplified.
"""

from typing import NamedTuple

import numpy as np

CONTEXT_EPS = 1e-5
VARIANCE_FLOOR = 0.01  # of the static variance


class Answer(NamedTuple):
    """What a layer must give: y, s, each pixel's four parameters, and the running statistics afterwards."""

    y: np.ndarray
    context: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    running_mean: np.ndarray | None
    running_var: np.ndarray | None


def habn(
    x: np.ndarray,
    state: dict[str, np.ndarray],
    *,
    training: bool,
    eps: float = 1e-5,
    momentum: float = 0.1,
    units: str = "absolute",
    statistics: str = "static",
    context_normalization: str = "minmax",
    gates: np.ndarray | tuple = (1, 1, 1, 1),
    weight: np.ndarray | None = None,
    bias: np.ndarray | None = None,
) -> Answer:
    """x is (N, C, H, W); state has the keys of the layer's state dict; weight and bias, (N, C), replace the state's."""
    x = x.astype(np.float64)
    channels = x.shape[1]
    running_mean, running_var = state.get("running_mean"), state.get("running_var")
    if training or running_mean is None:
        mu, sigma2 = x.mean((0, 2, 3)), x.var((0, 2, 3))
    else:
        mu, sigma2 = running_mean.astype(np.float64), running_var.astype(np.float64)
    if training and running_mean is not None:
        unbiased = x.var((0, 2, 3), ddof=1)
        running_mean = (1 - momentum) * running_mean + momentum * mu
        running_var = (1 - momentum) * running_var + momentum * unbiased

    s = context(x, state, context_normalization)
    gamma = _rows(state.get("weight", np.ones(channels)) if weight is None else weight)
    beta = _rows(state.get("bias", np.zeros(channels)) if bias is None else bias)
    mu, sigma2 = _rows(mu), _rows(sigma2)
    delta = state["search.delta"].astype(np.float64)
    d_scale, d_bias, d_mean, d_var = (
        _rows(np.broadcast_to(g * d, channels)) for g, d in zip(gates, delta, strict=True)
    )
    if statistics == "own":
        d_mean = np.clip(d_mean, 0, 1) * (x.mean((2, 3), keepdims=True) - mu)
        d_var = np.clip(d_var, 0, 1) * (x.var((2, 3), keepdims=True) - sigma2)
    elif units == "relative":
        d_mean, d_var = d_mean * np.sqrt(sigma2 + eps), d_var * sigma2

    scale, shift, mean = gamma + s * d_scale, beta + s * d_bias, mu + s * d_mean
    var = np.maximum(sigma2 + s * d_var, VARIANCE_FLOOR * sigma2)
    y = (x - mean) / np.sqrt(var + eps) * scale + shift
    full = [np.broadcast_to(p, x.shape) for p in (scale, shift, mean, var)]
    return Answer(y, s, *full, running_mean, running_var)


def context(x: np.ndarray, state: dict[str, np.ndarray], normalization: str) -> np.ndarray:
    """s, (N, 1, H, W): three 1x1 convolutions with ReLU, the first centred over the picture, then normalized per
    picture; or a sigmoid in place of the last ReLU, of x standardized by the running statistics as they were before.
    """
    if normalization == "sigmoid":
        x = (x - _rows(state["running_mean"])) / np.sqrt(_rows(state["running_var"]) + CONTEXT_EPS)
        m = np.maximum(_conv1x1(x, state["encoder.conv1.weight"]) + state["encoder.conv1.bias"][:, None, None], 0)
        m = np.maximum(_conv1x1(m, state["encoder.conv2.weight"]) + state["encoder.conv2.bias"][:, None, None], 0)
        m = _conv1x1(m, state["encoder.conv3.weight"]) + state["encoder.conv3.bias"][:, None, None]
        return 1 / (1 + np.exp(-m))
    m = _conv1x1(x, state["encoder.conv1.weight"])
    m = m - m.mean((2, 3), keepdims=True) + state["encoder.conv1.bias"][:, None, None]
    m = np.maximum(m, 0)
    m = np.maximum(_conv1x1(m, state["encoder.conv2.weight"]) + state["encoder.conv2.bias"][:, None, None], 0)
    m = np.maximum(_conv1x1(m, state["encoder.conv3.weight"]) + state["encoder.conv3.bias"][:, None, None], 0)
    normalized = []
    for picture in m:
        if normalization == "zscore":
            normalized.append((picture - picture.mean()) / np.sqrt(picture.var() + CONTEXT_EPS**2))
        else:
            above = picture - picture.min()
            size = above.max() if normalization == "minmax" else above.mean()
            normalized.append(above / (size + CONTEXT_EPS))
    return np.stack(normalized)


def _conv1x1(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return np.einsum("oi,nihw->nohw", kernel[:, :, 0, 0].astype(np.float64), x)


def _rows(values: np.ndarray) -> np.ndarray:
    """(C,) or (N, C) as (1 or N, C, 1, 1)."""
    values = np.asarray(values, np.float64)
    return values.reshape(-1, values.shape[-1], 1, 1)
