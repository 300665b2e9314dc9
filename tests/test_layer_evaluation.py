"""Without gradients a layer in evaluation is one call of compiled loops: wherever it can be, and as true."""

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from habn.checkpoints import CHECKPOINTS, load_checkpoint
from habn.layers import HyperAdaptiveBatchNorm, HyperAdaptiveBatchNorm2d, evaluation, threads
from habn.layers.kernels import plain

OPTIONS = {
    "habn": {},
    "habn-plus": dict(granularity="channel", statistics="own"),
    "relative": dict(units="relative"),
    "sigmoid": dict(context_normalization="sigmoid"),
    "sigmoid, own": dict(context_normalization="sigmoid", statistics="own", granularity="channel"),
    "not affine": dict(affine=False),
}
each_kind = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
LAYOUTS = (torch.channels_last, torch.contiguous_format)
TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 1e-2}


def build(channels: int = 16, **options) -> HyperAdaptiveBatchNorm2d:
    """A layer far from its start, whose second parameter is closed."""
    layer = HyperAdaptiveBatchNorm2d(channels, **options).eval()
    with torch.no_grad():
        layer.search.delta.uniform_(-0.5, 0.5)
        layer.search.closed[1] = True
        layer.running_mean.normal_()
        layer.running_var.uniform_(0.5, 2)
        for name, parameter in layer.named_parameters():
            if name.endswith(("weight", "bias")):
                parameter.uniform_(-1, 1) if "encoder" not in name else parameter.add_(0.1)
    return layer


def exact(layer: HyperAdaptiveBatchNorm2d, x: Tensor) -> Tensor:
    with torch.no_grad(), plain():
        return copy.deepcopy(layer).double()(x.double())


def assert_true(y: Tensor, layer: HyperAdaptiveBatchNorm2d, x: Tensor) -> None:
    """y is the formula's answer, in float64."""
    wanted, tolerance = exact(layer, x), TOLERANCE[x.dtype]
    assert y.dtype == x.dtype
    assert all(y.is_contiguous(memory_format=f) == x.is_contiguous(memory_format=f) for f in LAYOUTS)
    torch.testing.assert_close(y.double(), wanted, rtol=tolerance, atol=tolerance * float(wanted.abs().max()))


@pytest.fixture
def taken(monkeypatch) -> list[str]:
    """Names of the loops that are called in evaluation, as they are."""
    names: list[str] = []
    share = evaluation.share

    def noted(loop, *arguments, **options):
        names.append(loop.__name__)
        share(loop, *arguments, **options)

    monkeypatch.setattr(evaluation, "share", noted)
    return names


@each_kind
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("shape", [(1, 16, 30, 41), (3, 13, 5, 7), (2, 8, 1, 1)], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_the_short_way_is_taken_and_true(taken, options, dtype, shape, layout):
    layer, x = build(shape[1], **options), torch.randn(shape).to(dtype, memory_format=layout)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert_true(layer(x), layer, x)
    assert taken == ["evaluate"] * 2


@pytest.mark.parametrize("name", ["spvcnn-habn-camvid", "spvcnn-habn-plus-camvid", "spvcnn-habn-plus-streets"])
def test_shipped_networks_take_the_short_way_in_every_layer(taken, name):
    network = load_checkpoint(CHECKPOINTS / name)
    layers = [m for m in network.modules() if isinstance(m, HyperAdaptiveBatchNorm)]
    with torch.inference_mode():
        network(torch.rand(1, 3, 32, 48))
    assert len(taken) == sum(not layer.search.closed.all() for layer in layers) > 0


@pytest.mark.parametrize("given", [("weight", "bias"), ("weight",), ("bias",)], ids="-".join)
def test_a_scale_and_bias_of_each_picture_take_the_short_way(taken, given):
    layer, x = build(), torch.randn(3, 16, 5, 6)
    own = {name: torch.randn(3, 16).bfloat16() for name in given}  # as an affine layer under autocast gives them
    with torch.no_grad():
        y = layer(x, **own)
        with plain():
            torch.testing.assert_close(y, layer(x, **own), rtol=2e-5, atol=2e-5)
    assert taken == ["evaluate"]


CHANGES = {
    "in place": lambda layer: layer.weight.mul_(2),
    "past autograd": lambda layer: layer.weight.data.mul_(2),
    "from NumPy": lambda layer: layer.running_mean.numpy().__imul__(2),
    "another parameter": lambda layer: setattr(layer, "weight", nn.Parameter(layer.weight * 2)),
    "other data": lambda layer: setattr(layer.encoder.conv2.weight, "data", layer.encoder.conv2.weight * 2),
    "a state": lambda layer: layer.load_state_dict(build().state_dict()),
    "delta": lambda layer: layer.search.delta.mul_(-1),
    "a gate": lambda layer: layer.search.closed[0].fill_(1),
    "eps": lambda layer: setattr(layer, "eps", 0.1),
    "another encoder": lambda layer: setattr(layer, "encoder", build().encoder),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@torch.no_grad()
def test_every_change_of_a_layer_is_seen_at_once(taken, change):
    layer, x = build(), torch.randn(1, 16, 9, 9)
    before = layer(x)
    change(layer)
    y = layer(x)
    assert taken == ["evaluate"] * 2 and not torch.equal(y, before)
    assert_true(y, layer, x)


@torch.no_grad()
def test_copies_do_not_look_at_the_first():
    layer, x = build(), torch.randn(1, 16, 9, 9)
    before = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), before)
        other.weight.mul_(2)
        assert_true(other(x), other, x)
    assert torch.equal(layer(x), before)


