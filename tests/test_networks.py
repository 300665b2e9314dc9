"""Both networks, in every variant: alike but for normalization, of any size, and within their budgets."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from habn.hooks.recording import normalization_layers
from habn.layers import HyperAdaptiveBatchNorm2d, convert_batch_norm, parameter_overhead
from habn.layers.normalization import (
    NORM_LABELS,
    AdaIN2d,
    ConditionalNorm2d,
    FiLM2d,
    build_conditional_norm_layer,
    build_norm_layer,
)
from habn.networks import build_network, count_parameters
from habn.networks.blocks import SpatiallyVariantConv2d

VARIANTS = [("spvcnn", norm) for norm in NORM_LABELS if norm != "adain"] + [("cfanet", norm) for norm in NORM_LABELS]
SMALL = {
    "spvcnn": dict(num_classes=5, widths=(4, 6, 8), dilations=(1, 2)),
    "cfanet": dict(num_styles=3, channels=(4, 6, 8), num_blocks=1),
}


def build_small(name: str, norm: str) -> nn.Module:
    return build_network(name, norm, **SMALL[name])


def inputs(name: str, height: int = 24, width: int = 32, count: int = 1) -> tuple[Tensor, ...]:
    pixels = torch.rand(count, 3, height, width)
    return (pixels,) if name == "spvcnn" else (pixels, torch.rand(count, 3).softmax(1))


@pytest.mark.parametrize("name, norm", VARIANTS)
def test_variants_differ_in_normalization_only(name, norm):
    with torch.device("meta"):
        networks = [build_network(name, "bn"), build_network(name, norm)]
    shared = []
    for network in networks:
        layers = tuple(f"{layer}." for layer, _ in normalization_layers(network))
        shared.append({k: v.shape for k, v in network.state_dict().items() if not k.startswith(layers)})
    assert shared[0] == shared[1]
    places = [[layer for layer, _ in normalization_layers(network)] for network in networks]
    assert places[0] == places[1] and len(places[0]) > 8


@pytest.mark.parametrize(("name", "norm"), VARIANTS)
def test_networks_of_one_seed_start_alike_in_all_but_normalization(name, norm):
    networks = []
    for which in ("bn", norm):
        torch.manual_seed(0)
        networks.append(build_network(name, which, **SMALL[name]))
    plain, other = networks
    layers = tuple(f"{layer}." for layer, _ in normalization_layers(plain))
    shared = {key: value for key, value in plain.state_dict().items() if not key.startswith(layers)}
    assert shared and all(torch.equal(value, other.state_dict()[key]) for key, value in shared.items())


@pytest.mark.parametrize(("name", "norm"), VARIANTS)
def test_no_two_weights_are_drawn_from_the_same_numbers(name, norm):
    torch.manual_seed(0)
    network = build_network(name, norm)
    beginnings = [p.detach().flatten()[:16] for p in network.parameters() if p.dim() > 1 and p.numel() >= 16]
    drawn = torch.stack([beginning for beginning in beginnings if beginning.unique().numel() == 16])
    correlation = torch.corrcoef(drawn) - torch.eye(len(drawn))
    assert correlation.abs().max() < 0.99, "of uniform numbers, whatever their range"


@pytest.mark.parametrize("name", ["spvcnn", "cfanet"])
def test_habn_adds_at_most_half_a_percent_of_parameters(name):
    bn, habn = build_network(name, "bn"), build_network(name, "habn")
    overhead = parameter_overhead(habn)
    assert overhead.total - overhead.added == sum(p.numel() for p in bn.parameters())
    assert 0 < overhead.share <= 0.005


@pytest.mark.parametrize("name, norm", VARIANTS)
def test_what_a_normalization_adds_is_the_difference_to_bn(name, norm):
    totals = [sum(p.numel() for p in build_network(name, which).parameters()) for which in ("bn", norm)]
    added = max(0, totals[1] - totals[0])  # AdaIN has fewer
    assert count_parameters(build_network(name, norm)) == {"parameters": totals[1], "added": added}


@pytest.mark.parametrize("name, millions", [("spvcnn", 1.5), ("cfanet", 0.8)])
def test_networks_are_small(name, millions):
    assert parameter_overhead(build_network(name, "habn")).total <= millions * 1e6


def test_a_camvid_picture_costs_at_most_four_billion_products():
    with torch.device("meta"):
        network, pixels = build_network("spvcnn", "bn").eval(), torch.empty(1, 3, 360, 480)
    counts = []

    def count(conv: nn.Conv2d, _, y: Tensor) -> None:
        counts.append(y.numel() * conv.weight[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    network(pixels)
    assert 1e9 < sum(counts) <= 4e9


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (40, 19)], ids=str)
@pytest.mark.parametrize("name, norm", VARIANTS)
def test_a_picture_of_any_size_is_answered_in_its_size(name, norm, size):
    network = build_small(name, norm).eval()
    with torch.inference_mode():
        answer = network(*inputs(name, *size))
    assert answer.shape == (1, 5 if name == "spvcnn" else 3, *size)
    assert answer.isfinite().all()
    if name == "cfanet":
        assert answer.min() >= 0 and answer.max() <= 1


@pytest.mark.parametrize("name, norm", VARIANTS)
def test_every_parameter_learns(name, norm):
    network = build_small(name, norm)
    for layer in network.modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d):
            nn.init.constant_(layer.search.delta, 0.1)  # at 0 the encoder waits for delta
        if isinstance(layer, FiLM2d):
            nn.init.normal_(layer.condition[2].weight)  # at 0 the layer before waits for this one
            nn.init.constant_(layer.condition[0].bias, 0.5)  # all of its few units may start off
    # Sines keep the loss from being invariant to what a later normalization takes away.
    network(*inputs(name, count=2)).sin().square().mean().backward()
    # A constant added to an encoder's last convolution is taken away by the normalization of s.
    idle = {n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    assert {n for n in idle if not n.endswith("encoder.conv3.bias")} == set()


@pytest.mark.parametrize("name, norm", VARIANTS)
def test_name_norm_and_config_rebuild_a_network(name, norm):
    network = build_small(name, norm)
    again = build_network(network.name, network.norm, **network.config)
    again.load_state_dict(network.state_dict())
    pixels = inputs(name)
    assert torch.equal(again.eval()(*pixels), network.eval()(*pixels))


def test_options_of_a_normalization_reach_layers_and_config():
    network = build_network("cfanet", "habn", {"granularity": "channel", "search": True}, **SMALL["cfanet"])
    layers = [m for m in network.modules() if isinstance(m, HyperAdaptiveBatchNorm2d)]
    assert layers and all(m.search.delta.dim() == 2 and m.search.logits is not None for m in layers)
    assert network.config["norm_options"] == {"granularity": "channel", "search": True}


@pytest.mark.parametrize("name", ["spvcnn", "cfanet"])
def test_a_converted_network_is_the_habn_network(name):
    bn = build_small(name, "bn")
    nn.init.normal_(next(p for key, p in bn.named_parameters() if key.endswith("norm.weight")))
    pixels = inputs(name, count=2)
    wanted = bn.eval()(*pixels)
    state = bn.state_dict()
    habn = build_small(name, "habn").eval()
    missing, unexpected = habn.load_state_dict(state, strict=False)
    assert not unexpected and all(".encoder." in key or ".search." in key for key in missing)
    converted = convert_batch_norm(bn)
    assert list(converted.state_dict()) == list(habn.state_dict())
    for network in (habn, converted):
        torch.testing.assert_close(network(*pixels), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, norm, words", [
    ("resnet", "bn", ["network 'resnet'", "spvcnn, cfanet"]),
    ("spvcnn", "batch", ["norm 'batch'", "bn, habn, habn-plus, in, film"]),
    ("cfanet", "batch", ["norm 'batch'", "adain"]),
    ("spvcnn", "adain", ["'adain' needs a style", "cfanet"]),
])  # fmt: skip
def test_an_unknown_name_is_refused_in_one_sentence(name, norm, words):
    with pytest.raises(ValueError) as caught:
        build_network(name, norm)
    message = str(caught.value)
    assert all(word in message for word in words) and message.endswith(".") and "\n" not in message


# The parts


@pytest.mark.parametrize("dilation", [1, 2])
def test_a_spatially_variant_convolution_has_a_kernel_a_pixel(dilation):
    layer = SpatiallyVariantConv2d(3, 4, num_kernels=3, dilation=dilation).double()
    x = torch.randn(2, 3, 5, 6).double()
    gates = layer.gates(x)
    torch.testing.assert_close(gates.sum(1), torch.ones(2, 5, 6).double())
    kernels = layer.kernels.weight.view(3, 4, 27)
    pixel_kernels = torch.einsum("nkhw,koi->nhwoi", gates, kernels)
    patches = F.unfold(x, 3, dilation, dilation).view(2, 27, 5, 6)
    torch.testing.assert_close(layer(x), torch.einsum("nhwoi,nihw->nohw", pixel_kernels, patches))


@pytest.mark.parametrize("norm", ["bn", "habn", "habn-plus", "in", "film"])
def test_a_style_is_a_scale_and_a_bias_and_styles_blend(norm):
    layer = build_conditional_norm_layer(norm, num_styles=3)(5).double().eval()
    plain = build_norm_layer(norm)(5, affine=False).double().eval()
    plain.load_state_dict(layer.norm.state_dict())
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    x = torch.randn(2, 5, 4, 6).double()
    style = torch.tensor([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]]).double()
    weight = torch.stack([layer.weight[1], 0.25 * layer.weight[0] + 0.25 * layer.weight[1] + 0.5 * layer.weight[2]])
    bias = torch.stack([layer.bias[1], 0.25 * layer.bias[0] + 0.25 * layer.bias[1] + 0.5 * layer.bias[2]])
    torch.testing.assert_close(layer(x, style), plain(x) * weight[..., None, None] + bias[..., None, None])


def test_habn_adapts_the_scale_and_bias_of_the_style():
    layer = ConditionalNorm2d(HyperAdaptiveBatchNorm2d, 5, 3).double().eval()
    nn.init.normal_(layer.weight)
    with torch.no_grad():
        layer.norm.search.delta[0] = 0.7
    x, style = torch.randn(1, 5, 4, 6).double(), torch.eye(3).double()[1:2]
    normal = x / (1 + layer.norm.eps) ** 0.5
    scale = layer.weight[1][:, None, None] + 0.7 * layer.norm.context(x)
    torch.testing.assert_close(layer(x, style), normal * scale)


def test_adain_is_in_with_an_affine_function_of_the_code():
    layer = AdaIN2d(5, 3)
    x, style = torch.randn(2, 5, 4, 6), torch.eye(3)[[2, 0]]
    code = layer.codes[[2, 0]]
    affine = code @ layer.to_affine.weight.T + layer.to_affine.bias
    normal = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    wanted = normal * (1 + affine[:, :5, None, None]) + affine[:, 5:, None, None]
    torch.testing.assert_close(layer(x, style), wanted, rtol=1e-4, atol=1e-5)


def test_film_begins_as_bn_and_then_follows_the_picture():
    film, bn, x = FiLM2d(5), nn.BatchNorm2d(5), torch.randn(2, 5, 4, 6)
    torch.testing.assert_close(film(x), bn(x))
    nn.init.constant_(film.condition[2].bias, 0.5)
    torch.testing.assert_close(film(x), bn(x) * 1.5 + 0.5)


def test_with_a_context_of_one_habn_plus_can_be_in(monkeypatch):
    layer = build_norm_layer("habn-plus")(5).eval()
    x = 3 + 2 * torch.randn(2, 5, 8, 9)
    with torch.no_grad():
        layer.search.delta[2:] = 1
        monkeypatch.setattr(layer.encoder, "forward", lambda x, hidden, standard: torch.ones_like(x[:, :1]))
        torch.testing.assert_close(layer(x), F.instance_norm(x), rtol=1e-4, atol=1e-4)
        layer.search.delta[2:] = 0
        torch.testing.assert_close(layer(x), F.batch_norm(x, torch.zeros(5), torch.ones(5)), rtol=1e-4, atol=1e-4)
