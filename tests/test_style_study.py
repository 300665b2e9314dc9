"""What is measured of style networks: the figures, the study of normalizations, and the command for checkpoints."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import habn.training.style
import habn.training.style_evaluation
from habn.checkpoints import open_checkpoint, save_checkpoint
from habn.commands import evaluate
from habn.commands import style_study as study
from habn.data.styles import PHOTO_ROW, STYLES, load_painting, load_photos
from habn.hooks.recording import normalization_layers
from habn.layers import HyperAdaptiveBatchNorm2d
from habn.networks import build_network
from habn.results import tables_markdown
from habn.results.reading import load_study
from habn.study.variants import ABLATIONS, SOFT_GATES, STYLE_VARIANTS
from habn.training.features import load_features
from habn.training.start import give_head_start
from habn.training.style import StyleRecipe, StyleTask, gram_matrix, relative_distance
from habn.training.style_evaluation import (
    FIGURES,
    StyleEvaluation,
    load_style_evaluation,
    pool_windows,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*SHA-256")


@dataclass(frozen=True, kw_only=True)
class SmallRecipe(StyleRecipe):
    """Crops and paintings that take no time."""

    crop_size: int = 32
    painting_side: int = 48
    val_photos: int = 1
    val_size: int = 32


@pytest.fixture(scope="module", autouse=True)
def _small_recipe() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (habn.training.style, habn.training.style_evaluation, study):
            patch.setattr(module, "StyleRecipe", SmallRecipe)
        yield


class Answers(nn.Module):
    """A network that gives the same pictures back whatever it is given, one a style, or the photograph itself."""

    num_styles = PHOTO_ROW + 1

    def __init__(self, pictures: list[torch.Tensor] | None = None) -> None:
        super().__init__()
        self.pictures = pictures

    def forward(self, pixels: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        return pixels if self.pictures is None else self.pictures[int(style.argmax())]


@pytest.fixture(scope="module")
def paintings(style_data) -> list[torch.Tensor]:
    return [load_painting(style_data, name, 65) for name in STYLES]


@pytest.fixture(scope="module")
def evaluation(style_data, paintings) -> StyleEvaluation:
    photos = load_photos(style_data, "test")
    features = load_features(style_data / "squeezenet.safetensors")
    return StyleEvaluation(photos, paintings, features, StyleRecipe())


def test_photographs_given_back_keep_their_content(evaluation):
    measured = evaluation.measure(Answers())
    assert measured["content"].mean == 0 and measured["ssim"].mean == 1
    assert measured["frechet"].mean == pytest.approx(evaluation.untouched(), abs=1e-4)
    assert measured["frechet"].mean > 0.1 < measured["style"].mean


def test_paintings_given_back_are_at_no_style_distance(evaluation, paintings):
    pieces = [painting[..., :60, :90] for painting in paintings]  # of the photographs' size, and nearly the whole
    own = evaluation.measure(Answers(pieces))
    assert own["style"].mean < 1e-3
    turned = evaluation.measure(Answers([*pieces[1:], pieces[0]]))
    assert turned["style"].mean > 10 * own["style"].mean
    assert turned["frechet"].mean > 3 * own["frechet"].mean


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_the_mean_of_its_styles(evaluation, figure):
    torch.manual_seed(0)
    found = evaluation.measure(Answers([torch.rand(1, 3, 60, 90) for _ in STYLES]))[figure]
    assert list(found.by_style) == list(STYLES)
    assert found.mean == pytest.approx(np.mean(list(found.by_style.values())), abs=1e-4)
    assert found.deviation > 0


def test_the_distances_are_those_of_training(style_data, evaluation, paintings):
    features, recipe = evaluation.features, StyleRecipe()
    photos = load_photos(style_data, "test")
    task = StyleTask(photos, photos[:1], paintings, features, recipe)
    picture = torch.rand(1, 3, 60, 90, generator=torch.Generator().manual_seed(3))
    measured = evaluation.measure(Answers([picture] * len(STYLES)))
    figures = [
        task.distances(picture, photo[None] / 255, torch.tensor([row]))
        for photo in photos
        for row in range(len(STYLES))
    ]
    assert measured["content"].mean == pytest.approx(np.mean([f["content"] for f in figures]), abs=1e-4)
    style = np.mean([f["style"] for f in figures]) / sum(recipe.style_weights)
    assert measured["style"].mean == pytest.approx(style, abs=1e-4)
    assert relative_distance(gram_matrix(picture), gram_matrix(picture)) == 0


def test_windows_are_means_of_eight_by_eight_features():
    features = torch.rand(1, 5, 16, 24)
    apart, overlapping = pool_windows(features, 8), pool_windows(features, 4)
    assert apart.shape == (6, 5) and overlapping.shape == (15, 5)
    np.testing.assert_allclose(apart[4], features[0, :, 8:16, 8:16].mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(overlapping[6], features[0, :, 4:12, 4:12].mean((1, 2)), rtol=1e-5)


def test_photographs_are_spread_over_the_split(style_data):
    two = load_style_evaluation(style_data, style_data / "squeezenet.safetensors", count=2)
    photos = load_photos(style_data, "test")
    for chosen, expected in zip(two.photos, (photos[0], photos[2]), strict=True):
        torch.testing.assert_close(chosen[0] * 255, expected.float())
    assert len(load_style_evaluation(style_data, style_data / "squeezenet.safetensors").photos) == 3
    said = two.describe()
    assert said["en"].startswith("2 photographs in 8 styles") and f"{len(two.windows):,} windows" in said["en"]
    assert f"have {two.untouched():.3f}." in said["en"] and "128" in said["es"]


def run_study(data: Path, folder: Path, *more: str) -> dict:
    results = folder / "results" / "styles.json"
    common = ["--root", str(data), "--squeezenet", str(data / "squeezenet.safetensors"), "--photos", "2"]
    places = ["--run", str(folder / "study"), "--results", str(results)]
    study.main([*common, *places, "--steps", "1", "--batch-size", "1", *more])
    return json.loads(results.read_text())


@pytest.fixture(scope="module")
def finished(style_data, tmp_path_factory) -> Path:
    """The folder of a study of two normalizations with two seeds."""
    folder = tmp_path_factory.mktemp("study")
    run_study(style_data, folder, "--variants", "bn", "habn-plus", "--seeds", "0", "1")
    return folder


def test_a_study_pairs_its_runs_and_holds_all_figures(finished):
    result = json.loads((finished / "results" / "styles.json").read_text())
    assert (result["protocol"], result["data"], result["split"]) == ("scratch", "styles", "test")
    assert result["metric"] == {"name": "frechet", "unit": "", "higher_is_better": False}
    assert [(row["norm"], row["seeds"]) for row in result["rows"]] == [("bn", [0, 1]), ("habn-plus", [0, 1])]
    assert [metric["name"] for metric in result["further"]] == ["style", "content", "ssim"]
    for row in result["rows"]:
        np.testing.assert_allclose(np.mean(list(row["styles"].values()), 0), row["values"], atol=1e-4)
    chosen = result["rows"][1]["search"]
    assert np.shape(chosen[0]["gates"]) == (len(result["layers"]), 4)
    assert "2 photographs in 8 styles" in result["sampling"]["en"]
    assert str(finished) not in json.dumps(result) and "--root DIR --squeezenet FILE" in result["command"]
    opened = [open_checkpoint(finished / "study" / name / "1" / "checkpoint") for name in ("bn", "habn-plus")]
    assert [one.network.num_styles for one in opened] == [PHOTO_ROW + 1] * 2
    assert opened[0].metadata["metrics"]["test"]["frechet"] == result["rows"][0]["values"][1]
    training = opened[1].metadata["training"]
    assert (training["own_share"], training["least_gate"], training["search"]) == (2.0, 0.1, "joint")
    gates = [gate for choice in chosen for layer in choice["gates"] for gate in layer]
    assert set(gates) == {1.0}, "undecided gates stay open"


def test_a_training_that_is_finished_is_only_measured(style_data, finished):
    measured = finished / "study" / "bn" / "1" / "measured.json"
    log = finished / "study" / "bn" / "1" / "training" / "log.jsonl"
    before, lines = json.loads(measured.read_text()), log.read_text()
    measured.unlink()
    run_study(style_data, finished, "--variants", "bn", "habn-plus", "--seeds", "0", "1")
    assert json.loads(measured.read_text()) == before and log.read_text() == lines


def test_branches_tell_how_far_their_channels_correspond(style_data, finished, tmp_path):
    trunk = finished / "study" / "bn" / "0" / "checkpoint"
    result = run_study(style_data, tmp_path, "--trunk", str(trunk), "--variants", "bn", "habn")
    assert result["protocol"] == "branched" and "from the trunk checkpoint" in result["train"]
    opened = [open_checkpoint(tmp_path / "study" / name / "0" / "checkpoint") for name in ("bn", "habn")]
    assert opened[0].metadata["trunk"] == opened[1].metadata["trunk"] is not None
    assert set(opened[1].metadata["channel_correlation"]) == set(result["layers"])


def test_a_row_that_cannot_be_added_is_refused_first(style_data, finished, tmp_path):
    folder = finished / "study" / "habn-plus" / "0" / "checkpoint"
    data = ["--root", str(style_data), "--squeezenet", str(style_data / "squeezenet.safetensors")]
    with pytest.raises(SystemExit, match="^error: .*new.json does not exist yet; measure the BN checkpoint first"):
        evaluate.main(["--checkpoint", str(folder), *data, "--results", str(tmp_path / "new.json")])
    with pytest.raises(SystemExit, match="^error: .*must be a file that ends in .json"):
        evaluate.main(["--checkpoint", str(folder), *data, "--results", str(tmp_path / "new")])
    bare = build_network("cfanet", "bn", num_styles=PHOTO_ROW + 1)
    save_checkpoint(bare, tmp_path / "bare", {}, "")
    with pytest.raises(SystemExit, match="^error: The config.json of .*bare does not say how it was trained"):
        evaluate.main(["--checkpoint", str(tmp_path / "bare"), *data, "--results", str(tmp_path / "new.json")])


def test_a_checkpoint_without_a_card_is_measured(style_data, tmp_path, capsys):
    save_checkpoint(build_network("cfanet", "bn", num_styles=PHOTO_ROW + 1), tmp_path / "bare", {}, "")
    data = ["--root", str(style_data), "--squeezenet", str(style_data / "squeezenet.safetensors"), "--photos", "1"]
    evaluate.main(["--checkpoint", str(tmp_path / "bare"), *data])
    assert json.loads(capsys.readouterr().out)["frechet"]["mean"] > 0


def test_an_ablation_measures_networks_with_parts_turned_off(style_data, finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy")
    trained = json.loads((copy / "results" / "styles.json").read_text())["rows"][1]["values"]
    result = run_study(style_data, copy, "--variants", "habn-plus", "--seeds", "0", "1", "--ablate")
    whole, frozen, *_ = result["rows"]
    assert [row["setting"] for row in result["rows"]] == [*ABLATIONS, SOFT_GATES]
    assert whole["values"] == pytest.approx(trained, rel=1e-5) != frozen["values"]


def test_own_statistics_lie_in_all_layers_of_the_network():
    variant = STYLE_VARIANTS["habn-plus"]
    network = build_network("cfanet", variant.norm, {"search": True}, num_styles=PHOTO_ROW + 1)
    parts = [name for name, _ in normalization_layers(network)]
    assert {name.partition(".")[0] for name in parts} == {*variant.head_start_parts}
    for part in variant.head_start_parts:
        give_head_start(network.get_submodule(part), variant.head_start)
    layers = [m for m in network.modules() if isinstance(m, HyperAdaptiveBatchNorm2d)]
    # Half open, a gate lets through half of a share of 2: the whole way to the picture's own statistics.
    assert all((m.search.gates[2:, None] * m.search.delta[2:] == 1).all() for m in layers) and len(layers) == len(parts)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--trunk", "nowhere", "--variants", "adain"], "has codes for styles"),
        (["--trunk", "nowhere", "--variants", "bn"], "is missing"),
        (["--variants", "bn", "--ablate"], "turns parts of HABN off"),
        (["--photos", "0"], "must be at least 1"),
        (["--root", "nowhere"], "holds no photograph"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused_in_one_sentence(style_data, tmp_path, arguments, sentence):
    with pytest.raises(SystemExit, match=f"^error: .*{sentence}.*[.]$"):
        run_study(style_data, tmp_path, *arguments)


def test_one_command_measures_several_checkpoints_into_one_table(style_data, finished, tmp_path, capsys):
    folders = [str(finished / "study" / name / "0" / "checkpoint") for name in ("bn", "habn-plus")]
    data = ["--root", str(style_data), "--squeezenet", str(style_data / "squeezenet.safetensors"), "--photos", "2"]
    results = tmp_path / "shipped.json"
    evaluate.main(["--checkpoint", *folders, *data, "--results", str(results)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["checkpoint"] for line in lines] == folders and lines[0]["pictures"] == 2
    shipped, studied = load_study(results), load_study(finished / "results" / "styles.json")
    assert [row.values[0] for row in shipped.rows] == [line["frechet"]["mean"] for line in lines]
    for row, same in zip(shipped.rows, studied.rows, strict=True):
        assert row.values[0] == pytest.approx(same.values[0], rel=1e-5), "both commands measure alike"
    assert all(list(row.figures) == ["style", "content", "ssim"] for row in shipped.rows)
    assert all(list(row.styles) == list(STYLES) for row in shipped.rows)
    table = tables_markdown([shipped])
    assert "| SqueezeNet Fréchet distance ↓ |" in table and "| SSIM |" in table and "2 photographs in 8 styles" in table
    with pytest.raises(SystemExit, match="give --root with content and styles, and --squeezenet"):
        evaluate.main(["--checkpoint", folders[0]])
