"""The two parts that a hyper-adaptive layer has and batch normalization has not: where to adapt, and what and how much.

s        = normalize(ReLU(conv1x1(ReLU(conv1x1(ReLU(conv1x1(x)))))))     SpatialContextEncoder      (N, 1, H, W)
delta_w  = gate * delta, one for (scale, bias, mean, variance)            DifferentiableSearch       (4,) or (4, C)
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Granularity = Literal["layer", "channel"]
ContextNormalization = Literal["minmax", "distribution", "zscore", "sigmoid", "sigmoid-pooled"]


class SpatialContextEncoder(nn.Module):
    """One value per pixel, from a feature map: three 1x1 convolutions with ReLU, normalized within each picture.

    Args:
        num_features: C, the channels of the feature map.
        hidden_features: channels between the convolutions; C // 24 (at least 1) keeps a 3x3-convolution network's
            overhead under 0.5 %.
        normalization: "minmax" maps each picture's values to [0, 1]; "distribution" makes them sum to H * W with
            the smallest at 0; "zscore" gives them mean 0 and variance 1.

    Shape:
        (N, C, H, W) to (N, 1, H, W). A constant map gives 0 everywhere, which leaves plain batch normalization.

    Raises:
        ValueError: on an unknown normalization.
    """

    eps = 1e-5

    def __init__(
        self,
        num_features: int,
        hidden_features: int | None = None,
        normalization: ContextNormalization = "minmax",
        maps: int = 1,
    ) -> None:
        super().__init__()
        check_choice("context_normalization", normalization, ContextNormalization)
        hidden = hidden_features or max(1, num_features // 24)
        self.normalization = normalization
        self.conv1 = nn.Conv2d(num_features, hidden, 1)
        self.conv2 = nn.Conv2d(hidden, hidden, 1)
        self.conv3 = nn.Conv2d(hidden, maps, 1)
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
            if self.normalization.startswith("sigmoid"):
                self.conv3.bias.fill_(-2.0)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(self.conv1.weight.dtype)
            m = F.conv2d(x, self.conv1.weight)
            size = F.conv2d(x[:, :, :1, :1].abs(), self.conv1.weight.abs())  # of what is summed at one pixel
            # Departure: the first pre-activation is centred over the picture. Its mean is then 0, so it is positive
            # somewhere unless it is constant, whatever the weights and whatever the scale of x.
            m = _without_rounding(m - m.mean((2, 3), keepdim=True), size) + self.conv1.bias[:, None, None]
            m = F.relu(self.conv3(F.relu(self.conv2(F.relu(m)))))
            return self._normalize(m)

    def standardized(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        """s by a sigmoid, of what stands out from the static statistics (1, C)."""
        with torch.autocast(x.device.type, enabled=False):
            inverse = (var + self.eps).rsqrt()
            weight = self.conv1.weight * inverse[0][:, None, None]
            bias = self.conv1.bias - (weight[:, :, 0, 0] @ mean[0])
            size = x.shape[2:]
            x = x.to(weight.dtype)
            if self.normalization == "sigmoid-pooled":
                x = F.avg_pool2d(x, 4, ceil_mode=True, count_include_pad=False)
            m = self.conv3(F.relu(self.conv2(F.relu(F.conv2d(x, weight, bias)))))
            if m.shape[2:] != size:
                m = F.interpolate(m, size=size, mode="bilinear", align_corners=False)
            return torch.sigmoid(m)

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


def _without_rounding(difference: Tensor, size: Tensor) -> Tensor:
    """0 where a difference of numbers of that size is rounding alone, as between equal pixels of one convolution.

    Normalization would blow it up: a constant map of 1e6 came out with an *s* of up to 1.
    """
    return difference.masked_fill(difference.abs() <= 16 * torch.finfo(difference.dtype).eps * size, 0)


class SearchState(NamedTuple):
    """Where the search of one layer stands: delta (4,) or (4, C), gates (4,) in [0, 1], and the gates' temperature."""

    delta: Tensor
    gates: Tensor
    temperature: float
    discrete: bool


class DifferentiableSearch(nn.Module):
    """Which of the four parameters a layer adapts, and by how much.

    delta_w = gate * delta, with gate = sigmoid(logit / temperature) while searching and 0 or 1 afterwards.

    Departure: the text speaks of a "smoothed relaxation" without naming the choice behind it. Here the choice is, for
    each parameter of each layer, to adapt it or to leave it; four independent sigmoids and not a softmax, since the
    parameters co-operate.

    Args:
        num_features: C.
        granularity: "layer" for one delta in R^4, as the text has it; "channel" for one in R^(4 x C).
        search: whether the gates are learned. Without a search they are 1.
    """

    def __init__(self, num_features: int, granularity: Granularity = "layer", search: bool = False) -> None:
        super().__init__()
        check_choice("granularity", granularity, Granularity)
        shape = (4,) if granularity == "layer" else (4, num_features)
        self.delta = nn.Parameter(torch.zeros(shape))
        self.logits = nn.Parameter(torch.zeros(4)) if search else None
        self.register_buffer("closed", torch.zeros(4, dtype=torch.bool))
        self.temperature = 1.0

    @property
    def gates(self) -> Tensor:
        """(4,), in [0, 1]."""
        if self.logits is None:
            return (~self.closed).to(self.delta.dtype)
        return torch.sigmoid(self.logits / self.temperature)

    def forward(self) -> tuple[Tensor | None, ...]:
        """gate * delta for each parameter, (1,) or (C,); None for one that is closed for good."""
        weighted = self.gates.view(4, *[1] * (self.delta.dim() - 1)) * self.delta
        closed = self.closed.tolist()
        return tuple(None if closed[k] else weighted[k].reshape(-1) for k in range(4))

    @torch.no_grad()
    def discretize(self, least: float = 0.5) -> None:
        """End the search: gates of at least `least` become 1, the others close for good.

        A layer whose gates are all closed costs no more than batch normalization in evaluation mode.

        The value of a gate that stays open goes into its delta, so that only what is closed changes the layer.
        """
        if self.logits is not None:
            gates = self.gates
            self.delta.mul_(gates.view(4, *[1] * (self.delta.dim() - 1)))
            self.closed.copy_(gates < least)
            self.logits = None


def check_choice(name: str, value: str, choices: type) -> None:
    """Refuse a value that is not among the choices of a Literal type, with a ValueError that lists them."""
    allowed = choices.__args__
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
