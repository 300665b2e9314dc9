"""SqueezeNet 1.1 as a frozen perceptual network: an image in, feature maps for content and style distances out.

Layers, in torchvision's numbering (Iandola et al., "SqueezeNet", 2016, version 1.1):

    0 conv 3x3 stride 2 (64), 1 ReLU, 2 pool, 3 Fire 128, 4 Fire 128, 5 pool, 6 Fire 256, 7 Fire 256
"""

import hashlib
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from habn.checkpoints import LARGEST_WEIGHT, CheckpointError, refuse_pointer
from habn.errors import HabnError
from habn.pixels import IMAGENET_MEAN, IMAGENET_STD

KNOWN_SHA256 = "8273599271538033e8d369c3b48d21736e82a18bf8f3c30063eb9e1dbcdf2b94"
LAYERS = (1, 3, 4, 6, 7)


class FeatureError(HabnError):
    """A weight file that cannot serve as SqueezeNet 1.1, in one sentence."""


class Fire(nn.Module):
    """Squeeze to few channels, then expand by a 1x1 and a 3x3 convolution side by side."""

    def __init__(self, in_channels: int, squeeze_channels: int, expand_channels: int):
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze_channels, 1)
        self.expand1x1 = nn.Conv2d(squeeze_channels, expand_channels, 1)
        self.expand3x3 = nn.Conv2d(squeeze_channels, expand_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


class SqueezeNetFeatures(nn.Module):
    """The first eight layers of SqueezeNet 1.1, frozen, with torchvision's key names (`features.3.squeeze.weight`).

    Shape:
        pixels: (N, 3, H, W) float in [0, 1], H and W at least 16.
        returns: {layer: (N, C, h, w)} for layers 1 (64 channels), 3 and 4 (128), 6 and 7 (256).
    """

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, pixels: Tensor, last: int = LAYERS[-1]) -> dict[int, Tensor]:
        x = (pixels - self.mean) / self.std
        maps = {}
        for index, layer in enumerate(self.features[: last + 1]):
            x = layer(x)
            if index in LAYERS:
                maps[index] = x
        return maps


def load_features(path: str | Path) -> SqueezeNetFeatures:
    """SqueezeNet 1.1's first eight layers from a safetensors file with torchvision's key names.

    Keys of later layers and of the classifier are allowed and unused. A file other than the one that this project
    measured with is accepted when its keys and shapes fit, with a warning, since style distances are comparable between
    runs with the same weights only.

    Raises:
        FeatureError: the file is missing, is no safetensors, lacks a key, or a tensor has a wrong shape or is infinite.
    """
    try:
        refuse_pointer(Path(path))
        content = Path(path).read_bytes()
        state = load(content)
    except FileNotFoundError:
        raise FeatureError(f"{path} does not exist: pass SqueezeNet 1.1's weights with --squeezenet FILE.") from None
    except CheckpointError as error:
        raise FeatureError(str(error)) from None
    except (SafetensorError, OSError) as error:
        raise FeatureError(f"{path} is not a safetensors file ({error}): pass SqueezeNet 1.1's weights.") from None

    network = SqueezeNetFeatures()
    for key, parameter in network.state_dict().items():
        if key not in state:
            raise FeatureError(f"{path} has no tensor {key}: pass SqueezeNet 1.1 with torchvision's key names.")
        if state[key].shape != parameter.shape or not (state[key].float().abs() <= LARGEST_WEIGHT).all():
            raise FeatureError(
                f"{key} in {path} must be finite, at most {LARGEST_WEIGHT:.0e} and of shape {tuple(parameter.shape)}, "
                f"and has shape {tuple(state[key].shape)}: pass the weights of SqueezeNet 1.1, not of 1.0."
            )
    network.load_state_dict({key: state[key] for key in network.state_dict()})
    if hashlib.sha256(content).hexdigest() != KNOWN_SHA256:
        warnings.warn(
            f"{path} fits SqueezeNet 1.1 but is not the file that this project measured with (SHA-256 "
            f"{KNOWN_SHA256[:12]}...): do not compare its style distances with the published tables.",
            stacklevel=2,
        )
    return network
