"""A network as a function of its adaptation: what can be turned are inputs, what every layer did are outputs.

Exporters follow tensors through one pass, so interventions and records, which live in hooks, become part of the graph:

    s'      = own s + mean mean(s) + inverted (max(s) + min(s) - s) + painted resize(p) + shuffled s[order]
    delta'  = strength * delta

with one row of `blend` = (own, mean, inverted, painted, shuffled) and of `strength` = (scale, bias, mean, var) for each
normalization layer. `Knobs.as_trained` leaves every layer as it was learned.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from habn.hooks.intervention import Intervention
from habn.hooks.recording import factors_of, normalization_layers
from habn.layers import HyperAdaptiveBatchNorm
from habn.layers.normalization import ConditionalNorm2d
from habn.networks.network import Network

BLEND = ("own", "mean", "inverted", "painted", "shuffled")
"""The maps that a context map is made of, in the order of a row of `blend`: the contexts of an `Intervention`."""
ANSWER = "answer"


class Knobs(NamedTuple):
    """What can be turned, each an input of the graph.

    Attributes:
        strength: (L, 4), of the adaptation of scale, bias, mean and var in each of L normalization layers.
        blend: (L, 5), what each layer's context map is made of: see `BLEND`.
        painted: (1, 1, h, w), resized to each layer.
        order: for each size of a layer a permutation of its pixels, (h, w) int64; [[0]] where nothing is shuffled.
    """

    strength: Tensor
    blend: Tensor
    painted: Tensor
    order: tuple[Tensor, ...]

    @classmethod
    def as_trained(cls, layers: int, sizes: int) -> "Knobs":
        own = torch.zeros(layers, len(BLEND))
        own[:, 0] = 1
        order = tuple(torch.zeros(1, 1, dtype=torch.int64) for _ in range(sizes))
        return cls(torch.ones(layers, 4), own, torch.zeros(1, 1, 1, 1), order)

    @classmethod
    def of(cls, intervention: Intervention, names: list[str], sizes: list[tuple[int, int]]) -> "Knobs":
        """The knobs that do to a network what an intervention does; `sizes` are those of the layers, once each."""
        knobs = cls.as_trained(len(names), len(sizes))
        changed = [intervention.layers is None or name in intervention.layers for name in names]
        knobs.strength[changed] = torch.tensor(intervention.strength)
        knobs.blend[changed] = torch.eye(len(BLEND))[BLEND.index(intervention.context)]
        painted = knobs.painted
        if intervention.painted is not None:
            painted = torch.as_tensor(intervention.painted, dtype=torch.float32)[None, None]
        order = knobs.order
        if intervention.context == "shuffled":
            order = tuple(
                torch.randperm(h * w, generator=torch.Generator().manual_seed(0)).view(h, w) for h, w in sizes
            )
        return knobs._replace(painted=painted, order=order)


class NetworkGraph(nn.Module):
    """A network with its knobs as inputs and its layers as outputs.

    Args:
        network: in evaluation mode.

    Attributes:
        names: of its normalization layers, in the order of evaluation.
        sizes: for each of them, which entry of `Knobs.order` is of its size.
        adapts: whether each has a context map.
        inputs, outputs: names, in the order of `forward`'s arguments and results. Of a layer NAME the outputs are
            NAME.x and NAME.y (N, C, H, W), NAME.static and NAME.slope (N, 4, C), and NAME.s (N, 1, H, W) where it has
            one: scale, bias, mean and var of a pixel are static + s * slope, the variance never below `VARIANCE_FLOOR`
            of its static value.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.names = [name for name, _ in normalization_layers(network)]
        layers = [_inner(layer) for _, layer in normalization_layers(network)]
        self.adapts = [isinstance(layer, HyperAdaptiveBatchNorm) for layer in layers]
        shapes = self._shapes()
        different = sorted(set(shapes), reverse=True)
        self.sizes = [different.index(shape) for shape in shapes]
        self.given = ("pixels",) if network.name == "spvcnn" else ("pixels", "style")
        knobs = ("strength", "blend", "painted", *(f"order.{k}" for k in range(len(different))))
        self.inputs = self.given + (knobs if any(self.adapts) else ())
        parts = [(*("x", "y", "static", "slope"), *(("s",) if adapts else ())) for adapts in self.adapts]
        self.outputs = (
            ANSWER,
            *(f"{name}.{part}" for name, its in zip(self.names, parts, strict=True) for part in its),
        )

    def example(self, height: int = 48, width: int = 64) -> tuple[Tensor, ...]:
        """Inputs for one picture: noise, the first style, and the network as it was trained."""
        pixels = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
        style = (torch.eye(self.network.config["num_styles"])[:1],) if "style" in self.given else ()
        return (pixels, *style, *self.flat(Knobs.as_trained(len(self.names), len(set(self.sizes)))))

    def flat(self, knobs: Knobs) -> tuple[Tensor, ...]:
        """The knobs as `forward` takes them; none where nothing adapts."""
        return (*knobs[:3], *knobs.order) if any(self.adapts) else ()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        given, turned = inputs[: len(self.given)], inputs[len(self.given) :]
        knobs = Knobs(turned[0], turned[1], turned[2], turned[3:]) if turned else None
        with _plain_norms(self.network), self._turned(knobs), self._followed() as found:
            answer = self.network(*given)
        return (answer, *found)

    @contextmanager
    def _turned(self, knobs: Knobs | None) -> Iterator[None]:
        """Interventions, as `habn.hooks.intervention` makes them, by tensors that the graph is given."""
        with ExitStack() as hooks:
            for index, (_, layer) in enumerate(normalization_layers(self.network)):
                if knobs is not None and self.adapts[index]:
                    inner = _inner(layer)
                    strength, blend = knobs.strength[index], knobs.blend[index]
                    order = knobs.order[self.sizes[index]]
                    hooks.callback(inner.search.register_forward_hook(_scale(strength)).remove)
                    hooks.callback(inner.encoder.register_forward_hook(_mix(blend, knobs.painted, order)).remove)
            yield

    @contextmanager
    def _followed(self) -> Iterator[list[Tensor]]:
        """What each layer was given, made of it, and by which factors, in the order of `outputs`."""
        found: list[Tensor] = []

        def follow(layer: nn.Module, inputs: tuple, y: Tensor) -> None:
            factors = factors_of(layer, inputs)
            found.extend((inputs[0], y, factors.static, factors.slope))
            if factors.context is not None:
                found.append(factors.context)

        with ExitStack() as hooks:
            for _, layer in normalization_layers(self.network):
                hooks.callback(layer.register_forward_hook(follow).remove)
            yield found

    @torch.inference_mode()
    def _shapes(self) -> list[tuple[int, int]]:
        """How large each layer's map is, for a picture on which different sizes differ."""
        shapes: list[tuple[int, int]] = []
        with ExitStack() as hooks:
            for _, layer in normalization_layers(self.network):
                note = layer.register_forward_hook(lambda _, inputs, y: shapes.append(tuple(y.shape[2:])))
                hooks.callback(note.remove)
            style = (torch.eye(self.network.config["num_styles"])[:1],) if self.network.name == "cfanet" else ()
            self.network(torch.zeros(1, 3, 64, 96), *style)
        return shapes


