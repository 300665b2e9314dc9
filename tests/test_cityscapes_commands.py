"""The commands on a small tree in the official layout of Cityscapes, with its 19 classes."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from habn.checkpoints import open_checkpoint
from habn.commands import evaluate, train
from habn.commands.study import main as study
from habn.data.cityscapes import TRAIN_IDS
from habn.data.weather import WEATHER
from habn.results.reading import load_study


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    """Two cities to train on and one to validate on; the label's number shows as brightness."""
    monkeypatch.setattr("habn.data.cityscapes.SIZE", (32, 64))
    rng = np.random.default_rng(0)
    for split, city in (("train", "aachen"), ("train", "ulm"), ("val", "lindau")):
        ids = rng.choice([0, *TRAIN_IDS], (8, 16)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
        image = np.repeat(6 * ids[..., None], 3, 2) + rng.integers(0, 20, (64, 128, 3))
        for folder, suffix, values in (("leftImg8bit", "leftImg8bit", image), ("gtFine", "gtFine_labelIds", ids)):
            path = tmp_path / folder / split / city / f"{city}_000000_000019_{suffix}.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(values.astype(np.uint8)).save(path)
    return tmp_path


def test_a_network_trained_on_cityscapes_is_measured_on_val(root, capsys):
    data = ["--data", "cityscapes", "--root", str(root)]
    short = ["--steps", "2", "--batch-size", "2", "--crop", "16", "32", "--run", str(root / "run")]
    train.main(["segmentation", *data, *short, "--norm", "habn-plus", "--checkpoint", str(root / "mine")])
    metadata = open_checkpoint(root / "mine").metadata
    assert metadata["classes"] == list(TRAIN_IDS.values()) and len(metadata["metrics"]["val"]["class_iou"]) == 19
    capsys.readouterr()
    evaluate.main(["--checkpoint", str(root / "mine"), *data, "--split", "val"])
    measured = json.loads(capsys.readouterr().out)
    assert measured["mean_iou"] == metadata["metrics"]["val"]["mean_iou"] and measured["pictures"] == 1


def test_a_checkpoint_is_measured_under_weather(root, capsys):
    data = ["--data", "cityscapes", "--root", str(root)]
    short = ["--steps", "2", "--batch-size", "2", "--crop", "16", "32", "--run", str(root / "run")]
    train.main(["segmentation", *data, *short, "--norm", "bn", "--checkpoint", str(root / "mine")])
    capsys.readouterr()
    results = root / "results" / "mine.json"
    where = [*data, "--split", "val", "--weather-every", "1", "--results", str(results)]
    evaluate.main(["--checkpoint", str(root / "mine"), *where])
    measured = json.loads(capsys.readouterr().out)
    assert list(measured["weather"]) == list(WEATHER) and len(measured["weather"]["haze"]) == 6
    assert measured["weather"]["haze"][0] == pytest.approx(measured["mean_iou"], abs=0.01)
    study = load_study(results)
    assert study.weather.pictures == 1
    assert {kind: list(values[0]) for kind, values in study.rows[0].weather.items()} == measured["weather"]
    assert "--weather-every 1" in load_study(results).command


def test_what_could_not_be_measured_is_refused_first(root, tmp_path):
    data = ["--data", "cityscapes", "--root", str(root)]
    with pytest.raises(SystemExit, match="^error: Cityscapes keeps the labels of test to itself; give --split val[.]$"):
        study([*data, "--steps", "1", "--run", str(tmp_path / "run")])
    with pytest.raises(SystemExit, match="^error: Cityscapes is measured on val.*leave out --with-val[.]$"):
        train.main(["segmentation", *data, "--with-val", "--steps", "1", "--run", str(tmp_path / "run")])


def test_a_study_runs_on_cityscapes(root):
    folders = ["--run", str(root / "study"), "--results", str(root / "results" / "cityscapes.json")]
    short = ["--steps", "1", "--batch-size", "2", "--crop", "16", "32", "--variants", "bn", "habn-plus"]
    study(["--data", "cityscapes", "--root", str(root), "--split", "val", *folders, *short])
    result = json.loads((root / "results" / "cityscapes.json").read_text())
    assert (result["data"], result["split"], result["size"]) == ("cityscapes", "val", [32, 64])
    assert [row["norm"] for row in result["rows"]] == ["bn", "habn-plus"]
