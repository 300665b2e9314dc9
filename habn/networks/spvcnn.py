"""SPVCNN: a small segmentation network with spatially-variant convolutions where regions differ.

Our reading of the source text's network, whose details are not public ("spatially-variant" convolutions, not the
point-voxel network of the same name). Plain 3x3 convolutions throughout, since only there a context encoder adds
less than 0.5 % of the parameters.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from habn.layers.normalization import NormLayer
from habn.networks.blocks import ConvNorm, ResidualBlock, SpatiallyVariantConv2d, conv3x3
from habn.networks.network import Network
from habn.pixels import IMAGENET_MEAN, IMAGENET_STD


class SPVCNN(Network):
    """Semantic segmentation at an eighth of the picture's resolution and back.

    Args:
        norm_layer: makes each normalization from a number of channels.
        num_classes: K.
        widths: channels at a half, a quarter and an eighth of the resolution.
        quarter_blocks: residual blocks at a quarter.
        dilations: of the residual blocks at an eighth; the last is spatially variant.
        num_kernels: of each spatially-variant convolution.

    Shape:
        pixels (N, 3, H, W) in [0, 1] to logits (N, K, H, W), for any H, W of at least 16.
    """

    def __init__(
        self,
        norm_layer: NormLayer,
        num_classes: int = 11,
        widths: tuple[int, int, int] = (24, 48, 96),
        quarter_blocks: int = 1,
        dilations: tuple[int, ...] = (1, 2, 4, 8),
        num_kernels: int = 3,
    ) -> None:
        super().__init__()
        half, quarter, eighth = widths
        self.stem = ConvNorm(conv3x3(3, half, stride=2), norm_layer(half))
        self.to_quarter = ConvNorm(conv3x3(half, quarter, stride=2), norm_layer(quarter))
        self.at_quarter = nn.Sequential(*[ResidualBlock(norm_layer, quarter) for _ in range(quarter_blocks)])
        self.to_eighth = ConvNorm(conv3x3(quarter, eighth, stride=2), norm_layer(eighth))
        kernels = [1] * (len(dilations) - 1) + [num_kernels]
        self.at_eighth = nn.Sequential(
            *[ResidualBlock(norm_layer, eighth, d, k) for d, k in zip(dilations, kernels, strict=True)]
        )
        self.up_quarter = Merge(norm_layer, eighth, quarter, SpatiallyVariantConv2d(quarter, quarter, 2))
        self.up_half = Merge(norm_layer, quarter, half, conv3x3(half, half))
        self.classify = nn.Conv2d(half, num_classes, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = (pixels - pixels.new_tensor(IMAGENET_MEAN)[:, None, None]) / pixels.new_tensor(IMAGENET_STD)[:, None, None]
        at_half = self.stem(x)  # (N, 24, H/2, W/2)
        at_quarter = self.at_quarter(self.to_quarter(at_half))  # (N, 48, H/4, W/4)
        x = self.at_eighth(self.to_eighth(at_quarter))  # (N, 96, H/8, W/8)
        x = self.up_half(self.up_quarter(x, at_quarter), at_half)
        return _resize(self.classify(x), pixels)


class Merge(nn.Module):
    """Take a coarse map to the resolution of a finer one, add it to that, and convolve.

    Shape:
        coarse (N, in_channels, h, w) and fine (N, out_channels, H, W) to (N, out_channels, H, W).
    """

    def __init__(self, norm_layer: NormLayer, in_channels: int, out_channels: int, conv: nn.Module) -> None:
        super().__init__()
        self.project = ConvNorm(
            nn.Conv2d(in_channels, out_channels, 1, bias=False), norm_layer(out_channels), activate=False
        )
        self.blend = ConvNorm(conv, norm_layer(out_channels))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return self.blend(F.relu(_resize(self.project(coarse), fine) + fine))


def _resize(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
