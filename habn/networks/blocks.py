"""The parts that both networks are built of. A norm layer is a callable: no part knows which normalization it has."""

import torch.nn.functional as F
from torch import Tensor, nn

from habn.layers.normalization import NormLayer


class SpatiallyVariantConv2d(nn.Module):
    """A 3x3 convolution whose kernel differs from pixel to pixel: a mixture of K static kernels.

    y(p) = sum_k g_k(p) * (W_k * x)(p), with the gates g(p) = softmax of a 1x1 convolution of x.

    All K convolutions are one call of K times the output channels, which is exact and needs no unfolding.

    Args:
        in_channels, out_channels, dilation, padding_mode: as in `torch.nn.Conv2d`; the size is kept.
        num_kernels: K.

    Shape:
        (N, in_channels, H, W) to (N, out_channels, H, W).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_kernels: int = 3,
        dilation: int = 1,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        self.num_kernels = num_kernels
        self.kernels = nn.Conv2d(
            in_channels,
            num_kernels * out_channels,
            3,
            padding=dilation,
            dilation=dilation,
            padding_mode=padding_mode,
            bias=False,
        )
        self.gate = nn.Conv2d(in_channels, num_kernels, 1)

    def gates(self, x: Tensor) -> Tensor:
        """The share of each kernel at each pixel, (N, K, H, W), summing to 1 over K."""
        return self.gate(x).softmax(1)

    def forward(self, x: Tensor) -> Tensor:
        answers = self.kernels(x).chunk(self.num_kernels, dim=1)
        gates = self.gates(x).split(1, dim=1)
        y = answers[0] * gates[0]
        for answer, gate in zip(answers[1:], gates[1:], strict=True):
            y = y.addcmul(answer, gate)
        return y


class ConvNorm(nn.Module):
    """A convolution without bias, a normalization, and ReLU unless it is the last before a sum."""

    def __init__(self, conv: nn.Module, norm: nn.Module, activate: bool = True) -> None:
        super().__init__()
        self.conv, self.norm, self.activate = conv, norm, activate

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return F.relu(x) if self.activate else x


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation, bias=False)


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions, the second of which may be spatially variant.

    Args:
        norm_layer: makes the normalization from a number of channels.
        channels: C.
        dilation: of both convolutions.
        num_kernels: 1 for a plain second convolution, more for a spatially variant one.

    Shape:
        (N, C, H, W) to (N, C, H, W).
    """

    def __init__(self, norm_layer: NormLayer, channels: int, dilation: int = 1, num_kernels: int = 1) -> None:
        super().__init__()
        second = (
            conv3x3(channels, channels, dilation=dilation)
            if num_kernels == 1
            else SpatiallyVariantConv2d(channels, channels, num_kernels, dilation)
        )
        self.first = ConvNorm(conv3x3(channels, channels, dilation=dilation), norm_layer(channels))
        self.second = ConvNorm(second, norm_layer(channels), activate=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))
