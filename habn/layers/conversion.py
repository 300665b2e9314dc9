"""From batch normalization to HABN and back, in any network, and what that costs."""

import copy
import functools
import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _LazyNormBase
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.modules.module import register_module_module_registration_hook

from habn.layers.dimensions import HyperAdaptiveBatchNorm1d, HyperAdaptiveBatchNorm3d, HyperAdaptiveBatchNormNd
from habn.layers.encoder import SpatialContextEncoder
from habn.layers.hyper_adaptive import HyperAdaptiveBatchNorm, HyperAdaptiveBatchNorm2d

COUNTERPARTS: dict[type[_BatchNorm], type[HyperAdaptiveBatchNorm]] = {
    nn.BatchNorm1d: HyperAdaptiveBatchNorm1d,
    nn.BatchNorm2d: HyperAdaptiveBatchNorm2d,
    nn.BatchNorm3d: HyperAdaptiveBatchNorm3d,
    nn.SyncBatchNorm: HyperAdaptiveBatchNormNd,
}
"""What each of PyTorch's classes becomes."""

PLACES = {nn.BatchNorm1d: (6,), nn.BatchNorm2d: (2, 3), nn.BatchNorm3d: (2, 1, 3), nn.SyncBatchNorm: (2, 3)}
"""Shape, past N and C, of an input that a layer derived from the class is tried on."""

HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def convert_batch_norm(module: nn.Module, **options) -> nn.Module:
    """Turn every batch normalization in a module into HABN with delta = 0.

    `torch.nn.BatchNorm1d`, `2d`, `3d` and `SyncBatchNorm` are converted, and layers derived from them that do something
    before or after normalization, such as timm's `BatchNormAct2d`: they keep what they do. The converted network
    computes what it computed before. Parameters, running statistics, hooks and the process group are those of the old
    layers; the old module is changed in place. `parameter_overhead` reports what was added.

    Args:
        module: any network, or a single layer.
        options: the keyword-only arguments of `HyperAdaptiveBatchNorm`. A `SyncBatchNorm` stays synchronized.

    Returns:
        The module, or a new layer where the module itself is one that is converted.

    Warns:
        UserWarning: once, with name and type, when layers that look like batch normalization were left as they are,
            or when there was nothing to convert.
    """
    left: dict[str, list[str]] = {}
    new = {}
    for name, layer in module.named_modules():
        if isinstance(layer, HyperAdaptiveBatchNorm):
            continue
        if isinstance(layer, _BatchNorm) and (kind := _adaptive_class(layer)):
            new[layer] = _converted(layer, kind, _floating_tensor(layer, module), options)
        elif reason := _why_not(layer):
            left.setdefault(f"{type(layer).__name__}, {reason}", []).append(name or "the module itself")
    if left:
        layers = "; ".join(f"{', '.join(names)} ({kind})" for kind, names in left.items())
        warnings.warn(f"convert_batch_norm left as they are: {layers}.", stacklevel=2)
    elif not new and not any(isinstance(layer, HyperAdaptiveBatchNorm) for layer in module.modules()):
        warnings.warn(
            f"convert_batch_norm found no batch normalization in this {type(module).__name__}; nothing was changed.",
            stacklevel=2,
        )
    return _replace(module, new)


def revert_batch_norm(module: nn.Module) -> nn.Module:
    """Turn every HABN layer in a module back into what it came from; its encoder, delta and gates are dropped.

    Returns:
        The module, changed in place, or a new layer where the module itself is an HABN layer.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, HyperAdaptiveBatchNorm)]
    return _replace(module, {layer: _reverted(layer) for layer in layers})


class ParameterOverhead(NamedTuple):
    """Parameters of a network, those that HABN added to it, the latter's share of the rest, and by how many layers."""

    total: int
    added: int
    share: float
    layers: int
    least: float
    """The share with encoders of one channel and one delta per layer."""

    def __str__(self) -> str:
        said = f"{self.layers} HABN layers add {self.added:,} parameters, {self.share:.2%} of the network"
        if self.least < self.share:
            said += f'; with hidden_features=1 and granularity="layer" it would be {self.least:.2%}'
        return f"{said}."


