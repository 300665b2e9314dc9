"""The layer is batch normalization at delta = 0, and elsewhere what the equations say (tests/oracle.py)."""

import copy
import itertools

import numpy as np
import oracle
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from habn.layers import (
    DifferentiableSearch,
    HyperAdaptiveBatchNorm2d,
    SpatialContextEncoder,
    convert_batch_norm,
    parameter_overhead,
    revert_batch_norm,
)
from habn.scenes import draw_scene

C = 6
VARIANTS = [
    dict(granularity=g, units=u, statistics=s, context_normalization=n)
    for g, (u, s), n in itertools.product(
        ("layer", "channel"),
        (("absolute", "static"), ("relative", "static"), ("absolute", "own")),
        ("minmax", "distribution", "zscore", "sigmoid"),
    )
]
EXACT, SINGLE = (torch.float64, 1e-9), (torch.float32, 1e-4)


def name_variant(options) -> str:
    return "-".join(options.values())


def randomize(layer: nn.Module, spread: float = 0.5) -> nn.Module:
    """Give every parameter and statistic a value that no initialization would."""
    with torch.no_grad():
        for key, value in layer.state_dict().items():
            if key.endswith("running_var"):
                value.copy_(0.3 + torch.rand_like(value))
            elif value.is_floating_point():
                value.add_(spread * torch.randn_like(value))
    return layer


def as_arrays(layer: nn.Module) -> dict[str, np.ndarray]:
    return {key: value.double().numpy().copy() for key, value in layer.state_dict().items()}


def assert_equal(got: Tensor, wanted: np.ndarray | Tensor, tolerance: float) -> None:
    wanted = torch.tensor(wanted) if isinstance(wanted, np.ndarray) else wanted.detach().double()
    got = got.detach().double().expand(wanted.shape)
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance * max(1.0, float(wanted.abs().max())))


# Batch normalization at delta = 0

BN_OPTIONS = [
    dict(),
    dict(momentum=0.3, eps=1e-3),
    dict(momentum=None),
    dict(affine=False),
    dict(track_running_stats=False),
    dict(affine=False, track_running_stats=False),
]


def twins(dtype: torch.dtype, **options) -> tuple[nn.BatchNorm2d, HyperAdaptiveBatchNorm2d]:
    bn = nn.BatchNorm2d(C, **options)
    if bn.affine:
        nn.init.normal_(bn.weight)
        nn.init.normal_(bn.bias)
    habn = HyperAdaptiveBatchNorm2d(C, **options)
    keys = habn.load_state_dict(bn.state_dict(), strict=False)
    assert not keys.unexpected_keys and all(key.startswith(("encoder.", "search.")) for key in keys.missing_keys)
    return bn.to(dtype), habn.to(dtype)


@pytest.mark.parametrize("options", BN_OPTIONS, ids=str)
@pytest.mark.parametrize("dtype, tolerance", [EXACT, SINGLE], ids=["torch", "compiled"])
def test_with_delta_zero_it_is_batch_normalization(dtype, tolerance, options):
    bn, habn = twins(dtype, **options)
    for step in range(4):
        if step == 3:
            bn.eval(), habn.eval()
        x = (2 + 3 * torch.randn(3, C, 5, 4)).to(dtype)
        inputs = x.clone().requires_grad_(), x.clone().requires_grad_()
        answers = bn(inputs[0]), habn(inputs[1])
        assert_equal(answers[1], answers[0], tolerance)
        for y in answers:
            y.sin().sum().backward()
        assert_equal(inputs[1].grad, inputs[0].grad, tolerance)
        if bn.affine:
            assert_equal(habn.weight.grad, bn.weight.grad, tolerance)
            assert_equal(habn.bias.grad, bn.bias.grad, tolerance)
        state = habn.state_dict()
        for key, value in bn.state_dict().items():
            assert_equal(state[key], value, tolerance)
        assert options.get("track_running_stats", True) == ("num_batches_tracked" in state)


