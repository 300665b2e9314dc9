"""What every part knows of pixels: their luma, how photographs are centred, and the ways between picture and tensor."""

import numpy as np
import torch
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of R, G and B in Y: ITU-R BT.601, section 2.5.1."""
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of R, G and B in [0, 1]: the usual centring of photographs, with which public weights were trained."""


def to_tensor(picture: np.ndarray) -> Tensor:
    """A picture (H, W, 3) uint8 as a batch of one, (1, 3, H, W) float32 in [0, 1], channels innermost in memory."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].to(torch.float32) / 255


def to_image(pixels: Tensor) -> np.ndarray:
    """The way back from `to_tensor`."""
    return (pixels[0].permute(1, 2, 0) * 255).round().to(torch.uint8).contiguous().numpy()
