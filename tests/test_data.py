"""Pictures and labels on disk find each other, and a folder that is not as it should be is refused by name."""

import os
import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from habn.data import load_segmentation
from habn.data.camvid import load_camvid
from habn.data.cityscapes import SIZE, TRAIN_IDS, load_cityscapes
from habn.data.facade import LABELLED, load_facade
from habn.data.pictures import DataError
from habn.data.segmentation import IGNORE, STREET_CLASSES, STREET_PALETTE, SegmentationData, class_shares
from habn.data.styles import STYLES, load_painting, load_photos


def write(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        for k in range(count):
            write(tmp_path / split / "images" / f"{k}_street.png", np.full((4, 6, 3), (10 * k, 20, 30)))
            write(tmp_path / split / "labels" / f"{k}_street.png", np.arange(24).reshape(4, 6) % 12)
    return tmp_path


@pytest.fixture
def facade(tmp_path: Path) -> Path:
    """One picture that lies, one that stands; labels count up to 11, which is no class."""
    for name, (height, width) in {"lies": (4, 6), "stands": (6, 3)}.items():
        pixels = np.arange(height * width * 3).reshape(height, width, 3)
        write(tmp_path / "train" / "images" / f"{name}.png", pixels)
        write(tmp_path / "train" / "labels" / f"{name}.png", np.arange(height * width).reshape(height, width) % 12)
    return tmp_path


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    labels = np.resize(np.arange(34), (16, 32))
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
    written = torch.arange(24).view(4, 6) % 12
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


# ---- what would be measured as nonsense is refused


LABELS = np.arange(24, dtype=np.uint8).reshape(4, 6) % 12


@pytest.mark.parametrize("file_format, options", [
    ("JPEG", {"quality": 100}),
    ("WEBP", {"quality": 100}),
    ("WEBP", {"lossless": True}),
    ("AVIF", {}),
    ("TIFF", {"compression": "jpeg"}),
    ("GIF", {}),
    ("BMP", {}),
], ids=lambda value: str(value))  # fmt: skip
@pytest.mark.parametrize("name", ["0_street", "0_street.png"], ids=["own name", "called png"])
def test_labels_in_a_format_that_may_change_them(camvid, file_format, options, name):
    (camvid / "val" / "labels" / "0_street.png").unlink()
    path = camvid / "val" / "labels" / (name if name.endswith("png") else f"{name}.{file_format.lower()}")
    Image.fromarray(LABELS).save(path, file_format, **options)
    message = refusal(load_camvid, camvid, "val")
    assert str(path) in message and f"a {file_format} file" in message and "PNG" in message


@pytest.mark.parametrize("loaded, last", [("camvid", 11), ("facade", 11), ("cityscapes", 33)])
@pytest.mark.parametrize("above", [1, 100])
def test_a_label_that_is_no_class_is_named(loaded, last, above, request):
    root = request.getfixturevalue(loaded)
    path = sorted(root.glob("**/labels/*.png") if loaded != "cityscapes" else root.glob("**/*_labelIds.png"))[0]
    with Image.open(path) as label:
        values = np.array(label)
    values[2, 1] = last + above
    write(path, values)
    split = path.relative_to(root).parts[1 if loaded == "cityscapes" else 0]
    message = refusal(load_segmentation, loaded, root, split)
    assert str(path) in message and f"the value {last + above}," in message and f"0 to {last}, or 255" in message


def test_pixels_of_no_class_may_also_be_255(camvid):
    write(camvid / "val" / "labels" / "0_street.png", np.where(LABELS == 3, 255, LABELS))
    labels = load_camvid(camvid, "val").labels[0]
    assert torch.equal(labels == IGNORE, torch.tensor((LABELS == 3) | (LABELS == 11)))


def grey_png(values: np.ndarray, bits: int) -> bytes:
    """Grey of 1, 2 or 4 bits, as tools that shrink PNG files write it and Pillow does not."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = values.shape
    single = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(single.reshape(height, width * bits), axis=1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits, most", [(1, 1), (2, 3), (4, 10)])
def test_labels_of_few_bits_keep_their_values(camvid, bits, most):
    values = np.arange(24).reshape(4, 6) % (most + 1)
    (camvid / "val" / "labels" / "0_street.png").write_bytes(grey_png(values, bits))
    assert load_camvid(camvid, "val").labels[0].tolist() == values.tolist()


@pytest.mark.parametrize("values", [
    np.full((4, 6), 40_000, np.uint16),
    np.full((4, 6), 40_000, np.int32),
    np.full((4, 6), 0.5, np.float32),
], ids=["16 bit", "32 bit", "float"])  # fmt: skip
def test_grey_of_more_than_eight_bits_is_named(camvid, values, tmp_path):
    (camvid / "val" / "images" / "0_street.png").unlink()
    path = camvid / "val" / "images" / "0_street.tif"
    Image.fromarray(values).save(path)
    message = refusal(load_camvid, camvid, "val")
    assert str(path) in message and "more than 8 bits" in message
    (tmp_path / "content" / "val").mkdir(parents=True)
    path.rename(tmp_path / "content" / "val" / "0.tif")
    assert "more than 8 bits" in refusal(load_photos, tmp_path, "val")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_what_is_transparent_is_white(camvid, mode):
    path = camvid / "val" / "images" / "0_street.png"
    clear = Image.new("RGBA", (6, 4), (9, 8, 7, 0))
    if mode == "P":
        clear.quantize(4).save(path)
    elif mode == "PA":
        clear.convert("LA").save(path)
    else:
        clear.convert(mode).save(path)
    assert load_camvid(camvid, "val").images.unique().tolist() == [255]


@pytest.mark.parametrize("part", ["images", "labels"])
@pytest.mark.parametrize("orientation", [2, 3, 6])
def test_pictures_and_labels_that_are_stored_turned_are_named(camvid, part, orientation):
    path = camvid / "val" / part / "0_street.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(path) as image:
        image.load()
    image.save(path, exif=exif)
    message = refusal(load_camvid, camvid, "val")
    assert str(path) in message and f"EXIF orientation {orientation}" in message and "upright" in message


def test_photographs_and_paintings_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in (tmp_path / "content" / "val" / "a.jpg", tmp_path / "styles" / f"{STYLES[0]}.jpg"):
        path.parent.mkdir(parents=True)
        stored = Image.new("RGB", (40, 20))
        stored.paste((255, 255, 255), (0, 0, 20, 20))  # left, which is above once it is turned
        stored.save(path, exif=exif, quality=95)
    photo, painting = load_photos(tmp_path, "val")[0], load_painting(tmp_path, STYLES[0], 20)
    assert photo.shape == (3, 40, 20) and photo[:, 3].min() > 250 and photo[:, -3].max() < 5
    assert painting.shape == (1, 3, 40, 20)


@pytest.mark.parametrize("part", ["images", "labels"])
def test_two_files_of_one_stem_are_named(camvid, part):
    path = camvid / "train" / part / "1_street.png"
    with Image.open(path) as image:
        image.save(path.with_suffix(".bmp"))
    message = refusal(load_camvid, camvid, "train")
    assert str(path.with_suffix(".bmp")) in message and "1_street.png" in message and "keep one" in message


def test_two_photographs_of_one_stem_are_named(tmp_path):
    for ending in ("jpg", "png"):
        write(tmp_path / "content" / "val" / f"a.{ending}", np.zeros((20, 20, 3)))
    assert "keep one" in refusal(load_photos, tmp_path, "val")


def test_names_meet_however_their_accents_are_spelt(camvid):
    for part, form in (("images", "NFC"), ("labels", "NFD")):
        path = camvid / "val" / part / "0_street.png"
        path.rename(path.with_name(unicodedata.normalize(form, "calle_españa.png")))
    assert len(load_camvid(camvid, "val").images) == 1
    write(camvid / "val" / "images" / unicodedata.normalize("NFD", "calle_españa.png"), np.zeros((4, 6, 3)))
    assert "keep one" in refusal(load_camvid, camvid, "val")


def test_a_split_without_a_labelled_pixel_is_refused(camvid):
    for number in range(2):
        write(camvid / "test" / "labels" / f"{number}_street.png", np.full((4, 6), 11))
    message = refusal(load_camvid, camvid, "test")
    assert str(camvid / "test" / "labels") in message and "No pixel is labelled" in message
    write(camvid / "test" / "labels" / "1_street.png", LABELS)
    assert len(load_camvid(camvid, "test").images) == 2, "one picture without labels harms nobody"


FOREIGN = [".DS_Store", "._0_street.png", ".hidden.png", "Thumbs.db", "desktop.ini", "README.txt", "notes.md"]


@pytest.mark.parametrize("part", ["images", "labels"])
def test_files_that_are_no_pictures_of_the_set_are_passed_over(camvid, part):
    for name in FOREIGN:
        (camvid / "val" / part / name).write_bytes(b"\0\5\x16\7")
    (camvid / "val" / part / ".thumbnails").mkdir()
    (camvid / "val" / part / "__MACOSX").mkdir()
    assert len(load_camvid(camvid, "val").images) == 1


def test_hidden_files_of_cityscapes_and_of_styles_are_passed_over(cityscapes, tmp_path):
    (cityscapes / "leftImg8bit" / "train" / ".cache").mkdir()
    for end in ("leftImg8bit.png", "gtFine_labelIds.png"):
        folder = cityscapes / {"l": "leftImg8bit", "g": "gtFine"}[end[0]] / "train" / "ulm"
        (folder / f"._ulm_000001_000019_{end}").write_bytes(b"\0\5\x16\7")
    assert len(load_cityscapes(cityscapes, "train").images) == 3
    write(tmp_path / "content" / "val" / "a.png", np.zeros((20, 20, 3)))
    for name in FOREIGN:
        (tmp_path / "content" / "val" / name).write_bytes(b"\0\5\x16\7")
    assert len(load_photos(tmp_path, "val")) == 1


def spoil(path: Path, kind: str) -> None:
    """Put something in the place of a PNG that is no whole picture."""
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "broken link":
        path.symlink_to("gone.png")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "animation":
        frames = [Image.new("L", (6, 4), value) for value in (1, 2)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    else:
        huge = content[:16] + struct.pack(">II", 12_000, 12_000) + content[24:29]
        huge += struct.pack(">I", zlib.crc32(huge[12:29])) + content[33:]
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
        path.write_bytes({"empty": b"", "cut": content[:45], "huge": huge, "pointer": pointer, "text": b"1 2 3"}[kind])


@pytest.mark.parametrize("part", ["images", "labels"])
@pytest.mark.parametrize("kind, word", [
    ("empty", "empty"), ("cut", "cut short"), ("huge", "12,000 x 12,000"), ("pointer", "git lfs pull"),
    ("text", "not an image"), ("animation", "several pictures"), ("folder", "is a folder"),
    ("loop", "neither a file nor a link"), ("broken link", "neither a file nor a link"), ("pipe", "neither a file"),
])  # fmt: skip
def test_what_is_no_whole_picture_is_named(camvid, part, kind, word):
    path = camvid / "val" / part / "0_street.png"
    spoil(path, kind)
    message = refusal(load_camvid, camvid, "val")
    assert str(path) in message and word in message


@pytest.mark.parametrize("kind, word", [("cut", "cut short"), ("animation", "several pictures"), ("loop", "neither")])
def test_a_photograph_that_is_no_whole_picture_is_named(tmp_path, kind, word):
    path = tmp_path / "content" / "val" / "a.png"
    write(path, np.zeros((20, 20, 3)))
    spoil(path, kind)
    message = refusal(load_photos, tmp_path, "val")
    assert str(path) in message and word in message


def test_a_folder_that_cannot_be_read_is_named(camvid, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "Permission denied" in refusal(load_camvid, camvid, "val")


@pytest.mark.parametrize(
    "values",
    [np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 2), np.uint8), np.zeros((4, 6), np.uint16)],
    ids=["rgb", "grey with alpha", "16 bit"],
)
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
    written = np.resize(np.arange(34), (16, 32))
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
