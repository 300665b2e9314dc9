"""A comparison in one call: what it prints, and what can be kept of it."""

import json
import re
import zlib
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

import habn
from habn.comparison.arrays import SCHEMA
from habn.comparison.examples import EXAMPLES
from habn.comparison.request import RequestError


@pytest.fixture(scope="module")
def result() -> habn.Comparison:
    return habn.run(EXAMPLES[0])


@pytest.fixture(scope="module")
def small() -> habn.Comparison:
    """A style pair on a small picture: quick."""
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return habn.run(picture, "styles-plus", painting=habn.Painting("udnie"))


def test_what_is_shipped_can_be_listed():
    assert "spvcnn-habn-plus-camvid" in habn.list_checkpoints() and len(habn.list_checkpoints()) == 11
    assert habn.list_networks() == ("spvcnn", "cfanet") and len(habn.list_styles()) == 8
    pair = habn.list_pairs()["styles-plus"]
    assert {pair.first, pair.second} <= {*habn.list_checkpoints()}
    assert habn.load_checkpoint("cfanet-bn-styles").norm == "bn"
    with pytest.raises(habn.HabnError, match=r"no checkpoint folder 'nothing'.*one of cfanet-bn-styles"):
        habn.load_checkpoint("nothing")


def test_it_prints_in_a_line(result, small):
    assert "spvcnn-bn-camvid (BN) and spvcnn-habn-camvid (HABN) on a picture of 480 x 360" in repr(result)
    for part in (result, small, result.first, result.second.records[3]):
        assert len(repr(part)) < 250 and "\n" not in repr(part) and "array" not in repr(part)


def test_everything_is_saved(result, tmp_path):
    paths = {path.name: path for path in result.save(tmp_path / "new" / "folder")}
    assert all(path.is_file() for path in paths.values())
    with Image.open(paths["second-classes.png"]) as image:
        assert image.mode == "P" and np.array_equal(np.array(image), result.second.labels)
        assert np.array_equal(np.array(image.convert("RGB")), result.second.picture)
    with Image.open(paths["difference.png"]) as image:
        assert np.array_equal(np.array(image) > 0, result.difference > 0)
    figures = json.loads(paths["figures.json"].read_text())
    assert figures["difference"] == pytest.approx(result.difference.mean())
    assert figures["first"]["areas"] == result.first.areas
    with np.load(paths["arrays.npz"]) as arrays:
        assert {*arrays.files} == {*result.arrays()} and str(arrays["schema"]) == SCHEMA


def test_a_style_pair_has_no_classes_to_save(small, tmp_path):
    names = {path.name for path in small.save(tmp_path)}
    assert names == {"photo.png", "first.png", "second.png", "difference.png", "arrays.npz", "figures.json"}


def test_arrays_are_those_of_the_layer_that_is_named(small):
    record = small.second.records[3]
    for layer in (record.name, 3):
        arrays = small.arrays(layer)
        assert arrays["layer"] == record.name
        np.testing.assert_array_equal(arrays["second_y"], record.y)
    adapted = small.view()
    strengths = [record.strength.max() for record in small.second.records]
    assert adapted.layer == small.view(adapted.layer).layer and strengths[adapted.layer] > 0


def test_a_figure_shows_the_place_that_is_asked_for(small):
    texts = " ".join(text.get_text() for text in small.figure("blocks.0.norm1", 7, (1, 2)).texts)
    assert "blocks.0.norm1" in texts and "channel 7" in texts and "Udnie" in texts


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ({"layer": "attic"}, "no layer named 'attic'; choose one of reduce1.norm"),
        ({"layer": 9}, "no layer 9; choose a whole number from 0 to 8"),
        ({"layer": 0, "channel": 99}, "no channel 99"),
        ({"layer": 0, "pixel": (0, -1)}, "no column -1"),
    ],
)
def test_a_place_that_is_not_there_is_refused(small, place, sentence):
    with pytest.raises(RequestError, match=sentence):
        small.figure(**place)


def test_without_records_there_is_nothing_to_inspect(tmp_path):
    picture = np.zeros((32, 32, 3), np.uint8)
    bare = habn.run(picture, record=False)
    with pytest.raises(RequestError, match="record=True"):
        bare.figure()
    assert "arrays.npz" not in {path.name for path in bare.save(tmp_path)} and "iframe" not in bare._repr_html_()


def test_a_notebook_is_shown_the_report(small, tmp_path):
    text = small.report(tmp_path / "report.html", "reduce1.norm").read_text(encoding="utf-8")
    held = re.search(r'"layer-0-channel-\d+\.bin":"([^"]+)"', text)
    assert zlib.decompress(b64decode(held[1])).startswith(b"HABN")
    shown = small._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and shown.count("<iframe") == 1 and "<script" not in shown


def test_a_request_is_taken_as_it_is():
    picture = np.zeros((32, 32, 3), np.uint8)
    request = habn.Request(picture, "styles-in", record=False)
    assert habn.run(request).run_id == habn.run(picture, "styles-in", record=False).run_id
