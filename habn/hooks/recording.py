"""Records what every normalization layer of a network does to each picture, by hooks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from habn.hooks.record import LayerRecord, Maps, find_extent
from habn.layers import PARAMETERS, HyperAdaptiveBatchNorm, HyperAdaptiveBatchNormNd
from habn.layers.kernels import VARIANCE_FLOOR, Factors
from habn.layers.normalization import ConditionalNorm2d, FiLM2d, kind_of_layer


class Recording(list[LayerRecord]):
    """The records of the passes so far, and how long it took to make them."""

    seconds = 0.0


class _Enough(Exception):
    """The layer that was asked for is recorded, and the pass need not go on."""


@contextmanager
def recording(network: nn.Module) -> Iterator[Recording]:
    """Record every normalization layer of a network during the passes inside the block.

        with recording(network) as records:
            network(pixels)

    The network is in evaluation mode. A batch of N pictures gives N records of each layer, one after the other. Hooks
    are state of the network: two passes at once would mix their records, so whoever shares a network between threads
    holds one lock around recording and pass.

    Raises:
        ValueError: when the network is in training mode.
    """
    if network.training:
        raise ValueError("Only a network in evaluation mode can be recorded; call network.eval() first.")
    records = Recording()

    def record_as(name: str):
        def hook(layer: nn.Module, inputs: tuple, y: Tensor) -> None:
            started = time.perf_counter()
            records.extend(_record(name, layer, inputs, y))
            records.seconds += time.perf_counter() - started

        return hook

    handles = [layer.register_forward_hook(record_as(name)) for name, layer in normalization_layers(network)]
    try:
        yield records
    finally:
        for handle in handles:
            handle.remove()


def make_maps(network: nn.Module, name: str, run: Callable[[], object]) -> Maps:
    """x and y of one layer for the first picture of a batch, as a recording holds them; `run` runs the network, whose
    pass ends at that layer."""
    found = []

    def hook(layer: nn.Module, inputs: tuple, y: Tensor) -> None:
        found.append(_maps(layer, inputs, y)[0])
        raise _Enough

    handle = dict(normalization_layers(network))[name].register_forward_hook(hook)
    try:
        run()
    except _Enough:
        pass
    finally:
        handle.remove()
    return found[0]


def normalization_layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Name and module of every normalization layer; a conditional one counts once, with its inner layer."""
    found = []

    def visit(name: str, module: nn.Module) -> None:
        if isinstance(module, ConditionalNorm2d | _BatchNorm | _InstanceNorm | nn.GroupNorm):
            found.append((name, module))
        else:
            for child_name, child in module.named_children():
                visit(f"{name}.{child_name}" if name else child_name, child)

    visit("", network)
    return found


class RecordedFactors(NamedTuple):
    """What a normalization layer is made of on an input, before anything is copied out of PyTorch.

    Attributes:
        kind: as in `LayerRecord`.
        context: (N, 1, ...), None where the layer has none.
        static, slope: (N, 4, C).
        delta, gates: as in `LayerRecord`.
        eps: added to the variance.
    """

    kind: str
    context: Tensor | None
    static: Tensor
    slope: Tensor
    delta: Tensor
    gates: Tensor
    eps: float


def factors_of(layer: nn.Module, inputs: tuple) -> RecordedFactors:
    """The factors of a layer that `normalization_layers` found, on the arguments of its forward."""
    x = inputs[0]
    weight = bias = None
    if isinstance(layer, ConditionalNorm2d):
        weight, bias = layer.affine(inputs[1])
        layer = layer.norm
    kind, context, base, slope, delta, gates = _describe(layer, x, weight, bias)
    n, c = x.shape[:2]
    static, slope = (_stack(factors, n, c) for factors in (base, slope))
    return RecordedFactors(
        kind=kind, context=context, static=static, slope=slope, delta=delta, gates=gates, eps=layer.eps
    )


