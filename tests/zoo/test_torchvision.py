"""Networks of torchvision and of segmentation-models-pytorch."""

import pytest
import torch
from matrix import Answer, check

models = pytest.importorskip("torchvision.models", reason="torchvision is not installed: run `make test-zoo`")
segmentation = models.segmentation

OF_TORCHVISION = {
    "resnet18": lambda: models.resnet18(num_classes=5),
    "densenet121": lambda: models.densenet121(num_classes=5),
    "mobilenet_v2": lambda: models.mobilenet_v2(num_classes=5),
    "mobilenet_v3_small": lambda: models.mobilenet_v3_small(num_classes=5),
    "shufflenet_v2_x0_5": lambda: models.shufflenet_v2_x0_5(num_classes=5),
    "vgg11_bn": lambda: models.vgg11_bn(num_classes=5),
    "googlenet": lambda: models.googlenet(num_classes=5, aux_logits=False, init_weights=False),
    "fcn_resnet50": lambda: segmented(segmentation.fcn_resnet50(weights_backbone=None, num_classes=5)),
    "lraspp": lambda: segmented(segmentation.lraspp_mobilenet_v3_large(weights_backbone=None, num_classes=5)),
    "deeplabv3": lambda: segmented(segmentation.deeplabv3_mobilenet_v3_large(weights_backbone=None, num_classes=5)),
}


def segmented(network: torch.nn.Module) -> torch.nn.Module:
    return Answer(network, lambda answer: answer["out"])


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_networks_of_torchvision(name):
    check(OF_TORCHVISION[name](), torch.rand(2, 3, 96, 96))


@pytest.mark.parametrize("name", ["Unet", "FPN", "DeepLabV3Plus", "PSPNet", "Linknet", "MAnet", "UPerNet"])
def test_networks_of_segmentation_models(name):
    library = pytest.importorskip("segmentation_models_pytorch", reason="run `make test-zoo`")
    network = getattr(library, name)("resnet18", encoder_weights=None, classes=5)
    check(network, torch.rand(2, 3, 64, 64))
