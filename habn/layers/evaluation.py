"""A layer in evaluation without gradients as one call of compiled loops: a dozen of PyTorch's cost more than the sums.

It goes this way on a CPU, in float32 or bfloat16, from eight channels on, when its search is over, its context is
normalized by "minmax" or "sigmoid", and nobody watches: no hook on encoder or search, no trace, no compiler. Nothing is
kept of a pass for the next but where the parameters lie in memory, so whatever changes them is seen.
"""

from operator import is_
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from habn.layers.arrays import array, the_loops
from habn.layers.compiled import MOST_HIDDEN
from habn.layers.encoder import Pointwise, SpatialContextEncoder
from habn.layers.kernels import VARIANCE_FLOOR, needs_common_operations
from habn.layers.search import DifferentiableSearch
from habn.layers.threads import share

KINDS = {"minmax": 0, "sigmoid": 3}  # of `loops.context`
DTYPES = (torch.float32, torch.bfloat16)
ALL_CLOSED = bytes([1, 1, 1, 1])


class LayerMemory:
    """A layer's parameters and statistics as arrays over the same memory.

    Attributes:
        arrays: in the order of `loops.evaluate`, from the running mean on; None where the loops cannot take them.
        scale, bias: (1, C) each.
    """

    def __init__(self, layer: nn.Module, tensors: list[Tensor | None]) -> None:
        self.loops, self.channels, self.arrays = the_loops(), layer.num_features, None
        self.tensors, self.there = tensors, [t for t in tensors if t is not None]
        self.pointers = _pointers(self.there)
        if _fit(layer, self.there):
            encoder, search = layer.encoder, layer.search
            ones, zeros = np.ones(self.channels, np.float32), np.zeros(self.channels, np.float32)
            weight1, weight2, weight3 = (
                conv.weight.detach().numpy().reshape(-1, conv.in_channels) for conv in _convs(encoder)
            )
            bias1, bias2, bias3 = (array(conv.bias) for conv in _convs(encoder))
            self.closed = search.closed.numpy()
            self.arrays = (
                array(layer.running_mean),
                array(layer.running_var),
                array(search.delta).reshape(4, -1),
                self.closed,
                *(weight1, bias1, weight2, bias2, weight3[0], bias3),
            )
            self.scale = (ones if layer.weight is None else array(layer.weight))[None]
            self.bias = (zeros if layer.bias is None else array(layer.bias))[None]

    def holds(self, tensors: list[Tensor | None]) -> bool:
        """Whether these are they, where they were."""
        return (
            len(tensors) == len(self.tensors)
            and all(map(is_, tensors, self.tensors))
            and _pointers(self.there) == self.pointers
        )


_memories: WeakKeyDictionary[nn.Module, LayerMemory] = WeakKeyDictionary()


def evaluate(layer: nn.Module, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor | None:
    """y of x, (N, C, H, W), or None where this way is not for it; arguments as of the layer's forward."""
    is_ours = type(x) is Tensor and x.is_cpu and x.dtype in DTYPES and x.dim() == 4
    kind = KINDS.get(layer.encoder.normalization)
    is_seen = torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() or needs_common_operations()
    if layer.training or not is_ours or kind is None or is_seen:
        return None
    memory = _memory(layer)
    if memory is None or memory.arrays is None or memory.closed.tobytes() == ALL_CLOSED:
        return None
    n, c, h, w = x.shape
    if c != memory.channels or not n * h * w:
        return None
    loops, hidden, own = memory.loops, len(memory.arrays[5]), layer.statistics == "own"
    is_last = x.is_contiguous(memory_format=torch.channels_last)
    y = torch.empty_like(x, memory_format=torch.channels_last)
    count = n * -(-h * w // loops.PIECE)
    share(
        loops.evaluate,
        count,
        n * c * h * w,
        _pixels(x if is_last else x.contiguous(memory_format=torch.channels_last)),
        memory.scale if weight is None else array(weight.float()),
        memory.bias if bias is None else array(bias.float()),
        *memory.arrays,
        kind,
        own,
        layer.units == "relative",
        layer.eps,
        VARIANCE_FLOOR,
        np.empty(n * (hidden + 1) * h * w, np.float32),
        np.empty(count * (hidden + 2) + n * hidden, np.float32),
        np.empty((2, count if own else 0, c), np.float32),
        _pixels(y),
        phases=3,
    )
    return y if is_last else torch.empty_like(x).copy_(y)


def _memory(layer: nn.Module) -> LayerMemory | None:
    """What the loops take of a layer; None where a hook wants its parts to be called."""
    encoder, search = layer._modules["encoder"], layer._modules["search"]
    inner = encoder._modules
    parts = (encoder, search, inner["conv1"], inner["conv2"], inner["conv3"])
    if any([m._forward_hooks or m._forward_pre_hooks for m in parts]) or nn.modules.module._has_any_global_hook():
        return None
    tensors = [*layer._parameters.values(), *layer._buffers.values(), *search._buffers.values()]
    for part in parts[1:]:
        tensors += part._parameters.values()
    memory = _memories.get(layer)
    if memory is None or not memory.holds(tensors):
        memory = _memories[layer] = LayerMemory(layer, tensors)
    return memory


def _pointers(tensors: list[Tensor]) -> list[int]:
    return [*map(Tensor.data_ptr, tensors)]


def _convs(encoder: SpatialContextEncoder) -> tuple[Pointwise, Pointwise, Pointwise]:
    return encoder.conv1, encoder.conv2, encoder.conv3


def _fit(layer: nn.Module, tensors: list[Tensor]) -> bool:
    encoder, search = layer.encoder, layer.search
    return (
        search.logits is None
        and len(encoder.conv1.weight) <= MOST_HIDDEN
        and layer.running_mean is not None
        and layer.num_features >= the_loops().WIDTH
        and type(encoder).forward is SpatialContextEncoder.forward
        and type(search).forward is DifferentiableSearch.forward
        and all(
            type(c).forward is Pointwise.forward and c._parameters.keys() == {"weight", "bias"} for c in _convs(encoder)
        )
        and all(t.device.type == "cpu" and t.is_contiguous() for t in tensors)
        and all(t.dtype == torch.float32 for t in tensors if t.is_floating_point())
    )


def _pixels(x: Tensor) -> np.ndarray:
    """A map in channels_last as (N, P, C); bfloat16 as its bits."""
    pixels = x.detach().permute(0, 2, 3, 1).flatten(1, 2)
    return pixels.numpy() if x.dtype == torch.float32 else pixels.view(torch.int16).numpy().view(np.uint16)
