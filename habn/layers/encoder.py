"""The context encoder: where a layer adapts.

s = normalize(ReLU(conv1x1(ReLU(conv1x1(ReLU(conv1x1(x)))))))     SpatialContextEncoder      (N, 1, H, W)
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from habn.layers import compiled
from habn.layers.choices import ContextNormalization, check_choice
from habn.layers.compiled import MOST_HIDDEN
from habn.layers.kernels import is_compiled, measure

STRETCHES: tuple[ContextNormalization, ...] = ("minmax", "distribution", "zscore")  # in the order of `loops.context`

USUAL = -2.0
"""Where the sigmoid of a new encoder starts for features that are as usual: s = 0.12."""


class Standard(NamedTuple):
    """The statistics of each channel, (C,), that features are held against."""

    mean: Tensor
    var: Tensor


class Pointwise(_ConvNd):
    """A 1x1 convolution that is not a `torch.nn.Conv2d`: the usual `network.apply(init)` passes it by.

    Drawn as ordinary convolutions are (normal, Kaiming, Xavier), 43 to 47 % of encoders would output 0 everywhere, and
    stay so.

    Args:
        in_channels, out_channels: as in `torch.nn.Conv2d`.
        nonnegative: whether it starts with non-negative weights.
    """

    def __init__(self, in_channels: int, out_channels: int, nonnegative: bool = False) -> None:
        self.nonnegative = nonnegative
        super().__init__(in_channels, out_channels, (1, 1), (1, 1), (0, 0), (1, 1), False, (0, 0), 1, True, "zeros")

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw weights as a convolution of PyTorch does, but so that an encoder made of them is alive."""
        super().reset_parameters()
        self.bias.zero_()
        if self.nonnegative:
            self.weight.abs_()

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias)


