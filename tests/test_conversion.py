"""Any batch normalization becomes HABN that computes the same, and keeps what the layer was beside that."""

import copy
import pickle
import re
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from habn.layers import (
    HyperAdaptiveBatchNorm,
    HyperAdaptiveBatchNorm1d,
    HyperAdaptiveBatchNorm2d,
    HyperAdaptiveBatchNorm3d,
    HyperAdaptiveBatchNormNd,
    convert_batch_norm,
    parameter_overhead,
    revert_batch_norm,
)
from habn.layers.normalization import FiLM2d

C = 6


class InheritedNormAct(nn.BatchNorm2d):
    """Calls what it is derived from."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__(channels)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.leaky_relu(super().forward(x), self.slope)


class WrittenOutNormAct(nn.BatchNorm2d):
    """Writes normalization out, and goes on with `drop` and `act`, as the fused layers of timm do."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop, self.act = nn.Dropout(0.5), nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.num_batches_tracked.add_(1)
        running = self.running_mean, self.running_var
        y = nn.functional.batch_norm(x, *running, self.weight, self.bias, self.training, self.momentum, self.eps)
        return self.act(self.drop(y))


class SyncNormAct(nn.SyncBatchNorm):
    """As timm's."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(super().forward(x))


class Renorm(nn.BatchNorm2d):
    """Is batch normalization in evaluation only."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False)


class Conditional(nn.BatchNorm2d):
    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return super().forward(x) * condition


