"""Networks of timm, most of which have fused layers of normalization and activation."""

import pytest
import torch
from matrix import check
from torch import nn

timm = pytest.importorskip("timm", reason="timm is not installed: run `make test-zoo`")

PLAIN, FUSED, ROWS = "BatchNorm2d", "BatchNormAct2d", "BatchNorm1d"
NETWORKS = {
    "resnet18": {PLAIN},
    "densenet121": {FUSED},
    "mobilenetv3_small_050": {FUSED},
    "mobilenetv2_035": {FUSED},
    "efficientnet_lite0": {FUSED},
    "tf_efficientnetv2_b0": {FUSED},
    "regnety_002": {FUSED},
    "repghostnet_050": {PLAIN, FUSED},
    "rexnet_100": {PLAIN, FUSED},
    "skresnet18": {PLAIN, FUSED},
    "hrnet_w18_small": {PLAIN},
    "fastvit_t8": {PLAIN, FUSED},
    "efficientvit_b0": {PLAIN},
    "mobilevit_xxs": {FUSED},
    "ese_vovnet19b_dw": {FUSED},
    "mobileone_s0": {FUSED},
    "resnest14d": {PLAIN},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    check(timm.create_model(name, pretrained=False, num_classes=5), torch.rand(2, 3, 96, 96), NETWORKS[name])


def test_levit_normalizes_rows_and_maps():
    network = timm.create_model("levit_128s", pretrained=False, num_classes=5)
    check(network, torch.rand(2, 3, 224, 224), {PLAIN, ROWS})


def test_fused_layers_that_synchronize_stay_fused():
    from timm.layers.norm_act import convert_sync_batchnorm

    network = convert_sync_batchnorm(timm.create_model("lcnet_050", pretrained=False, num_classes=5))
    check(network, torch.rand(2, 3, 64, 64), {"SyncBatchNormAct"})


def test_frozen_layers_are_named():
    from timm.layers import FrozenBatchNormAct2d

    from habn import convert_batch_norm

    with pytest.warns(UserWarning, match=r"0 \(FrozenBatchNormAct2d, not derived from PyTorch's batch normalization\)"):
        convert_batch_norm(nn.Sequential(FrozenBatchNormAct2d(4)))
