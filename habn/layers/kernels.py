"""Evaluates the formula that every normalization layer of this project shares.

Each of the four parameters of a layer is ``base + context * slope`` at a pixel. `adaptive_normalize` takes these
factors instead of the four full-size maps that they stand for. Written as one PyTorch expression the formula makes
some twenty passes over memory, each into fresh pages, ten times the cost of batch normalization. So it is evaluated
in one of two ways, with a backward pass that is written out and keeps nothing but the factors:

- on a CPU by compiled loops (Numba), one pass over memory; channels are innermost, since convolutions are fastest so;
- elsewhere, and in float64, by in-place PyTorch operations on the whole batch, which also serve as the reference in
  the tests.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

VARIANCE_FLOOR = 1e-2
"""An adjusted variance never falls below this share of the base variance.

The source text adds delta to sigma^2 and says nothing of negative results. A hard floor is the identity above it,
unlike softplus, so a layer with delta = 0 remains batch normalization; at 1e-2 it bounds the amplification of a
pixel to ten times that of the base.
"""


class Factors(NamedTuple):
    """Four values, one per parameter, in the order of the source text.

    As a base, each is of shape (N or 1, C). As a slope, each is of shape (N or 1, C), or None for a parameter that
    is not adapted.
    """

    scale: Tensor | None
    bias: Tensor | None
    mean: Tensor | None
    var: Tensor | None


def adaptive_normalize(x: Tensor, context: Tensor, base: Factors, slope: Factors, eps: float) -> Tensor:
    """Normalize every pixel with parameters of its own.

    y = (x - mean') / sqrt(var' + eps) * scale' + bias', where p' = base.p + context * slope.p for each of the four
    parameters p, and var' is at least `VARIANCE_FLOOR` * base.var.

    Args:
        x: (N, C, H, W), float.
        context: (N, 1, H, W), the spatial context map.
        base: what each parameter is where the context is 0.
        slope: what one unit of context adds; None where a parameter is not adapted, which then costs nothing.
        eps: added to the variance, as in `torch.nn.BatchNorm2d`.

    Returns:
        (N, C, H, W), of the type of x; computed in float32, or in float64 if x is.
    """
    return _AdaptiveNormalize.apply(x, context, eps, *base, *slope)


def effective(context: Tensor, base: Factors, slope: Factors) -> Factors:
    """The four parameters of each pixel, (N, C, H, W), or (N or 1, C, 1, 1) where they do not differ between pixels."""
    scale, bias, mean, var = (_at_pixels(context, b, k) for b, k in zip(base, slope, strict=True))
    return Factors(scale, bias, mean, torch.maximum(var, VARIANCE_FLOOR * base.var[..., None, None]))


def _at_pixels(context: Tensor, base: Tensor, slope: Tensor | None) -> Tensor:
    base = base[..., None, None]
    return base if slope is None else base + context * slope[..., None, None]


def batch_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of x, (N, C, H, W), over all else: (C,) each, at least float32."""
    return _BatchStatistics.apply(x)


def instance_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of each picture of x, (N, C, H, W): (N, C) each, at least float32."""
    return _InstanceStatistics.apply(x)


class _Statistics(torch.autograd.Function):
    """Mean and variance, as `forward` finds them; their gradient needs no more than x and the mean."""

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_mean, grad_var):
        x, mean = ctx.saved_tensors
        count = x.numel() // mean.numel()
        slope = 2 * grad_var / count
        offset = grad_mean / count - slope * mean
        return torch.addcmul(offset[..., None, None], x.to(mean.dtype), slope[..., None, None]).to(x.dtype)


class _InstanceStatistics(_Statistics):
    """With pixels first: on channels_last memory that took an eighth of the time of `torch.var_mean`."""

    @staticmethod
    def forward(ctx, x):
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2).to(torch.promote_types(x.dtype, torch.float32))
        mean = pixels.mean(1)
        ctx.save_for_backward(x, mean)
        return mean, (pixels - mean[:, None]).square_().mean(1)


class _BatchStatistics(_Statistics):
    """By batch normalization's own kernel, since `torch.var_mean` took ten times as long on channels_last memory."""

    eps = 1e-5

    @staticmethod
    def forward(ctx, x):
        # Without weights in float32 or more it would round the statistics to the type of x.
        ones = x.new_ones(x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
        _, mean, inverse = torch.native_batch_norm(x, ones, None, None, None, True, 0.0, _BatchStatistics.eps)
        ctx.save_for_backward(x, mean)
        return mean, (inverse.square().reciprocal() - _BatchStatistics.eps).clamp_(min=0)


class _AdaptiveNormalize(torch.autograd.Function):
    """Pixels are flattened: x is (N, C, P) and the context (N, 1, P) in what this calls."""

    @staticmethod
    def forward(ctx, x, context, eps, *factors):
        ctx.save_for_backward(x, context, *factors)
        ctx.eps = eps
        return _forward_compiled(x, context, eps, factors) if _is_compiled(x) else _forward(x, context, eps, factors)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_y):
        x, context, *factors = ctx.saved_tensors
        backward = _backward_compiled if _is_compiled(x) else _backward
        grad_x, grad_context, grads = backward(grad_y, x, context, ctx.eps, factors)
        return grad_x, grad_context, None, *(None if f is None else g for f, g in zip(factors, grads, strict=True))


