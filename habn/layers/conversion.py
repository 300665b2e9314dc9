"""From batch normalization to HABN and back, in any network, and what that costs."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from habn.layers.hyper_adaptive import HyperAdaptiveBatchNorm2d


def convert_batch_norm(module: nn.Module, **options) -> nn.Module:
    """Turn every `torch.nn.BatchNorm2d` in a module, but no layer derived from it, into HABN with delta = 0.

    The converted network computes what it computed before. Parameters and running statistics are shared with the
    old layers, the old module is changed in place; `parameter_overhead` reports what was added.

    Args:
        module: any network, or a single BatchNorm2d.
        options: the keyword-only arguments of `HyperAdaptiveBatchNorm2d`.

    Returns:
        The module, or a new layer where the module itself is a BatchNorm2d.
    """

    def converted(old: nn.BatchNorm2d) -> nn.BatchNorm2d:
        new = HyperAdaptiveBatchNorm2d(*_batch_norm_arguments(old), **options)
        tensors = [*old.parameters(), *old.buffers()]
        return _share_state(old, new.to(tensors[0].device, tensors[0].dtype) if tensors else new)

    return _replace(module, nn.BatchNorm2d, converted)


def revert_batch_norm(module: nn.Module) -> nn.Module:
    """Turn every HABN layer in a module back into `torch.nn.BatchNorm2d`; its encoder, delta and gates are dropped.

    Returns:
        The module, changed in place, or a new layer where the module itself is an HABN layer.
    """

    def reverted(old: nn.BatchNorm2d) -> nn.BatchNorm2d:
        return _share_state(old, nn.BatchNorm2d(*_batch_norm_arguments(old)))

    return _replace(module, HyperAdaptiveBatchNorm2d, reverted)


class ParameterOverhead(NamedTuple):
    """Parameters of a network, those that HABN added to it, and the latter's share of the rest."""

    total: int
    added: int
    share: float


def parameter_overhead(module: nn.Module) -> ParameterOverhead:
    """Count what the context encoders, deltas and gates of a network add to it."""
    total = sum(p.numel() for p in module.parameters())
    layers = [m for m in module.modules() if isinstance(m, HyperAdaptiveBatchNorm2d)]
    added = sum(p.numel() for m in layers for part in (m.encoder, m.search) for p in part.parameters())
    return ParameterOverhead(total, added, added / max(1, total - added))


def _replace(module: nn.Module, kind: type, build: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """Put build(layer) wherever a layer of exactly that kind stands; one that stands in two places remains one."""
    new = {layer: build(layer) for layer in module.modules() if type(layer) is kind}
    for name, layer in list(module.named_modules(remove_duplicate=False)):
        if name and layer in new:
            module.set_submodule(name, new[layer])
    return new.get(module, module)


def _batch_norm_arguments(layer: nn.BatchNorm2d) -> tuple:
    return layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats


def _share_state(old: nn.BatchNorm2d, new: nn.BatchNorm2d) -> nn.BatchNorm2d:
    new.weight, new.bias = old.weight, old.bias
    new.running_mean, new.running_var = old.running_mean, old.running_var
    new.num_batches_tracked = old.num_batches_tracked
    return new.train(old.training)
