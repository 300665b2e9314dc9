"""HABN for inputs that are not maps of two dimensions.

The formula knows places and not where they lie: context map, statistics and adaptation are the same whether the places
of a picture form a row, a map or a volume. So each layer here lays the places out in one column and is
`HyperAdaptiveBatchNorm` there.
"""

from torch import Tensor, nn

from habn.layers.hyper_adaptive import EffectiveParameters, HyperAdaptiveBatchNorm, LayerFactors


class HyperAdaptiveBatchNormNd(HyperAdaptiveBatchNorm):
    """HABN over (N, C, ...) with any number of dimensions: what `torch.nn.SyncBatchNorm` becomes.

    An input (N, C) has one place, whose context is 0, and is batch normalized. Arguments and errors as of
    `HyperAdaptiveBatchNorm`.
    """

    batch_norm = nn.SyncBatchNorm

    def forward(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        """Normalize x, (N, C, ...); weight and bias, (N, C), replace the layer's own where they are given."""
        self.batch_norm._check_input_dim(self, x)
        return super().forward(_in_one_column(x), weight, bias).view(x.shape)

    def context(self, x: Tensor) -> Tensor:
        """The context of each place of x, (N, C, ...): (N, 1, ...)."""
        return super().context(_in_one_column(x)).view(len(x), 1, *x.shape[2:])

    def effective_parameters(
        self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> EffectiveParameters:
        """What each place of x, (N, C, ...), would be normalized with. Leaves the running statistics alone."""
        found = super().effective_parameters(x, weight, bias)
        places = x.shape[2:]
        shapes = [places if p.shape[2] > 1 else [1] * len(places) for p in found]
        return EffectiveParameters(*(p.view(*p.shape[:2], *s) for p, s in zip(found, shapes, strict=True)))

    def factors(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> LayerFactors:
        """As of `HyperAdaptiveBatchNorm`; the context is that of the places in one column."""
        return super().factors(_in_one_column(x), weight, bias)


class HyperAdaptiveBatchNorm1d(HyperAdaptiveBatchNormNd, nn.BatchNorm1d):
    """HABN over (N, C, L), or (N, C), which is batch normalized; see `HyperAdaptiveBatchNorm`."""

    batch_norm = nn.BatchNorm1d


class HyperAdaptiveBatchNorm3d(HyperAdaptiveBatchNormNd, nn.BatchNorm3d):
    """HABN over (N, C, D, H, W); see `HyperAdaptiveBatchNorm`."""

    batch_norm = nn.BatchNorm3d


def _in_one_column(x: Tensor) -> Tensor:
    """x, (N, C, ...), as (N, C, P, 1); what is so already remains."""
    return x[:, :, None].flatten(2)[..., None]
