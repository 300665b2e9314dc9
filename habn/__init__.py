"""HABN Explorer: watch batch normalization and hyper-adaptive batch normalization work on a picture.

from habn import Painting, Request, run              both networks on one picture, as on the page
from habn import load_checkpoint, recording          a trained network, and what each of its layers did
from habn import HyperAdaptiveBatchNorm2d            the layer, for networks of your own
"""

from habn.checkpoints import load_checkpoint
from habn.comparison.engine import run
from habn.comparison.painting import Painting
from habn.comparison.request import Request, Result
from habn.errors import HabnError
from habn.hooks.record import LayerRecord
from habn.hooks.recording import recording
from habn.layers import (
    HyperAdaptiveBatchNorm,
    HyperAdaptiveBatchNorm1d,
    HyperAdaptiveBatchNorm2d,
    HyperAdaptiveBatchNorm3d,
    convert_batch_norm,
    parameter_overhead,
    revert_batch_norm,
)
from habn.networks import build_network

__all__ = [
    "HabnError",
    "HyperAdaptiveBatchNorm",
    "HyperAdaptiveBatchNorm1d",
    "HyperAdaptiveBatchNorm2d",
    "HyperAdaptiveBatchNorm3d",
    "LayerRecord",
    "Painting",
    "Request",
    "Result",
    "build_network",
    "convert_batch_norm",
    "load_checkpoint",
    "parameter_overhead",
    "recording",
    "revert_batch_norm",
    "run",
]
__version__ = "0.1.0"
