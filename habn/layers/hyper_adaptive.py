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

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from habn.layers.choices import ContextNormalization, Granularity, Statistics, Units, check_choice
from habn.layers.encoder import SpatialContextEncoder, Standard
from habn.layers.evaluation import evaluate
from habn.layers.gradients import Unused, share_of
from habn.layers.kernels import Factors, Measured, adaptive_normalize, effective, measure
from habn.layers.search import DifferentiableSearch, SearchState
from habn.layers.statistics import BatchStatistics
from habn.layers.synchronized import ProcessGroup

PARAMETERS = ("scale", "bias", "mean", "var")
"""What is adapted, in the order of delta, gates and every table of this project."""

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


class HyperAdaptiveBatchNorm(BatchStatistics):
    """Batch normalization with scale, bias, mean and variance of each pixel's own: what every HABN layer is.

    The module's docstring has the equations. With delta = 0 it is PyTorch's batch normalization, in training (running
    statistics included) and in evaluation, and a state dict of that class loads with only the keys of `encoder` and
    `search` missing.

    What changes a layer by its type knows nothing of the adaptation. `SyncBatchNorm.convert_sync_batchnorm` is refused
    (`synchronized=True` is the way), fusing by `torch.ao.quantization` and `torch.fx` passes the layer by or refuses;
    but `torch.nn.utils.fuse_conv_bn_eval`, handed such a layer, reads its static part alone and cannot be hindered.

    Args:
        num_features, eps, momentum, affine, track_running_stats: as in `torch.nn.BatchNorm2d`.
        hidden_features: channels inside the context encoder; None for `default_hidden_features(num_features)`.
        granularity: one delta per "layer" (the text's) or per "channel" (ours).
        units: "absolute" (the text's); "relative" (ours) counts delta of the mean in standard deviations and of the
            variance in variances. With statistics="own" they have no units, and this makes no difference.
        statistics: "static" (the text's) adds delta to mean and variance; "own" (ours) moves them toward the
            picture's own statistics, mean' = mu + s * a * (m_own - mu) and var' = sigma^2 + s * b * (v_own -
            sigma^2), with a and b, the last two of delta, held in [0, 1]. a = b = 0 is batch normalization, s * a =
            s * b = 1 instance normalization.
        context_normalization: how *s* is normalized; see `SpatialContextEncoder`.
        search: learn a gate for each of the four parameters; see `DifferentiableSearch`.
        synchronized: in training, take the batch's statistics over all processes of `torch.distributed`, as
            `torch.nn.SyncBatchNorm` does. Context and own statistics are each picture's, and need nothing.
        process_group: those processes; None for all.

    Shape:
        (N, C, H, W) to (N, C, H, W), of the type and memory format of the input.

    On a CPU compiled loops compute the layer; they have a first derivative alone. Where more is asked for, a second
    derivative, or common operations only, compute in float64 or within `habn.layers.kernels.plain`; `torch.func`,
    `torch.export`, `torch.jit.trace` and the ONNX exporters come to that by themselves. `torch.jit.script` is refused.

    Raises:
        ValueError: on an unknown option, an input that is not 4-D, or a single value per channel in training.
    """

    batch_norm: ClassVar[type[_BatchNorm]] = nn.BatchNorm2d
    """What a layer of this class becomes when it is reverted."""

    _check_input_dim = nn.BatchNorm2d._check_input_dim

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
        synchronized: bool = False,
        process_group: ProcessGroup | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats)
        self.add_adaptation(
            hidden_features=hidden_features,
            granularity=granularity,
            units=units,
            statistics=statistics,
            context_normalization=context_normalization,
            search=search,
            synchronized=synchronized,
            process_group=process_group,
        )

    def add_adaptation(
        self,
        *,
        hidden_features: int | None = None,
        granularity: Granularity = "layer",
        units: Units = "absolute",
        statistics: Statistics = "static",
        context_normalization: ContextNormalization = "minmax",
        search: bool = False,
        synchronized: bool = False,
        process_group: ProcessGroup | None = None,
    ) -> None:
        """Give a layer that has only what batch normalization has the rest; arguments as in the class."""
        check_choice("units", units, Units)
        check_choice("statistics", statistics, Statistics)
        self.units = units
        self.statistics = statistics
        self.synchronized = synchronized
        self.process_group = process_group
        self.encoder = SpatialContextEncoder(self.num_features, hidden_features, context_normalization)
        self.search = DifferentiableSearch(self.num_features, granularity, search)

    def reset_parameters(self) -> None:
        """Begin anew, as batch normalization whose encoder is drawn again; also after `to_empty`, or training."""
        super().reset_parameters()
        if hasattr(self, "search"):  # batch normalization's own part is built first
            self.encoder.reset_parameters()
            self.search.reset_parameters()

    def forward(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """Normalize x, (N, C, H, W); weight and bias, (N, C), replace the layer's own where they are given."""
        y = None if torch.is_grad_enabled() else evaluate(self, x, weight, bias)
        if y is not None:
            return y
        if isinstance(x, torch.fx.Proxy):  # a symbolic trace keeps the layer whole, as it does PyTorch's own
            given = (x,) if weight is None else (x, weight, bias)
            return x.tracer.create_proxy("call_module", x.tracer.path_of_module(self), given, {})
        deltas = self.search()
        if (x.numel() == 0 or all(d is None for d in deltas)) and (weight is None) == (bias is None):
            return self._normalize_statically(x, weight, bias)
        self._check_input_dim(x)
        standard = self._standard()
        measured = self._measure(x, deltas, standard)
        factors = self._factors(x, weight, bias, deltas, measured, standard, update_running=True)
        return adaptive_normalize(x, *factors, self.eps, measured)

    def __prepare_scriptable__(self) -> nn.Module:
        raise RuntimeError(
            "An HABN layer cannot be scripted; use torch.export, torch.compile or torch.jit.trace instead."
        )

    def context(self, x: Tensor) -> Tensor:
        """The spatial context map *s* of a feature map (N, C, H, W): (N, 1, H, W)."""
        return self.encoder(x, standard=self._standard())

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
        deltas, standard = self.search(), self._standard()
        measured = self._measure(x, deltas, standard)
        return self._factors(x, weight, bias, deltas, measured, standard, update_running=False)

    def _factors(
        self,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        deltas: Deltas,
        measured: Measured,
        standard: Standard | None,
        update_running: bool,
    ) -> LayerFactors:
        mean, var = self._static_statistics(x, measured, update_running)
        if weight is None:
            weight = torch.ones_like(mean) if self.weight is None else self.weight[None]
        if bias is None:
            bias = torch.zeros_like(mean) if self.bias is None else self.bias[None]
        slope = self._slope(deltas, mean, var, measured)
        context = self.encoder(x, measured.hidden, standard)
        return LayerFactors(context, Factors(weight, bias, mean, var), slope)

    def _standard(self) -> Standard | None:
        """What the encoder holds x against: the running statistics, as they are before x changes them in training."""
        if self.encoder.normalization != "sigmoid" or self.running_mean is None:
            return None
        return Standard(self.running_mean.clone(), self.running_var.clone())

    def _measure(self, x: Tensor, deltas: Deltas, standard: Standard | None) -> Measured:
        """One pass over x: the encoder's projection, and statistics where they are needed."""
        needs_own = self.statistics == "own" and any(d is not None for d in deltas[2:])
        return measure(x, self.encoder.projection(standard), self.training or self.running_mean is None or needs_own)

    def _normalize_statically(self, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Batch normalization by its own kernel: a layer that adapts nothing agrees with it to the last bit.

        Rounding alone would change some pixels' classes. Nor does it cost more: no context map is computed. A weight
        and bias of each picture come after it, as `ConditionalNorm2d` does it for every other layer.
        """
        self._check_input_dim(x)
        scale, shift = (self.weight, self.bias) if weight is None else (None, None)
        if shift is None:
            shift = x.new_zeros(self.num_features, dtype=self._statistics_type(x))
            scale = torch.ones_like(shift) if scale is None else scale
        shift = self._with_all_parameters(shift)
        if self._is_spread():
            mean, var = self._static_statistics(x, measure(x, None, with_statistics=True), update_running=True)
            offset = shift - mean * torch.rsqrt(var + self.eps) * scale
            y = x * (torch.rsqrt(var + self.eps) * scale)[..., None, None] + offset[..., None, None]
        else:
            uses_running = not self.training or self.track_running_stats
            y = F.batch_norm(
                x,
                self.running_mean if uses_running else None,
                self.running_var if uses_running else None,
                scale,
                shift,
                self.training or self.running_mean is None,
                self._count_batch() if self.training and self.track_running_stats else 0.0,
                self.eps,
            )
        y = y.to(x.dtype)
        return y if weight is None else y * weight[..., None, None] + bias[..., None, None]

    def _slope(self, deltas: Deltas, mean: Tensor, var: Tensor, measured: Measured) -> Factors:
        scale, bias, toward_mean, toward_var = (None if d is None else d.expand(1, self.num_features) for d in deltas)
        if toward_mean is None and toward_var is None:
            return Factors(scale, bias, None, None)
        if self.statistics == "own":
            if toward_mean is not None:
                toward_mean = share_of(toward_mean) * (measured.mean - mean)
            if toward_var is not None:
                toward_var = share_of(toward_var) * (measured.var - var)
        elif self.units == "relative":
            if toward_mean is not None:
                toward_mean = toward_mean * torch.sqrt(var + self.eps)
            if toward_var is not None:
                toward_var = toward_var * var
        return Factors(scale, bias, toward_mean, toward_var)

    def _with_all_parameters(self, value: Tensor) -> Tensor:
        """The value, made with the parameters that an idle layer does not use."""
        unused = [p for part in (self.encoder, self.search) for p in part.parameters() if p.requires_grad]
        return Unused.apply(value, *unused) if unused and torch.is_grad_enabled() else value


class HyperAdaptiveBatchNorm2d(HyperAdaptiveBatchNorm, nn.BatchNorm2d):
    """HABN over (N, C, H, W); see `HyperAdaptiveBatchNorm` for arguments and errors."""
