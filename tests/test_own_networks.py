"""Networks of one's own beside each other: by type of their layers, whatever they take and answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import habn
from habn.comparison.compared import load_network, palette_of
from habn.comparison.own import OwnNetwork, OwnNetworkError
from habn.comparison.request import RequestError, pairs_of_owner
from tests import own_networks

ROOT = Path(__file__).parent.parent
HERE = "tests.own_networks"


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def compare(photo: np.ndarray, first: str, second: str) -> habn.Comparison:
    return habn.run(photo, first=f"{HERE}:{first}", second=f"{HERE}:{second}")


def test_a_converted_network_answers_as_it_did_until_it_adapts(photo):
    same, other = compare(photo, "plain", "converted"), compare(photo, "plain", "adapted")
    assert same.difference.max() == 0 < other.difference.mean()
    assert (same.first.label, same.second.label) == ("BN", "HABN")
    assert same.first.labels.shape == (48, 64) and same.first.classes == tuple(f"class {k}" for k in range(4))
    assert same.pair == f"{HERE}:plain | {HERE}:converted" and sum(same.first.areas.values()) == pytest.approx(1)


def test_group_normalization_is_recorded_as_it_computes(photo):
    result = compare(photo, "plain", "grouped")
    assert result.second.label == "GN" and [record.kind for record in result.second.records] == ["gn", "gn"]
    for record in result.second.records:
        np.testing.assert_allclose(record.rebuild(), record.y, atol=1e-5)
    with torch.inference_mode():
        network = own_networks.grouped().eval()
        x = torch.from_numpy(result.second.records[0].x)[None]
        np.testing.assert_allclose(network[1](x)[0].numpy(), result.second.records[0].y, atol=1e-6)


def test_names_colours_and_preparation_are_the_owners(photo):
    result = compare(photo, "named", "named")
    assert result.first.classes == ("sky", "road", "tree", "car") and result.first.label == f"{HERE}:named"
    assert {tuple(c) for c in result.first.picture.reshape(-1, 3).tolist()} <= set(own_networks.COLOURS)
    with torch.inference_mode():
        pixels = torch.from_numpy(photo).permute(2, 0, 1)[None] / 255
        logits = own_networks.WithNames().eval()(2 * pixels - 1)["logits"]
        expected = nn.functional.interpolate(logits, (48, 64), mode="bilinear").argmax(1)[0]
    assert (result.first.labels == expected.numpy()).mean() > 0.999


def test_an_image_is_shown_and_other_answers_are_summed_up(photo):
    painted, classified = compare(photo, "painter", "painter"), compare(photo, "classifier", "classifier")
    assert painted.task == "image" and painted.first.picture.shape == photo.shape and painted.first.labels is None
    assert np.ptp(painted.first.picture) > 0 and not np.array_equal(painted.first.picture, photo)
    assert classified.task == "other" and np.array_equal(classified.first.picture, photo)
    assert "shape (1, 4)" in classified.first.summary and len(classified.second.records) == 2


def test_a_module_itself_may_be_given(photo):
    network = own_networks.adapted().network
    result = habn.run(photo, first=own_networks.plain(), second=OwnNetwork(network=network, label="mine"))
    assert result.second.label == "mine" and result.difference.mean() > 0


def test_weights_of_a_folder_are_given_to_the_network(photo, tmp_path):
    network = own_networks.plain()
    nn.init.zeros_(network[6].weight)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    result = habn.run(photo, first=f"{HERE}:plain@{tmp_path}", second=f"{HERE}:plain")
    assert len(result.first.areas) == 1 < len(result.second.areas)
    with pytest.raises(habn.HabnError, match="model.safetensors is missing"):
        load_network(f"{HERE}:plain@{tmp_path / 'nowhere'}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (f"{HERE}:broken", r"broken failed \(RuntimeError: the weights are elsewhere\); mend it"),
        (f"{HERE}:nothing", "nothing cannot be imported"),
        ("nowhere.at.all:net", "cannot be imported"),
        (f"{HERE}:no_network", "returns str; it must return a module"),
        (f"{HERE}:without_answer", "returns dict; give an `answer`"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(name, sentence):
    with pytest.raises(OwnNetworkError, match=sentence) as refusal:
        load_network(name)
    assert "\n" not in str(refusal.value)


def test_networks_that_do_not_fit_each_other_are_refused(photo):
    with pytest.raises(RequestError, match="answer different questions"):
        compare(photo, "plain", "painter")
    deeper = nn.Sequential(nn.BatchNorm2d(3), own_networks.plain())
    with pytest.raises(RequestError, match="has 2 normalization layers, Sequential has 3"):
        habn.run(photo, first=f"{HERE}:plain", second=deeper)
    with pytest.raises(RequestError, match="give both"):
        habn.run(photo, first=f"{HERE}:plain")


def test_any_two_checkpoints_may_be_compared(photo):
    result = habn.run(photo, first="spvcnn-bn-camvid", second=ROOT / "checkpoints" / "spvcnn-bn-streets")
    assert result.first.label == "spvcnn-bn-camvid" and result.second.label.endswith("spvcnn-bn-streets")
    assert not result.correspond and result.first.classes[0] == "Sky"


def test_a_broken_network_costs_only_its_own_pair(caplog):
    pairs = pairs_of_owner(f"{HERE}:plain; {HERE}:broken;{HERE}:adapted")
    assert [(pair.first, pair.second, pair.title) for pair in pairs.values()] == [
        (f"{HERE}:plain", f"{HERE}:adapted", "BN | HABN")
    ]
    assert "broken is left out" in caplog.text
    assert pairs_of_owner("") == {} == pairs_of_owner(f"{HERE}:broken")


def test_colours_that_are_made_can_be_told_apart():
    palette = palette_of([str(k) for k in range(21)]).astype(int)
    gaps = np.abs(palette[:, None] - palette[None]).sum(2) + 999 * np.eye(21, dtype=int)
    assert gaps.min() > 20


PAGE = """
import json
from habn.comparison.request import PAIRS
from habn.ui import words
from habn.ui.compare import TASKS
from habn.ui.compare.callbacks import pairs_of
from habn.ui.serving import build_demo
build_demo()
offered = [(words.say(f"pairs.{name}", "es"), name) for _, name in pairs_of("own")]
print(json.dumps([list(PAIRS)[:2], TASKS, offered, words.say("classes.road", "es")]))
"""


def test_the_page_offers_the_owners_pair_first():
    environment = os.environ | {"HABN_NETWORKS": f"{HERE}:named;{HERE}:broken"}
    answer = subprocess.run(
        [sys.executable, "-c", PAGE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    pairs, tasks, offered, road = json.loads(answer.stdout)
    assert pairs == ["own-1", "camvid"] and tasks == ["own", "segmentation", "style"]
    assert offered == [[f"{HERE}:named | {HERE}:named", "own-1"]] and road == "road"
    assert "broken is left out" in answer.stderr
