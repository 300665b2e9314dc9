"""Networks of one's own, as tests name them: "tests.own_networks:plain"."""

import torch
from torch import nn

from habn import HyperAdaptiveBatchNorm2d, OwnNetwork, convert_batch_norm

COLOURS = ((10, 20, 30), (200, 0, 0), (0, 200, 0), (0, 0, 200))


def build(norm=nn.BatchNorm2d, outputs: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 24, 3, 2, 1), nn.Conv2d(24, 24, 3, 2, 1)
    return nn.Sequential(first, norm(24), nn.ReLU(), second, norm(24), nn.ReLU(), nn.Conv2d(24, outputs, 1))


def plain() -> nn.Module:
    return build()


def converted() -> nn.Module:
    return convert_batch_norm(build())


def adapted() -> OwnNetwork:
    network = converted()
    for layer in network.modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d):
            nn.init.constant_(layer.search.delta, 0.5)
    return OwnNetwork(network=network)


def grouped() -> nn.Module:
    return build(lambda channels: nn.GroupNorm(4, channels))


def painter() -> OwnNetwork:
    return OwnNetwork(network=build(outputs=3), label="mine", answer=torch.sigmoid)


def classifier() -> OwnNetwork:
    network = nn.Sequential(build(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return OwnNetwork(network=network, label="classifier")


class WithNames(nn.Module):
    """Takes and returns what libraries of networks like to take and return."""

    def __init__(self):
        super().__init__()
        self.body = build()

    def forward(self, pixel_values):
        return {"logits": self.body(pixel_values)}


def named() -> OwnNetwork:
    return OwnNetwork(
        network=WithNames(),
        label="named",
        classes=("sky", "road", "tree", "car"),
        palette=COLOURS,
        prepare=lambda pixels: {"pixel_values": 2 * pixels - 1},
        answer=lambda output: output["logits"],
    )


def without_answer() -> OwnNetwork:
    return OwnNetwork(network=WithNames())


def broken() -> nn.Module:
    raise RuntimeError("the weights are elsewhere\nand more")


def no_network() -> str:
    return "a network"
