"""What holds for every network that is converted, whoever wrote it."""

import copy
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from habn.hooks.recording import recording
from habn.layers import HyperAdaptiveBatchNorm, convert_batch_norm, revert_batch_norm

MOST_EXPORTED = 40
"""Networks of more layers are not exported: the exporter takes half a second and more for each."""


class Answer(nn.Module):
    """A network of somebody else that takes pixels and gives one tensor."""

    def __init__(self, network: nn.Module, pick: Callable = lambda answer: answer) -> None:
        super().__init__()
        self.network, self.pick = network, pick

    def forward(self, x: Tensor) -> Tensor:
        return self.pick(self.network(x))


def check(network: nn.Module, x: Tensor, kinds: set[str] = frozenset({"BatchNorm2d"}), exports: bool = True) -> None:
    """Convert a network, and hold it against what it was: answers, training, records, states, export, the way back.

    Answers are equal to 1e-9 in float64, and to 1e-5 in float32, or four times what the network's own rounding comes to
    there: a deep network with random weights makes more of it than 1e-5.

    Args:
        network: gives one tensor for x.
        x: a batch of at least two.
        kinds: names of the classes that batch normalization has in it.
        exports: whether to export it too, where it has few layers enough (`MOST_EXPORTED`).
    """
    settle(network, x)
    before = {name: type(m) for name, m in network.named_modules()}
    of_norm = {name for name, m in network.named_modules() if isinstance(m, _BatchNorm)}
    assert {before[name].__name__ for name in of_norm} == kinds
    wanted = answer(network, x)
    tolerance = max(1e-5, 4 * rounding(network, x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converted = convert_batch_norm(copy.deepcopy(network))
    layers = {name: m for name, m in converted.named_modules() if isinstance(m, HyperAdaptiveBatchNorm)}
    assert layers.keys() == of_norm and converted.state_dict().keys() >= network.state_dict().keys()
    exact = copy.deepcopy(converted).double()
    assert_near(answer(exact, x.double()), answer(copy.deepcopy(network).double(), x.double()), 1e-9)
    assert_near(answer(converted, x), wanted, tolerance)
    reached = train(converted, layers, x)
    check_records(converted, x, reached)
    check_state(network, converted, x)
    if exports and len(layers) <= MOST_EXPORTED:
        check_export(converted, x)
    for layer in layers.values():
        nn.init.zeros_(layer.search.delta)
    exact, wanted = copy.deepcopy(converted).double(), answer(converted, x)
    tolerance = max(1e-5, 4 * rounding(converted, x))  # of a network that three steps have changed
    reverted = revert_batch_norm(converted)
    assert {name: type(m) for name, m in reverted.named_modules()} == before
    assert_near(answer(copy.deepcopy(reverted).double(), x.double()), answer(exact, x.double()), 1e-9)
    assert_near(answer(reverted, x), wanted, tolerance)


def settle(network: nn.Module, x: Tensor) -> None:
    """Give running statistics that fit, so that answers are of ordinary size, and scales and biases that are not 1
    and 0."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, _BatchNorm) and module.affine:
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
        network.train()
        for _ in range(20):
            network(x)
    network.eval()


def train(network: nn.Module, layers: dict[str, HyperAdaptiveBatchNorm], x: Tensor) -> set[str]:
    """Three steps, in which every layer that sees more than one place begins to adapt; the names of these."""
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        network(x).float().square().mean().backward()
        optimizer.step()
    network.eval()
    assert all(p.isfinite().all() for p in network.parameters())
    reached = {
        n for n, layer in layers.items() if layer.search.delta.grad is not None and layer.search.delta.grad.any()
    }
    assert reached and all(layers[name].search.delta.any() for name in reached)
    for layer in layers.values():
        nn.init.normal_(layer.search.delta, std=0.2)
    return reached


def check_records(network: nn.Module, x: Tensor, reached: set[str]) -> None:
    """From its factors and its input, the output of every layer comes out again."""
    with torch.inference_mode(), recording(network) as records:
        network(x)
    assert {found.name for found in records} >= reached and len(records) >= len(reached) * len(x)
    for found in records:
        error = np.abs(found.rebuild() - found.y).max()
        assert error <= 1e-4 * np.abs(found.y).max() + 1e-6, f"{found.name}: off by {error}"


def check_state(network: nn.Module, trained: nn.Module, x: Tensor) -> None:
    fresh = convert_batch_norm(copy.deepcopy(network))
    fresh.load_state_dict(trained.state_dict())
    fresh.train()  # LeViT holds on to what it computed in evaluation
    assert torch.equal(answer(fresh, x), answer(trained, x))


def check_export(network: nn.Module, x: Tensor) -> None:
    exported = torch.export.export(network, (x,))
    with torch.no_grad():
        assert_near(exported.module()(x), answer(network, x), max(1e-4, 4 * rounding(network, x)))


def answer(network: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return network.eval()(x)


def rounding(network: nn.Module, x: Tensor) -> float:
    """How far a network's answers in float32 are from those in float64."""
    exact = answer(copy.deepcopy(network).double(), x.double())
    return float((answer(network, x) - exact).abs().max() / exact.abs().max())


def assert_near(got: Tensor, wanted: Tensor, tolerance: float) -> None:
    error = (got - wanted).abs().max() / wanted.abs().max()
    assert error <= tolerance, f"off by {error:.1e}"