def test_running_statistics_stay_true_far_from_zero():
    bn, habn = twins(torch.float32, momentum=None)
    x = 500 + torch.randn(4, C, 8, 8)
    torch.testing.assert_close(habn(x), bn(x), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(habn.running_mean, bn.running_mean, rtol=1e-6, atol=0)
    torch.testing.assert_close(habn.running_var, bn.running_var, rtol=1e-4, atol=0)


@pytest.mark.parametrize("options", [{}, {"track_running_stats": False}], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_a_single_value_per_channel_is_refused_as_bn_does(training, options):
    one = torch.randn(1, C, 1, 1)
    for layer in twins(torch.float32, **options):
        layer.train(training)
        if training or options:
            with pytest.raises(ValueError, match="more than 1 value per channel"):
                layer(one)
        else:
            assert layer(one).shape == one.shape


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, C, 1, 1), (1, C, 1, 2), (1, C, 7, 1)], ids=str)
def test_tiny_maps_are_batch_normalized(shape, training):
    bn, habn = twins(torch.float32)
    bn.train(training), habn.train(training)
    nn.init.normal_(habn.search.delta)
    x = torch.randn(shape)
    if shape[2:] == (1, 1):
        assert_equal(habn(x), bn(x), 1e-4)
    else:
        assert habn(x).isfinite().all()


@pytest.mark.parametrize("shape", [(C, 4, 4), (2, C, 4), (2, C, 4, 4, 4)], ids=str)
def test_an_input_that_is_not_four_dimensional_is_refused(shape):
    with pytest.raises(ValueError, match="expected 4D input"):
        HyperAdaptiveBatchNorm2d(C)(torch.zeros(shape))


@pytest.mark.parametrize("option", ["granularity", "units", "statistics", "context_normalization"])
def test_an_unknown_option_is_refused_with_the_ones_there_are(option):
    with pytest.raises(ValueError, match=rf"^{option} is 'nonsense'; it must be one of \w+, .*\.$"):
        HyperAdaptiveBatchNorm2d(C, **{option: "nonsense"})


# The equations


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype, tolerance", [EXACT, SINGLE], ids=["torch", "compiled"])
@pytest.mark.parametrize("options", VARIANTS, ids=name_variant)
def test_it_is_what_the_equations_say(options, dtype, tolerance, training):
    layer = randomize(HyperAdaptiveBatchNorm2d(C, hidden_features=3, **options)).to(dtype).train(training)
    x = (1 + 2 * torch.randn(2, C, 4, 5)).to(dtype)
    chosen = {k: v for k, v in options.items() if k != "granularity"}
    wanted = oracle.habn(x.double().numpy(), as_arrays(layer), training=training, **chosen)
    parameters = layer.effective_parameters(x)
    assert_equal(layer.context(x), wanted.context, tolerance)
    for field in ("scale", "bias", "mean", "var"):
        assert_equal(getattr(parameters, field), getattr(wanted, field), tolerance)
    assert_equal(layer(x), wanted.y, tolerance)
    assert_equal(layer.running_mean, wanted.running_mean, tolerance)
    assert_equal(layer.running_var, wanted.running_var, tolerance)


@pytest.mark.parametrize("layout", ["channels_last", "transposed", "sliced"])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_memory_layout_changes_nothing(layout, training):
    layer = randomize(HyperAdaptiveBatchNorm2d(C, granularity="channel")).train(training)
    x = torch.randn(2, C, 4, 6)
    other = {
        "channels_last": x.to(memory_format=torch.channels_last),
        "transposed": x.mT.contiguous().mT,
        "sliced": torch.stack([x, x], -1).flatten(3)[..., ::2],
    }[layout]
    assert other.stride() != x.stride()
    state = as_arrays(layer)
    assert_equal(layer(other), oracle.habn(x.numpy(), state, training=training).y, 1e-4)


def test_each_picture_may_bring_its_own_scale_and_bias():
    layer = randomize(HyperAdaptiveBatchNorm2d(C)).double().eval()
    x, weight, bias = torch.randn(3, C, 4, 5).double(), torch.randn(3, C).double(), torch.randn(3, C).double()
    wanted = oracle.habn(x.numpy(), as_arrays(layer), training=False, weight=weight.numpy(), bias=bias.numpy())
    assert_equal(layer(x, weight, bias), wanted.y, 1e-9)
    assert_equal(layer.effective_parameters(x, weight, bias).scale, wanted.scale, 1e-9)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("options", VARIANTS[::4] + VARIANTS[1:4], ids=name_variant)
