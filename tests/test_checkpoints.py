"""A checkpoint comes back as it was saved, or is refused in one sentence that names file, key and remedy."""

import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from safetensors.torch import load_file, save_file
from torch import nn

from habn.checkpoints import CHECKPOINTS, CheckpointError, load_checkpoint, open_checkpoint, save_checkpoint
from habn.checkpoints.card import write_card
from habn.hooks.recording import recording
from habn.networks import build_network
from habn.scenes import draw_scene

SHIPPED = sorted(path.parent for path in Path(__file__).parent.parent.glob("checkpoints/*/config.json"))
TINY = dict(num_classes=3, widths=(2, 3, 4), dilations=(1,))


def build_tiny(norm: str = "habn", **options) -> nn.Module:
    network = build_network("spvcnn", norm, options or None, **TINY)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.add_(0.1 * torch.rand_like(value))
    return network.eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good checkpoint, to be spoilt."""
    save_checkpoint(build_tiny(), tmp_path / "tiny", {"classes": ["a", "b", "c"]}, "# Tiny\n")
    return tmp_path / "tiny"


def refusal(folder_or_hub_id) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder_or_hub_id)
    message = str(caught.value)
    assert "\n" not in message and message.endswith("."), f"not one sentence: {message}"
    assert caught.value.__cause__ is None and len(message) < 500
    return message


def change_weights(folder: Path, change) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def change_config(folder: Path, change) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("norm", ["bn", "habn", "habn-plus", "film", "in"])
def test_a_checkpoint_comes_back_as_it_was_saved(norm, tmp_path):
    network = build_tiny(norm)
    save_checkpoint(network, tmp_path / "deep" / "er", {"classes": ["a", "b", "c"], "data": "none"}, "# Card\n")
    opened = open_checkpoint(tmp_path / "deep" / "er")
    loaded = opened.network
    assert not loaded.training and (loaded.name, loaded.norm) == ("spvcnn", norm)
    assert opened.metadata["classes"] == ["a", "b", "c"] and opened.metadata["data"] == "none"
    assert opened.digest == hashlib.sha256((tmp_path / "deep" / "er" / "model.safetensors").read_bytes()).hexdigest()
    assert (tmp_path / "deep" / "er" / "README.md").read_text() == "# Card\n"
    for key, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    pixels = torch.rand(1, 3, 20, 24)
    assert torch.equal(loaded(pixels), network(pixels))


def test_a_network_in_channels_last_memory_is_saved_the_same(tmp_path):
    network = build_tiny()
    save_checkpoint(network.to(memory_format=torch.channels_last), tmp_path, {}, "")
    assert all(torch.equal(v, network.state_dict()[k]) for k, v in load_checkpoint(tmp_path).state_dict().items())


def test_half_precision_weights_are_read_as_float32(folder):
    change_weights(folder, lambda w: w.update({k: v.half() if v.is_floating_point() else v for k, v in w.items()}))
    assert {p.dtype for p in load_checkpoint(folder).parameters()} == {torch.float32}


def test_closed_gates_come_back_closed(tmp_path):
    network = build_tiny(search=True)
    for module in network.modules():
        if hasattr(module, "search"):
            nn.init.constant_(module.search.logits, -1)
            module.discretize()
    network.config = {**network.config, "norm_options": {}}
    save_checkpoint(network, tmp_path, {}, "")
    loaded = load_checkpoint(tmp_path)
    assert not loaded.stem.norm.search_state().gates.any()


def test_a_folder_that_is_not_there(tmp_path):
    message = refusal(tmp_path / "nothing")
    assert str(tmp_path / "nothing") in message and "give a folder or a Hub id" in message


def test_a_hub_id_that_cannot_be_reached():
    message = refusal("nobody/no-such-checkpoint")
    assert "nobody/no-such-checkpoint" in message and "check the name or the connection" in message


@pytest.fixture
def cached(folder, tmp_path, monkeypatch) -> Path:
    """A good checkpoint as the Hub's cache holds it, under the name someone/tiny."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshot = tmp_path / "hub" / "models--someone--tiny" / "snapshots" / ("0" * 40)
    (snapshot.parent.parent / "refs").mkdir(parents=True)
    (snapshot.parent.parent / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folder, snapshot)
    return snapshot


def hub_says(monkeypatch, error: Exception) -> None:
    def refuse(api, repo_id, timeout):
        raise error

    monkeypatch.setattr("habn.checkpoints.files.HfApi.model_info", refuse)


def test_a_checkpoint_in_the_cache_needs_no_hub(cached):
    assert open_checkpoint("someone/tiny").metadata["classes"] == ["a", "b", "c"]


