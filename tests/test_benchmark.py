"""The benchmark runs; how fast anything is, no test asserts."""

import json

import pytest
import torch
from torch import nn

from habn.commands import benchmark, benchmark_candidates
from habn.networks.peers import PEERS


def test_every_row_is_measured_in_turns_and_written_with_its_machine(tmp_path, capsys):
    path = tmp_path / "timings.json"
    sizes = ["--shapes", "1x4x6x8", "--picture", "1x3x16x16", "--batch", "2x3x16x16", "--repeats", "2"]
    threads = torch.get_num_threads()
    try:
        benchmark.main([*sizes, "--threads", "1", "--json", str(path)])
    finally:
        torch.set_num_threads(threads)
    report = json.loads(path.read_text())
    found = {(t["what"], t["work"], t["precision"], t["norm"]) for t in report["timings"]}
    every = benchmark_candidates.LAYERS
    assert {n for what, work, _, n in found if (what, work) == ("network", "evaluation")} == {
        *every, benchmark.FOLDED, benchmark.SHIPPED
    }  # fmt: skip
    for precision in ("float32", "bfloat16"):
        assert {("network", "training step", precision, norm) for norm in every} <= found
    assert {("layer", "evaluation", "float32", norm) for norm in every} <= found
    assert len([t for t in report["timings"] if t["what"] == "layer, growth"]) == 4 * len(benchmark.GROWTH)
    assert all(t["ratio"] == 1 for t in report["timings"] if t["norm"] == "bn")
    assert report["hardware"] and report["commit"]
    assert capsys.readouterr().out.count("\n| ") == len(report["timings"]), "a line each, beneath the head"


def test_a_folded_network_gives_the_same_answer():
    network = benchmark.build("bn").eval()
    for value in network.state_dict().values():
        if value.dim() == 1:
            value.uniform_(0.5, 2)
    x = torch.rand(1, 3, 24, 32)
    folded = benchmark.fold(network)
    assert not [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d)]
    torch.testing.assert_close(folded(x), network(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("norm", PEERS)
def test_a_peer_keeps_the_shape_and_learns(norm):
    layer, x = PEERS[norm](6), torch.randn(2, 6, 9, 8)
    y = layer(x)
    assert y.shape == x.shape
    y.square().mean().backward()
    assert all(p.grad is not None for p in layer.parameters())
    assert layer.eval()(x).isfinite().all()


def test_peers_that_are_neutral_normalize_as_their_formula_says():
    x = 3 + 2 * torch.randn(4, 6, 9, 8)
    attentive = PEERS["attentive"](6)
    nn.init.zeros_(attentive.attention[0].weight), nn.init.constant_(attentive.attention[0].bias, -3)
    attentive.attention[0].bias.data[0] = 3  # all attention on the first of the mixtures
    torch.testing.assert_close(attentive(x), nn.BatchNorm2d(6)(x))
    switchable = PEERS["switchable"](6)
    with torch.no_grad():
        switchable.mean_weight[2] = switchable.var_weight[2] = 1000
    torch.testing.assert_close(switchable(x), nn.BatchNorm2d(6)(x), rtol=1e-4, atol=1e-4)
    region = PEERS["region"](6)
    for conv in (region.gamma, region.beta):
        nn.init.zeros_(conv.weight), nn.init.zeros_(conv.bias)
    nn.init.zeros_(region.region.weight), nn.init.constant_(region.region.bias, 9)  # one region
    torch.testing.assert_close(region(x), nn.InstanceNorm2d(6)(x), rtol=1e-4, atol=1e-4)


def test_candidates_take_turns_and_the_first_turn_does_not_count():
    calls = []
    seconds = benchmark.take_turns({name: lambda name=name: calls.append(name) for name in "ab"}, 3)
    assert "".join(calls) == "ab" * 4
    assert [len(times) for times in seconds.values()] == [3, 3]


def test_a_wrong_shape_is_refused_in_one_sentence(capsys):
    with pytest.raises(SystemExit):
        benchmark.main(["--shapes", "64x180"])
    assert "'64x180' is no shape; write it as 1x64x180x240" in capsys.readouterr().err
