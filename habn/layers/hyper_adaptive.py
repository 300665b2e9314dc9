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
from habn.layers.kernels import Factors, adaptive_normalize, batch_statistics, effective, instance_statistics

PARAMETERS = ("scale", "bias", "mean", "var")
"""What is adapted, in the order of delta, gates and every table of this project."""

Units = Literal["absolute", "relative"]
Statistics = Literal["static", "own", "local"]


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

    @staticmethod
    def forward(ctx, value: Tensor) -> Tensor:
        ctx.save_for_backward(value)
        return value.clamp(0, 1)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors
        leads_out = ((value < 0) & (grad > 0)) | ((value > 1) & (grad < 0))  # descent goes against the gradient
        return grad.masked_fill(leads_out, 0)


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
        (N, C, H, W) to (N, C, H, W).

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
        maps: int = 1,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats)
        check_choice("units", units, Units)
        check_choice("statistics", statistics, Statistics)
        self.units = units
        self.statistics = statistics
        self.encoder = SpatialContextEncoder(num_features, hidden_features, context_normalization, maps)
        self.search = DifferentiableSearch(num_features, granularity, search)

    def forward(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """Normalize x, (N, C, H, W); weight and bias, (N, C), replace the layer's own where they are given."""
        if self.training or (weight is None) != (bias is None) or any(d is not None for d in self.search()):
            if self.statistics == "local":
                return self._normalize_locally(x)
            s, base, slope = self.factors(x, weight, bias, update_running=True)
            if s.shape[1] == 1:
                return adaptive_normalize(x, s, base, slope, self.eps)
            ones, zeros = torch.ones_like(base.mean), torch.zeros_like(base.mean)
            first, second = s.split(1, dim=1)
            y = adaptive_normalize(
                x, second, Factors(ones, zeros, base.mean, base.var), Factors(None, None, slope.mean, slope.var), self.eps
            )
            return adaptive_normalize(
                y, first, Factors(base.scale, base.bias, zeros, ones - self.eps), Factors(slope.scale, slope.bias, None, None), self.eps
            )
        return self._normalize_statically(x, weight, bias)

    def context(self, x: Tensor) -> Tensor:
        """The spatial context map *s* of a feature map (N, C, H, W): (N, 1, H, W)."""
        if self.encoder.normalization.startswith("sigmoid"):
            return self.encoder.standardized(x, *self._static_statistics(x, False))[:, :1]
        return self.encoder(x)[:, :1]

    def _normalize_locally(self, x):
        mean, var = self._static_statistics(x, True)
        with torch.autocast(x.device.type, enabled=False):
            s = self.encoder.standardized(x, mean, var) if self.encoder.normalization.startswith("sigmoid") else self.encoder(x)
            kind, x = x.dtype, x.float()
            size = [max(1, side // 4) for side in x.shape[2:]]
            step = [max(1, side // 2) for side in size]
            pool = lambda v: F.interpolate(F.avg_pool2d(v, size, step), size=x.shape[2:], mode="bilinear", align_corners=False)
            m = pool(x)
            v = (pool(x * x) - m * m).clamp(min=0)
            scale, bias, a, b = (d.expand(1, self.num_features)[..., None, None] for d in self.search())
            mean, var = mean[..., None, None], var[..., None, None]
            mean_ = mean + s * _Share.apply(a) * (m - mean)
            var_ = torch.maximum(var + s * _Share.apply(b) * (v - var), 0.01 * var)
            y = (x - mean_) * (var_ + self.eps).rsqrt() * (self.weight[:, None, None] + s * scale) + self.bias[:, None, None] + s * bias
            return y.to(kind)

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

    def factors(
        self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, update_running: bool = False
    ) -> LayerFactors:
        """What a forward pass on x is made of. Base and slope are (1, C) or (N, C) for each parameter."""
        self._check_input_dim(x)
        mean, var = self._static_statistics(x, update_running)
        ones, zeros = torch.ones_like(mean), torch.zeros_like(mean)
        scale = weight if weight is not None else (ones if self.weight is None else self.weight[None])
        shift = bias if bias is not None else (zeros if self.bias is None else self.bias[None])
        slope = self._slope(x, mean, var)
        if not update_running:
            context = self.context(x)
        elif self.encoder.normalization.startswith("sigmoid"):
            context = self.encoder.standardized(x, mean, var)
        else:
            context = self.encoder(x)
        return LayerFactors(context, Factors(scale, shift, mean, var), slope)

    def _normalize_statically(self, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Batch normalization by its own kernel: a layer that adapts nothing agrees with it to the last bit.

        Rounding alone would change some pixels' classes. Nor does it cost more: no context map is computed. A weight
        and bias of each picture come after it, as `ConditionalNorm2d` does it for every other layer.
        """
        self._check_input_dim(x)
        own = (self.weight, self.bias) if weight is None else (None, None)
        y = F.batch_norm(x, self.running_mean, self.running_var, *own, self.running_mean is None, 0.0, self.eps)
        return y if weight is None else y * weight[..., None, None] + bias[..., None, None]

    def _slope(self, x: Tensor, mean: Tensor, var: Tensor) -> Factors:
        scale, bias, toward_mean, toward_var = (
            None if d is None else d.expand(1, self.num_features) for d in self.search()
        )
        if toward_mean is None and toward_var is None:
            return Factors(scale, bias, None, None)
        if self.statistics != "static":
            own_mean, own_var = instance_statistics(x)
            if toward_mean is not None:
                toward_mean = _Share.apply(toward_mean) * (own_mean - mean)
            if toward_var is not None:
                toward_var = _Share.apply(toward_var) * (own_var - var)
        elif self.units == "relative":
            if toward_mean is not None:
                toward_mean = toward_mean * torch.sqrt(var + self.eps)
            if toward_var is not None:
                toward_var = toward_var * var
        return Factors(scale, bias, toward_mean, toward_var)

    def _static_statistics(self, x: Tensor, update_running: bool) -> tuple[Tensor, Tensor]:
        """mu and sigma^2 of batch normalization, each (1, C), by PyTorch's conventions."""
        if not self.training and self.running_mean is not None:
            return self.running_mean[None], self.running_var[None]
        count = x.numel() // x.shape[1]
        if count < 2:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(x.shape)}")
        mean, var = batch_statistics(x)
        if self.training and update_running and self.track_running_stats:
            self._update_running(mean.detach(), var.detach() * (count / (count - 1)))
        return mean[None], var[None]

    @torch.no_grad()
    def _update_running(self, mean: Tensor, unbiased_var: Tensor) -> None:
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased_var.to(self.running_var.dtype), share)
