"""A record tells the truth: from its factors and the layer's input, the layer's output comes out again."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from habn.hooks.recording import normalization_layers, recording
from habn.layers import HyperAdaptiveBatchNorm2d, convert_batch_norm
from habn.networks import build_network
from habn.scenes import draw_scene

VARIANTS = [("spvcnn", n) for n in ("bn", "habn", "habn-plus", "in", "film")]
VARIANTS += [("cfanet", n) for n in ("bn", "habn", "habn-plus", "in", "film", "adain")]
KINDS = {"adain": "in"}  # its inner layer


def build_unruly(name: str, norm: str, **options) -> nn.Module:
    """A network in evaluation mode whose parameters, deltas and running statistics are all far from their start."""
    config = dict(widths=(6, 8, 12), dilations=(1, 2)) if name == "spvcnn" else dict(channels=(6, 8, 12), num_blocks=1)
    network = build_network(name, norm, options or None, **config)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.2, 3)
            elif key.endswith(("running_mean", "norm.bias", "delta", "condition.2.weight")):
                value.normal_(std=0.5)
            elif key.endswith("norm.weight"):
                value.normal_(1, 0.3)
    return network.eval()


def picture(name: str, seed: int = 1) -> tuple[Tensor, ...]:
    pixels = torch.tensor(draw_scene(seed, 48, 64).image).permute(2, 0, 1)[None] / 255
    return (pixels,) if name == "spvcnn" else (pixels, torch.linspace(1, 2, 8)[None].softmax(1))


def record(network: nn.Module, *arguments: Tensor):
    with torch.inference_mode(), recording(network) as records:
        network(*arguments)
    return records


def hooks_of(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def assert_true(found) -> None:
    error = np.abs(found.rebuild() - found.y).max()
    assert error <= 1e-4 * np.abs(found.y).max(), f"{found.name}: off by {error}"


@pytest.mark.parametrize("name, norm", VARIANTS)
def test_every_layer_of_every_network_passes_the_truth_test(name, norm):
    network = build_unruly(name, norm)
    records = record(network, *picture(name))
    assert [r.name for r in records] and {r.name for r in records} == {n for n, _ in normalization_layers(network)}
    assert {r.kind for r in records} == {KINDS.get(norm, norm)}
    for found in records:
        assert_true(found)
        channels, height, width = found.x.shape
        assert found.y.shape == found.x.shape and found.context.shape == (height, width)
        assert found.static.shape == found.slope.shape == (4, channels) and found.var_floor.shape == (channels,)
        arrays = (found.context, found.static, found.slope, found.delta, found.gates, found.x, found.y, found.rebuild())
        assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays)


@pytest.mark.parametrize("options", [
    dict(granularity="channel"),
    dict(units="relative"),
    dict(statistics="own"),
    dict(context_normalization="zscore"),
    dict(context_normalization="distribution"),
    dict(search=True),
], ids=str)  # fmt: skip
def test_every_way_of_adapting_passes_the_truth_test(options):
    for found in record(build_unruly("spvcnn", "habn", **options), *picture("spvcnn")):
        assert_true(found)


def test_a_wrong_record_fails_the_truth_test():
    found = record(build_unruly("spvcnn", "habn"), *picture("spvcnn"))[3]
    found.slope[0] += 0.01
    with pytest.raises(AssertionError, match=found.name):
        assert_true(found)


@pytest.mark.parametrize("norm", ["bn", "habn"])
def test_records_come_in_the_order_of_evaluation(norm):
    network = build_unruly("spvcnn", norm)
    names = [r.name for r in record(network, *picture("spvcnn"))]
    assert names[0] == "stem.norm" and names[-1] == "up_half.blend.norm"
    assert names.index("at_eighth.0.first.norm") + 1 == names.index("at_eighth.0.second.norm")
    assert len(names) == len(set(names)) == len(normalization_layers(network))


def test_effective_maps_are_the_layers_own_parameters():
    network = build_unruly("spvcnn", "habn")
    found = record(network, *picture("spvcnn"))[0]
    layer, x = network.stem.norm, torch.tensor(found.x)[None]
    with torch.no_grad():
        wanted = [p.expand_as(x)[0] for p in layer.effective_parameters(x)]
    for channel in range(len(found.x)):
        expected = np.stack([p[channel] for p in wanted])
        np.testing.assert_allclose(found.effective(channel), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found.delta, layer.search.delta.detach())


def test_the_floor_of_the_variance_is_recorded():
    network = build_unruly("spvcnn", "habn")
    nn.init.constant_(network.stem.norm.search.delta, -50)
    found = record(network, *picture("spvcnn"))[0]
    variances = np.stack([found.effective(channel)[3] for channel in range(len(found.x))])
    assert np.isclose(variances.min((1, 2)), 0.01 * found.static[3], rtol=1e-5).all()
    assert_true(found)


def test_recording_changes_no_answer():
    network, arguments = build_unruly("cfanet", "habn"), picture("cfanet")
    with torch.inference_mode():
        wanted = network(*arguments)
        with recording(network):
            assert torch.equal(network(*arguments), wanted)
        assert torch.equal(network(*arguments), wanted)


def test_hooks_are_removed_when_the_block_ends():
    network = build_unruly("spvcnn", "habn")
    with recording(network):
        assert hooks_of(network) > 0
    assert hooks_of(network) == 0


def test_hooks_are_removed_when_the_pass_raises():
    network = build_unruly("spvcnn", "habn")
    with pytest.raises(RuntimeError), recording(network):
        network(torch.zeros(1, 7, 32, 32))
    assert hooks_of(network) == 0


def test_two_recordings_in_sequence_do_not_mix():
    network = build_unruly("spvcnn", "habn")
    first, second = (record(network, *picture("spvcnn", seed)) for seed in (1, 2))
    assert len(first) == len(second) == len(normalization_layers(network))
    assert not np.array_equal(first[0].x, second[0].x)
    kept = first[0].x.copy(), first[0].context.copy()
    again = record(network, *picture("spvcnn", 1))
    np.testing.assert_array_equal(again[0].x, kept[0])
    np.testing.assert_array_equal(first[0].context, kept[1])


def test_a_record_keeps_its_numbers_when_the_network_trains_on():
    network = build_unruly("spvcnn", "habn")
    found = record(network, *picture("spvcnn"))[0]
    with torch.no_grad():
        for value in network.state_dict().values():
            value.zero_()
    assert found.static[3].min() > 0 and found.delta.any()
    assert_true(found)


def test_an_operation_in_place_after_a_layer_leaves_its_record_alone():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(inplace=True)).eval()
    found = record(network, torch.randn(1, 3, 5, 6))[0]
    assert found.y.min() < 0
    assert_true(found)


def test_a_network_in_training_mode_is_refused():
    with pytest.raises(ValueError, match=r"network\.eval\(\)"), recording(build_network("spvcnn", "bn")):
        pass


@pytest.mark.parametrize("name, norm", VARIANTS)
def test_a_batch_gives_a_record_of_each_picture(name, norm):
    network = build_unruly(name, norm)
    batches = [picture(name, seed) for seed in (1, 2, 3)]
    records = record(network, *(torch.cat(parts) for parts in zip(*batches, strict=True)))
    alone = [record(network, *batch) for batch in batches]
    assert [(r.name, r.picture) for r in records] == [(r.name, k) for r in alone[0] for k in range(3)]
    for found in records:
        assert_true(found)
        wanted = next(r for r in alone[found.picture] if r.name == found.name)
        for field in ("context", "static", "slope", "x", "y"):
            values = getattr(wanted, field)
            np.testing.assert_allclose(getattr(found, field), values, rtol=1e-3, atol=1e-3 * np.abs(values).max())


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, HyperAdaptiveBatchNorm2d])
def test_without_running_statistics_the_batch_s_are_recorded(kind):
    layer, x = (
        kind(3, track_running_stats=False).eval(),
        torch.randn(2, 3, 5, 6) + torch.tensor([0, 4])[:, None, None, None],
    )
    for found in record(layer, x):
        assert_true(found)
        np.testing.assert_allclose(found.static[2], x.mean((0, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3), (2, 3, 2, 4, 5)], ids=str)
def test_rows_and_volumes_are_recorded_in_their_own_shape(shape):
    bn = (nn.BatchNorm3d if len(shape) == 5 else nn.BatchNorm1d)(3).eval()
    x = torch.randn(shape)
    habn = convert_batch_norm(copy.deepcopy(bn))
    nn.init.normal_(habn.search.delta)
    for layer in (bn, habn):
        for found in record(layer, x):
            assert found.x.shape == shape[1:] and found.context.shape == shape[2:]
            assert found.effective(1).shape == (4, *shape[2:])
            assert_true(found)
        assert found.dead == (layer is bn or len(shape) == 2)


class NormAct(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x).relu()


def test_of_a_fused_layer_the_normalization_is_recorded():
    layer, x = NormAct(3).eval(), torch.randn(1, 3, 5, 6)
    for module in (layer, convert_batch_norm(copy.deepcopy(layer))):
        (found,) = record(module, x)
        assert found.y.min() < 0 <= float(module(x).detach().min())
        assert_true(found)


@pytest.mark.parametrize("layer", [
    nn.BatchNorm2d(3, affine=False),
    nn.BatchNorm2d(3, track_running_stats=False),
    nn.InstanceNorm2d(3, affine=True),
    nn.InstanceNorm2d(3, track_running_stats=True),
    HyperAdaptiveBatchNorm2d(3, affine=False, track_running_stats=False),
], ids=str)  # fmt: skip
def test_normalization_layers_of_other_networks_are_recorded_too(layer):
    found = record(layer.eval(), 2 + torch.randn(1, 3, 5, 6))[0]
    assert_true(found)


def test_strength_is_the_adaptation_s_relative_deviation():
    network = build_unruly("spvcnn", "habn", granularity="channel")
    found = record(network, *picture("spvcnn"))[2]
    maps = found.context * found.slope[..., None, None]
    deviation = np.sqrt(maps.var((2, 3)).mean(1))
    np.testing.assert_allclose(found.strength, deviation / np.sqrt((found.static**2).mean(1)), rtol=1e-4)


def test_a_layer_is_dead_when_its_context_is_constant():
    network = build_unruly("spvcnn", "habn")
    nn.init.constant_(network.stem.norm.encoder.conv3.weight, -1)
    records = record(network, *picture("spvcnn"))
    assert records[0].dead and not records[1].dead
    assert_true(records[0])
    assert all(r.dead and not r.strength.any() for r in record(build_unruly("spvcnn", "bn"), *picture("spvcnn")))