def test_gradients_are_those_of_finite_differences(options, training):
    options = options | {"momentum": 0.0}  # s by a sigmoid follows the running statistics, which must stand still
    layer = randomize(HyperAdaptiveBatchNorm2d(3, hidden_features=2, search=True, **options)).double().train(training)
    with torch.no_grad():
        layer.search.delta.abs_().clamp_(0.1, 0.9)  # inside [0, 1], where "own" has a slope
        layer.encoder.conv2.weight.abs_()
        layer.encoder.conv3.weight.abs_()
    names = [name for name, _ in layer.named_parameters()]

    def function(x, *parameters):
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), x)

    x = torch.randn(2, 3, 3, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(function, (x, *layer.parameters()))


def test_the_compiled_layer_has_the_gradients_of_the_exact_one():
    layer = randomize(HyperAdaptiveBatchNorm2d(C, search=True)).train()
    exact = copy.deepcopy(layer).double()
    x = torch.randn(3, C, 6, 5)
    gradients = []
    for module, value in ((layer, x), (exact, x.double())):
        value = value.clone().requires_grad_()
        module(value).sin().sum().backward()
        gradients.append([value.grad, *(p.grad for p in module.parameters())])
    for got, wanted in zip(*gradients, strict=True):
        assert wanted.abs().max() > 0
        assert_equal(got, wanted, 1e-4)


def test_under_autocast_it_is_batch_normalization_in_bfloat16():
    bn, habn = twins(torch.float32)
    x = torch.randn(4, C, 8, 8).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        y, wanted = habn(x), bn(x)
        assert y.dtype == wanted.dtype == torch.bfloat16
    torch.testing.assert_close(y, wanted, rtol=1e-2, atol=2e-2)
    torch.testing.assert_close(habn.running_mean, bn.running_mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(habn.running_var, bn.running_var, rtol=1e-4, atol=1e-5)


def test_under_autocast_the_context_keeps_its_precision():
    layer, x = randomize(HyperAdaptiveBatchNorm2d(C, hidden_features=4)), torch.randn(2, C, 6, 7).bfloat16()
    wanted = layer.context(x.float())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.context(x), wanted)


def test_a_network_trains_under_autocast():
    network = nn.Sequential(nn.Conv2d(3, C, 3), randomize(HyperAdaptiveBatchNorm2d(C)), nn.Conv2d(C, 2, 1))
    with torch.autocast("cpu", torch.bfloat16):
        loss = network(torch.randn(2, 3, 9, 9)).float().square().mean()
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_effective_parameters_leave_running_statistics_alone():
    layer = randomize(HyperAdaptiveBatchNorm2d(C)).train()
    before = as_arrays(layer)
    layer.effective_parameters(torch.randn(2, C, 3, 3))
    assert all(np.array_equal(value, before[key]) for key, value in as_arrays(layer).items())


# Whatever comes in

NUMBERS = st.floats(-(2**50), 2**50, width=32)  # about 1e15
DELTAS = st.floats(-1e6, 1e6, width=32)


@given(
    options=st.sampled_from(VARIANTS),
    training=st.booleans(),
    shape=st.tuples(st.integers(1, 2), st.just(2), st.integers(1, 3), st.integers(2, 3)),
    data=st.data(),
)
def test_finite_input_never_gives_nan_whatever_delta_is(options, training, shape, data):
    layer = HyperAdaptiveBatchNorm2d(2, hidden_features=1, **options).train(training)
    size = layer.search.delta.numel()
    delta = torch.tensor(data.draw(st.lists(DELTAS, min_size=size, max_size=size)))
    with torch.no_grad():
        layer.search.delta.copy_(delta.view_as(layer.search.delta))
    count = torch.Size(shape).numel()
    x = torch.tensor(data.draw(st.lists(NUMBERS, min_size=count, max_size=count))).view(shape)
    for memory in (torch.float32, torch.float64):
        layer = layer.to(memory)
        assert layer(x.to(memory)).isfinite().all()
        assert layer.context(x.to(memory)).isfinite().all()
        assert all(p.isfinite().all() for p in layer.effective_parameters(x.to(memory)))


@pytest.mark.parametrize("normalization", ["minmax", "distribution", "zscore"])
@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=5, max_size=5),
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    memory_format=st.sampled_from([torch.contiguous_format, torch.channels_last]),
)
def test_a_constant_map_has_no_context_and_is_batch_normalized(normalization, values, height, width, memory_format):
    bn, habn = nn.BatchNorm2d(5).eval(), HyperAdaptiveBatchNorm2d(5, context_normalization=normalization).eval()
    nn.init.constant_(habn.search.delta, 1.5)
    for convolution in (habn.encoder.conv1, habn.encoder.conv2, habn.encoder.conv3):
        nn.init.constant_(convolution.bias, 0.7)
    x = torch.tensor(values)[None, :, None, None].repeat(1, 1, height, width).to(memory_format=memory_format)
    assert not habn.context(x).any()
    assert_equal(habn(x), bn(x), 1e-4)