@torch.no_grad()
def _record(name: str, layer: nn.Module, inputs: tuple, y: Tensor) -> list[LayerRecord]:
    maps = _maps(layer, inputs, y)
    x = inputs[0]
    n, c, *places = x.shape
    kind, context, static, slope, delta, gates, eps = factors_of(layer, inputs)
    context = x.new_zeros(n, *places) if context is None else context.reshape(n, *places)
    arrays = {"context": context, "static": static, "slope": slope}
    arrays = {field: _array(values) for field, values in arrays.items()}
    of_the_layer: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "eps": eps,
        "delta": _array(delta),
        "gates": _array(gates),
    }
    return [
        LayerRecord(
            **of_the_layer,
            **{field: values[picture] for field, values in arrays.items()},
            picture=picture,
            var_floor=np.float32(VARIANCE_FLOOR) * arrays["static"][picture, 3],
            shape=(c, *places),
            extents=np.array([*map(find_extent, maps[picture])], np.float32),
            maps=partial(Maps, *maps[picture]),
        )
        for picture in range(n)
    ]


def _maps(layer: nn.Module, inputs: tuple, y: Tensor) -> list[Maps]:
    """x and y of each picture, as arrays of their own."""
    x = inputs[0]
    if not isinstance(layer, ConditionalNorm2d) and (normalize := _normalization_alone(layer)):
        y = normalize(layer, x)
    return [Maps(*pair) for pair in zip(_array(x), _array(y), strict=True)]


def _stack(factors: Factors, pictures: int, channels: int) -> Tensor:
    """Four factors, each (1 or N, C) or None, as (N, 4, C)."""
    none = torch.zeros(1, channels)
    return torch.stack([(none if f is None else f.float().cpu()).expand(pictures, channels) for f in factors], 1)


def _normalization_alone(layer: nn.Module) -> Callable[[nn.Module, Tensor], Tensor] | None:
    """The forward of normalization, where a derived layer does something else besides, as the fused ones of timm do."""
    if not isinstance(layer, _BatchNorm) or isinstance(layer, FiLM2d):
        return None
    bases = (HyperAdaptiveBatchNormNd, HyperAdaptiveBatchNorm, nn.SyncBatchNorm, _BatchNorm)
    forward = next(base.forward for base in bases if isinstance(layer, base))
    return None if type(layer).forward is forward else forward


def _describe(layer: nn.Module, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> tuple:
    """Kind, context, base, slope, delta and gates of a layer on x; weight and bias (N, C) replace the layer's own."""
    none, zeros = Factors(None, None, None, None), torch.zeros(len(PARAMETERS))
    if isinstance(layer, HyperAdaptiveBatchNorm):
        state = layer.search_state()
        return kind_of_layer(layer), *layer.factors(x, weight, bias), state.delta, state.gates
    scale = x.new_ones(1, x.shape[1]) if layer.weight is None else layer.weight[None]
    shift = x.new_zeros(1, x.shape[1]) if layer.bias is None else layer.bias[None]
    if isinstance(layer, FiLM2d):
        film_scale, film_shift = layer.modulation(x)
        scale, shift = film_scale * scale, film_scale * shift + film_shift
    if weight is not None:
        scale, shift = weight * scale, weight * shift + bias
    is_instance = isinstance(layer, _InstanceNorm)
    if isinstance(layer, nn.GroupNorm):
        var, mean = torch.var_mean(x.float().reshape(len(x), layer.num_groups, -1), 2, correction=0)
        mean, var = (each.repeat_interleave(x.shape[1] // layer.num_groups, 1) for each in (mean, var))
    elif layer.running_mean is None:
        places = x.float()[:, :, None].flatten(2)
        places = places if is_instance else places.transpose(0, 1).flatten(1)[None]
        mean = places.mean(2)
        var = (places - mean[..., None]).square().mean(2)
    else:
        mean, var = layer.running_mean[None], layer.running_var[None]
    return kind_of_layer(layer), None, Factors(scale, shift, mean, var), none, zeros, zeros


def _array(values: Tensor) -> np.ndarray:
    return values.detach().float().cpu().contiguous().numpy().copy()