def _columns(factors: tuple[Tensor | None, ...]) -> list[Tensor | None]:
    return [None if f is None else f[..., None] for f in factors]


def _parameter(context: Tensor, base: Tensor, slope: Tensor | None) -> Tensor:
    return base if slope is None else torch.addcmul(base, slope, context)


def _inverse_deviation(s: Tensor, var: Tensor, slope: Tensor | None, eps: float) -> tuple[Tensor, Tensor | None]:
    """1 / sqrt(var' + eps), and where var' lies above its floor (None where the variance is not adapted)."""
    if slope is None:
        return torch.rsqrt(var + eps), None
    adjusted, floor = _parameter(s, var, slope), VARIANCE_FLOOR * var
    above = adjusted > floor
    return torch.maximum(adjusted, floor).add_(eps).rsqrt_(), above


def _forward(x: Tensor, context: Tensor, eps: float, factors: tuple) -> Tensor:
    precise = torch.promote_types(x.dtype, torch.float32)
    s = context.flatten(2).to(precise)
    scale, bias, mean, var, *slopes = _columns(factors)
    out = x.flatten(2).to(precise) - _parameter(s, mean, slopes[2])
    out *= _inverse_deviation(s, var, slopes[3], eps)[0]
    out *= _parameter(s, scale, slopes[0])
    out += _parameter(s, bias, slopes[1])
    return out.view(x.shape).to(x.dtype)


def _backward(grad_y: Tensor, x: Tensor, context: Tensor, eps: float, factors: list) -> tuple[Tensor, Tensor, list]:
    precise = torch.promote_types(x.dtype, torch.float32)
    s, g = context.flatten(2).to(precise), grad_y.flatten(2).to(precise)
    scale, bias, mean, var, *slopes = _columns(factors)
    inverse, above = _inverse_deviation(s, var, slopes[3], eps)
    x_hat = (x.flatten(2).to(precise) - _parameter(s, mean, slopes[2])).mul_(inverse)
    g_scale = g * x_hat
    g_x = g * (_parameter(s, scale, slopes[0]) * inverse)
    g_var = (g_x * x_hat).mul_(inverse).mul_(-0.5)
    g_base = [g_scale, g, -g_x, g_var if above is None else g_var.where(above, VARIANCE_FLOOR * g_var)]
    g_slope = g_base if above is None else [*g_base[:3], g_var * above]
    grads = [gradient.sum(-1) for gradient in g_base]
    grad_s = torch.zeros_like(s)
    for gradient, slope in zip(g_slope, slopes, strict=True):
        grads.append(None if slope is None else (gradient * s).sum(-1))
        if slope is not None:
            grad_s += (gradient * slope).sum(1, keepdim=True)
    grads = [None if g is None else g.sum_to_size(f.shape).to(f.dtype) for g, f in zip(grads, factors, strict=True)]
    return g_x.view(x.shape).to(x.dtype), grad_s.view(context.shape).to(context.dtype), grads


def _is_compiled(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype != torch.float64


def _pixels_first(x: Tensor) -> Tensor:
    """(N, C, H, W) as contiguous float32 (N, P, C)."""
    return x.permute(0, 2, 3, 1).flatten(1, 2).to(torch.float32).contiguous()


def _channels_first(pixels: Tensor, like: Tensor) -> Tensor:
    """(N, P, C) as (N, C, H, W) in channels_last memory, of the type of another."""
    n, c, h, w = like.shape
    return pixels.view(n, h, w, c).permute(0, 3, 1, 2).to(like.dtype)


def _compiled_arguments(x: Tensor, context: Tensor, eps: float, factors: tuple) -> tuple:
    n, c = x.shape[:2]
    table = torch.zeros(8, n, c)
    for row, factor in zip(table, factors, strict=True):
        if factor is not None:
            row[:] = factor
    return (
        _pixels_first(x).numpy(),
        context.flatten(1).float().contiguous().numpy(),
        table.numpy(),
        np.float32(eps),
        np.float32(VARIANCE_FLOOR),
    )


def _loops():
    from habn.layers import loops  # here, because Numba takes a second to import and some more to compile

    return loops


def _forward_compiled(x: Tensor, context: Tensor, eps: float, factors: tuple) -> Tensor:
    arguments = _compiled_arguments(
        x.detach(), context.detach(), eps, tuple(f if f is None else f.detach() for f in factors)
    )
    y = torch.empty(arguments[0].shape)
    _loops().forward(*arguments, y.numpy())
    return _channels_first(y, x)


def _backward_compiled(
    grad_y: Tensor, x: Tensor, context: Tensor, eps: float, factors: list
) -> tuple[Tensor, Tensor, list]:
    arguments = _compiled_arguments(x, context, eps, factors)
    grad_x, grad_s, table = (
        torch.empty(arguments[0].shape),
        torch.empty(arguments[1].shape),
        torch.zeros(arguments[2].shape),
    )
    _loops().backward(_pixels_first(grad_y).numpy(), *arguments, grad_x.numpy(), grad_s.numpy(), table.numpy())
    grads = [None if f is None else g.sum_to_size(f.shape).to(f.dtype) for g, f in zip(table, factors, strict=True)]
    return _channels_first(grad_x, x), grad_s.view(context.shape).to(context.dtype), grads