class FrozenBatchNorm2d(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        for name in ("weight", "running_var"):
            self.register_buffer(name, torch.ones(channels))
        for name in ("bias", "running_mean"):
            self.register_buffer(name, torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)


def unruly(layer: nn.Module) -> nn.Module:
    with torch.no_grad():
        for tensor in (*layer.parameters(), *layer.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 2)
    return layer


LAYERS = [
    (nn.BatchNorm1d(C), (4, C), HyperAdaptiveBatchNorm1d),
    (nn.BatchNorm1d(C), (3, C, 7), HyperAdaptiveBatchNorm1d),
    (nn.BatchNorm2d(C), (2, C, 3, 4), HyperAdaptiveBatchNorm2d),
    (nn.BatchNorm3d(C), (2, C, 3, 2, 4), HyperAdaptiveBatchNorm3d),
    (nn.SyncBatchNorm(C), (2, C, 3, 4), HyperAdaptiveBatchNormNd),
    (nn.SyncBatchNorm(C), (2, C, 3), HyperAdaptiveBatchNormNd),
    (InheritedNormAct(C, 0.1), (2, C, 3, 4), InheritedNormAct),
    (WrittenOutNormAct(C), (2, C, 3, 4), WrittenOutNormAct),
    (SyncNormAct(C), (2, C, 3, 4), SyncNormAct),
    (FiLM2d(C), (2, C, 3, 4), FiLM2d),
]
NAMES = [f"{type(layer).__name__}-{len(shape)}d" for layer, shape, _ in LAYERS]


def answer_and_gradients(layer: nn.Module, x: Tensor) -> list[Tensor]:
    for part in layer.children():
        part.eval()  # dropout would follow the layout in memory
    x = x.clone().requires_grad_()
    y = layer(x)
    y.square().sum().backward()
    return [y.detach(), x.grad, layer.weight.grad, *(b.detach() for b in layer.buffers() if b.is_floating_point())]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("layer, shape, kind", LAYERS, ids=NAMES)
def test_a_converted_layer_computes_what_it_did(layer, shape, kind, training):
    old = unruly(copy.deepcopy(layer)).train(training)
    new = convert_batch_norm(copy.deepcopy(old))
    assert isinstance(new, HyperAdaptiveBatchNorm) and isinstance(new, kind)
    assert type(new).__name__.startswith("HyperAdaptive")
    x = 1 + 2 * torch.randn(shape)
    for got, wanted in zip(answer_and_gradients(new, x), answer_and_gradients(old, x), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    old.zero_grad()
    reverted = revert_batch_norm(new)
    assert type(reverted) is type(layer) and reverted.state_dict().keys() == layer.state_dict().keys()
    assert vars(reverted).keys() == vars(layer).keys()


@pytest.mark.parametrize("layer, shape, kind", LAYERS, ids=NAMES)
def test_a_converted_layer_adapts(layer, shape, kind):
    new = convert_batch_norm(unruly(copy.deepcopy(layer)).eval(), granularity="channel", statistics="own")
    x = torch.randn(shape)
    before = new(x).detach()
    nn.init.uniform_(new.search.delta, 0.2, 0.8)
    assert torch.equal(new(x), before) == (len(shape) == 2), "(N, C) has one place"


@pytest.mark.parametrize("layer, shape, kind", LAYERS, ids=NAMES)
def test_a_converted_layer_is_copied_pickled_and_loaded(layer, shape, kind):
    new = convert_batch_norm(unruly(copy.deepcopy(layer)).eval())
    nn.init.normal_(new.search.delta)
    x = torch.randn(shape)
    fresh = convert_batch_norm(copy.deepcopy(layer).eval())
    fresh.load_state_dict(new.state_dict())
    for other in (copy.deepcopy(new), pickle.loads(pickle.dumps(new)), fresh):
        assert type(other) is type(new)
        assert torch.equal(other(x), new(x))


@pytest.mark.parametrize("statistics", ["static", "own"])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_rows_and_volumes_are_adapted_as_maps_are(training, statistics):
    options = dict(granularity="channel", statistics=statistics, hidden_features=2)
    flat = unruly(HyperAdaptiveBatchNorm2d(C, **options)).train(training)
    x = torch.randn(3, C, 4, 6)
    wanted = [flat(x), flat.context(x), *flat.effective_parameters(x)]
    for kind, shape in ((HyperAdaptiveBatchNorm1d, (24,)), (HyperAdaptiveBatchNorm3d, (2, 2, 6))):
        layer = kind(C, **options).train(training)
        layer.load_state_dict(flat.state_dict())
        seen = x.view(3, C, *shape)
        got = [layer(seen), layer.context(seen), *layer.effective_parameters(seen)]
        for a, b in zip(got, wanted, strict=True):
            assert a.shape[2:] in (shape, (1,) * len(shape))
            torch.testing.assert_close(a.flatten(2), b.flatten(2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind, shape", [(nn.BatchNorm1d, (2, C, 3, 4)), (nn.BatchNorm3d, (2, C, 3, 4))])
def test_dimensions_are_refused_where_batch_norm_refuses(kind, shape):
    for layer in (kind(C), convert_batch_norm(kind(C))):
        with pytest.raises(ValueError, match="expected"):
            layer(torch.zeros(shape))


# What is not converted


def test_what_is_left_is_said_once_by_name_and_type():
    network = nn.ModuleDict({
        "stem": nn.BatchNorm2d(C),
        "frozen": nn.Sequential(FrozenBatchNorm2d(C), FrozenBatchNorm2d(C)),
        "renorm": Renorm(C),
        "conditional": Conditional(C),
        "lazy": nn.LazyBatchNorm2d(),
        "others": nn.Sequential(nn.InstanceNorm2d(C, track_running_stats=True), nn.GroupNorm(2, C)),
    })  # fmt: skip
    kinds = [type(m) for m in network.modules()]
    with pytest.warns(UserWarning) as caught:
        convert_batch_norm(network)
    assert [type(m) for m in network.modules() if type(m) in kinds] == [k for k in kinds if k is not nn.BatchNorm2d]
    assert len(caught) == 1 and caught[0].filename == __file__
    assert str(caught[0].message) == (
        "convert_batch_norm left as they are: "
        "frozen.0, frozen.1 (FrozenBatchNorm2d, not derived from PyTorch's batch normalization); "
        "renorm (Renorm, does not hand its input to batch normalization); "
        "conditional (Conditional, does not hand its input to batch normalization); "
        "lazy (LazyBatchNorm2d, not initialized: pass a batch through the network first)."
    )


def test_a_lazy_layer_converts_once_it_has_seen_a_batch():
    network = nn.Sequential(nn.LazyBatchNorm2d())
    network(torch.randn(2, C, 3, 3))
    assert isinstance(convert_batch_norm(network)[0], HyperAdaptiveBatchNorm2d)


def test_a_network_with_nothing_to_convert_says_so():
    with pytest.warns(UserWarning, match=r"found no batch normalization in this Sequential; nothing was changed\."):
        convert_batch_norm(nn.Sequential(nn.Conv2d(3, C, 1), nn.GroupNorm(2, C)))


def test_converting_again_is_silent():
    network = convert_batch_norm(nn.Sequential(nn.BatchNorm2d(C)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convert_batch_norm(network)


# What a layer has besides


def test_the_random_generator_is_moved_by_encoders_alone():
    def draw(layer: nn.Module) -> Tensor:
        torch.manual_seed(3)
        convert_batch_norm(layer)
        return torch.rand(2)

    assert torch.equal(draw(nn.BatchNorm2d(C)), draw(InheritedNormAct(C, 0.1)))


def test_hooks_are_kept_and_their_handles_still_remove_them():
    bn, seen = nn.BatchNorm2d(C), []
    handles = [
        bn.register_forward_pre_hook(lambda *_: seen.append("before")),
        bn.register_forward_hook(lambda *_, **__: seen.append("after"), with_kwargs=True),
        bn.register_full_backward_hook(lambda *_: seen.append("backward")),
    ]
    habn = convert_batch_norm(nn.Sequential(bn))[0]
    x = torch.randn(2, C, 3, 3, requires_grad=True)
    habn(x).sum().backward()
    assert seen == ["before", "after", "backward"]
    for handle in handles:
        handle.remove()
    habn(x)
    assert len(seen) == 3
    assert revert_batch_norm(nn.Sequential(habn))[0](x).shape == x.shape and len(seen) == 3


def test_hooks_do_not_see_how_a_derived_layer_is_tried():
    layer, seen = InheritedNormAct(C, 0.1), []
    layer.register_forward_hook(lambda *_: seen.append(1))
    convert_batch_norm(layer)
    assert not seen


def test_a_parametrized_weight_stays_parametrized():
    class Doubled(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return 2 * weight

    network = nn.Sequential(unruly(nn.BatchNorm2d(C)).eval())
    parametrize.register_parametrization(network[0], "weight", Doubled())
    x = torch.randn(2, C, 3, 3)
    wanted = network(x)
    convert_batch_norm(network)
    assert isinstance(network[0], HyperAdaptiveBatchNorm)
    torch.testing.assert_close(network(x), wanted)


def test_the_old_layer_is_left_as_it_was():
    bn = nn.BatchNorm2d(C)
    convert_batch_norm(nn.Sequential(bn))
    assert not list(bn.children()) and type(bn) is nn.BatchNorm2d
    assert bn(torch.randn(2, C, 3, 3)).isfinite().all()


def test_new_parts_follow_the_network_where_a_layer_has_no_tensor():
    network = nn.Sequential(nn.Conv2d(3, C, 1), nn.BatchNorm2d(C, affine=False, track_running_stats=False)).double()
    convert_batch_norm(network)
    assert {p.dtype for p in network.parameters()} == {torch.float64}


def test_a_network_on_the_meta_device_converts():
    with torch.device("meta"):
        network = nn.Sequential(nn.BatchNorm2d(C), InheritedNormAct(C, 0.1))
    convert_batch_norm(network)
    assert all(isinstance(layer, HyperAdaptiveBatchNorm) for layer in network)
    assert {t.device.type for t in (*network.parameters(), *network.buffers())} == {"meta"}


@pytest.mark.parametrize("options, reverted", [({}, nn.BatchNorm2d), ({"synchronized": True}, nn.SyncBatchNorm)])
def test_a_synchronized_layer_reverts_to_one(options, reverted):
    assert type(revert_batch_norm(convert_batch_norm(nn.BatchNorm2d(C), **options))) is reverted


def test_the_process_group_goes_with_the_layer():
    sync = nn.SyncBatchNorm(C, process_group="group")
    habn = convert_batch_norm(sync)
    assert habn.synchronized and habn.process_group == "group"
    assert revert_batch_norm(habn).process_group == "group"


# What it costs


def test_the_cost_names_what_lowers_it():
    network = convert_batch_norm(nn.Sequential(nn.Conv2d(96, 96, 1), nn.BatchNorm2d(96)), granularity="channel")
    overhead = parameter_overhead(network)
    assert str(overhead) == (
        f"1 HABN layers add {overhead.added:,} parameters, {overhead.share:.2%} of the network; with hidden_features=1 "
        f'and granularity="layer" it would be {overhead.least:.2%}.'
    )
    network = convert_batch_norm(revert_batch_norm(network), hidden_features=1)
    assert parameter_overhead(network).share == pytest.approx(overhead.least)
    assert "hidden_features" not in str(parameter_overhead(network))


def slim_mobile_network() -> nn.Module:
    """Inverted residuals as in MobileNetV2 at a width of 0.35: 1x1 convolutions and depthwise ones."""
    layers, channels = [nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16)], 16
    for width, repeats in ((8, 2), (16, 3), (24, 4), (32, 3), (56, 3), (112, 1)):
        for _ in range(repeats):
            wide = 6 * channels
            layers += [nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide)]
            layers += [nn.Conv2d(wide, wide, 3, groups=wide, bias=False), nn.BatchNorm2d(wide)]
            layers += [nn.Conv2d(wide, width, 1, bias=False), nn.BatchNorm2d(width)]
            channels = width
    return nn.Sequential(*layers, nn.Conv2d(channels, 1280, 1), nn.BatchNorm2d(1280), nn.Linear(1280, 1000))


@pytest.mark.parametrize("width, hidden", [(3, 1), (24, 1), (48, 2), (96, 4), (128, 3), (192, 2), (256, 1), (2048, 1)])
def test_encoders_of_wide_layers_are_narrow(width, hidden):
    assert HyperAdaptiveBatchNorm2d(width).encoder.conv1.weight.shape == (hidden, width, 1, 1)


def test_a_network_of_1x1_convolutions_grows_by_little():
    overhead = parameter_overhead(convert_batch_norm(slim_mobile_network()))
    assert overhead.least < overhead.share < 0.015
    assert re.search(r"hidden_features=1", str(overhead))