@pytest.mark.parametrize("normalization", ["minmax", "distribution", "zscore"])
def test_context_is_normalized_within_each_picture(normalization):
    encoder = SpatialContextEncoder(C, 4, normalization)
    s = encoder(torch.randn(3, C, 8, 9) * torch.tensor([1.0, 50.0, 0.1])[:, None, None, None]).detach()
    assert s.shape == (3, 1, 8, 9)
    for picture in s:
        if normalization == "minmax":
            assert picture.min() == 0 and picture.max() == pytest.approx(1, abs=1e-3)
        elif normalization == "distribution":
            assert picture.min() == 0 and float(picture.sum()) == pytest.approx(72, rel=1e-2)
        else:
            assert float(picture.mean()) == pytest.approx(0, abs=1e-4)
            assert float(picture.std(correction=0)) == pytest.approx(1, abs=1e-3)


def test_a_sigmoid_lets_a_whole_picture_stand_out():
    layer = HyperAdaptiveBatchNorm2d(C, context_normalization="sigmoid").eval()
    for convolution in (layer.encoder.conv1, layer.encoder.conv2, layer.encoder.conv3):
        nn.init.ones_(convolution.weight)
    x = torch.randn(1, C, 8, 9)
    usual, unusual = layer.context(torch.cat([x, 5 * x])).detach()
    assert float(unusual.mean()) > float(usual.mean()) + 0.1
    alone = layer.context(x)[0].detach()
    assert_equal(alone, usual, 1e-6)  # what else is in the batch does not matter
    assert_equal(layer.context(x[..., :4])[0], alone[..., :4].double(), 1e-6)


def test_a_sigmoid_without_running_statistics_sees_x_itself():
    layer = randomize(HyperAdaptiveBatchNorm2d(C, track_running_stats=False, context_normalization="sigmoid"))
    x = torch.randn(2, C, 5, 4)
    state = as_arrays(layer) | {"running_mean": np.zeros(C), "running_var": np.full(C, 1 - 1e-5)}
    assert_equal(layer.context(x), oracle.context(x.double().numpy(), state, "sigmoid"), 1e-5)


# No encoder starts dead


def feature_maps() -> Tensor:
    """Noise, all-positive noise far from zero, and what a fresh convolution makes of a street scene: (3, 24, 18,
    24).
    """
    image = torch.tensor(draw_scene(7, 72, 96).image).permute(2, 0, 1)[None] / 255
    scene = F.avg_pool2d(nn.Conv2d(3, 24, 3, padding=1)(image).relu(), 8)
    noise = torch.randn(1, 24, 9, 12)
    return torch.cat([noise, 20 + noise.abs(), scene]).detach()


@pytest.mark.parametrize("hidden", range(1, 17))
def test_no_encoder_of_300_starts_dead(hidden):
    maps, encoders = feature_maps(), []
    for seed in range(300):
        torch.manual_seed(seed)
        encoders.append(SpatialContextEncoder(24, hidden))
    parameters, _ = torch.func.stack_module_state(encoders)
    s = torch.func.vmap(lambda p: torch.func.functional_call(encoders[0], p, maps))(parameters)
    assert s.shape == (300, 3, 1, 9, 12)
    assert s.amax((2, 3, 4)).min() > 0.5


def test_a_fresh_layer_moves_off_plain_batch_normalization():
    layer = HyperAdaptiveBatchNorm2d(C)
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    before = as_arrays(layer)
    for _ in range(2):  # delta first; the encoder's gradient is a multiple of delta
        optimizer.zero_grad()
        layer(torch.randn(2, C, 8, 8)).sin().square().sum().backward()
        optimizer.step()
    after = as_arrays(layer)
    weights = [key for key in after if key.startswith("encoder.") and key.endswith("weight")]
    assert all((after[key] != before[key]).any() for key in weights)
    assert (after["search.delta"] != 0).all()


