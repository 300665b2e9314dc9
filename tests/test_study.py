"""The study: paired runs that can be stopped, and a result that says what was measured on what."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from habn.checkpoints import open_checkpoint, save_checkpoint
from habn.commands.study import build_parser, build_plan, main
from habn.data.weather import WEATHER
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.networks import build_network
from habn.study import runs
from habn.study.segmentation import SegmentationRuns
from habn.study.variants import ABLATIONS, EVERYWHERE, SHALLOW, SOFT_GATES, VARIANTS


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    """A small tree in CamVid's layout: brightness tells the class."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        for part in ("images", "labels"):
            (tmp_path / split / part).mkdir(parents=True)
        for number in range(count):
            labels = rng.integers(0, 12, (4, 6), np.uint8).repeat(8, 0).repeat(8, 1)
            image = (labels[..., None] * 20 + rng.integers(0, 30, (32, 48, 3))).astype(np.uint8)
            Image.fromarray(labels).save(tmp_path / split / "labels" / f"{number}.png")
            Image.fromarray(image).save(tmp_path / split / "images" / f"{number}.png")
    return tmp_path


@pytest.fixture
def trunk(tmp_path: Path) -> Path:
    save_checkpoint(build_network("spvcnn", "bn"), tmp_path / "trunk", {"data": "camvid", "training": {"steps": 1}}, "")
    return tmp_path / "trunk"


def study(camvid: Path, *more: str) -> dict:
    results = camvid / "results" / "study.json"
    common = ["--data", "camvid", "--root", str(camvid), "--run", str(camvid / "study"), "--results", str(results)]
    main([*common, "--steps", "2", "--batch-size", "2", "--crop", "16", "24", *more])
    return json.loads(results.read_text())


def test_a_study_pairs_its_runs_and_says_what_it_measured(camvid, trunk):
    more = ["--trunk", str(trunk), "--variants", "bn", "habn-plus", "--seeds", "3", "--weather-every", "2"]
    result = study(camvid, *more)
    assert (result["protocol"], result["data"], result["split"], result["size"]) == (
        "branched",
        "camvid",
        "test",
        [32, 48],
    )
    assert (result["steps"], result["epochs"], result["baseline"]) == (2, 1.3, "bn")
    assert [(row["norm"], row["seeds"]) for row in result["rows"]] == [("bn", [3]), ("habn-plus", [3])]
    assert all(0 <= value <= 100 for row in result["rows"] for value in row["values"])
    assert all(set(row["weather"]) == set(WEATHER) for row in result["rows"])
    assert all(len(seed) == 6 for row in result["rows"] for by_seed in row["weather"].values() for seed in by_seed)
    assert np.shape(result["rows"][1]["search"][0]["gates"]) == (len(result["layers"]), 4)
    assert str(camvid) not in json.dumps(result), "a result names no folder of this machine"
    opened = [open_checkpoint(camvid / "study" / name / "3" / "checkpoint") for name in ("bn", "habn-plus")]
    assert opened[0].metadata["trunk"] == opened[1].metadata["trunk"] is not None
    correlation = opened[1].metadata["channel_correlation"]
    assert list(correlation) == result["layers"] and all(0.5 < value <= 1 for value in correlation.values())


def test_a_study_is_continued_and_what_is_through_is_left_alone(camvid):
    first = study(camvid, "--variants", "bn", "--seeds", "0")
    measured = camvid / "study" / "bn" / "0" / "measured.json"
    before = measured.stat().st_mtime_ns
    second = study(camvid, "--variants", "bn", "--seeds", "0", "1")
    assert measured.stat().st_mtime_ns == before
    assert second["rows"][0]["seeds"] == [0, 1] and second["rows"][0]["values"][0] == first["rows"][0]["values"][0]


def test_runs_are_taken_over_only_where_they_were_made_alike(camvid):
    study(camvid, "--variants", "bn", "in", "--seeds", "0", "1")
    assert study(camvid, "--variants", "bn", "--seeds", "1")["rows"][0]["seeds"] == [1], "no others than were asked for"
    with pytest.raises(
        SystemExit, match="^error: .*bn/0 was made with options.learning_rate 0.001 and not 0.5; give another --run[.]$"
    ):
        study(camvid, "--variants", "bn", "--learning-rate", "0.5")
    with pytest.raises(SystemExit, match="^error: .*bn/0 was made with scenes 0 and not 2; give another --run[.]$"):
        study(camvid, "--variants", "bn", "--with-scenes", "2")
    measured = camvid / "study" / "bn" / "0" / "measured.json"
    finished = measured.read_text()
    measured.unlink()
    with pytest.raises(
        SystemExit, match="^error: .*bn/0 was made with options.learning_rate 0.001 and not 0.5; give another --run[.]$"
    ):
        study(camvid, "--variants", "bn", "--learning-rate", "0.5")  # nor may a run that was stopped go on otherwise
    measured.write_text(finished)
    shutil.rmtree(measured.parent / "training")
    with pytest.raises(SystemExit, match="^error: .*bn/0 was made with scenes 0 and not 2; give another --run[.]$"):
        study(camvid, "--variants", "bn", "--with-scenes", "2")  # nor does it, without its training's files
    measured.write_text(json.dumps(json.loads(measured.read_text()) | {"commit": "0000000"}))
    with pytest.raises(SystemExit, match="^error: The runs differ in commit .*0000000.* cannot be compared"):
        study(camvid, "--variants", "bn", "in")


