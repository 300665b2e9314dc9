"""Pictures and labels on disk find each other, and a folder that is not as it should be is refused by name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from habn.data import load_segmentation
from habn.data.camvid import load_camvid
from habn.data.cityscapes import SIZE, TRAIN_IDS, load_cityscapes
from habn.data.facade import LABELLED, load_facade
from habn.data.segmentation import (
    IGNORE,
    STREET_CLASSES,
    STREET_PALETTE,
    DataError,
    SegmentationData,
    class_shares,
)


def write(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        for k in range(count):
            write(tmp_path / split / "images" / f"{k}_street.png", np.full((4, 6, 3), (10 * k, 20, 30)))
            write(tmp_path / split / "labels" / f"{k}_street.png", np.arange(24).reshape(4, 6) % 13)
    return tmp_path


@pytest.fixture
def facade(tmp_path: Path) -> Path:
    """One picture that lies, one that stands; labels count up to 12, where 11 and 12 are no class."""
    for name, (height, width) in {"lies": (4, 6), "stands": (6, 3)}.items():
        pixels = np.arange(height * width * 3).reshape(height, width, 3)
        write(tmp_path / "train" / "images" / f"{name}.png", pixels)
        write(tmp_path / "train" / "labels" / f"{name}.png", np.arange(height * width).reshape(height, width) % 13)
    return tmp_path


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    labels = np.resize(np.arange(40), (16, 32))
    for city, frame in (("aachen", "000000_000019"), ("ulm", "000001_000019"), ("ulm", "000000_000019")):
        stem = f"{city}_{frame}"
        write(tmp_path / "leftImg8bit" / "train" / city / f"{stem}_leftImg8bit.png", np.full((16, 32, 3), (1, 2, 3)))
        write(tmp_path / "gtFine" / "train" / city / f"{stem}_gtFine_labelIds.png", labels)
        write(tmp_path / "gtFine" / "train" / city / f"{stem}_gtFine_color.png", labels)
        (tmp_path / "gtFine" / "train" / city / f"{stem}_gtFine_polygons.json").write_text("{}")
    return tmp_path


def refusal(load, *arguments) -> str:
    with pytest.raises(ValueError) as caught:
        load(*arguments)
    message = str(caught.value)
    assert "\n" not in message and message.endswith("."), message
    return message


def test_facades_of_several_sizes_keep_their_own(facade):
    data = load_facade(facade, "train")
    assert data.images.shape == (2, 3, 6, 6) and data.sizes.tolist() == [[4, 6], [6, 3]]
    pixels = torch.arange(6 * 3 * 3).view(6, 3, 3).permute(2, 0, 1)
    image, labels = list(data.pictures())[1]
    assert torch.equal(image.long(), pixels) and labels.shape == (6, 3)
    assert torch.equal(data.images[1, :, :, 3:].long(), pixels.flip(2)), "beyond a picture it goes on as in a mirror"
    assert data.labels[1, :, 3:].eq(IGNORE).all() and data.part(torch.tensor([1])).sizes.tolist() == [[6, 3]]


def test_facades_score_the_six_classes_that_are_labelled(facade):
    data = load_facade(facade, "train")
    assert data.scored == LABELLED == (0, 1, 3, 4, 5, 8)
    assert set(data.labels.unique().tolist()) == {*range(11), IGNORE}
    assert "facades' train, val and test" in refusal(load_facade, facade, "val")


def test_camvid_is_read_in_the_order_of_its_names(camvid):
    data = load_camvid(camvid, "train")
    assert data.images.shape == (3, 3, 4, 6) and data.images.dtype == torch.uint8
    assert data.images[:, :, 0, 0].tolist() == [[0, 20, 30], [10, 20, 30], [20, 20, 30]]
    assert data.classes == STREET_CLASSES and len(load_camvid(camvid, "test").images) == 2


def test_camvids_void_is_ignored_and_its_classes_keep_their_numbers(camvid):
    labels = load_camvid(camvid, "val").labels
    written = torch.arange(24).view(4, 6) % 13
    assert labels.dtype == torch.uint8
    assert torch.equal(labels[0].long(), torch.where(written < 11, written, IGNORE))


def test_jpeg_pictures_with_png_labels_are_pairs(camvid):
    path = camvid / "val" / "images" / "0_street.png"
    with Image.open(path) as image:
        image.save(path.with_suffix(".jpg"))
    path.unlink()
    assert len(load_camvid(camvid, "val").images) == 1


def test_palette_labels_are_read_by_their_index(camvid):
    path = camvid / "val" / "labels" / "0_street.png"
    with Image.open(path) as image:
        values = np.asarray(image)
    painted = Image.fromarray(values, "L").convert("P")
    painted.putdata(values.ravel().tolist())
    painted.putpalette([200, 30, 5] * 256)
    painted.save(path)
    assert int(load_camvid(camvid, "val").labels[0, 0, 3]) == 3


@pytest.mark.parametrize("part", ["images", "labels"])
def test_a_missing_partner_is_named(camvid, part):
    (camvid / "train" / part / "1_street.png").unlink()
    other = {"images": "labels", "labels": "images"}[part]
    message = refusal(load_camvid, camvid, "train")
    assert str(camvid / "train" / other / "1_street.png") in message and "partner" in message


@pytest.mark.parametrize("part", ["images", "labels"])
def test_a_missing_folder_is_named(camvid, part):
    folder = camvid / "train" / part
    folder.rename(folder.with_name("elsewhere"))
    message = refusal(load_camvid, camvid, "train")
    assert str(folder) in message and "train, val and test" in message


def test_an_empty_folder_is_refused(camvid):
    for path in (camvid / "val").glob("*/*"):
        path.unlink()
    assert "no pictures" in refusal(load_camvid, camvid, "val")


def test_a_label_file_of_another_size_is_named(camvid):
    path = camvid / "train" / "labels" / "1_street.png"
    write(path, np.zeros((5, 6)))
    message = refusal(load_camvid, camvid, "train")
    assert str(path) in message and "(6, 5)" in message and "(6, 4)" in message


def test_a_picture_of_another_size_than_the_rest_is_named(camvid):
    for part, shape in (("images", (5, 6, 3)), ("labels", (5, 6))):
        write(camvid / "train" / part / "1_street.png", np.zeros(shape))
    message = refusal(load_camvid, camvid, "train")
    assert str(camvid / "train" / "images" / "1_street.png") in message and "(6, 5)" in message


@pytest.mark.parametrize("values", [np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint16)], ids=["rgb", "16 bit"])
def test_labels_that_are_not_eight_bit_classes_are_named(camvid, values):
    path = camvid / "train" / "labels" / "2_street.png"
    Image.fromarray(values).save(path)
    message = refusal(load_camvid, camvid, "train")
    assert str(path) in message and "8-bit" in message


@pytest.mark.parametrize("part", ["images", "labels"])
def test_a_file_that_is_not_a_picture_is_named(camvid, part):
    path = camvid / "train" / part / "0_street.png"
    path.write_bytes(path.read_bytes()[:40])
    message = refusal(load_camvid, camvid, "train")
    assert str(path) in message


def test_cityscapes_is_read_from_the_official_folders(cityscapes, monkeypatch):
    monkeypatch.setattr("habn.data.cityscapes.SIZE", (8, 16))
    data = load_cityscapes(cityscapes, "train")
    assert data.images.shape == (3, 3, 8, 16) and data.labels.shape == (3, 8, 16)
    assert data.classes[:3] == ("road", "sidewalk", "building") and len(data.classes) == 19
    written = np.resize(np.arange(40), (16, 32))
    official = {label_id: k for k, label_id in enumerate(TRAIN_IDS)}
    wanted = np.vectorize(lambda value: official.get(value, IGNORE))(written)
    # Nearest-neighbour halving takes one of each 2 x 2 pixels, the same one everywhere.
    corners = [wanted[r::2, c::2] for r in (0, 1) for c in (0, 1)]
    assert any(np.array_equal(data.labels[0], corner) for corner in corners)


def test_cityscapes_size_is_half_of_the_official_one():
    assert SIZE == (1024 // 2, 2048 // 2)


@pytest.mark.parametrize("lost", [
    "leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png",
    "gtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png",
])  # fmt: skip
def test_a_missing_partner_in_cityscapes_is_named(cityscapes, lost):
    (cityscapes / lost).unlink()
    assert "ulm_000001_000019" in refusal(load_cityscapes, cityscapes, "train")


def test_a_missing_folder_of_cityscapes_is_named(cityscapes):
    assert str(cityscapes / "leftImg8bit" / "val") in refusal(load_cityscapes, cityscapes, "val")


@pytest.mark.parametrize("arguments, words", [
    (("kitti", Path("."), "train"), ["'kitti'", "scenes, camvid, cityscapes"]),
    (("camvid", Path("."), "dev"), ["'dev'", "train, val, test"]),
    (("camvid", None, "train"), ["camvid", "--root"]),
])  # fmt: skip
def test_an_unknown_data_set_or_split_is_refused(arguments, words):
    message = refusal(load_segmentation, *arguments)
    assert all(word in message for word in words)


def test_shares_are_of_the_labelled_pixels():
    labels = torch.tensor([[[0, 0, 2, IGNORE]]], dtype=torch.uint8)
    data = SegmentationData(images=torch.zeros(1, 3, 1, 4, dtype=torch.uint8), labels=labels, classes=("a", "b", "c"))
    torch.testing.assert_close(class_shares(data), torch.tensor([2 / 3, 0, 1 / 3]))


def test_every_street_class_has_a_colour_of_its_own():
    assert STREET_PALETTE.shape == (len(STREET_CLASSES), 3)
    distance = np.abs(STREET_PALETTE[:, None].astype(int) - STREET_PALETTE[None]).sum(-1)
    assert distance[~np.eye(11, dtype=bool)].min() > 60


def test_data_errors_are_value_errors():
    assert issubclass(DataError, ValueError)
