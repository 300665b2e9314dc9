"""The sheets on which all style networks paint the same photos."""

import numpy as np
import pytest
import torch
from PIL import Image

from habn.checkpoints import save_checkpoint
from habn.commands import style_sheets as sheet
from habn.data.styles import PHOTO_ROW
from habn.networks import build_network


@pytest.fixture
def folder(tmp_path):
    """Two small networks and two photos, one of them upright."""
    for norm in ("bn", "in"):
        network = build_network("cfanet", norm, num_styles=PHOTO_ROW + 1, channels=(8, 8, 8), num_blocks=1)
        save_checkpoint(network, tmp_path / f"cfanet-{norm}-styles", {}, "")
    for name, size in (("wide", (64, 48)), ("tall", (48, 64))):
        spots = Image.fromarray(np.random.default_rng(len(name)).integers(0, 256, (4, 4, 3), np.uint8))
        spots.resize(size).save(tmp_path / f"{name}.png")
    return tmp_path


def draw(folder, *more):
    photos = [str(folder / f"{name}.png") for name in ("wide", "tall")]
    sheet.main(["--out", str(folder / "out"), "--checkpoints", str(folder), "--photos", *photos, *more])


def test_a_sheet_has_a_row_a_photo_and_a_column_a_network(folder, monkeypatch):
    monkeypatch.setattr(sheet, "QUALITY", 100)
    draw(folder, "--norms", "bn", "in", "--styles", "udnie", "houses", "--width", "48")
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["houses.jpg", "udnie.jpg"]
    drawn = np.asarray(Image.open(folder / "out" / "udnie.jpg")).astype(int)
    margin, top = sheet.MARGIN, sheet.TITLE + sheet.HEAD
    assert drawn.shape == (top + 36 + margin + 64 + margin, 3 * (48 + margin) + margin, 3)
    photo = np.array(Image.open(folder / "tall.png"))
    row = slice(top + 36 + margin, top + 36 + margin + 64)
    tiles = [drawn[row, margin + k * (48 + margin) :][:, :48] for k in range(3)]
    painted = [sheet.paint(sheet.load_style_network(folder, norm), photo, "udnie") for norm in ("bn", "in")]
    for tile, expected in zip(tiles, (photo, *painted), strict=True):
        assert np.abs(tile - expected).mean() < 12, "what JPEG loses of noise"
    assert np.abs(tiles[1] - tiles[0]).mean() > 20
    assert drawn[: sheet.TITLE].min() < 100 and drawn[sheet.TITLE : top].min() < 100, "a title and heads"


def test_a_network_paints_in_the_row_of_the_style(folder):
    network = sheet.load_style_network(folder, "bn")
    with torch.no_grad():
        network.to_pixels.weight.fill_(1.0)
        network.to_pixels.bias.zero_()
        network.aggregate1.norm.weight.zero_()
        network.aggregate1.norm.bias[6].fill_(5.0)  # the row of udnie
    photo = np.full((32, 32, 3), 40, np.uint8)
    assert sheet.paint(network, photo, "udnie").min() == 255 > sheet.paint(network, photo, "houses").max()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "cfanet-habn-styles is missing; train it"),
        (["--norms", "bn", "--width", "3"], "--width must be at least 32"),
        (["--norms", "bn", "--photos", "nowhere.png"], "nowhere.png"),
    ],
)
def test_a_sheet_that_cannot_be_drawn_is_refused_in_one_sentence(folder, arguments, sentence):
    with pytest.raises(SystemExit, match=f"^error: .*{sentence}.*[.]$"):
        draw(folder, *arguments)


def test_the_examples_shown_by_default_are_those_of_the_page():
    assert len(list(sheet.FOLDER.glob("*.jpg"))) == 6