def test_an_ablation_measures_a_trained_network_with_parts_turned_off(camvid, trunk):
    common = ["--trunk", str(trunk), "--variants", "plus-from-bn", "--seeds", "0"]
    whole = study(camvid, *common)
    result = study(camvid, *common, "--ablate")
    first, *others = [row["setting"] for row in result["rows"]]
    assert first == "starts as BN"
    assert others == [f"starts as BN, {change}" for change in [*ABLATIONS, SOFT_GATES] if change]
    assert result["rows"][0]["values"] == whole["rows"][0]["values"]


def test_a_run_is_known_by_what_it_does(camvid, monkeypatch):
    first = study(camvid, "--variants", "bn")
    monkeypatch.setitem(VARIANTS, "bn", replace(VARIANTS["bn"], setting="in other words"))
    again = study(camvid, "--variants", "bn")
    assert again["rows"][0]["setting"] == "in other words" and again["rows"][0]["values"] == first["rows"][0]["values"]


def test_a_run_says_all_commits_that_it_was_made_by(camvid, monkeypatch):
    monkeypatch.setattr(runs, "describe_commit", lambda: "1111111")
    common = ["--data", "camvid", "--root", str(camvid), "--run", str(camvid / "study"), "--variants", "bn"]
    main([*common, "--steps", "2", "--batch-size", "2", "--crop", "16", "24", "--minutes", "0.00001"])
    monkeypatch.setattr(runs, "describe_commit", lambda: "2222222")
    assert study(camvid, "--variants", "bn")["commit"] == "1111111, 2222222"


def test_a_study_whose_time_is_up_ends_in_peace_and_is_continued(camvid, caplog):
    common = ["--data", "camvid", "--root", str(camvid), "--run", str(camvid / "study"), "--variants", "bn"]
    main([*common, "--steps", "2", "--batch-size", "2", "--crop", "16", "24", "--minutes", "0"])
    said = caplog.messages
    assert said[0].startswith("Time is up") and said[1].startswith("No seed is finished")
    assert study(camvid, "--variants", "bn")["rows"][0]["seeds"] == [0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--variants", "bn", "--ablate"], "turns parts of HABN off"),
        (["--variants", "habn", "--ablate"], "first run the study without --ablate"),
        (["--variants", "bn", "--seeds", "1", "1"], "must be different numbers"),
        (["--variants", "bn", "--with-val", "--split", "val"], "cannot be measured on"),
        (["--trunk", "nowhere", "--variants", "bn"], "is missing"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused_in_one_sentence(camvid, arguments, sentence):
    with pytest.raises(SystemExit, match=f"^error: .*{sentence}.*[.]$"):
        study(camvid, *arguments)


def test_the_metadata_of_a_run_say_where_habn_plus_started(camvid, trunk):
    study(camvid, "--trunk", str(trunk), "--variants", "bn", "plus-shallow", "plus-from-bn", "--seeds", "0")
    training = {
        name: open_checkpoint(camvid / "study" / name / "0" / "checkpoint").metadata["training"]
        for name in ("bn", "plus-shallow", "plus-from-bn")
    }
    assert "own_share" not in training["bn"]
    assert (training["plus-shallow"]["own_share"], tuple(training["plus-shallow"]["own_parts"])) == (0.5, SHALLOW)
    assert (training["plus-from-bn"]["own_share"], training["plus-shallow"]["least_gate"]) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("name", "share", "parts"),
    [
        ("habn", 0.0, ()),
        ("plus-from-bn", 0.0, ()),
        ("plus-shallow", 0.5, SHALLOW),
        ("habn-plus", 0.25, EVERYWHERE),
        ("plus-everywhere", 0.5, EVERYWHERE),
    ],
)
def test_a_variant_starts_as_its_name_says(camvid, name, share, parts):
    plan = build_plan(
        build_parser().parse_args(["--data", "camvid", "--root", str(camvid), "--steps", "1", "--run", "-"])
    )
    network = SegmentationRuns(plan, camvid / "study", baseline="bn").build(VARIANTS[name], seed=0)
    for layer_name, layer in network.named_modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d):
            expected = share if layer_name.startswith(parts) else 0.0
            assert (layer.search.delta[:2] == 0).all() and (layer.search.delta[2:] == expected).all(), layer_name


def test_a_network_that_goes_on_keeps_its_learned_delta(camvid, tmp_path):
    variant = VARIANTS["habn-plus"]
    network = build_network("spvcnn", variant.norm, variant.options)
    for layer in network.modules():
        if isinstance(layer, HyperAdaptiveBatchNorm2d):
            layer.search.delta.data.fill_(0.125)
    save_checkpoint(network, tmp_path / "own", {"data": "camvid", "training": {"steps": 1}}, "")
    plan = build_plan(
        build_parser().parse_args(
            ["--data", "camvid", "--root", str(camvid), "--steps", "1", "--run", "-", "--trunk", str(tmp_path / "own")]
        )
    )
    grown = SegmentationRuns(plan, tmp_path / "study", baseline="habn-plus").build(variant, seed=0)
    layers = [layer for layer in grown.modules() if isinstance(layer, HyperAdaptiveBatchNorm2d)]
    assert layers and all((layer.search.delta == 0.125).all() for layer in layers)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_can_be_built(name):
    variant = VARIANTS[name]
    network = build_network("spvcnn", variant.norm, variant.options)
    assert all(network.get_submodule(part) is not None for part in variant.head_start_parts)
