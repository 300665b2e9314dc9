"""Paintings: a style weakened, blended with another, in the photo's colours, at any size."""

import re

import numpy as np
import pytest
import torch

from habn.checkpoints import LoadedNetwork
from habn.comparison import engine, request
from habn.comparison.compared import ComparedNetwork, compared_checkpoint
from habn.comparison.engine import Request, run
from habn.comparison.experiment import run_experiment
from habn.comparison.memory import Memory
from habn.comparison.painting import Painting, PaintingError, keep_colours
from habn.data.styles import PHOTO_ROW, STYLES
from habn.hooks.intervention import Intervention
from habn.networks import build_network
from habn.scenes import draw_scene

WITH_PHOTO_ROW = PHOTO_ROW + 1
LUMA = (0.299, 0.587, 0.114)
CHROMA = np.array([(-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)])  # Cb and Cr of R, G, B: JFIF 1.02


@pytest.fixture(scope="module")
def photo():
    return draw_scene(31, 72, 96).image


@pytest.fixture
def networks(monkeypatch):
    """BN and HABN, untrained, with a row for the photograph and rows that all differ, in place of any checkpoint."""
    built = {}

    def load(name: str) -> ComparedNetwork:
        if name not in built:
            torch.manual_seed(2)  # a start in which blends of two rows paint something between them
            network = build_network("cfanet", "habn" if "habn" in name else "bn", num_styles=WITH_PHOTO_ROW).eval()
            with torch.no_grad():
                for key, value in network.named_parameters():
                    if key.endswith((".weight", ".bias")) and value.shape[0] == WITH_PHOTO_ROW:
                        value += 0.5 * torch.randn_like(value)
            built[name] = compared_checkpoint(name, LoadedNetwork(network, {}, f"{name} of a test"))
        return built[name]

    monkeypatch.setattr(engine, "load_network", load)
    monkeypatch.setattr(engine, "_results", Memory(engine.RESULT_BYTES))
    return load


def paint(photo: np.ndarray, painting: Painting, **change) -> np.ndarray:
    return run(Request(photo, "styles", painting, **change)).second.picture


def row_s_picture(network: torch.nn.Module, photo: np.ndarray, row: int) -> np.ndarray:
    """What a network makes of a photo with one of its rows alone, without the engine."""
    with torch.inference_mode():
        pixels = torch.from_numpy(photo).permute(2, 0, 1)[None] / 255
        answer = network(pixels, torch.eye(WITH_PHOTO_ROW)[[row]])[0].permute(1, 2, 0)
        return (answer * 255).round().to(torch.uint8).numpy()


def test_a_style_at_no_strength_is_the_photograph_s_row(networks, photo):
    network = networks("cfanet-habn-styles").network
    udnie = paint(photo, Painting("udnie"))
    assert np.array_equal(udnie, row_s_picture(network, photo, STYLES.index("udnie")))
    assert np.array_equal(udnie, paint(photo, Painting("udnie", strength=1.0, second_style="udnie", second_share=0.3)))
    returned = row_s_picture(network, photo, PHOTO_ROW)
    for painting in (
        Painting("udnie", strength=0.0),
        Painting("houses", strength=0, second_style="udnie", second_share=0.4),
    ):
        assert np.array_equal(paint(photo, painting), returned)
    distances = [
        np.abs(paint(photo, Painting("udnie", strength=k)).astype(int) - udnie).mean() for k in (0, 0.5, 0.9, 1)
    ]
    assert distances == sorted(distances, reverse=True) and distances[-1] == 0 < distances[-2]


def test_two_styles_blend_from_the_first_to_the_second(networks, photo):
    first, second = (paint(photo, Painting(style)) for style in ("udnie", "great_wave"))
    assert np.array_equal(paint(photo, Painting("udnie", strength=1, second_style="great_wave", second_share=0)), first)
    assert np.array_equal(
        paint(photo, Painting("udnie", strength=1, second_style="great_wave", second_share=1)), second
    )
    half = paint(photo, Painting("udnie", strength=1, second_style="great_wave", second_share=0.5))
    assert np.array_equal(
        half, paint(photo, Painting("great_wave", strength=1, second_style="udnie", second_share=0.5))
    )
    assert not np.array_equal(half, first) and not np.array_equal(half, second)


@pytest.mark.parametrize("strength", [0, 0.1, 0.35, 1])
@pytest.mark.parametrize("share", [0, 0.3, 0.7, 1])
def test_a_style_blended_with_itself_is_that_style(strength, share):
    row = (
        Painting("houses", strength=strength, second_style="udnie", second_share=share).row(WITH_PHOTO_ROW)[0].tolist()
    )
    expected = np.zeros(WITH_PHOTO_ROW)
    expected[[STYLES.index("houses"), STYLES.index("udnie"), PHOTO_ROW]] = (
        strength * (1 - share),
        strength * share,
        1 - strength,
    )
    np.testing.assert_allclose(row, expected, atol=1e-7)
    itself = Painting("houses", strength=strength, second_style="houses", second_share=share).row(WITH_PHOTO_ROW)
    assert torch.equal(itself, Painting("houses", strength=strength).row(WITH_PHOTO_ROW))


