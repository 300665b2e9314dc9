"""CFA-Net, content-style feature aggregation: one network that paints any photo in any of its styles.

The source text withholds the network's details; this is our reading of its name. An encoder keeps the content at three
resolutions, residual blocks of spatially-variant convolutions repaint it at the coarsest, and the decoder aggregates
both on the way back. Every convolution is shared by all styles: a style is one scale and bias per normalization layer
(Dumoulin et al., "A Learned Representation for Artistic Style", 2017), so styles blend by blending those rows.

Enlarging is a nearest-neighbour resize, then a convolution (Odena et al., "Deconvolution and Checkerboard Artifacts",
2016), and padding is by reflection, so that neither checkerboards nor borders show.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from habn.layers.normalization import NormLayer
from habn.networks.blocks import SpatiallyVariantConv2d
from habn.networks.network import Network
from habn.pixels import LUMA

STRIDE = 8  # the coarsest resolution of the network


def reflect_conv(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        in_channels, out_channels, kernel_size, stride, kernel_size // 2, padding_mode="reflect", bias=False
    )


class Reduce(nn.Module):
    """Half the size: relu(norm(conv(x)))."""

    def __init__(self, norm_layer: NormLayer, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.conv = reflect_conv(in_channels, out_channels, kernel_size, stride=2)
        self.norm = norm_layer(out_channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x), style))


class RepaintBlock(nn.Module):
    """Residual block that mixes its first kernels pixel by pixel: x + norm(conv(relu(norm(variant_conv(x)))))."""

    def __init__(self, norm_layer: NormLayer, channels: int, num_kernels: int) -> None:
        super().__init__()
        self.conv1 = SpatiallyVariantConv2d(channels, channels, num_kernels, padding_mode="reflect")
        self.norm1 = norm_layer(channels)
        self.conv2 = reflect_conv(channels, channels)
        self.norm2 = norm_layer(channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x), style))
        return x + self.norm2(self.conv2(y), style)


class Aggregate(nn.Module):
    """Twice the size, and what the encoder saw at that size: relu(norm(conv(enlarge(coarse)) + content))."""

    def __init__(self, norm_layer: NormLayer, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = reflect_conv(in_channels, out_channels)
        self.norm = norm_layer(out_channels)

    def forward(self, coarse: Tensor, content: Tensor, style: Tensor) -> Tensor:
        enlarged = F.interpolate(coarse, scale_factor=2, mode="nearest")
        return torch.relu(self.norm(self.conv(enlarged) + content, style))


class CFANet(Network):
    """Style transfer by content-style feature aggregation.

    Args:
        norm_layer: makes a normalization `forward(x, style)` from a number of channels; variants differ in it alone.
        num_styles: S, the rows of scales and biases that the network holds: one a style, and perhaps one that gives
            the photograph back.
        channels: features at a half, a quarter and an eighth of the picture's size.
        num_blocks: residual blocks at the coarsest size.
        num_kernels: K, the kernels that each spatially-variant convolution mixes.

    Shape:
        pixels: (N, 3, H, W) float in [0, 1], any H, W >= 16.
        style: (N, S), rows that sum to 1: one-hot for one style, anything between for a blend.
        returns: (N, 3, H, W) float in [0, 1].
    """

    def __init__(
        self,
        norm_layer: NormLayer,
        num_styles: int = 8,
        channels: tuple[int, int, int] = (24, 48, 80),
        num_blocks: int = 2,
        num_kernels: int = 2,
    ) -> None:
        super().__init__()
        half, quarter, eighth = channels
        self.num_styles = num_styles
        self.reduce1 = Reduce(norm_layer, 3, half, kernel_size=5)
        self.reduce2 = Reduce(norm_layer, half, quarter)
        self.reduce3 = Reduce(norm_layer, quarter, eighth)
        self.blocks = nn.ModuleList(RepaintBlock(norm_layer, eighth, num_kernels) for _ in range(num_blocks))
        self.aggregate2 = Aggregate(norm_layer, eighth, quarter)
        self.aggregate1 = Aggregate(norm_layer, quarter, half)
        self.to_pixels = nn.Conv2d(half, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, pixels: Tensor, style: Tensor) -> Tensor:
        height, width = pixels.shape[-2:]
        x = F.pad(pixels, (0, -width % STRIDE, 0, -height % STRIDE), mode="reflect")
        half = self.reduce1(2 * x - 1, style)  # (N, C, H/2, W/2)
        quarter = self.reduce2(half, style)
        x = self.reduce3(quarter, style)
        for block in self.blocks:
            x = block(x, style)
        x = self.aggregate2(x, quarter, style)
        x = self.aggregate1(x, half, style)
        x = self.to_pixels(F.interpolate(x, scale_factor=2, mode="nearest"))[..., :height, :width]
        return torch.sigmoid(x + self.grey_logits(pixels))

    def grey_logits(self, pixels: Tensor) -> Tensor:
        """What the output starts from: the photograph's light and shade without its colours, before the sigmoid."""
        luma = sum(share * channel for share, channel in zip(LUMA, pixels.split(1, dim=1), strict=True))
        return 4 * luma - 2  # the sigmoid's slope is a quarter: mid-tones keep their contrast