# The search


def searching_layer() -> HyperAdaptiveBatchNorm2d:
    layer = randomize(HyperAdaptiveBatchNorm2d(C, search=True)).double().eval()
    with torch.no_grad():
        layer.search.logits.copy_(torch.tensor([2.0, -1.0, 0.5, -3.0]))
    return layer


@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_gates_multiply_delta(temperature):
    layer = searching_layer()
    layer.search.temperature = temperature
    gates = 1 / (1 + np.exp(-np.array([2.0, -1.0, 0.5, -3.0]) / temperature))
    x = torch.randn(2, C, 4, 5).double()
    assert_equal(layer(x), oracle.habn(x.numpy(), as_arrays(layer), training=False, gates=gates).y, 1e-9)
    state = layer.search_state()
    assert_equal(state.gates, gates, 1e-12)
    assert (state.temperature, state.discrete) == (temperature, False)


def test_discretizing_opens_or_closes_each_gate_for_good():
    layer = searching_layer()
    x = torch.randn(2, C, 4, 5).double()
    before = layer.search.delta.detach().clone(), layer.search.gates.detach().clone()
    layer.discretize()
    assert_equal(layer.search.delta.detach(), before[0] * before[1].view(4, *[1] * (before[0].dim() - 1)), 1e-12)
    state = layer.search_state()
    assert state.discrete and state.gates.tolist() == [1, 0, 1, 0]
    wanted = oracle.habn(x.numpy(), as_arrays(layer), training=False, gates=(1, 0, 1, 0))
    assert_equal(layer(x), wanted.y, 1e-9)
    parameters = layer.effective_parameters(x)
    assert parameters.bias.shape == parameters.var.shape == (1, C, 1, 1), "a closed parameter is the same everywhere"
    layer.discretize()
    assert layer.search_state().gates.tolist() == [1, 0, 1, 0]


def test_a_layer_whose_gates_are_closed_is_batch_normalization():
    layer = searching_layer().eval()
    calls = []
    layer.encoder.register_forward_hook(lambda *_: calls.append(1))
    x = torch.randn(2, C, 4, 5).double()
    layer(x)
    assert len(calls) == 1
    layer.discretize(least=2.0)
    expected = F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps)
    assert torch.equal(layer(x), expected) and len(calls) == 1
    with pytest.raises(ValueError, match="4D"):
        layer(x[0])


def test_gates_on_another_device_are_read_when_they_change(monkeypatch):
    search = DifferentiableSearch(4)
    reads = []
    read = search._read_closed
    monkeypatch.setattr(search, "_read_closed", lambda: (reads.append(1), read()))
    assert all(d is not None for d in search()) and search() and len(reads) == 2, "on a CPU every time"
    closed = search.closed
    monkeypatch.setattr(search, "_version_of_closed", lambda: (closed.data_ptr(), closed._version))
    read()
    reads.clear()
    assert search() and search() and not reads
    closed[1] = 1
    assert search()[1] is None and search() and len(reads) == 1


def test_gates_close_below_the_least_opening_that_is_asked_for():
    layer = searching_layer()  # gates of 0.88, 0.27, 0.62 and 0.05
    layer.discretize(least=0.25)
    assert layer.search_state().gates.tolist() == [1, 1, 1, 0]


def test_a_searched_layer_trains_on_and_loads_into_a_plain_one():
    layer = searching_layer()
    layer.discretize()
    layer(torch.randn(2, C, 4, 5).double()).sin().sum().backward()
    assert (layer.search.delta.grad != 0).tolist() == [True, False, True, False]
    plain = HyperAdaptiveBatchNorm2d(C).double().eval()
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(1, C, 3, 3).double()
    assert torch.equal(plain(x), layer(x))


@pytest.mark.parametrize("wanted", [0.0, 0.6, 1.0])
def test_a_share_of_own_statistics_stays_within_0_and_1(wanted):
    layer = HyperAdaptiveBatchNorm2d(1, granularity="channel", statistics="own").eval()
    x = 3 + torch.randn(1, 1, 6, 6)
    context = layer.context(x).detach()
    target = x - wanted * context * x.mean()
    for start in (-0.2, 1.2):
        nn.init.constant_(layer.search.delta, 0)
        nn.init.constant_(layer.search.delta[2], start)
        optimizer = torch.optim.Adam([layer.search.delta], 0.05)
        for _ in range(150):
            optimizer.zero_grad()
            own = layer.effective_parameters(x).mean
            ((x - own) - target).square().mean().backward()
            optimizer.step()
        shares = layer.effective_parameters(x).mean.detach() / x.mean() / context.clamp(min=1e-6)
        assert float(shares[context > 0.1].mean()) == pytest.approx(wanted, abs=0.05)


