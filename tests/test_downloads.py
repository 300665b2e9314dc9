"""Files of the pictures: each side, both, the label map with its palette, the areas; paintings at the photo's size."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from habn.comparison.engine import LONGER_SIDE, run
from habn.comparison.examples import EXAMPLES
from habn.comparison.large import LARGEST_SIDE, paint_large
from habn.comparison.painting import Painting
from habn.comparison.request import Request, RequestError
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.images import open_image
from habn.ui.export import downloads


@pytest.fixture(scope="module")
def street():
    return run(Request(open_image(EXAMPLES[0], 120), "camvid-plus"))


def test_a_label_map_is_indexed_by_class_and_coloured_as_the_page(street, tmp_path: Path):
    with (tmp_path / "labels.png").open("wb") as file:
        downloads.write_labels(street.second.labels, file)
    with Image.open(tmp_path / "labels.png") as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.asarray(picture), street.second.labels)
        assert np.array_equal(np.asarray(picture.convert("RGB")), STREET_PALETTE[street.second.labels])


def test_areas_are_the_shares_of_both_answers(street):
    file = io.BytesIO()
    downloads.write_areas(street, file)
    head, *rows = csv.reader(io.StringIO(file.getvalue().decode()))
    assert head == ["class", "BN", "HABN+"] and [row[0] for row in rows] == list(STREET_CLASSES)
    for k in (1, 2):
        assert sum(float(row[k]) for row in rows) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("form", downloads.FORMATS)
def test_each_side_and_both_are_saved(street, form: str):
    both = downloads.draw_pictures(street, "", 100, lambda share: None)
    sizes = {}
    for which in downloads.PICTURES:
        file = io.BytesIO()
        downloads.write_picture(both, which, form, file)
        with Image.open(file) as picture:
            assert picture.format == form.upper()
            sizes[which] = picture.size
    width, height = street.image.shape[1], street.image.shape[0]
    assert sizes == {
        "first": (width, height),
        "second": (width, height),
        "both": (2 * width + downloads.MARGIN, height),
    }


def test_a_large_painting_is_coarse_as_the_page_s_and_sharper():
    photo = Image.open(EXAMPLES[-1]).convert("RGB").resize((800, 600), Image.Resampling.LANCZOS)
    told = []
    painted = paint_large(photo, "styles-plus", Painting("great_wave"), told.append)
    assert told == [0.25, 0.5, 0.75, 1.0] and {picture.shape for picture in painted} == {(600, 800, 3)}
    shown = run(Request(photo, "styles-plus", Painting("great_wave"), record=False))
    for large, output in zip(painted, (shown.first, shown.second), strict=True):
        reduced = np.asarray(Image.fromarray(large).resize(output.picture.shape[1::-1], Image.Resampling.BOX), float)
        assert np.abs(reduced - output.picture).mean() < 6, "reduced, it is the picture of the page"
        enlarged = np.asarray(Image.fromarray(output.picture).resize((800, 600), Image.Resampling.BICUBIC), float)
        assert sharpness(large) > 1.2 * sharpness(enlarged)


def sharpness(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(float).mean(2), axis=1)).mean())


def test_a_small_photo_is_painted_as_on_the_page_and_no_street_is():
    photo = open_image(EXAMPLES[-1], 96)
    first, _ = paint_large(photo, "styles", Painting("udnie"))
    assert np.array_equal(first, run(Request(photo, "styles", Painting("udnie"), record=False)).first.picture)
    assert LONGER_SIDE < LARGEST_SIDE
    with pytest.raises(RequestError, match="does not paint"):
        paint_large(photo, "camvid", Painting())
