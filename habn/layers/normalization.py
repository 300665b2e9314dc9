"""The normalization layers that a network can be built with, under the names used on the page and in checkpoints.

A *norm layer* here is a callable ``(num_features, affine=True) -> module`` whose ``forward(x)`` keeps the shape
(N, C, H, W).
"""

import itertools
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from habn.errors import HabnError
from habn.layers import HyperAdaptiveBatchNorm, HyperAdaptiveBatchNorm2d

NormLayer = Callable[..., nn.Module]


class FiLM2d(nn.BatchNorm2d):
    """Batch normalization whose scale and bias follow the picture as a whole (feature-wise linear modulation).

    y = BN(x) * (1 + d_gamma) + d_beta, with (d_gamma, d_beta) a two-layer network of x averaged over its pixels.
    After Perez et al. 2018, with the picture itself as the condition. Starts as batch normalization.

    Args:
        num_features, affine: as in `torch.nn.BatchNorm2d`.
        hidden_features: width of the two-layer network.

    Shape:
        (N, C, H, W) to (N, C, H, W).
    """

    def __init__(self, num_features: int, affine: bool = True, hidden_features: int = 8) -> None:
        super().__init__(num_features, affine=affine)
        self.condition = nn.Sequential(
            nn.Linear(num_features, hidden_features), nn.ReLU(), nn.Linear(hidden_features, 2 * num_features)
        )
        nn.init.zeros_(self.condition[2].weight)
        nn.init.zeros_(self.condition[2].bias)

    def modulation(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """1 + d_gamma and d_beta of each picture, (N, C) each."""
        d_gamma, d_beta = self.condition(x.mean((2, 3))).chunk(2, dim=1)
        return 1 + d_gamma, d_beta

    def forward(self, x: Tensor) -> Tensor:
        scale, bias = self.modulation(x)
        return super().forward(x) * scale[..., None, None] + bias[..., None, None]


class ConditionalNorm2d(nn.Module):
    """A normalization layer with one scale and bias per style, after Dumoulin et al. 2017.

    The row of weight and bias is the blend of the styles' rows, so styles can be mixed for free.

    Args:
        norm_layer: makes the layer whose scale and bias become the styles'.
        num_features: C.
        num_styles: S.

    Shape:
        x (N, C, H, W) and style (N, S), rows that sum to 1, to (N, C, H, W).
    """

    def __init__(self, norm_layer: NormLayer, num_features: int, num_styles: int) -> None:
        super().__init__()
        self.norm = norm_layer(num_features, affine=False)
        self.weight = nn.Parameter(torch.ones(num_styles, num_features))
        self.bias = nn.Parameter(torch.zeros(num_styles, num_features))

    def affine(self, style: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and bias of each picture, (N, C) each."""
        return style @ self.weight, style @ self.bias

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        weight, bias = self.affine(style)
        if isinstance(self.norm, HyperAdaptiveBatchNorm):
            # HABN adapts the style's own scale and bias, so they belong inside its formula.
            return self.norm(x, weight, bias)
        return self.norm(x) * weight[..., None, None] + bias[..., None, None]


class AdaIN2d(ConditionalNorm2d):
    """Adaptive instance normalization: scale and bias are an affine function of a style code.

    As in Karras et al. 2019, where a learned affine map takes the style code to each layer's scale and bias; in
    Huang and Belongie 2017 they are the statistics of a style picture's features. The code of each of the S styles
    is learned, per layer.

    Args:
        num_features: C.
        num_styles: S.
        code_features: length of a style's code.

    Shape:
        x (N, C, H, W) and style (N, S), rows that sum to 1, to (N, C, H, W).
    """

    def __init__(self, num_features: int, num_styles: int, code_features: int = 4) -> None:
        nn.Module.__init__(self)
        self.norm = nn.InstanceNorm2d(num_features)
        self.codes = nn.Parameter(torch.randn(num_styles, code_features))
        self.to_affine = nn.Linear(code_features, 2 * num_features)

    def affine(self, style: Tensor) -> tuple[Tensor, Tensor]:
        weight, bias = self.to_affine(style @ self.codes).chunk(2, dim=1)
        return 1 + weight, bias


NORM_LAYERS: dict[str, NormLayer] = {
    "bn": nn.BatchNorm2d,
    "habn": HyperAdaptiveBatchNorm2d,
    "habn-plus": partial(HyperAdaptiveBatchNorm2d, granularity="channel", statistics="own"),
    "in": lambda num_features, affine=True: nn.InstanceNorm2d(num_features, affine=affine),
    "film": FiLM2d,
}
NORM_LABELS = {"bn": "BN", "habn": "HABN", "habn-plus": "HABN+", "in": "IN", "film": "FiLM", "adain": "AdaIN"}
KIND_LABELS = NORM_LABELS | {"gn": "GN", "none": "no normalization"}
"""Kinds of layers that a network of one's own may have besides, and that are recorded as others are."""


def kind_of_layer(layer: nn.Module) -> str:
    """ "bn", "habn", "habn-plus", "in", "film", "adain" or "gn", by a layer's type; "none" of any other module."""
    if isinstance(layer, AdaIN2d):
        return "adain"
    if isinstance(layer, ConditionalNorm2d):
        return kind_of_layer(layer.norm)
    if isinstance(layer, HyperAdaptiveBatchNorm):
        return "habn-plus" if layer.statistics == "own" else "habn"
    kinds = ((FiLM2d, "film"), (_BatchNorm, "bn"), (_InstanceNorm, "in"), (nn.GroupNorm, "gn"))
    return next((kind for base, kind in kinds if isinstance(layer, base)), "none")


def kind_of_network(network: nn.Module) -> str:
    """The kind of its normalization layers; of several the one that adapts most."""
    kinds = {kind_of_layer(layer) for layer in network.modules()}
    return next(
        kind for kind in ("habn-plus", "habn", "film", "adain", "in", "gn", "bn", "none") if kind in kinds | {"none"}
    )


def build_norm_layer(norm: str, **options) -> NormLayer:
    """The norm layer of that name, with further keyword arguments of its class fixed.

    Raises:
        HabnError: on an unknown name, or "adain", which exists only where there is a style.
    """
    if norm == "adain":
        raise HabnError(
            "The norm 'adain' needs a style, which a segmentation network does not have; use it with 'cfanet'."
        )
    return _drawn_apart(partial(_norm_layer(norm), **options))


def build_conditional_norm_layer(norm: str, num_styles: int, **options) -> NormLayer:
    """A callable ``num_features -> module`` with ``forward(x, style)``, for networks that know styles.

    Raises:
        HabnError: on an unknown name.
    """
    if norm == "adain":
        return _drawn_apart(partial(AdaIN2d, num_styles=num_styles, **options))
    return _drawn_apart(partial(ConditionalNorm2d, partial(_norm_layer(norm), **options), num_styles=num_styles))


def _drawn_apart(norm_layer: NormLayer) -> NormLayer:
    """Leave the random generator as it was: networks of one seed then start alike in all but normalization.

    Each layer has a seed of its own, or it would be drawn from the same numbers as what comes after it.
    """
    places = itertools.count()

    def build(*args, **options) -> nn.Module:
        with torch.random.fork_rng(devices=()):
            drawn = torch.randint(2**62, (), device="cpu")
            torch.default_generator.manual_seed(int(drawn) + next(places))
            return norm_layer(*args, **options)

    return build


def _norm_layer(norm: str) -> NormLayer:
    if norm not in NORM_LAYERS:
        raise HabnError(f"There is no norm {norm!r}; choose one of {', '.join(NORM_LABELS)}.")
    return NORM_LAYERS[norm]
