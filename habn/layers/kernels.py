"""Evaluates what every layer computes at full size: statistics of a feature map, and the formula.

Each of the four parameters of a layer is ``base + context * slope`` at a pixel. `adaptive_normalize` takes these
factors instead of the four full-size maps that they stand for. There are two ways:

- compiled loops on a CPU (`habn.layers.compiled`), which read x twice and write y once;
- plain PyTorch, as the formula is written: on other devices, in float64, inside of exporters, `torch.func` and
  forward-mode differentiation, which see common operations only; it is the reference in the tests. On CUDA
  `torch.compile` fuses it.

Which one, `is_compiled` decides; `plain` asks for the second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from habn.layers import compiled

VARIANCE_FLOOR = 1e-2
"""An adjusted variance never falls below this share of the base variance.

The source text adds delta to sigma^2 and says nothing of negative results. A hard floor is the identity above it,
unlike softplus, so a layer with delta = 0 remains batch normalization; at 1e-2 it bounds the amplification of a
pixel to ten times that of the base.
"""

_plain = ContextVar("plain", default=False)


class Factors(NamedTuple):
    """Four values, one per parameter, in the order of the source text.

    As a base, each is of shape (N or 1, C). As a slope, each is of shape (N or 1, C), or None for a parameter that
    is not adapted.
    """

    scale: Tensor | None
    bias: Tensor | None
    mean: Tensor | None
    var: Tensor | None


class Measured(NamedTuple):
    """What one pass over a feature map gives.

    Attributes:
        hidden: weight x at each pixel, (N, H, P), float32, and the size of what is summed at one pixel, (N, H); None
            where no weight was given, or in plain PyTorch.
        mean, var: of each channel of each picture, the variance biased: (N, C) each, at least float32. None if not
            asked for.
        links: for `adaptive_normalize` of the same x alone; see `habn.layers.compiled`.
    """

    hidden: tuple[Tensor, Tensor] | None
    mean: Tensor | None
    var: Tensor | None
    links: tuple[Tensor, ...] | None


@contextmanager
def plain() -> Iterator[None]:
    """Compute in plain PyTorch inside the block: slower, and differentiable as often as one likes."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def is_compiled(x: Tensor) -> bool:
    """Whether the compiled loops take a feature map (N, C, H, W)."""
    if x.device.type != "cpu" or x.dtype not in compiled.DTYPES:
        return False
    if torch.compiler.is_compiling():
        return not torch.compiler.is_exporting()
    return x.numel() > 0 and not needs_common_operations()


def is_fused(x: Tensor) -> bool:
    """Whether `torch.compile` makes one kernel of the formula for a feature map; within it, it does so by itself."""
    return x.is_cuda and x.dtype in compiled.DTYPES and not (torch.compiler.is_compiling() or needs_common_operations())


def needs_common_operations() -> bool:
    """Whether somebody takes apart, traces or transforms what is computed, or differentiates it twice."""
    return bool(
        _plain.get()
        or torch._C._get_tracing_state() is not None
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
    )


def measure(x: Tensor, weight: Tensor | None = None, with_statistics: bool = True) -> Measured:
    """Statistics of each picture of x, (N, C, H, W), and its product with weight, (H, C), in one pass."""
    if not is_compiled(x):
        mean, var = _statistics(x) if with_statistics else (None, None)
        return Measured(None, mean, var, None)
    no_weight = x.new_empty((0, x.shape[1]), dtype=torch.float32) if weight is None else weight
    hidden, size, mean, var, *links = compiled.measure(x, no_weight, with_statistics)
    return Measured(
        (hidden, size) if weight is not None else None,
        mean if with_statistics else None,
        var if with_statistics else None,
        tuple(links),
    )


def adaptive_normalize(
    x: Tensor, context: Tensor, base: Factors, slope: Factors, eps: float, measured: Measured | None = None
) -> Tensor:
    """Normalize every pixel with parameters of its own.

    y = (x - mean') / sqrt(var' + eps) * scale' + bias', where p' = base.p + context * slope.p for each of the four
    parameters p, and var' is at least `VARIANCE_FLOOR` * base.var.

    Args:
        x: (N, C, H, W), float.
        context: (N, 1, H, W), the spatial context map.
        base: what each parameter is where the context is 0.
        slope: what one unit of context adds; None where a parameter is not adapted.
        eps: added to the variance, as in `torch.nn.BatchNorm2d`.
        measured: of x, where something in context, base or slope comes from it; the gradient of x then takes one pass.

    Returns:
        (N, C, H, W), of the type and memory format of x, and no view; computed in float32, or in float64 if x is.
    """
    if measured is None:
        measured = measure(x, with_statistics=False)
    if measured.links is None:
        return (_fused() if is_fused(x) else _expression)(x, context, base, slope, eps)
    table = compiled.tabulate(*base, *slope, x.shape[0], eps, VARIANCE_FLOOR)
    return compiled.normalize(x, context.flatten(1).float(), table, *measured.links)


def _expression(x: Tensor, context: Tensor, base: Factors, slope: Factors, eps: float) -> Tensor:
    precise = torch.promote_types(x.dtype, torch.float32)
    base, slope = (Factors(*(f if f is None else f.to(precise) for f in factors)) for factors in (base, slope))
    scale, bias, mean, var = effective(context.to(precise), base, slope)
    return ((x.to(precise) - mean) * torch.rsqrt(var + eps) * scale + bias).to(x.dtype)


@cache
def _fused():
    return torch.compile(_expression, dynamic=True)


def effective(context: Tensor, base: Factors, slope: Factors) -> Factors:
    """The four parameters of each pixel, (N, C, H, W), or (N or 1, C, 1, 1) where they do not differ between pixels."""
    scale, bias, mean, var = (_at_pixels(context, b, k) for b, k in zip(base, slope, strict=True))
    return Factors(scale, bias, mean, torch.maximum(var, VARIANCE_FLOOR * base.var[..., None, None]))


def _at_pixels(context: Tensor, base: Tensor, slope: Tensor | None) -> Tensor:
    base = base[..., None, None]
    return base if slope is None else base + context * slope[..., None, None]


def merge_statistics(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of all pictures together, (C,) each, from those of each, (N, C)."""
    between, together = torch.var_mean(mean, 0, correction=0)
    return together, var.mean(0) + between


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    mean = x.mean((2, 3))
    return mean, (x - mean[..., None, None]).square().mean((2, 3))