def listening(layer: HyperAdaptiveBatchNorm2d, x: Tensor) -> None:
    handles = [m.register_forward_hook(lambda *_: None) for m in (layer.encoder, layer.search, layer.encoder.conv2)]
    for handle in handles:
        layer(x)
        handle.remove()


def listening_to_all(layer: HyperAdaptiveBatchNorm2d, x: Tensor) -> None:
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    layer(x)
    handle.remove()


class Seen(TorchDispatchMode):
    """Somebody who wants to see PyTorch's operations."""

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        return operation(*arguments, **(options or {}))


def watched(layer: HyperAdaptiveBatchNorm2d, x: Tensor) -> None:
    with Seen():
        layer(x)


def asked_for_plain(layer: HyperAdaptiveBatchNorm2d, x: Tensor) -> None:
    with plain():
        layer(x)


OTHERWISE = {
    "with gradients": lambda layer, x: torch.enable_grad()(layer)(x),
    "in training": lambda layer, x: layer.train()(x),
    "in float64": lambda layer, x: layer.double()(x.double()),
    "in float16": lambda layer, x: layer(x.half()),
    "while searching": lambda layer, x: build(search=True)(x),
    "without running statistics": lambda layer, x: build_without_statistics()(x),
    "by distribution": lambda layer, x: build(context_normalization="distribution")(x),
    "normalized otherwise": lambda layer, x: (setattr(layer.encoder, "normalization", "zscore"), layer(x)),
    "of few channels": lambda layer, x: build(4)(x[:, :4]),
    "of half a layer": lambda layer, x: layer.half()(x.half()),
    "heard": listening,
    "heard with all": listening_to_all,
    "watched": watched,
    "plain": asked_for_plain,
}


def build_without_statistics() -> HyperAdaptiveBatchNorm2d:
    layer = HyperAdaptiveBatchNorm2d(16, track_running_stats=False).eval()
    nn.init.constant_(layer.search.delta, 0.1)
    return layer


@pytest.mark.parametrize("call", OTHERWISE.values(), ids=OTHERWISE)
@torch.no_grad()
def test_the_long_way_is_taken_where_more_is_asked_for(taken, call):
    call(build(), torch.randn(2, 16, 5, 6))
    assert not taken


@pytest.mark.parametrize("options", [OPTIONS["habn-plus"], OPTIONS["sigmoid"]], ids=["habn-plus", "sigmoid"])
@torch.inference_mode()
def test_the_answer_does_not_depend_on_the_threads(monkeypatch, options):
    monkeypatch.setattr(threads, "LEAST", 1)  # else these maps were too small to share
    layer, x, before = build(**options), torch.randn(2, 16, 60, 80), torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3, 3, 3):
            torch.set_num_threads(count)
            found.append(layer(x))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(y, found[0]) for y in found)


def test_an_input_of_the_wrong_shape_is_refused_here_too():
    with torch.no_grad(), pytest.raises(ValueError, match="4D"):
        build()(torch.randn(16, 5, 6))
