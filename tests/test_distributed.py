"""Processes that train together: two of them, each with a part of the batch, are one with the whole batch."""

import copy
import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from habn.layers import HyperAdaptiveBatchNorm, HyperAdaptiveBatchNorm2d, convert_batch_norm

C, PICTURES, PROCESSES = 5, 4, 2
SPLITS = [(2, 2), (3, 1), (4, 0)]
VARIANTS = {
    "static": dict(),
    "own": dict(granularity="channel", statistics="own", search=True),
    "cumulative": dict(momentum=None),
    "untracked": dict(track_running_stats=False),
    "closed": dict(search=True),
}
DTYPES = {"float64": torch.float64, "float32": torch.float32}
CASES = list(itertools.product(VARIANTS, DTYPES, SPLITS))


def build_layer(variant: str, dtype: str) -> HyperAdaptiveBatchNorm2d:
    torch.manual_seed(1)
    layer = HyperAdaptiveBatchNorm2d(C, hidden_features=2, synchronized=True, **VARIANTS[variant])
    nn.init.uniform_(layer.weight, 0.5, 2)
    nn.init.uniform_(layer.search.delta, 0.2, 0.8)
    if variant == "closed":
        layer.discretize(2.0)
    return layer.to(DTYPES[dtype])


def batch(dtype: str) -> tuple[Tensor, Tensor]:
    """Pictures that differ in mean and spread, and what weighs each place in the loss."""
    generator = torch.Generator().manual_seed(2)
    x, weights = torch.randn(2, PICTURES, C, 6, 7, generator=generator).to(DTYPES[dtype])
    return x * torch.arange(1, PICTURES + 1)[:, None, None, None] + torch.arange(C)[:, None, None], weights


def step(layer: nn.Module, x: Tensor, weights: Tensor) -> dict[str, Tensor]:
    x = x.clone().requires_grad_()
    y = layer(x)
    (y.square() * weights).sum().backward()
    gradients = {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in layer.named_parameters()}
    return {"y": y.detach(), "x": x.grad, **gradients, **{name: b.clone() for name, b in layer.named_buffers()}}


def build_network() -> nn.Module:
    """With a layer that adapts nothing, and a synchronized one that PyTorch's conversion made."""
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv2d(C, C, 1), nn.BatchNorm2d(C), nn.ReLU(), nn.Conv2d(C, C, 1), nn.BatchNorm2d(C))
    network = convert_batch_norm(nn.SyncBatchNorm.convert_sync_batchnorm(network), search=True)
    network[1].discretize(2.0)
    nn.init.normal_(network[4].search.delta)
    return network.double()


def train(network: nn.Module, x: Tensor) -> list[Tensor]:
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network(x).sin().mean().backward()
        optimizer.step()
    return list(network.state_dict().values())


def work(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=PROCESSES)
    found = {}
    for case in CASES:
        variant, dtype, split = case
        start = sum(split[:rank])
        x, weights = (part[start : start + split[rank]] for part in batch(dtype))
        found[case] = step(build_layer(variant, dtype), x, weights)
    x = batch("float64")[0].chunk(PROCESSES)[rank]
    found["network"] = train(DistributedDataParallel(build_network()), x)
    alone = distributed.new_group([rank], use_local_synchronization=True)
    layer = build_layer("static", "float64")
    layer.process_group = alone
    found["alone"] = step(layer, *(part.chunk(PROCESSES)[rank] for part in batch("float64")))
    layer = build_layer("static", "float64").eval()
    found["evaluation"] = step(layer, *(part.chunk(PROCESSES)[rank] for part in batch("float64")))
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[dict]:
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("processes")
    multiprocessing.spawn(work, (folder,), PROCESSES)
    return [torch.load(folder / f"{rank}.pt") for rank in range(PROCESSES)]


def assert_near(got: Tensor, wanted: Tensor, tolerance: float, what: str) -> None:
    error = (got - wanted).abs().max() / wanted.abs().max().clamp(min=1)
    assert error <= tolerance, f"{what}: off by {error:.1e}"


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_are_one_with_the_whole_batch(found, variant, dtype, split):
    layer = build_layer(variant, dtype)
    wanted = step(layer, *batch(dtype))
    parts = [of_process[variant, dtype, split] for of_process in found]
    for name, value in wanted.items():
        values = [part[name] for part in parts]
        is_everybodys = name in dict(layer.named_buffers())
        for got in values if is_everybodys else [torch.cat(values) if name in ("y", "x") else sum(values)]:
            assert_near(got, value, 1e-6, name)


def test_a_network_trains_alike_and_a_closed_layer_takes_part(found):
    wanted = train(build_network(), batch("float64")[0])
    for of_process in found:
        for got, value in zip(of_process["network"], wanted, strict=True):
            assert_near(got.double(), value.double(), 1e-9, "state")


@pytest.mark.parametrize("key", ["alone", "evaluation"])
def test_nothing_is_synchronized_in_evaluation_or_alone(found, key):
    for rank, of_process in enumerate(found):
        layer = build_layer("static", "float64").train(key == "alone")
        wanted = step(layer, *(part.chunk(PROCESSES)[rank] for part in batch("float64")))
        assert_near(of_process[key]["y"], wanted["y"], 1e-12, "y")


def test_pytorch_s_conversion_to_sync_is_refused():
    network = convert_batch_norm(nn.Sequential(nn.BatchNorm2d(C), nn.Conv2d(C, C, 1)))
    with pytest.raises(TypeError, match=r"would drop the adaptation of HABN layers; set layer\.synchronized = True"):
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    assert isinstance(network[0], HyperAdaptiveBatchNorm) and network[0].search.delta.shape == (4,)


def test_what_is_not_spread_is_not_synchronized():
    layer = build_layer("static", "float64")
    plain = copy.deepcopy(layer)
    plain.synchronized = False
    x = batch("float64")[0]
    assert torch.equal(layer(x), plain(x))
