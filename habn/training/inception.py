"""Fréchet Inception distance (FID) of stylized photographs to their paintings, for whoever has Inception's weights.

Weights: the TorchScript form of Inception-v3 of 2015 that StyleGAN2-ADA's authors published and clean-fid uses,
``inception-2015-12-05.pt``. It takes pictures (N, 3, H, W) in 0..255, resizes them itself, and with
``return_features=True`` returns the 2,048 numbers before its classifier, of which FID is made (Heusel et al., "GANs
Trained by a Two Time-Scale Update Rule", 2017).

A painting is one picture and FID wants distributions, so both sides are cut into squares of 128 x 128 pixels: those of
a painting overlap, one beginning every 32 pixels; those of photographs lie side by side. There are fewer of them than
dimensions, hence the numbers are biased upward and mean something only beside one another, with the same photographs.
"""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from habn.data.styles import STYLES
from habn.errors import HabnError
from habn.training.style_evaluation import StyleEvaluation

SIDE, PAINTING_STRIDE = 128, 32
BATCH = 32


class InceptionError(HabnError):
    """A file that cannot serve as Inception, or a library that is missing, in one sentence."""


class Inception(nn.Module):
    """TorchScript Inception as a module for torchmetrics: (N, 3, H, W) uint8 to features (N, num_features)."""

    def __init__(self, network: torch.jit.ScriptModule, device: str | torch.device = "cpu") -> None:
        super().__init__()
        self.network = network.eval().to(device)
        self.num_features = self(torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8, device=device)).shape[1]

    def forward(self, pixels: Tensor) -> Tensor:
        return self.network(pixels, return_features=True)


def load_inception(path: str | Path, device: str | torch.device = "cpu") -> Inception:
    """Inception from a TorchScript file.

    Raises:
        InceptionError: the file is missing, is no TorchScript, or does not answer pictures with features.
    """
    if not Path(path).is_file():
        raise InceptionError(f"{path} does not exist: pass Inception's TorchScript file with --inception FILE.")
    try:
        with warnings.catch_warnings():
            # PyTorch would rather have torch.export's files; Inception's weights are published as TorchScript.
            warnings.simplefilter("ignore", DeprecationWarning)
            network = torch.jit.load(path, map_location=device)
        return Inception(network, device)
    except (RuntimeError, AttributeError, IndexError) as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".")
        raise InceptionError(
            f"{path} cannot be used as Inception ({reason}): pass the file inception-2015-12-05.pt."
        ) from None


@torch.inference_mode()
def measure_fid(network: nn.Module, evaluation: StyleEvaluation, inception: Inception) -> dict:
    """FID of a style network in every style: its mean, by_style, and how many squares and dimensions it is made of.

    Args:
        network: in evaluation mode, on the evaluation's device.
        evaluation: whose photographs and paintings are compared.
        inception: on the same device.

    Raises:
        InceptionError: torchmetrics is not installed.
    """
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance
    except ImportError:
        raise InceptionError("FID needs torchmetrics: pip install -c constraints.txt -e '.[fid]'.") from None
    found, counts = {}, {}
    one_hot = torch.eye(network.num_styles, device=evaluation.device)[: len(STYLES), None]
    for name, row, painting in zip(STYLES, one_hot, evaluation.paintings, strict=True):
        stylized = [network(photo, row).float() for photo in evaluation.photos]
        squares = {
            "painting": cut_squares(painting.pixels, PAINTING_STRIDE),
            "photos": torch.cat([cut_squares(picture, SIDE) for picture in stylized]),
        }
        fid = FrechetInceptionDistance(feature=inception).to(evaluation.device)
        for which, cut in squares.items():
            for batch in cut.split(BATCH):
                fid.update(batch, real=which == "painting")
        found[name] = round(float(fid.compute()), 2)
        counts[name] = {which: len(cut) for which, cut in squares.items()}
    mean = round(float(np.mean(list(found.values()))), 2)
    return {"mean": mean, "by_style": found, "squares": counts, "dimensions": inception.num_features}


def cut_squares(picture: Tensor, stride: int) -> Tensor:
    """Squares of 128 x 128 that begin every `stride` pixels: (1, 3, H, W) float in [0, 1] to (n, 3, 128, 128) uint8.

    Raises:
        InceptionError: the picture is smaller than one square.
    """
    if min(picture.shape[2:]) < SIDE:
        raise InceptionError(f"FID needs pictures of at least {SIDE} x {SIDE} pixels; leave --inception out.")
    squares = picture[0].unfold(1, SIDE, stride).unfold(2, SIDE, stride)  # (3, rows, columns, 128, 128)
    return (squares.flatten(1, 2).transpose(0, 1) * 255).round().byte()
