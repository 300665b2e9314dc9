"""What the benchmark times: SPVCNN and layers with every normalization."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from habn.checkpoints import CHECKPOINTS, load_checkpoint
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.layers.normalization import NORM_LABELS, NORM_LAYERS, NormLayer
from habn.networks import SPVCNN
from habn.networks.blocks import ConvNorm, SpatiallyVariantConv2d
from habn.networks.peers import PEER_LABELS, PEERS

FOLDED, SHIPPED = "bn-folded", "habn-plus-shipped"
LAYERS: dict[str, NormLayer] = {**NORM_LAYERS, **PEERS}
LABELS = {
    **NORM_LABELS,
    **PEER_LABELS,
    "habn": "HABN, all gates open",
    "habn-plus": "HABN+, all gates open",
    FOLDED: "BN, folded into its convolutions",
    SHIPPED: "HABN+ as shipped for CamVid",
}


def networks() -> dict[str, nn.Module]:
    """SPVCNN with every normalization."""
    return {norm: build(norm) for norm in LAYERS}


def build(norm: str) -> nn.Module:
    torch.manual_seed(0)
    return _adapted(SPVCNN(LAYERS[norm]))


def layers(shape: tuple[int, ...]) -> dict[str, nn.Module]:
    """Every normalization by itself."""
    torch.manual_seed(0)
    return {norm: _adapted(layer(shape[1])) for norm, layer in LAYERS.items()}


def shipped() -> nn.Module:
    return load_checkpoint(CHECKPOINTS / "spvcnn-habn-plus-camvid")


def fold(network: nn.Module) -> nn.Module:
    """A copy whose batch normalizations are parts of the convolutions before them, as a deployer would have it."""
    network = copy.deepcopy(network).eval()
    for block in network.modules():
        if isinstance(block, ConvNorm) and type(block.norm) is nn.BatchNorm2d:
            variant = isinstance(block.conv, SpatiallyVariantConv2d)
            conv = block.conv.kernels if variant else block.conv
            kernels = block.conv.num_kernels if variant else 1  # their shares sum to 1, so each may add the bias
            norm = block.norm
            of_norm = (t.repeat(kernels) for t in (norm.running_mean, norm.running_var, norm.weight, norm.bias))
            mean, var, weight, bias = of_norm
            conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, conv.bias, mean, var, norm.eps, weight, bias)
            block.norm = nn.Identity()
    return network


def _adapted(module: nn.Module) -> nn.Module:
    """A layer that has learned nothing yet takes a shorter way; what is measured shall adapt."""
    for layer in module.modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d):
            nn.init.constant_(layer.search.delta, 0.01)
    return module
