"""Networks as ONNX: the answer, every layer and every knob as PyTorch has them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from habn.checkpoints import LoadedNetwork, save_checkpoint
from habn.commands import export as command
from habn.comparison.painting import Painting
from habn.data.segmentation import STREET_CLASSES
from habn.export import files
from habn.export.graph import BLEND, Knobs
from habn.hooks.intervention import CONTEXTS, Intervention, intervening
from habn.hooks.recording import recording
from habn.layers import HyperAdaptiveBatchNorm
from habn.networks import build_network

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
DOCS = Path(__file__).parent.parent / "docs" / "onnx.md"
SMALL = {
    "spvcnn": dict(widths=(6, 8, 10), dilations=(1, 2)),
    "cfanet": dict(channels=(6, 8, 10), num_blocks=1, num_styles=9),
}


def build(name: str, norm: str) -> LoadedNetwork:
    """A small network whose layers all adapt by a lot, but for one that is closed and one that is half closed."""
    torch.manual_seed(3)
    network = build_network(name, norm, **SMALL[name]).eval()
    adapting = [layer for layer in network.modules() if isinstance(layer, HyperAdaptiveBatchNorm)]
    with torch.no_grad():
        for layer in network.modules():
            if getattr(layer, "running_var", None) is not None:
                layer.running_var.uniform_(0.5, 2)
                layer.running_mean.normal_(std=0.2)
        for layer in adapting:
            layer.search.delta.uniform_(-0.3, 0.6)
        for layer, closed in zip(adapting, ([1, 1, 1, 1], [1, 0, 0, 1]), strict=False):
            layer.search.closed.copy_(torch.tensor(closed))
    for layer in adapting:
        layer.search._read_closed()
    return LoadedNetwork(network, {"classes": list(STREET_CLASSES)}, "")


@pytest.fixture(scope="module")
def plus() -> files.Exported:
    return files.export(build("spvcnn", "habn-plus"))


@pytest.fixture(scope="module")
def run(plus):
    return files.open_session(plus.model + plus.layers)


def picture() -> torch.Tensor:
    return torch.rand(1, 3, 45, 70, generator=torch.Generator().manual_seed(5))


def inputs_of(exported: files.Exported, *tensors: torch.Tensor) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in zip(exported.graph.inputs, tensors, strict=True)}


def as_trained(exported: files.Exported) -> tuple[torch.Tensor, ...]:
    return exported.graph.flat(Knobs.as_trained(len(exported.graph.names), len(set(exported.graph.sizes))))


@pytest.mark.parametrize(("name", "norm"), [("spvcnn", "bn"), ("cfanet", "bn"), ("cfanet", "in")])
def test_every_output_is_pytorchs(name, norm):
    assert files.check(files.export(build(name, norm))) < files.TOLERANCE


def test_the_layers_are_what_a_recording_says(plus, run):
    got = run(inputs_of(plus, picture(), *as_trained(plus)))
    with torch.no_grad(), recording(plus.graph.network) as records:
        plus.graph.network(picture())
    assert [record.name for record in records] == plus.graph.names
    for record in records:
        for part, wanted in (("x", record.x), ("y", record.y), ("s", record.context[None])):
            np.testing.assert_allclose(got[f"{record.name}.{part}"][0], wanted, rtol=1e-3, atol=1e-4)
        for part in ("static", "slope"):
            np.testing.assert_allclose(got[f"{record.name}.{part}"][0], getattr(record, part), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("context", CONTEXTS)
def test_knobs_do_what_an_intervention_does(plus, run, context):
    painted = np.random.default_rng(0).random((7, 9), np.float32) if context == "painted" else None
    layers = frozenset(plus.graph.names[1::2])
    intervention = Intervention((0.5, 2, 0, 1.5), context, painted, layers)
    network = plus.graph.network
    with torch.no_grad():
        plain = network(picture())
        with intervening(network, intervention), recording(network) as records:
            wanted = network(picture()).numpy()
    shapes = sorted({record.context.shape for record in records}, reverse=True)
    knobs = Knobs.of(intervention, plus.graph.names, shapes)
    got = run(inputs_of(plus, picture(), *plus.graph.flat(knobs)))["answer"]
    assert np.abs(wanted - plain.numpy()).max() > 1e-3
    np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=2e-5)


def test_a_blend_has_every_context():
    assert set(BLEND) == set(CONTEXTS)


def test_several_pictures_and_styles_at_once():
    exported = files.export(build("cfanet", "habn-plus"))
    pixels = torch.cat([picture(), picture().flip(3)])
    style = torch.cat([Painting("udnie", strength=0.4).row(9), Painting("houses").row(9)])
    with torch.no_grad():
        wanted = exported.graph.network(pixels, style).numpy()
    got = files.open_session(exported.model)(inputs_of(exported, pixels, style, *as_trained(exported)))
    assert list(got) == ["answer"]
    np.testing.assert_allclose(got["answer"], wanted, atol=1e-5)


def test_the_model_alone_holds_the_weights_once(plus):
    assert len(plus.layers) < len(plus.model)
    assert list(files.open_session(plus.model)(inputs_of(plus, picture(), *as_trained(plus)))) == ["answer"]


def test_a_wrong_file_is_refused(plus):
    with torch.no_grad():
        plus.graph.network.classify.weight.mul_(1.01)
    try:
        with pytest.raises(files.ExportError, match=r"^The exported network's answer is .* off PyTorch's, .*\.$"):
            files.check(plus)
    finally:
        with torch.no_grad():
            plus.graph.network.classify.weight.div_(1.01)


def test_the_command_and_the_snippet_of_the_docs(tmp_path, monkeypatch, capsys):
    loaded = build("spvcnn", "habn")
    save_checkpoint(loaded.network, tmp_path / "checkpoint", loaded.metadata, "")
    command.main(["--to", "onnx", str(tmp_path / "checkpoint"), str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert all(f"out/{name}" in printed for name in ("model.onnx", "layers.onnx", "network.json"))
    facts = json.loads((tmp_path / "out" / "network.json").read_text())
    assert facts["layers"][0]["delta"] and facts["classes"] == list(STREET_CLASSES)
    Image.new("RGB", (64, 48), "grey").save(tmp_path / "photo.jpg")
    snippet = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "docs/onnx.md", "exec"), {})
    assert "(1, 1, 24, 32)" in capsys.readouterr().out


def test_a_missing_checkpoint_is_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match=r"^error: There is no checkpoint folder 'nowhere'"):
        command.main(["--to", "onnx", "nowhere", str(tmp_path)])
