"""Networks of MONAI, which needs no more than torch and NumPy, so that these run with every `make test`."""

import pytest
import torch
from matrix import check

pytest.importorskip("monai", reason="MONAI is not installed: run `make test`")
from monai.networks import nets  # noqa: E402

SMALL = dict(spatial_dims=2, in_channels=3)
NETWORKS = {
    "DenseNet": lambda: nets.DenseNet(**SMALL, out_channels=4, init_features=16, growth_rate=8, block_config=(2, 2)),
    "SEResNet50": lambda: nets.SEResNet50(**SMALL, num_classes=4, layers=(1, 1, 1, 1)),
    "ResNet": lambda: nets.ResNet(
        "basic", [1, 1, 1, 1], [8, 16, 24, 32], spatial_dims=2, n_input_channels=3, num_classes=4
    ),
    "EfficientNet": lambda: nets.EfficientNetBN("efficientnet-b0", pretrained=False, **SMALL, num_classes=4),
    "UNet": lambda: nets.UNet(**SMALL, out_channels=4, channels=(8, 16, 32), strides=(2, 2), norm="batch"),
    "SegResNet": lambda: nets.SegResNet(**SMALL, out_channels=4, init_filters=8, norm="batch", num_groups=4),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_maps(name):
    check(NETWORKS[name](), torch.rand(2, 3, 64, 64), exports=name == "ResNet")


VOLUMES = {
    "ResNet3d": (lambda: nets.ResNet("basic", [1, 1, 1, 1], [4, 6, 8, 10], n_input_channels=1, num_classes=3), 3),
    "UNet3d": (lambda: nets.UNet(3, 1, 2, (4, 8), (2,), norm="batch"), 3),
    "UNet1d": (lambda: nets.UNet(1, 1, 2, (4, 8), (2,), norm="batch"), 1),
    "DenseNet1d": (lambda: nets.DenseNet(1, 1, 3, init_features=8, growth_rate=4, block_config=(2, 2)), 1),
}


@pytest.mark.parametrize("name", VOLUMES)
def test_networks_of_volumes_and_rows(name):
    build, dimensions = VOLUMES[name]
    check(build(), torch.rand(2, 1, *[32] * dimensions), {f"BatchNorm{dimensions}d"}, exports=name == "UNet1d")