def parameter_overhead(module: nn.Module) -> ParameterOverhead:
    """Count what the context encoders, deltas and gates of a network add to it; its text names what lowers that."""
    total = sum(p.numel() for p in module.parameters())
    layers = [m for m in module.modules() if isinstance(m, HyperAdaptiveBatchNorm)]
    added = sum(p.numel() for m in layers for part in (m.encoder, m.search) for p in part.parameters())
    # Weights and biases of three convolutions, delta and, where it is searched, gates.
    least = sum(m.num_features + 1 + 2 + 2 + 4 + (0 if m.search.logits is None else 4) for m in layers)
    others = max(1, total - added)
    return ParameterOverhead(total=total, added=added, share=added / others, layers=len(layers), least=least / others)


def _replace(module: nn.Module, new: dict[nn.Module, nn.Module]) -> nn.Module:
    """Put new[layer] wherever that layer stands; one that stands in two places remains one."""
    for name, layer in list(module.named_modules(remove_duplicate=False)):
        if name and layer in new:
            module.set_submodule(name, new[layer])
    return new.get(module, module)


def _floating_tensor(*modules: nn.Module) -> Tensor:
    """One of the first module that has any: on its device and of its type new parts are made."""
    tensors = (t for m in modules for t in (*m.parameters(), *m.buffers()) if t.is_floating_point())
    return next(tensors, torch.empty(0))


def _converted(
    old: _BatchNorm, kind: type[HyperAdaptiveBatchNorm], like: Tensor, options: dict
) -> HyperAdaptiveBatchNorm:
    """A layer of that class with all that the old one has: parameters, buffers, parts, hooks, attributes."""
    if isinstance(old, nn.SyncBatchNorm):
        options = {"synchronized": True, "process_group": old.process_group, **options}
    new = _with_state_of(old, kind)
    with torch.device(like.device):
        new.add_adaptation(**options)
    for part in (new.encoder, new.search):
        part.to(like.dtype).train(old.training)
    return new


def _reverted(old: HyperAdaptiveBatchNorm) -> _BatchNorm:
    is_plain = type(old) in COUNTERPARTS.values()
    new = _with_state_of(old, nn.SyncBatchNorm if is_plain and old.synchronized else old.batch_norm)
    del new.encoder, new.search, new.units, new.statistics, new.synchronized
    if not isinstance(new, nn.SyncBatchNorm):
        del new.process_group
    return new


def _with_state_of(old: nn.Module, kind: type[nn.Module]) -> nn.Module:
    """A module of another class that shares all tensors, submodules and hooks with an old one.

    The dictionaries of hooks are shared too: the handle that was given for a hook looks for it there.
    """
    new = kind.__new__(kind)
    new.__dict__.update(old.__dict__)
    for name in ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"):
        new.__dict__[name] = copy.copy(old.__dict__[name])
    return new


def _why_not(layer: nn.Module) -> str | None:
    """Why a layer that looks like batch normalization is not converted; None for one that does not look so."""
    if isinstance(layer, _LazyNormBase):
        return "not initialized: pass a batch through the network first"
    if isinstance(layer, _BatchNorm):
        return "does not hand its input to batch normalization"
    if {"running_mean", "running_var"} <= layer._buffers.keys() and not isinstance(layer, _InstanceNorm):
        return "not derived from PyTorch's batch normalization"
    return None


def _adaptive_class(layer: _BatchNorm) -> type[HyperAdaptiveBatchNorm] | None:
    """What a layer becomes; None where no class was found that does what it does."""
    kind = type(layer)
    if kind in COUNTERPARTS:
        return COUNTERPARTS[kind]
    if isinstance(layer, _LazyNormBase):
        return None
    base = next((base for base in kind.__mro__ if base in COUNTERPARTS), nn.SyncBatchNorm)
    candidates = (_derive(kind, COUNTERPARTS[base], own_forward) for own_forward in (True, False))
    return next((candidate for candidate in candidates if _does_the_same(layer, candidate, PLACES[base])), None)


