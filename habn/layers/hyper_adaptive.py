"""Hyper-adaptive batch normalization: batch normalization whose four parameters differ from pixel to pixel.

    s        = normalize(ReLU(conv1x1(ReLU(conv1x1(ReLU(conv1x1(x)))))))     SpatialContextEncoder      (N, 1, H, W)
    delta_w  = gate * delta, one for (scale, bias, mean, variance)            DifferentiableSearch       (4,) or (4, C)
    scale'   = gamma + s * delta_w[0]        bias' = beta    + s * delta_w[1]
    mean'    = mu    + s * delta_w[2]        var'  = sigma^2 + s * delta_w[3]
    y        = (x - mean') / sqrt(var' + eps) * scale' + bias'                HyperAdaptiveBatchNorm2d   (N, C, H, W)

mu and sigma^2 are the batch's statistics in training and the running ones in evaluation, as in
`torch.nn.BatchNorm2d`. The source text leaves several points open; each is settled here at a line that begins with
"Departure", and the README lists them.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from habn.layers.adaptation import (
    ContextNormalization,
    DifferentiableSearch,
    Granularity,
    SearchState,
    SpatialContextEncoder,
    check_choice,
)
from habn.layers.kernels import Factors, Measured, adaptive_normalize, effective, measure, merge_statistics

PARAMETERS = ("scale", "bias", "mean", "var")
"""What is adapted, in the order of delta, gates and every table of this project."""

Units = Literal["absolute", "relative"]
Statistics = Literal["static", "own"]
Deltas = tuple[Tensor | None, ...]  # gate * delta of each parameter, as `DifferentiableSearch` gives them


class EffectiveParameters(NamedTuple):
    """What each pixel is normalized with; every field is broadcastable to (N, C, H, W)."""

    scale: Tensor
    bias: Tensor
    mean: Tensor
    var: Tensor


class LayerFactors(NamedTuple):
    """Everything that a forward pass is made of: each parameter of a pixel is ``base + context * slope``."""

    context: Tensor
    base: Factors
    slope: Factors


class _Share(torch.autograd.Function):
    """Clamp to [0, 1], passing on every gradient that leads back inside: no share is ever stuck beyond an end."""

    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor) -> Tensor:
        return value.clamp(0, 1)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors
        leads_out = ((value < 0) & (grad > 0)) | ((value > 1) & (grad < 0))  # descent goes against the gradient
        return grad.masked_fill(leads_out, 0)


def _share(value: Tensor) -> Tensor:
    no_gradient = not torch.is_grad_enabled() or torch.jit.is_tracing()  # nor can a trace hold one that is written out
    return value.clamp(0, 1) if no_gradient else _Share.apply(value)


class HyperAdaptiveBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization with scale, bias, mean and variance of each pixel's own.

    The module's docstring has the equations. With delta = 0 it is `torch.nn.BatchNorm2d`, in training (running
    statistics included) and in evaluation, and a state dict of that class loads with only the keys of `encoder` and
    `search` missing.

    Args:
        num_features, eps, momentum, affine, track_running_stats: as in `torch.nn.BatchNorm2d`.
        hidden_features: channels inside the context encoder; None for num_features // 24, at least 1.
        granularity: one delta per "layer" (the text's) or per "channel" (ours).
        units: "absolute" (the text's); "relative" (ours) counts delta of the mean in standard deviations and of the
            variance in variances. With statistics="own" they have no units, and this makes no difference.
        statistics: "static" (the text's) adds delta to mean and variance; "own" (ours) moves them toward the
            picture's own statistics, mean' = mu + s * a * (m_own - mu) and var' = sigma^2 + s * b * (v_own -
            sigma^2), with a and b, the last two of delta, held in [0, 1]. a = b = 0 is batch normalization, s * a =
            s * b = 1 instance normalization.
        context_normalization: how *s* is normalized; see `SpatialContextEncoder`.
        search: learn a gate for each of the four parameters; see `DifferentiableSearch`.

    Shape:
        (N, C, H, W) to (N, C, H, W), of the type and memory format of the input.

    On a CPU compiled loops compute the layer; they have a first derivative alone. Where more is asked for, a second
    derivative, or common operations only, compute in float64 or within `habn.layers.kernels.plain`; `torch.func`,
    `torch.export`, `torch.jit.trace` and the ONNX exporters come to that by themselves. `torch.jit.script` is refused.

    Raises:
        ValueError: on an unknown option, an input that is not 4-D, or a single value per channel in training.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        hidden_features: int | None = None,
        granularity: Granularity = "layer",
        units: Units = "absolute",
        statistics: Statistics = "static",
        context_normalization: ContextNormalization = "minmax",
        search: bool = False,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats)
        check_choice("units", units, Units)
        check_choice("statistics", statistics, Statistics)
        self.units = units
        self.statistics = statistics
        self.encoder = SpatialContextEncoder(num_features, hidden_features, context_normalization)
        self.search = DifferentiableSearch(num_features, granularity, search)

    def forward(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """Normalize x, (N, C, H, W); weight and bias, (N, C), replace the layer's own where they are given."""
        if isinstance(x, torch.fx.Proxy):  # a symbolic trace keeps the layer whole, as it does PyTorch's own
            given = (x,) if weight is None else (x, weight, bias)
            return x.tracer.create_proxy("call_module", x.tracer.path_of_module(self), given, {})
        deltas = self.search()
        if not self.training and (weight is None) == (bias is None) and all(d is None for d in deltas):
            return self._normalize_statically(x, weight, bias)
        self._check_input_dim(x)
        measured = self._measure(x, deltas)
        factors = self._factors(x, weight, bias, deltas, measured, update_running=True)
        return adaptive_normalize(x, *factors, self.eps, measured)

    def __prepare_scriptable__(self) -> nn.Module:
        raise RuntimeError(
            "An HABN layer cannot be scripted; use torch.export, torch.compile or torch.jit.trace instead."
        )

    def context(self, x: Tensor) -> Tensor:
        """The spatial context map *s* of a feature map (N, C, H, W): (N, 1, H, W)."""
        return self.encoder(x)

    def effective_parameters(
        self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> EffectiveParameters:
        """What each pixel of x, (N, C, H, W), would be normalized with. Leaves the running statistics alone."""
        return EffectiveParameters(*effective(*self.factors(x, weight, bias)))

    def search_state(self) -> SearchState:
        """Delta, gates and temperature, as they stand."""
        search = self.search
        delta, gates = search.delta.detach().clone(), search.gates.detach().clone()
        return SearchState(delta, gates, search.temperature, search.logits is None)

    def discretize(self, least: float = 0.5) -> None:
        """Make the gates hard; see `DifferentiableSearch.discretize`."""
        self.search.discretize(least)

    def factors(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> LayerFactors:
        """What a forward pass on x is made of. Base and slope are (1, C) or (N, C) for each parameter."""
        self._check_input_dim(x)
        deltas = self.search()
        return self._factors(x, weight, bias, deltas, self._measure(x, deltas), update_running=False)

    def _factors(
        self,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        deltas: Deltas,
        measured: Measured,
        update_running: bool,
    ) -> LayerFactors:
        mean, var = self._static_statistics(x, measured, update_running)
        if weight is None:
            weight = torch.ones_like(mean) if self.weight is None else self.weight[None]
        if bias is None:
            bias = torch.zeros_like(mean) if self.bias is None else self.bias[None]
        slope = self._slope(deltas, mean, var, measured)
        return LayerFactors(self.encoder(x, measured.hidden), Factors(weight, bias, mean, var), slope)

    def _measure(self, x: Tensor, deltas: Deltas) -> Measured:
        """One pass over x: the encoder's projection, and statistics where they are needed."""
        needs_own = self.statistics == "own" and any(d is not None for d in deltas[2:])
        return measure(x, self.encoder.projection(), self.training or self.running_mean is None or needs_own)

    def _normalize_statically(self, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Batch normalization by its own kernel: a layer that adapts nothing agrees with it to the last bit.

        Rounding alone would change some pixels' classes. Nor does it cost more: no context map is computed. A weight
        and bias of each picture come after it, as `ConditionalNorm2d` does it for every other layer.
        """
        self._check_input_dim(x)
        own = (self.weight, self.bias) if weight is None else (None, None)
        y = F.batch_norm(x, self.running_mean, self.running_var, *own, self.running_mean is None, 0.0, self.eps)
        return y if weight is None else y * weight[..., None, None] + bias[..., None, None]

    def _slope(self, deltas: Deltas, mean: Tensor, var: Tensor, measured: Measured) -> Factors:
        scale, bias, toward_mean, toward_var = (None if d is None else d.expand(1, self.num_features) for d in deltas)
        if toward_mean is None and toward_var is None:
            return Factors(scale, bias, None, None)
        if self.statistics == "own":
            if toward_mean is not None:
                toward_mean = _share(toward_mean) * (measured.mean - mean)
            if toward_var is not None:
                toward_var = _share(toward_var) * (measured.var - var)
        elif self.units == "relative":
            if toward_mean is not None:
                toward_mean = toward_mean * torch.sqrt(var + self.eps)
            if toward_var is not None:
                toward_var = toward_var * var
        return Factors(scale, bias, toward_mean, toward_var)

    def _static_statistics(self, x: Tensor, measured: Measured, update_running: bool) -> tuple[Tensor, Tensor]:
        """mu and sigma^2 of batch normalization, each (1, C), by PyTorch's conventions."""
        if not self.training and self.running_mean is not None:
            return self.running_mean[None], self.running_var[None]
        count = x.numel() // x.shape[1]
        if count < 2:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
        mean, var = merge_statistics(measured.mean, measured.var)
        if self.training and update_running and self.track_running_stats:
            self._update_running(mean.detach(), var.detach() * (count / (count - 1)))
        return mean[None], var[None]

    @torch.no_grad()
    def _update_running(self, mean: Tensor, unbiased_var: Tensor) -> None:
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased_var.to(self.running_var.dtype), share)