@pytest.mark.parametrize("lost", ["config.json", "model.safetensors"])
def test_a_cache_of_some_files_is_not_taken_for_all(cached, lost, monkeypatch):
    kept = (cached / lost).read_bytes()
    (cached / lost).unlink()
    assert "could not be reached" in refusal("someone/tiny")

    def download(repo_id, allow_patterns, local_files_only=False, etag_timeout=None):
        if not local_files_only:
            (cached / lost).write_bytes(kept)
        return str(cached)

    monkeypatch.setattr("habn.checkpoints.files.HfApi.model_info", lambda api, repo_id, timeout: None)
    monkeypatch.setattr("habn.checkpoints.files.snapshot_download", download)
    assert open_checkpoint("someone/tiny").metadata["classes"] == ["a", "b", "c"]


def test_a_link_of_the_cache_to_a_file_that_is_gone(cached):
    (cached / "model.safetensors").unlink()
    (cached / "model.safetensors").symlink_to("../../blobs/gone")
    assert "could not be reached" in refusal("someone/tiny")


def test_a_repository_that_lacks_a_file(cached, monkeypatch):
    (cached / "model.safetensors").unlink()
    monkeypatch.setattr("habn.checkpoints.files.HfApi.model_info", lambda api, repo_id, timeout: None)
    monkeypatch.setattr("habn.checkpoints.files.snapshot_download", lambda **wanted: str(cached))
    message = refusal("someone/tiny")
    assert "lacks model.safetensors" in message and "could not be reached" not in message