class _DropsAndActivates:
    """What the fused layers of timm do after normalization, which they write out and do not inherit."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        for part in ("drop", "act"):
            if hasattr(self, part):
                y = getattr(self, part)(y)
        return y


@functools.cache
def _derive(kind: type[_BatchNorm], adaptive: type, own_forward: bool) -> type[HyperAdaptiveBatchNorm]:
    """A class that is both. With its own forward, what that calls by `super().forward` is HABN."""
    bases = (kind, adaptive) if own_forward else (_DropsAndActivates, adaptive, kind)

    def reduce(layer: nn.Module) -> tuple:  # pickle cannot find by its name a class that was made here
        return _blank, (kind, adaptive, own_forward), layer.__dict__

    return type(f"HyperAdaptive{kind.__name__}", bases, {"batch_norm": kind, "__reduce__": reduce})


def _blank(*arguments) -> HyperAdaptiveBatchNorm:
    kind = _derive(*arguments)
    return kind.__new__(kind)


def _does_the_same(layer: _BatchNorm, candidate: type[HyperAdaptiveBatchNorm], places: tuple[int, ...]) -> bool:
    """Whether a layer's answers on a small random input are the candidate's at delta = 0, and only there."""
    try:
        with torch.random.fork_rng(devices=()), torch.device("cpu"), torch.no_grad():
            return _has_the_answers_of(layer, candidate, places)
    except Exception:  # somebody else's forward may raise anything on an input that it does not expect
        return False


def _has_the_answers_of(layer: _BatchNorm, candidate: type[HyperAdaptiveBatchNorm], places: tuple[int, ...]) -> bool:
    old, is_synchronized = _copy_to_try(layer).eval(), isinstance(layer, nn.SyncBatchNorm)
    new = _converted(copy.deepcopy(old), candidate, torch.empty(0), {"synchronized": False, "process_group": None})
    x = torch.randn(3, layer.num_features, *places)
    for training in (False,) if is_synchronized else (True, False):  # a try must not wait for other processes
        old.training = new.training = training  # without their parts: dropout would follow the layout in memory
        if not torch.allclose(old(x.clone()), new(x.clone()), rtol=1e-4, atol=1e-4):
            return False
    nn.init.normal_(new.search.delta)
    return not torch.allclose(old(x.clone()), new(x.clone()), rtol=1e-3, atol=1e-3)


def _copy_to_try(layer: _BatchNorm) -> _BatchNorm:
    """A copy on the CPU, in single precision, with random tensors and without hooks."""
    group = getattr(layer, "process_group", None)
    copied = copy.deepcopy(layer, {id(group): group}).to_empty(device="cpu").float()
    for tensor in (*copied.parameters(), *copied.buffers()):
        tensor.uniform_(0.5, 1.5) if tensor.is_floating_point() else tensor.zero_()
    for module in copied.modules():
        for hooks in HOOKS:
            getattr(module, hooks).clear()
    return copied


def _refuse_to_become_sync_batch_norm(parent: nn.Module, name: str, child: nn.Module | None) -> None:
    # SyncBatchNorm.convert_sync_batchnorm takes whatever is derived from batch normalization, and then gives the new
    # layer the children of the old one. Nothing else tells a layer that it is about to be replaced.
    is_sync_batch_norm = isinstance(parent, nn.SyncBatchNorm) and not isinstance(parent, HyperAdaptiveBatchNorm)
    if is_sync_batch_norm and isinstance(child, SpatialContextEncoder):
        raise TypeError(
            "SyncBatchNorm.convert_sync_batchnorm would drop the adaptation of HABN layers; set layer.synchronized = "
            "True on each of them, or call it before convert_batch_norm."
        )


register_module_module_registration_hook(_refuse_to_become_sync_batch_norm)
