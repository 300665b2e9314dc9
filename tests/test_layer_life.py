"""A layer's life in PyTorch's tools: wherever batch normalization goes, HABN goes, and at delta = 0 to the same end."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.ao.quantization import fuse_modules
from torch.nn.utils import fuse_conv_bn_eval, prune
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from habn.layers import HyperAdaptiveBatchNorm2d, SpatialContextEncoder, convert_batch_norm

C = 6
ROOT = Path(__file__).parent.parent
OPTIONS = [dict(), dict(momentum=None), dict(affine=False), dict(track_running_stats=False)]


def twins(**options) -> tuple[nn.BatchNorm2d, HyperAdaptiveBatchNorm2d]:
    """Batch normalization and HABN with delta = 0, alike."""
    bn = nn.BatchNorm2d(C, **options)
    for tensor in (*bn.parameters(), *bn.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2)
    return bn, convert_batch_norm(copy.deepcopy(bn))


def trained_layer(**options) -> HyperAdaptiveBatchNorm2d:
    """A layer that is far from its start."""
    layer = HyperAdaptiveBatchNorm2d(C, **options)
    for tensor in (*layer.parameters(), layer.running_mean, layer.running_var):
        nn.init.uniform_(tensor, 0.5, 2)
    return layer


def assert_same_state(habn: nn.Module, bn: nn.Module, tolerance: float = 1e-5) -> None:
    state = habn.state_dict()
    for key, value in bn.state_dict().items():
        torch.testing.assert_close(state[key], value, rtol=tolerance, atol=tolerance, equal_nan=True)


def assert_close(got: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> None:
    assert got.dtype == wanted.dtype
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)


# Beginning, and beginning anew


@pytest.mark.parametrize("granularity", ["layer", "channel"])
def test_a_layer_from_the_meta_device_is_a_fresh_one(granularity):
    options = dict(granularity=granularity, search=True)
    with torch.device("meta"):
        layer = HyperAdaptiveBatchNorm2d(C, **options)
    layer.to_empty(device="cpu")
    for tensor in (*layer.parameters(), *layer.buffers()):
        tensor.data.fill_(17)
    layer.reset_parameters()
    assert_is_fresh(layer)


@pytest.mark.parametrize("own_part", [True, False], ids=["whole", "module by module"])
def test_a_trained_layer_begins_anew(own_part):
    layer = trained_layer(search=True)
    nn.init.constant_(layer.search.logits[1], -1)
    layer.discretize()
    layer.search.temperature = 0.1
    assert layer.search.closed.any()
    if own_part:
        layer.reset_parameters()
    else:
        for module in layer.modules():
            module.reset_parameters()
    assert_is_fresh(layer)


def assert_is_fresh(layer: HyperAdaptiveBatchNorm2d) -> None:
    fresh = HyperAdaptiveBatchNorm2d(C, search=True)
    state = layer.search_state()
    assert not state.delta.any() and state.gates.tolist() == [0.5] * 4
    assert (state.temperature, state.discrete) == (1, False)
    assert not layer.search.closed.any()
    for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
        assert torch.equal(layer.state_dict()[key], fresh.state_dict()[key])
    assert all(not conv.bias.any() for conv in (layer.encoder.conv1, layer.encoder.conv2, layer.encoder.conv3))
    assert layer.encoder.conv2.weight.min() >= 0 and 0 < layer.encoder.conv1.weight.abs().max() < 5
    assert layer.context(torch.randn(1, C, 5, 5)).max() > 0.9


def initialize(how: str, module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d) or type(module).__name__.find("Conv") != -1:
        {"normal": nn.init.normal_, "kaiming": nn.init.kaiming_normal_, "xavier": nn.init.xavier_uniform_}[how](
            module.weight
        )
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@pytest.mark.parametrize("how", ["normal", "kaiming", "xavier"])
def test_no_encoder_dies_of_a_network_s_own_initialization(how):
    x = torch.randn(1, 48, 8, 8)
    for _ in range(50):
        network = convert_batch_norm(nn.Sequential(nn.Conv2d(3, 48, 1), nn.BatchNorm2d(48)))
        network.apply(lambda module: initialize(how, module))
        assert network[1].context(x).any()


# Averages and state dicts


def test_parameters_and_buffers_are_averaged():
    network = nn.Sequential(nn.Conv2d(3, C, 1), trained_layer(search=True))
    network[1].discretize(0.8)
    for options in (dict(), dict(multi_avg_fn=get_ema_multi_avg_fn(0.5))):
        averaged = AveragedModel(network, use_buffers=True, **options)
        deltas = []
        for value in (0.5, 1.5):
            nn.init.constant_(network[1].search.delta, value)
            nn.init.constant_(network[1].running_mean, value)
            deltas.append(value)
            averaged.update_parameters(network)
        kept = averaged.module[1]
        assert float(kept.search.delta.detach().mean()) == pytest.approx(1.0)
        assert float(kept.running_mean.mean()) == pytest.approx(1.0)
        assert torch.equal(kept.search.closed, network[1].search.closed)
        assert kept.search_state().gates.tolist() == network[1].search_state().gates.tolist()


def test_statistics_are_measured_again_by_update_bn():
    bn, habn = twins()
    batches = [torch.randn(4, C, 5, 5) + k for k in range(3)]
    for layer in (bn, habn):
        update_bn(batches, layer)
    assert_same_state(habn, bn)


@pytest.mark.parametrize("assign", [True, False])
def test_gates_closed_as_truth_values_still_load(assign):
    layer = trained_layer(search=True)
    layer.discretize(0.8)
    state = layer.state_dict()
    closed = state["search.closed"] != 0
    assert closed.any() and not closed.all()
    old = {**state, "search.closed": closed}
    loaded = HyperAdaptiveBatchNorm2d(C)
    loaded.load_state_dict(old, assign=assign)
    x = torch.randn(2, C, 4, 4)
    assert torch.equal(loaded.eval()(x), layer.eval()(x))
    assert loaded.search_state().gates.tolist() == (~closed).float().tolist()


def test_a_layer_is_copied_and_pickled():
    layer = trained_layer(granularity="channel", search=True).eval()
    layer.search.temperature = 0.3
    x = torch.randn(2, C, 4, 4)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))


# Batches out of the ordinary


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("shape", [(0, C, 4, 4), (2, C, 0, 4), (1, C, 5, 5)], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("statistics", ["static", "own"])
def test_empty_batches_and_batches_of_one(options, shape, training, statistics):
    bn, habn = twins(**options)
    habn.statistics = statistics
    x = torch.randn(shape)
    answers = []
    for layer in (bn, habn):
        layer.train(training)
        value = x.clone().requires_grad_()
        y = layer(value)
        y.square().sum().backward()
        answers.append((y.detach(), value.grad))
    for got, wanted in zip(answers[1], answers[0], strict=True):
        assert_close(got, wanted, 1e-4)
    assert_same_state(habn, bn)
    nn.init.uniform_(habn.search.delta, 0.2, 0.8)
    assert habn(x).shape == shape
    assert all(p.grad is not None for p in habn.parameters())


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_may_be_taken_away(momentum):
    bn, habn = twins(momentum=momentum)
    for layer in (bn, habn):
        layer.running_mean = layer.running_var = None
    x = torch.randn(2, C, 4, 4)
    assert_close(habn(x), bn(x), 1e-4)
    assert_close(habn.eval()(x), bn.eval()(x), 1e-4)
    assert habn.num_batches_tracked == bn.num_batches_tracked == 1


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_closed_layer_trains_as_batch_normalization(options):
    bn, habn = twins(**options)
    habn.search.closed.fill_(1)
    nn.init.normal_(habn.search.delta)
    x = torch.randn(3, C, 4, 5)
    for training in (True, True, False):
        answers = [layer.train(training)(x) for layer in (bn, habn)]
        assert torch.equal(*answers)
    answers[1].sum().backward()
    assert all(p.grad is not None and (p.requires_grad) for p in habn.parameters())
    assert not habn.search.delta.grad.any()
    assert_same_state(habn, bn, 0)


# Types, layouts, ways to run


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float16, 4e-3), (torch.bfloat16, 4e-2)], ids=str)
def test_half_of_the_precision(dtype, tolerance, training):
    for layer in twins():
        layer.to(dtype).train(training)
    bn, habn = (layer.to(dtype).train(training) for layer in twins())
    x = torch.randn(3, C, 4, 5, dtype=dtype)
    assert_close(habn(x), bn(x), tolerance)
    assert_same_state(habn, bn, tolerance)
    nn.init.normal_(habn.search.delta)
    y = habn(x)
    y.sum().backward()
    assert y.dtype == dtype and all(p.grad.isfinite().all() and p.grad.dtype == dtype for p in habn.parameters())


@pytest.mark.parametrize("dtype, tolerance", [(torch.float16, 4e-3), (torch.bfloat16, 4e-2)], ids=str)
def test_autocast(dtype, tolerance):
    bn, habn = twins()
    x, convolution = torch.randn(3, C, 4, 5), nn.Conv2d(C, C, 1)
    with torch.autocast("cpu", dtype):
        x = convolution(x).detach()
        assert x.dtype == dtype
        assert_close(habn(x), bn(x), tolerance)
    assert_same_state(habn, bn, 1e-4)


LAYOUTS = {
    "contiguous": lambda x: x,
    "channels_last": lambda x: x.to(memory_format=torch.channels_last),
    "transposed": lambda x: x.mT.contiguous().mT,
    "every second": lambda x: torch.stack([x, x], -1).flatten(3)[..., ::2],
    "expanded": lambda x: x[:1].expand(3, -1, -1, -1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_in_memory(layout):
    bn, habn = twins()
    x = LAYOUTS[layout](torch.randn(3, C, 4, 6))
    got, wanted = habn(x), bn(x)
    assert_close(got, wanted, 1e-4)
    if layout in ("contiguous", "channels_last"):
        assert got.stride() == wanted.stride()


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, HyperAdaptiveBatchNorm2d])
def test_operations_in_place_may_follow(kind):
    x = torch.randn(2, C, 4, 4, requires_grad=True)
    for training in (True, False):
        y = kind(C).train(training)(x)
        y += 1
        nn.ReLU(inplace=True)(y).sum().backward()


@pytest.mark.parametrize("reentrant", [True, False])
def test_gradient_checkpointing(reentrant):
    gradients = []
    for layer in twins():
        x = torch.randn(2, C, 4, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
        checkpoint(layer, x, use_reentrant=reentrant).square().sum().backward()
        gradients.append((x.grad, layer.weight.grad, layer.running_mean, layer.num_batches_tracked))
    for got, wanted in zip(*gradients[::-1], strict=True):
        assert_close(got, wanted, 1e-4)


def test_checkpointing_gives_the_gradients_of_a_plain_pass():
    layer, x = trained_layer(), torch.randn(2, C, 4, 4)
    gradients = []
    for run in (lambda v: layer(v), lambda v: checkpoint(layer, v, use_reentrant=False)):
        layer.zero_grad()
        run(x).sin().sum().backward()
        gradients.append([p.grad.clone() for p in layer.parameters()])
    for got, wanted in zip(*gradients, strict=True):
        assert torch.equal(got, wanted)


def test_one_layer_in_two_places():
    results = []
    for layer in twins():
        network = nn.Sequential(layer, nn.Tanh(), layer)
        x = torch.randn(2, C, 4, 4, generator=torch.Generator().manual_seed(1))
        y = network(x)
        y.square().sum().backward()
        results.append((y.detach(), layer.weight.grad, layer.running_var, layer.num_batches_tracked))
    for got, wanted in zip(*results[::-1], strict=True):
        assert_close(got, wanted, 1e-4)


def test_frozen_layers_stay_as_they_are():
    network = nn.Sequential(nn.Conv2d(3, C, 1), trained_layer(), nn.Conv2d(C, 2, 1)).train()
    network[1].requires_grad_(False).eval()
    before = copy.deepcopy(network[1].state_dict())
    x = torch.randn(2, 3, 5, 5)
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    for _ in range(2):
        network(x).square().sum().backward()
        optimizer.step()
    assert network[0].weight.grad.any()
    assert all(torch.equal(value, before[key]) for key, value in network[1].state_dict().items())


def replicate(module: nn.Module) -> nn.Module:
    """As `torch.nn.parallel.replicate` does it for GPUs: parameters become plain tensors."""
    replica = module._replicate_for_data_parallel()
    for name, child in module.named_children():
        setattr(replica, name, replicate(child))
    for name, parameter in module._parameters.items():
        if parameter is None:
            replica._parameters[name] = None
        else:
            setattr(replica, name, parameter.detach().clone())
    return replica


def test_replicas_of_data_parallel_compute_the_same():
    layer, x = trained_layer().eval(), torch.randn(2, C, 4, 4)
    assert torch.equal(nn.DataParallel(layer)(x), layer(x))
    assert torch.equal(replicate(layer)(x), layer(x))


class Normalized(Dataset):
    """Maps that a layer normalizes in the process that loads them."""

    def __init__(self, layer: nn.Module, x: Tensor) -> None:
        self.layer, self.x = layer, x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> Tensor:
        with torch.no_grad():
            return self.layer(self.x[index : index + 1])[0]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_compute_the_same(method):
    layer, x = trained_layer().eval(), torch.randn(4, C, 30, 40)
    wanted = layer(x).detach()  # compiled here before another process begins
    loader = DataLoader(Normalized(layer, x), 2, num_workers=1, multiprocessing_context=method, timeout=100)
    assert_close(torch.cat(list(loader)), wanted, 1e-5)


def test_a_folder_and_home_that_cannot_be_written_to_suffice(tmp_path):
    program = (
        "import torch; from habn.layers import HyperAdaptiveBatchNorm2d as L; l = L(3)\n"
        "torch.nn.init.ones_(l.search.delta); l(torch.randn(2, 3, 5, 5)).sum().backward(); print('normalized')"
    )
    (tmp_path / "file").touch()  # what lies below a file can be made by nobody, not even by root
    nowhere = str(tmp_path / "file" / "home")
    environment = os.environ | {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "TMPDIR": nowhere}
    environment |= {"NUMBA_CACHE_DIR": nowhere, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == "normalized", run.stderr


# What changes layers by their type


def test_fusing_never_drops_the_adaptation_in_silence():
    network = nn.Sequential(nn.Conv2d(3, C, 1), trained_layer()).eval()
    x = torch.randn(1, 3, 5, 5)
    with pytest.raises((NotImplementedError, AssertionError, KeyError)):
        fuse_modules(network, ["0", "1"])
    assert type(network[1]) is HyperAdaptiveBatchNorm2d
    network[1].search.closed.fill_(1)
    static = network(x)
    assert_close(nn.Sequential(fuse_conv_bn_eval(network[0], network[1]))(x), static, 1e-4)


def test_an_encoder_s_convolutions_can_be_pruned():
    layer = trained_layer().eval()
    prune.l1_unstructured(layer.encoder.conv1, "weight", 3)
    layer(torch.randn(1, C, 4, 4))
    assert int((layer.encoder.conv1.weight == 0).sum()) == 3


def test_an_encoder_alone_says_what_it_is():
    assert "Pointwise(6, 1" in repr(SpatialContextEncoder(C))


@pytest.mark.parametrize("options", [{}, {"context_normalization": "sigmoid", "statistics": "own"}])
def test_operations_of_a_network_can_be_counted(options):
    layer = HyperAdaptiveBatchNorm2d(8, **options).eval()
    network = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), layer)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.rand(1, 3, 6, 6))
    assert counter.get_total_flops() >= 2 * 4 * 4 * 8 * 3 * 9