def test_kept_colours_are_the_photo_s_and_shades_the_painting_s():
    photo, painted = torch.rand(2, 1, 3, 40, 50) * 0.4 + 0.3
    kept = keep_colours(painted, photo)
    inside = ((kept > 0) & (kept < 1)).all(1, keepdim=True)
    assert inside.float().mean() > 0.9

    def mixed(weights, pixels: torch.Tensor) -> np.ndarray:
        return np.tensordot(np.atleast_2d(weights), (pixels * inside).numpy(), (1, 1))

    np.testing.assert_allclose(mixed(CHROMA, kept), mixed(CHROMA, photo), atol=1e-5)
    np.testing.assert_allclose(mixed(LUMA, kept), mixed(LUMA, painted), atol=1e-6)
    assert keep_colours(torch.ones(1, 3, 1, 1), photo).max() <= 1


def test_the_engine_keeps_the_colours_of_what_the_networks_saw(networks, photo):
    result = run(Request(photo, "styles", Painting("udnie", keep_colours=True)))
    plain = run(Request(photo, "styles", Painting("udnie")))
    assert result.run_id != plain.run_id and result.painting.keep_colours
    for kept, painted in ((result.first, plain.first), (result.second, plain.second)):
        inside = ((kept.picture > 0) & (kept.picture < 255)).all(2)
        chroma = [(picture.astype(float) @ CHROMA.T)[inside] for picture in (kept.picture, photo)]
        assert inside.mean() > 0.5 and np.abs(chroma[0] - chroma[1]).max() <= 1, "half a level, of each colour"
        assert not np.array_equal(kept.picture, painted.picture)
        assert np.array_equal(kept.records[3].y, painted.records[3].y), "the network has done the same"
    assert np.array_equal(result.difference, engine.difference(result.first, result.second))


def test_what_was_painted_is_remembered_recorded_and_compared(networks, photo):
    painting = Painting("udnie", strength=0.5, second_style="houses", second_share=0.25)
    asked = Request(photo, "styles", painting, intervention=Intervention((0, 0, 0, 0)))
    found = run_experiment(asked)
    assert found.before.painting == found.after.painting == painting
    assert (
        run(Request(photo, "styles", Painting("udnie", strength=0.5, second_style="houses", second_share=0.25)))
        is found.before
    )
    for record in found.before.second.records:
        np.testing.assert_allclose(record.rebuild(), record.y, rtol=1e-4, atol=1e-4)
    ids = {
        found.before.run_id,
        run(Request(photo, "styles", Painting("udnie", strength=0.5, second_style="houses", second_share=0.5))).run_id,
    }
    ids |= {
        run(Request(photo, "styles", Painting("udnie", strength=0.6, second_style="houses", second_share=0.25))).run_id
    }
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"style": "cubism"}, "There is no style 'cubism'; choose one of"),
        ({"second_style": "cubism"}, "There is no style 'cubism'; choose one of"),
        ({"strength": 1.5}, "strength is 1.5; it must be a number from 0 to 1."),
        ({"strength": float("nan")}, "strength is nan; it must be a number from 0 to 1."),
        ({"strength": True}, "strength is True; it must be a number from 0 to 1."),
        ({"second_share": "half"}, "second_share is 'half'; it must be a number from 0 to 1."),
        ({"keep_colours": 1}, "keep_colours is 1; it must be True or False."),
    ],
)
def test_a_painting_that_cannot_be_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(PaintingError, match=re.escape(sentence)) as refusal:
        Painting(**change)
    assert "\n" not in str(refusal.value)


def test_without_a_row_for_the_photograph_strength_is_full():
    assert Painting("udnie", strength=1.0).row(len(STYLES))[0].tolist() == [style == "udnie" for style in STYLES]
    with pytest.raises(PaintingError, match="set the strength to 1"):
        Painting("udnie", strength=0.99).row(len(STYLES))


@pytest.mark.parametrize("size", [(24, 480), (480, 24), (16, 17), (45, 301)])
def test_a_picture_of_any_shape_is_painted_in_one_piece(size):
    height, width = size
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    whole = run(Request(photo, "styles", Painting("udnie"), record=False)).first.picture
    assert whole.shape == photo.shape
    # BN sees no more of a picture than its receptive field: what lies further off changes nothing, so nothing is tiled.
    far, cut = 80, 152
    if width > cut + far:
        rest = run(Request(photo[:, cut:], "styles", Painting("udnie"), record=False)).first.picture
        assert np.abs(rest[:, far:].astype(int) - whole[:, cut + far :]).max() <= 1
        assert np.abs(rest[:, 0].astype(int) - whole[:, cut]).max() > 1, "near the cut it does"


def test_a_pair_is_offered_where_both_of_its_checkpoints_are_there(tmp_path):
    assert request.pairs_in(tmp_path) == request.KNOWN_PAIRS
    for checkpoint in ("spvcnn-bn-camvid", "spvcnn-habn-camvid", "cfanet-in-styles"):
        (tmp_path / checkpoint).mkdir()
        (tmp_path / checkpoint / "model.safetensors").touch()
    assert list(request.pairs_in(tmp_path)) == ["camvid"]


def test_all_style_pairs_are_held_against_batch_normalization():
    assert {pair.first for pair in request.KNOWN_PAIRS.values() if pair.task == "style"} == {"cfanet-bn-styles"}