@contextmanager
def _plain_norms(network: nn.Module) -> Iterator[None]:
    """Normalization without a scale of its own by its formula: the tracing exporter loses its number of channels."""
    layers = [m for m in network.modules() if type(m) in PLAIN and m.weight is None]
    try:
        for layer in layers:
            layer.forward = partial(PLAIN[type(layer)], layer)
        yield
    finally:
        for layer in layers:
            del layer.forward


def _instance_norm(layer: nn.InstanceNorm2d, x: Tensor) -> Tensor:
    centred = x - x.mean((2, 3), keepdim=True)
    return centred * torch.rsqrt(centred.square().mean((2, 3), keepdim=True) + layer.eps)


def _batch_norm(layer: nn.BatchNorm2d, x: Tensor) -> Tensor:
    centred = x - layer.running_mean[:, None, None]
    return centred * torch.rsqrt(layer.running_var + layer.eps)[:, None, None]


PLAIN = {nn.InstanceNorm2d: _instance_norm, nn.BatchNorm2d: _batch_norm}


def _inner(layer: nn.Module) -> nn.Module:
    return layer.norm if isinstance(layer, ConditionalNorm2d) else layer


def _scale(strength: Tensor):
    def hook(search: nn.Module, inputs: tuple, weighted: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        return tuple(None if d is None else d * strength[k] for k, d in enumerate(weighted))

    return hook


def _mix(blend: Tensor, painted: Tensor, order: Tensor):
    def hook(encoder: nn.Module, inputs: tuple, s: Tensor) -> Tensor:
        ends = s.amax((2, 3), keepdim=True) + s.amin((2, 3), keepdim=True)
        resized = F.interpolate(painted, size=s.shape[2:], mode="bilinear", align_corners=False)
        shuffled = torch.index_select(s.flatten(2), 2, order.flatten()).view(*s.shape[:2], *order.shape)
        maps = {
            "own": s,
            "mean": s.mean((2, 3), keepdim=True),
            "inverted": ends - s,
            "painted": resized,
            "shuffled": shuffled,
        }
        return sum(blend[k] * maps[name] for k, name in enumerate(BLEND))

    return hook