def answered(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    return kind("refused", response=SimpleNamespace(headers={}, status_code=status, request=None))


@pytest.mark.parametrize("error, words", [
    (answered(GatedRepoError, 403), ["is gated", "https://huggingface.co/someone/else", "hf auth login"]),
    (answered(RepositoryNotFoundError, 401), ["knows no such repository", "private", "check the name"]),
    (answered(HfHubHTTPError, 503), ["error 503", "later"]),
    (answered(HfHubHTTPError, 429), ["error 429", "later"]),
    (HTTPError("no route"), ["could not be reached", "connection"]),
    (OfflineModeIsEnabled("offline"), ["could not be reached", "connection"]),
    (TimeoutError("slow"), ["could not be reached", "connection"]),
    (OSError(28, "No space left on device"), ["No space left on device", "HF_HOME"]),
    (PermissionError(13, "Permission denied"), ["Permission denied", "HF_HOME"]),
], ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "")  # fmt: skip
def test_what_kept_a_checkpoint_from_coming_is_said(error, words, cached, monkeypatch):
    hub_says(monkeypatch, error)
    message = refusal("someone/else")
    assert "'someone/else'" in message and all(word in message for word in words)
    others = {"is gated", "knows no such repository", "could not be reached"} - {*words}
    assert not any(word in message for word in others)


def test_a_missing_config(folder):
    (folder / "config.json").unlink()
    message = refusal(folder)
    assert str(folder / "config.json") in message and "missing" in message


def test_missing_weights(folder):
    (folder / "model.safetensors").unlink()
    message = refusal(folder)
    assert str(folder / "model.safetensors") in message and "missing" in message


@pytest.mark.parametrize(
    "content",
    [b'{"network": ', b"\xff\xfe\x00", b"", b"[" * 100_000, b"9" * 5_000],
    ids=["cut", "bytes", "empty", "deep", "endless"],
)
def test_a_config_that_is_not_json(folder, content):
    (folder / "config.json").write_bytes(content)
    message = refusal(folder)
    assert str(folder / "config.json") in message and "not valid JSON" in message and "again" in message


@pytest.mark.parametrize("key", ["network", "norm", "config"])
def test_a_config_without_a_key(folder, key):
    change_config(folder, lambda config: config.pop(key))
    message = refusal(folder)
    assert str(folder / "config.json") in message and repr(key) in message


@pytest.mark.parametrize("content", ["[]", "3", '"text"', "null"])
def test_a_config_that_is_no_object(folder, content):
    (folder / "config.json").write_text(content)
    assert str(folder / "config.json") in refusal(folder)


@pytest.mark.parametrize("key, value, word", [
    ("network", "resnet", "spvcnn, cfanet"),
    ("norm", "batch", "habn-plus"),
    ("norm", ["bn"], "built"),
    ("config", {"depth": 5}, "depth"),
    ("config", ["widths"], "built"),
    ("config", {"widths": [4, 8]}, "built"),
    ("config", {"widths": [-4, 8, 8]}, "built"),
    ("config", {"widths": [10**12, 8, 8]}, "built"),
    ("config", {"num_classes": "many"}, "built"),
    ("config", {"norm_options": {"units": "metres"}}, "absolute, relative"),
    ("config", {"norm_options": 5}, "built"),
    ("config", {"name": "again"}, "name"),
], ids=str)  # fmt: skip
def test_a_config_of_a_network_that_cannot_be_built(folder, key, value, word):
    change_config(folder, lambda config: config.update({key: value}))
    message = refusal(folder)
    assert str(folder / "config.json") in message and word in message


def test_a_missing_key(folder):
    change_weights(folder, lambda weights: weights.pop("stem.norm.search.delta"))
    message = refusal(folder)
    assert "model.safetensors" in message and "'stem.norm.search.delta'" in message and "same training run" in message


def test_an_extra_key(folder):
    change_weights(folder, lambda weights: weights.update(extra=torch.ones(1)))
    message = refusal(folder)
    assert "model.safetensors" in message and "'extra'" in message and "same training run" in message


def test_a_wrong_shape(folder):
    change_weights(folder, lambda weights: weights.update({"classify.bias": torch.ones(4)}))
    message = refusal(folder)
    for part in ("model.safetensors", "'classify.bias'", "(4,)", "(3,)", "same training run"):
        assert part in message


@pytest.mark.parametrize("value", [torch.ones(3, dtype=torch.int64), torch.ones(3, dtype=torch.bool)], ids=str)
def test_a_wrong_type(folder, value):
    change_weights(folder, lambda weights: weights.update({"classify.bias": value}))
    message = refusal(folder)
    assert "'classify.bias'" in message and str(value.dtype) in message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite(folder, value):
    change_weights(folder, lambda weights: weights["classify.bias"].__setitem__(1, value))
    message = refusal(folder)
    assert "model.safetensors" in message and "'classify.bias'" in message and "not finite" in message


@pytest.mark.parametrize("key, value", [
    ("classify.bias", 1e30), ("classify.bias", -1e30), ("stem.norm.weight", 2e6), ("stem.norm.running_mean", 2e6),
    ("stem.norm.running_var", 2e12),
], ids=str)  # fmt: skip
def test_a_value_that_makes_no_sense(folder, key, value):
    change_weights(folder, lambda weights: weights[key].__setitem__(0, value))
    message = refusal(folder)
    assert "model.safetensors" in message and repr(key) in message and f"{abs(value):.0e}" in message


def test_a_value_that_float32_cannot_hold(folder):
    change_weights(folder, lambda w: w.update({"classify.bias": torch.full((3,), 1e300, dtype=torch.float64)}))
    assert "not finite" in refusal(folder)


@pytest.mark.parametrize("key, value", [("classify.bias", 9e5), ("stem.norm.running_var", 9e11)])
def test_large_values_within_reason_are_loaded(folder, key, value):
    change_weights(folder, lambda weights: weights[key].__setitem__(0, value))
    assert load_checkpoint(folder).state_dict()[key][0] == np.float32(value)


def test_weights_of_eight_bits_are_read_as_float32(folder):
    change_weights(folder, lambda weights: weights.update({"classify.bias": torch.ones(3).to(torch.float8_e4m3fn)}))
    assert load_checkpoint(folder).classify.bias.tolist() == [1, 1, 1]


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_pointer_of_git_lfs(folder, name):
    (folder / name).write_text(POINTER)
    message = refusal(folder)
    assert str(folder / name) in message and "git lfs pull" in message and "damaged" not in message


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_folder_in_the_place_of_a_file(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    message = refusal(folder)
    assert str(folder / name) in message and "cannot be read" in message


def test_a_negative_variance(folder):
    change_weights(folder, lambda weights: weights["stem.norm.running_var"].__setitem__(0, -1e-3))
    message = refusal(folder)
    assert "'stem.norm.running_var'" in message and "negative variance" in message


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file(folder, kept):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    message = refusal(folder)
    assert str(path) in message and "damaged" in message and "again" in message


def test_a_pickle_is_never_opened(folder):
    torch.save({"classify.bias": torch.ones(3)}, folder / "model.safetensors")
    assert "damaged" in refusal(folder)


@pytest.mark.parametrize("checkpoint", SHIPPED, ids=lambda path: path.name)
def test_every_layer_of_a_shipped_checkpoint_passes_the_truth_test(checkpoint):
    network = load_checkpoint(checkpoint)
    pixels = torch.tensor(draw_scene(3, 120, 160).image).permute(2, 0, 1)[None] / 255
    style = () if network.name == "spvcnn" else (torch.eye(network.config["num_styles"])[:1],)
    with torch.inference_mode(), recording(network) as records:
        answer = network(pixels, *style)
    assert answer.isfinite().all() and records
    for found in records:
        assert np.abs(found.rebuild() - found.y).max() <= 1e-4 * np.abs(found.y).max(), found.name


@pytest.mark.parametrize("checkpoint", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_checkpoint_is_small_and_has_a_card(checkpoint):
    assert (checkpoint / "model.safetensors").stat().st_size < 10_000_000
    assert (checkpoint / "README.md").read_text().startswith("---\n")
    assert {"data", "recipe", "training", "metrics"} <= set(open_checkpoint(checkpoint).metadata)


@pytest.mark.parametrize("folder", sorted(CHECKPOINTS.glob("*/")), ids=lambda folder: folder.name)
def test_a_shipped_card_says_what_its_metadata_says(folder):
    opened = open_checkpoint(folder)
    assert (folder / "README.md").read_text(encoding="utf-8") == write_card(
        opened.network, opened.metadata, folder.name
    )