# Converting networks


def nested_network(**options) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, C, 3),
        nn.BatchNorm2d(C, **options),
        nn.ModuleDict({"inner": nn.Sequential(nn.ReLU(), nn.BatchNorm2d(C, **options))})["inner"],
        nn.Conv2d(C, 2, 1),
    )


def layers_of(network: nn.Module, kind: type) -> list[nn.Module]:
    return [module for module in network.modules() if type(module) is kind]


@pytest.mark.parametrize("options", BN_OPTIONS, ids=str)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_a_network_converts_and_reverts_without_changing_its_answer(options, training):
    network = randomize(nested_network(**options)).train(training)
    x = torch.randn(2, 3, 7, 8)
    wanted = copy.deepcopy(network)(x)
    tensors = {key: id(value) for key, value in (*network.named_parameters(), *network.named_buffers())}
    classes = [type(m) for m in network.modules()]

    converted = convert_batch_norm(network, hidden_features=2)
    assert len(layers_of(converted, HyperAdaptiveBatchNorm2d)) == 2 and not layers_of(converted, nn.BatchNorm2d)
    assert all(module.training == training for module in converted.modules())
    held = {key: id(value) for key, value in (*converted.named_parameters(), *converted.named_buffers())}
    assert all(held[key] == tensor for key, tensor in tensors.items())
    assert_equal(copy.deepcopy(converted)(x), wanted, 1e-4)

    reverted = revert_batch_norm(converted)
    assert [type(m) for m in reverted.modules()] == classes
    assert tensors == {key: id(value) for key, value in (*reverted.named_parameters(), *reverted.named_buffers())}
    assert all(module.training == training for module in reverted.modules())
    assert torch.equal(reverted(x), wanted)


def test_a_single_layer_converts_and_reverts():
    bn = nn.BatchNorm2d(C, eps=1e-3, momentum=0.2)
    habn = convert_batch_norm(bn, granularity="channel")
    assert isinstance(habn, HyperAdaptiveBatchNorm2d) and (habn.eps, habn.momentum) == (1e-3, 0.2)
    assert habn.weight is bn.weight and habn.search.delta.shape == (4, C)
    reverted = revert_batch_norm(habn)
    assert type(reverted) is nn.BatchNorm2d and reverted.running_var is bn.running_var


def test_converting_twice_changes_nothing():
    network = convert_batch_norm(nested_network())
    layers = layers_of(network, HyperAdaptiveBatchNorm2d)
    assert layers_of(convert_batch_norm(network), HyperAdaptiveBatchNorm2d) == layers


def test_a_layer_that_stands_in_two_places_is_still_one_layer():
    shared = nn.BatchNorm2d(C)
    network = convert_batch_norm(nn.ModuleDict({"first": shared, "second": shared, "block": nn.Sequential(shared)}))
    assert network["first"] is network["second"] is network["block"][0]
    assert isinstance(network["first"], HyperAdaptiveBatchNorm2d)
    reverted = revert_batch_norm(network)
    assert reverted["first"] is reverted["second"] is reverted["block"][0]
    assert type(reverted["first"]) is nn.BatchNorm2d


def test_the_type_of_a_converted_network_is_kept():
    network = convert_batch_norm(nested_network().double().eval())
    assert network(torch.randn(1, 3, 6, 6).double()).dtype == torch.float64
    assert {p.dtype for p in network.parameters()} == {torch.float64}


def test_added_parameters_are_counted():
    network = nested_network()
    assert parameter_overhead(network).added == 0
    before = sum(p.numel() for p in network.parameters())
    added = 2 * (C * 2 + 2 + 2 * 2 + 2 + 2 + 1 + 4)  # three convolutions with biases, and delta
    least = 2 * (C + 1 + 1 + 1 + 1 + 1 + 4)
    overhead = parameter_overhead(convert_batch_norm(network, hidden_features=2))
    assert overhead == (before + added, added, added / before, 2, least / before)
