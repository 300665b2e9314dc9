"""Hyper-adaptive batch normalization: the layer, and the way to it from batch normalization."""

from habn.layers.conversion import ParameterOverhead, convert_batch_norm, parameter_overhead, revert_batch_norm
from habn.layers.dimensions import HyperAdaptiveBatchNorm1d, HyperAdaptiveBatchNorm3d, HyperAdaptiveBatchNormNd
from habn.layers.encoder import SpatialContextEncoder
from habn.layers.hyper_adaptive import (
    PARAMETERS,
    EffectiveParameters,
    HyperAdaptiveBatchNorm,
    HyperAdaptiveBatchNorm2d,
    LayerFactors,
)
from habn.layers.search import DifferentiableSearch, SearchState

__all__ = [
    "PARAMETERS",
    "DifferentiableSearch",
    "EffectiveParameters",
    "HyperAdaptiveBatchNorm",
    "HyperAdaptiveBatchNorm1d",
    "HyperAdaptiveBatchNorm2d",
    "HyperAdaptiveBatchNorm3d",
    "HyperAdaptiveBatchNormNd",
    "LayerFactors",
    "ParameterOverhead",
    "SearchState",
    "SpatialContextEncoder",
    "convert_batch_norm",
    "parameter_overhead",
    "revert_batch_norm",
]
