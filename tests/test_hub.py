"""Networks on the Hub: one's own class with the mixin, uploads, and what cards tell."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from httpx import Request as HttpRequest
from httpx import Response
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from safetensors.torch import load_file, save_file
from torch import nn

import habn
from habn.checkpoints import CHECKPOINTS, CheckpointError, open_checkpoint
from habn.checkpoints.card import write_card

COMMIT = "0" * 40


class Mine(nn.Module, habn.HubMixin):
    def __init__(self, width: int = 24, adaptive: bool = False):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, width, 3), nn.BatchNorm2d(width)
        if adaptive:
            habn.convert_batch_norm(self)

    def forward(self, pixels):
        return self.norm(self.conv(pixels))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    Mine(48, adaptive=True).save_pretrained(tmp_path / "mine")
    return tmp_path / "mine"


def test_ones_own_class_comes_back_as_it_was_saved(saved):
    torch.manual_seed(3)
    expected, loaded = Mine(48, adaptive=True).state_dict(), Mine.from_pretrained(saved)
    assert not loaded.training
    assert {*expected} == {*loaded.state_dict()} and isinstance(loaded.norm, habn.HyperAdaptiveBatchNorm2d)
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in expected.items())
    assert json.loads((saved / "config.json").read_text()) == {"width": 48, "adaptive": True}
    card = (saved / "README.md").read_text()
    assert "library_name: habn-explorer" in card and "Mine with HABN" in card


def test_loading_is_strict_and_says_which_key_does_not_fit(saved):
    weights = load_file(saved / "model.safetensors")
    save_file({k: v for k, v in weights.items() if k != "conv.bias"}, saved / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"lacks the key 'conv.bias'"):
        Mine.from_pretrained(saved)
    save_file(weights, saved / "model.safetensors")
    (saved / "config.json").write_text('{"width": 7, "adaptive": true}')
    with pytest.raises(CheckpointError, match=r"has shape .* is needed"):
        Mine.from_pretrained(saved)
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        Mine.from_pretrained(saved / "nowhere")


def test_without_network_a_sentence_says_so_and_the_cache_is_enough(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(CheckpointError, match="the Hub could not be reached"):
        Mine.from_pretrained("me/mine")
    with pytest.raises(CheckpointError, match="leave out local_files_only"):
        Mine.from_pretrained("me/mine", local_files_only=True)
    snapshot = tmp_path / "hub" / "models--me--mine" / "snapshots" / COMMIT
    (snapshot.parent.parent / "refs").mkdir(parents=True)
    (snapshot.parent.parent / "refs" / "main").write_text(COMMIT)
    saved.rename(tmp_path / "moved")
    snapshot.parent.mkdir()
    (tmp_path / "moved").rename(snapshot)
    assert Mine.from_pretrained("me/mine", local_files_only=True).conv.out_channels == 48


class StandIn:
    """The two calls of the Hub's client that an upload needs."""

    def __init__(self, error: Exception | None = None):
        self.error, self.repositories, self.files = error, {}, {}

    def create_repo(self, repo_id, private=None, exist_ok=False, **_):
        if self.error:
            raise self.error
        self.repositories[repo_id] = private
        return type("Repo", (), {"repo_id": repo_id})

    def upload_folder(self, repo_id, folder_path, **_):
        self.files[repo_id] = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}
        return f"https://hub/{repo_id}/commit/{COMMIT}"


@pytest.fixture
def hub(monkeypatch) -> StandIn:
    hub = StandIn()
    monkeypatch.setattr("habn.checkpoints.hub.HfApi", lambda token=None: hub)
    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", lambda token=None: hub)
    return hub


def test_a_network_and_a_folder_are_uploaded_whole(saved, hub):
    Mine(48).push_to_hub("me/mine", private=True)
    assert habn.push_to_hub("spvcnn-bn-camvid", "me/bn").endswith(COMMIT)
    assert hub.repositories == {"me/mine": True, "me/bn": None}
    assert {*hub.files["me/mine"]} == {*hub.files["me/bn"]} == {"README.md", "config.json", "model.safetensors"}
    assert (
        hub.files["me/bn"]["model.safetensors"] == (CHECKPOINTS / "spvcnn-bn-camvid" / "model.safetensors").read_bytes()
    )


def refused(status: int) -> HfHubHTTPError:
    return HfHubHTTPError("no", response=Response(status, request=HttpRequest("POST", "https://hub/")))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (refused(403), "error 403; log in with hf auth login"),
        (refused(500), "error 500; try again later"),
        (LocalTokenNotFoundError("no token"), "nobody is logged in"),
        (ConnectionError("no route"), "could not be reached; check the connection"),
    ],
)
def test_an_upload_that_fails_is_one_sentence(saved, hub, error, sentence):
    hub.error = error
    for upload in (lambda: Mine(48).push_to_hub("me/mine"), lambda: habn.push_to_hub(saved, "me/mine")):
        with pytest.raises(CheckpointError, match=sentence) as refusal:
            upload()
        assert "\n" not in str(refusal.value) and "me/mine" in str(refusal.value)


def test_any_network_is_saved_with_what_can_be_seen_of_it(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 24, 1), nn.BatchNorm2d(24))
    habn.save_checkpoint(network, tmp_path / "plain", {"classes": ["a", "b"]})
    config = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert config == {"network": "Sequential", "norm": "bn", "config": {}, "classes": ["a", "b"]}
    with pytest.raises(CheckpointError, match="module:factory@DIR"):
        habn.load_checkpoint(tmp_path / "plain")
    known = habn.build_network("spvcnn", "bn", num_classes=3)
    habn.save_checkpoint(known, tmp_path / "known")
    assert habn.load_checkpoint(tmp_path / "known").config == {"num_classes": 3}


CARDS = sorted(CHECKPOINTS.glob("*/README.md"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_a_card_tells_the_hub_terms_data_origin_and_figures(card):
    metadata = json.loads((card.parent / "config.json").read_text())
    said = yaml.safe_load(card.read_text(encoding="utf-8").split("---")[1])
    assert said["license"] == "other" and said["license_name"] == "research-data" and said["datasets"]
    assert said.get("base_model") == (metadata["start"] or {}).get("checkpoint")
    (index,) = said["model-index"]
    figures = {metric["type"]: metric["value"] for result in index["results"] for metric in result["metrics"]}
    expected = {k: v for split in metadata["metrics"].values() for k, v in split.items() if isinstance(v, int | float)}
    assert index["name"] == card.parent.name and figures == expected


def test_what_was_learned_from_drawn_scenes_alone_is_free():
    opened = open_checkpoint("spvcnn-bn-camvid")
    metadata = opened.metadata | {"data": "scenes", "start": None}
    card = write_card(opened.network, metadata, "mine", "me")
    assert "license: apache-2.0" in card and 'second="me/mine"' in card
    owned = write_card(opened.network, opened.metadata, "mine", "me")
    assert "base_model: me/spvcnn-bn-camvid-trunk" in owned


@pytest.mark.parametrize("name", ["spvcnn-habn-plus-camvid", "cfanet-in-styles"])
def test_the_snippet_of_a_card_runs(name, tmp_path, monkeypatch, capsys):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save("photo.jpg")
    snippet = re.search(r"```python\n(.*?)```", (CHECKPOINTS / name / "README.md").read_text(), re.DOTALL)[1]
    exec(snippet, {})
    assert (tmp_path / "answers" / "second.png").is_file()
