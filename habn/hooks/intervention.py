"""Interventions: what a trained network does when its adaptation is turned down, frozen, or given another context map.

They work by hooks on the two parts of every HABN layer that can be asked for something else, the context encoder
and the search, so layer, recording and kernels know nothing of them, and a record shows what the intervened layer
really did.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from habn.errors import HabnError
from habn.layers import HyperAdaptiveBatchNorm

CONTEXTS = ("own", "mean", "shuffled", "inverted", "painted")
HIGHEST_STRENGTH = 2.0


class InterventionError(HabnError):
    """One sentence on an intervention that cannot be made, and what to do."""


@dataclass(frozen=True, eq=False)
class Intervention:
    """What to change in the HABN layers of a network.

    Attributes:
        strength: multiples of the adaptation of scale, bias, mean and var, each in [0, 2]. 0 freezes a parameter at
            its static value, 1 leaves it as it was learned.
        context: "own" leaves *s* as it is; "mean" puts its mean everywhere; "shuffled" permutes its pixels, by one
            seed; "inverted" mirrors its values within their range; "painted" takes `painted` instead.
        painted: (h, w) float32, of any size; resized to each layer's. Within [0, 1] where *s* is min-max normalized.
        layers: names of the layers to change; None for all.

    Raises:
        InterventionError: on anything else.
    """

    strength: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    context: str = "own"
    painted: np.ndarray | None = None
    layers: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if len(self.strength) != 4 or not all(0 <= value <= HIGHEST_STRENGTH for value in self.strength):
            raise InterventionError(
                f"strength is {self.strength}; it must be four numbers from 0 to {HIGHEST_STRENGTH:g}."
            )
        if self.context not in CONTEXTS:
            raise InterventionError(f"context is {self.context!r}; it must be one of {', '.join(CONTEXTS)}.")
        if (self.painted is None) == (self.context == "painted"):
            raise InterventionError("A painted map and the context 'painted' go together; give both or neither.")
        if self.painted is not None and (self.painted.ndim != 2 or not np.isfinite(self.painted).all()):
            raise InterventionError(f"The painted map must be (h, w) and finite, not {self.painted.shape}.")

    def key(self) -> str:
        """A text that is the same for equal interventions and different for others."""
        painted = (
            "" if self.painted is None else f"{self.painted.shape}{self.painted.astype(np.float32).tobytes().hex()}"
        )
        layers = "all" if self.layers is None else ",".join(sorted(self.layers))
        return f"{self.strength} {self.context} {layers} {painted}"


@contextmanager
def intervening(network: nn.Module, intervention: Intervention) -> Iterator[None]:
    """Change the HABN layers of a network inside the block; the network is as before when it ends.

    A network without HABN layers is left alone.

    Raises:
        InterventionError: when a layer that is named is not one of the network's HABN layers.
    """
    layers = {name: m for name, m in network.named_modules() if isinstance(m, HyperAdaptiveBatchNorm)}
    named = intervention.layers if layers else None
    chosen = set(layers) if named is None else {_inner(name, layers) for name in named}
    with ExitStack() as hooks:
        for name in chosen:
            if intervention.strength != (1.0, 1.0, 1.0, 1.0):
                hooks.callback(layers[name].search.register_forward_hook(_scale(intervention.strength)).remove)
            if intervention.context != "own":
                hooks.callback(layers[name].encoder.register_forward_hook(_replace(intervention)).remove)
        yield


def _inner(name: str, layers: dict[str, nn.Module]) -> str:
    """The HABN layer that a record of this name belongs to: itself, or the inner layer of a conditional one."""
    for candidate in (name, f"{name}.norm"):
        if candidate in layers:
            return candidate
    raise InterventionError(f"The network has no HABN layer {name!r}; choose one of {', '.join(layers) or 'none'}.")


def _scale(strength: tuple[float, ...]):
    def hook(search: nn.Module, inputs: tuple, weighted: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        return tuple(None if d is None or k == 0 else d * k for d, k in zip(weighted, strength, strict=True))

    return hook


def _replace(intervention: Intervention):
    def hook(encoder: nn.Module, inputs: tuple, s: Tensor) -> Tensor:
        if intervention.context == "mean":
            return s.mean((2, 3), keepdim=True).expand_as(s)
        if intervention.context == "shuffled":
            order = torch.randperm(s[0].numel(), generator=torch.Generator().manual_seed(0)).to(s.device)
            return s.flatten(2)[..., order].view_as(s)
        if intervention.context == "inverted":
            return s.amax((2, 3), keepdim=True) + s.amin((2, 3), keepdim=True) - s
        painted = torch.as_tensor(intervention.painted, dtype=s.dtype, device=s.device)[None, None]
        return F.interpolate(painted, size=s.shape[2:], mode="bilinear", align_corners=False).expand_as(s)

    return hook
