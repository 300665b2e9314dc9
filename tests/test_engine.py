"""The engine on the shipped pairs, and interventions on their HABN layers."""

import copy
import gc
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from habn.checkpoints import CHECKPOINTS
from habn.comparison import engine
from habn.comparison.engine import PAIRS, Request, RequestError, recall, run
from habn.comparison.memory import Memory
from habn.comparison.painting import Painting
from habn.comparison.request import KNOWN_PAIRS
from habn.data.styles import STYLES
from habn.hooks import recording as recording_module
from habn.hooks.intervention import Intervention, intervening
from habn.hooks.recording import recording
from habn.images import ImageError
from habn.pixels import to_tensor
from habn.scenes import draw_scene

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def scene():
    return draw_scene(31, 96, 128)


def test_every_pair_that_the_page_offers_is_shipped():
    assert PAIRS == KNOWN_PAIRS
    for pair in KNOWN_PAIRS.values():
        for checkpoint in (pair.first, pair.second):
            assert (CHECKPOINTS / checkpoint / "model.safetensors").is_file(), checkpoint


@pytest.mark.parametrize("pair", [name for name, pair in PAIRS.items() if pair.task == "segmentation"])
def test_areas_difference_and_score_follow_from_the_labels(pair, scene):
    result = run(Request(scene.image, pair, labels=scene.labels))
    for output in (result.first, result.second):
        assert sum(output.areas.values()) == pytest.approx(1)
        assert output.areas["Road"] == pytest.approx((output.labels == 3).mean())
        classes = sorted(set(np.unique(output.labels)) | set(np.unique(scene.labels)))
        hits = [((output.labels == k) & (scene.labels == k)).sum() for k in classes]
        unions = [((output.labels == k) | (scene.labels == k)).sum() for k in classes]
        assert output.mean_iou == pytest.approx(np.mean(np.divide(hits, unions)))
    assert np.array_equal(result.difference > 0, result.first.labels != result.second.labels)
    assert result.correspond == pair.startswith("camvid"), "the others were trained each from its own start"


def test_every_style_gives_a_picture_of_its_own(scene):
    pictures = [run(Request(scene.image, "styles", Painting(style))).second.picture for style in STYLES]
    for k, picture in enumerate(pictures):
        assert picture.shape == scene.image.shape
        assert all(np.abs(picture.astype(int) - other).mean() > 3 for other in pictures[k + 1 :])


@pytest.fixture
def forgetful(monkeypatch):
    """An engine that remembers nothing yet, and next to nothing of x and y."""
    monkeypatch.setattr(engine, "_results", Memory(engine.RESULT_BYTES))
    monkeypatch.setattr(engine, "_maps", Memory(1))


def test_one_pass_a_network_is_made_and_recording_is_not_timed(forgetful, monkeypatch):
    passes, now = [], [0.0]
    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(recording_module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    record = recording_module._record

    def slow_record(*arguments):
        now[0] += 10
        return record(*arguments)

    monkeypatch.setattr(recording_module, "_record", slow_record)
    for name in (PAIRS["camvid"].first, PAIRS["camvid"].second):
        network = engine.load_network(name).network
        whole = network.forward

        def forward(pixels, whole=whole):
            passes.append(pixels.shape)
            now[0] += 0.25
            return whole(pixels)

        monkeypatch.setattr(network, "forward", forward)
    result = run(Request(np.zeros((32, 32, 3), np.uint8)))
    assert len(passes) == 2
    assert (result.first.seconds, result.second.seconds) == (0.25, 0.25)


@pytest.mark.parametrize("pair", ["camvid", "camvid-plus", "styles-plus", "styles-in"])
def test_x_and_y_are_made_again_to_the_last_bit(pair, forgetful):
    request = Request(draw_scene(5, 90, 130).image, pair, intervention=Intervention(strength=(1, 0.5, 1, 2)))
    result = run(request)
    for output in (result.first, result.second):
        network = engine.load_network(output.checkpoint).network
        given = (to_tensor(result.image),)
        given += () if result.painting is None else (result.painting.row(network.config["num_styles"]),)
        with torch.inference_mode(), intervening(network, request.intervention), recording(network) as expected:
            network(*given)
        for record, true in zip(output.records, expected, strict=True):
            np.testing.assert_array_equal(record.x, true.x, record.name)
            np.testing.assert_array_equal(record.y, true.y, record.name)
            np.testing.assert_array_equal(record.extents, [(v.min(), v.max()) for v in true.maps()])
            assert record.shape == true.x.shape


def test_the_gaps_between_both_networks_are_those_of_x_and_y(scene):
    result = run(Request(scene.image))
    for gap, first, second in zip(result.gaps, result.first.records, result.second.records, strict=True):
        expected = [second.x - first.x, second.y - first.y]
        np.testing.assert_array_equal(gap, [(values.min(), values.max()) for values in expected])


@pytest.mark.parametrize("pair", ["camvid-plus", "styles-plus"])
def test_a_result_takes_15_mb_at_most(pair):
    gc.collect()
    tracemalloc.start()
    try:
        engine._maps.limit, limit = 1, engine._maps.limit
        result = run(Request(draw_scene(6, 360, 480).image, pair))
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        engine._maps.limit = limit
    last = result.second.records[-1].maps().nbytes  # the newest x and y are always remembered
    assert 1e6 < taken - last < 15e6 and 1e6 < result.nbytes < 15e6


def test_memory_holds_the_latest_that_fit():
    memory = Memory(100)
    for key in range(4):
        memory.put(key, np.zeros(40, np.uint8))
        memory.get(0)
    assert [key for key in range(4) if memory.get(key) is not None] == [0, 3]
    memory.put(3, np.zeros(500, np.uint8))
    assert memory.get(0) is None and len(memory.get(3)) == 500


def test_what_is_not_recorded_is_not_timed(scene):
    result = run(Request(scene.image, labels=np.full(scene.labels.shape, 255, np.uint8), record=False))
    assert result.first.seconds is result.second.seconds is None
    assert result.first.mean_iou is result.second.mean_iou is None


def test_the_same_request_is_answered_from_memory(scene):
    result = run(Request(scene.image))
    assert run(Request(scene.image)) is result and recall(result.run_id) is result
    assert run(Request(scene.image, "camvid-plus")).run_id != result.run_id
    assert recall("no such run") is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pair": "cars"}, "There is no pair 'cars'"),
        ({"labels": np.zeros((3, 4), np.uint8)}, "The labels are (3, 4)"),
    ],
)
def test_a_request_that_cannot_be_run_is_refused_in_one_sentence(scene, change, sentence):
    with pytest.raises(RequestError, match=re.escape(sentence)) as refusal:
        run(Request(**{"image": scene.image, **change}))
    assert "\n" not in str(refusal.value)


