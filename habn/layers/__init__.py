"""Hyper-adaptive batch normalization: the layer, and the way to it from batch normalization."""

from habn.layers.adaptation import DifferentiableSearch, SearchState, SpatialContextEncoder
from habn.layers.conversion import ParameterOverhead, convert_batch_norm, parameter_overhead, revert_batch_norm
from habn.layers.hyper_adaptive import PARAMETERS, EffectiveParameters, HyperAdaptiveBatchNorm2d, LayerFactors

__all__ = [
    "PARAMETERS",
    "DifferentiableSearch",
    "EffectiveParameters",
    "HyperAdaptiveBatchNorm2d",
    "LayerFactors",
    "ParameterOverhead",
    "SearchState",
    "SpatialContextEncoder",
    "convert_batch_norm",
    "parameter_overhead",
    "revert_batch_norm",
]