class SpatialContextEncoder(nn.Module):
    """One value per pixel, from a feature map: three 1x1 convolutions with ReLU, normalized within each picture.

    Args:
        num_features: C, the channels of the feature map.
        hidden_features: channels between the convolutions; None for `default_hidden_features`.
        normalization: "minmax" maps each picture's values to [0, 1]; "distribution" makes them sum to H * W with
            the smallest at 0; "zscore" gives them mean 0 and variance 1. "sigmoid" (ours) leaves the picture alone:
            s = sigmoid(conv3(ReLU(conv2(ReLU(conv1((x - mu) / sqrt(sigma^2 + eps))))))), with the running statistics mu
            and sigma^2, so a whole picture can stand out, and the same features have the same s in every picture.

    Shape:
        (N, C, H, W) to (N, 1, H, W). A constant map gives 0 everywhere, which leaves plain batch normalization; not
        so with "sigmoid".

    Raises:
        ValueError: on an unknown normalization.
    """

    eps = 1e-5

    def __init__(
        self,
        num_features: int,
        hidden_features: int | None = None,
        normalization: ContextNormalization = "minmax",
    ) -> None:
        super().__init__()
        check_choice("context_normalization", normalization, ContextNormalization)
        hidden = hidden_features or default_hidden_features(num_features)
        self.normalization = normalization
        self.conv1 = Pointwise(num_features, hidden)
        self.conv2 = Pointwise(hidden, hidden, nonnegative=True)
        self.conv3 = Pointwise(hidden, 1, nonnegative=True)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights from which no encoder starts dead.

        Departure: with PyTorch's default initialization 12 to 45 % of encoders output 0 everywhere, and then neither
        they nor delta ever get a gradient. Here the second and third convolution start non-negative and all biases
        at 0, so whatever passes the first ReLU reaches the end; `forward` sees to it that something does.
        """
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        with torch.no_grad():
            self.conv2.weight.abs_()
            self.conv3.weight.abs_()
            if self.normalization == "sigmoid":
                self.conv3.bias.fill_(USUAL)

    def projection(self, standard: Standard | None = None) -> Tensor | None:
        """The first convolution's weight, (H, C), for `kernels.measure`; None where the convolutions must be called.

        What is linear in x is folded into it: with "sigmoid" it is divided by the deviations of `standard`. They must
        be called where somebody hangs on them, with a hook (as pruning and spectral norm do) or another forward.
        """
        convs = (self.conv1, self.conv2, self.conv3)
        if len(self.conv1.weight) > MOST_HIDDEN or not all(map(_is_plain, convs)):
            return None
        weight = self.conv1.weight.flatten(1).float()
        return weight if standard is None else weight * torch.rsqrt(standard.var.float() + self.eps)

    def forward(
        self, x: Tensor, hidden: tuple[Tensor, Tensor] | None = None, standard: Standard | None = None
    ) -> Tensor:
        """s of x.

        Args:
            x: (N, C, H, W).
            hidden: what `kernels.measure` makes of x and `projection`, where somebody has it already.
            standard: the statistics that "sigmoid" holds x against; None for mean 0 and variance 1.
        """
        with torch.autocast(x.device.type, enabled=False):
            projection = self.projection(standard) if hidden is None and is_compiled(x) else None
            if projection is not None:
                hidden = measure(x, projection, with_statistics=False).hidden
            if self.normalization == "sigmoid":
                return self._usual_or_not(x, hidden, standard)
            if hidden is None:
                return self._normalize(self._map(x))
            second, third = self.conv2, self.conv3
            weights = (self.conv1.bias, second.weight.flatten(1), second.bias, third.weight.flatten(), third.bias)
            s = compiled.encode(*hidden, *(w.float() for w in weights), STRETCHES.index(self.normalization))
            return s.view(x.shape[0], 1, *x.shape[2:])

    def _usual_or_not(self, x: Tensor, hidden: tuple[Tensor, Tensor] | None, standard: Standard | None) -> Tensor:
        """s by a sigmoid. What comes after the projection is small, and left to PyTorch on every device."""
        if hidden is None:
            x = x.to(self.conv1.weight.dtype)
            if standard is not None:
                mean, var = (t.to(x.dtype)[:, None, None] for t in standard)
                x = (x - mean) * torch.rsqrt(var + self.eps)
            m = self.conv1(x)
        else:
            offset = self.conv1.bias
            if standard is not None:
                offset = offset - self.projection(standard) @ standard.mean.float()
            m = (hidden[0] + offset[:, None]).view(len(x), -1, *x.shape[2:])
        return torch.sigmoid(self.conv3(F.relu(self.conv2(F.relu(m)))))

    def _map(self, x: Tensor) -> Tensor:
        """What is normalized, in plain PyTorch; the way of every other device and of exporters."""
        x = x.to(self.conv1.weight.dtype)
        m, bias = self.conv1(x), self.conv1.bias
        # The size of what is summed at one pixel.
        size = F.conv2d(x[:, :, :1, :1].abs(), self.conv1.weight.abs(), bias.abs())
        # Departure: the first pre-activation is centred over the picture. Its mean is then 0, so it is positive
        # somewhere unless it is constant, whatever the weights and whatever the scale of x.
        m = _without_rounding(m - m.mean((2, 3), keepdim=True), size) + bias[:, None, None]
        m = F.relu(self.conv3(F.relu(self.conv2(F.relu(m)))))
        return m.to(torch.promote_types(m.dtype, torch.float32))

    def _normalize(self, m: Tensor) -> Tensor:
        # Departure: the text says "normalized" and no more. A map with an overflow counts as constant.
        m = torch.nan_to_num(m, nan=0.0, posinf=0.0)
        lowest = m.amin((2, 3), keepdim=True)
        m = _without_rounding(m - lowest, lowest)
        if self.normalization == "zscore":
            m = m - m.mean((2, 3), keepdim=True)
            return m * torch.rsqrt(m.square().mean((2, 3), keepdim=True) + self.eps**2)
        size = m.amax((2, 3), keepdim=True) if self.normalization == "minmax" else m.mean((2, 3), keepdim=True)
        return m / (size + self.eps)


def _is_plain(conv: Pointwise) -> bool:
    return type(conv).forward is Pointwise.forward and not (
        conv._forward_hooks or conv._forward_pre_hooks or conv._backward_hooks or conv._backward_pre_hooks
    )


def _without_rounding(difference: Tensor, size: Tensor) -> Tensor:
    """0 where a difference of numbers of that size is rounding alone, as between equal pixels of one convolution.

    Normalization would blow it up: a constant map of 1e6 came out with an *s* of up to 1.
    """
    return difference.masked_fill(difference.abs() <= 16 * torch.finfo(difference.dtype).eps * size, 0)


def default_hidden_features(num_features: int) -> int:
    """Channels within the encoder of a layer of so many: C // 24, but no more than 384 weights on them, and 1 at least.

    C // 24 keeps a network of 3x3 convolutions under 0.5 %; there the convolution before has 9 * C * C weights. Wide
    layers mostly follow 1x1 convolutions, so from 96 channels on the encoder becomes narrower again.
    """
    return max(1, min(num_features // 24, 384 // num_features))