def test_a_picture_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "note.jpg").write_text("not a picture")
    with pytest.raises(ImageError):
        run(Request(tmp_path / "note.jpg"))


def test_a_frozen_network_is_the_static_network(scene):
    frozen = run(Request(scene.image, intervention=Intervention(strength=(0, 0, 0, 0)))).second
    for record in frozen.records:
        assert not record.slope.any()
    painted = np.zeros((8, 8), np.float32)
    without_context = run(Request(scene.image, intervention=Intervention(context="painted", painted=painted))).second
    assert np.array_equal(frozen.labels, without_context.labels)
    assert not np.array_equal(frozen.labels, run(Request(scene.image)).second.labels)


@pytest.mark.parametrize("context", ["mean", "shuffled", "inverted"])
def test_another_context_map_is_what_the_layers_use(scene, context):
    plain = run(Request(scene.image)).second.records[0].context
    changed = run(Request(scene.image, intervention=Intervention(context=context))).second.records[0].context
    expected = {
        "mean": lambda: np.full_like(plain, plain.mean()),
        "shuffled": lambda: np.sort(plain.ravel()),
        "inverted": lambda: plain.max() + plain.min() - plain,
    }[context]()
    found = np.sort(changed.ravel()) if context == "shuffled" else changed
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(changed, plain)


def test_an_intervention_leaves_the_layers_before_it_alone(scene):
    plain = run(Request(scene.image)).second.records
    name = plain[4].name
    changed = run(
        Request(scene.image, intervention=Intervention((2, 2, 2, 2), layers=frozenset([name])))
    ).second.records
    np.testing.assert_allclose(changed[4].slope, 2 * plain[4].slope, rtol=1e-5)
    for before in range(4):
        np.testing.assert_allclose(changed[before].y, plain[before].y, atol=1e-5)
    with pytest.raises(ValueError, match="no HABN layer 'attic'"):
        run(Request(scene.image, intervention=Intervention(context="mean", layers=frozenset(["attic"]))))


@pytest.mark.parametrize(
    "arguments",
    [{"strength": (1, 1, 1)}, {"strength": (1, 1, 1, 3)}, {"context": "upside-down"}, {"context": "painted"}],
)
def test_an_intervention_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(ValueError, match=r"(must be|go together)"):
        Intervention(**arguments)


@pytest.mark.parametrize("painted, remedy", [
    (None, "by its weights; download or train it again."),
    (np.full((2, 2), 1e38, np.float32), "by the painted map; paint one within [0, 1]."),
], ids=["weights", "painted map"])  # fmt: skip
def test_values_that_are_not_finite_have_a_cause(painted, remedy, scene, monkeypatch):
    loaded = engine.load_network(next(iter(PAIRS.values())).second)
    network = copy.deepcopy(loaded.network)
    with torch.no_grad():
        network.classify.weight.fill_(1e38)
    monkeypatch.setattr(engine, "load_network", lambda name: replace(loaded, network=network))
    intervention = Intervention() if painted is None else Intervention(context="painted", painted=painted)
    with pytest.raises(RequestError, match=re.escape(remedy)):
        run(Request(scene.image, next(iter(PAIRS)), intervention=intervention, record=False))


def test_the_readme_is_whole():
    text = (ROOT / "README.md").read_text()
    assert "@@" not in text and text.startswith("---\n") and len(text.split()) <= 1500
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
