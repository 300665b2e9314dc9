"""Experiments: a picture before and after a change, by the engine."""

import copy
import re

import numpy as np
import pytest
import torch

from habn import images
from habn.comparison import engine
from habn.comparison.engine import PAIRS, Request, run
from habn.comparison.experiment import run_experiment
from habn.comparison.painting import Painting
from habn.data.weather import WEATHER, WeatherSetting
from habn.hooks.intervention import Intervention
from habn.layers import HyperAdaptiveBatchNorm2d, revert_batch_norm
from habn.pixels import to_tensor
from habn.scenes import draw_scene

FROZEN = Intervention(strength=(0, 0, 0, 0))


@pytest.fixture(scope="module")
def scene():
    return draw_scene(31, 96, 128)


def logits(network: torch.nn.Module, image: np.ndarray, painting: Painting | None) -> torch.Tensor:
    row = () if painting is None else (painting.row(network.num_styles),)
    with torch.inference_mode():
        return network(to_tensor(image), *row)


@pytest.mark.parametrize("pair", [name for name, pair in PAIRS.items() if "habn" in pair.second])
def test_all_frozen_is_the_static_network_to_the_last_bit(pair, scene):
    painting = Painting("great_wave") if PAIRS[pair].task == "style" else None
    static = revert_batch_norm(copy.deepcopy(engine.load_network(PAIRS[pair].second).network))
    assert not [m for m in static.modules() if isinstance(m, HyperAdaptiveBatchNorm2d)]
    network = engine.load_network(PAIRS[pair].second).network
    with engine.intervening(network, FROZEN):
        assert torch.equal(logits(network, scene.image, painting), logits(static, scene.image, painting))

    plain = run(Request(scene.image, pair, painting))
    frozen = run(Request(scene.image, pair, painting, intervention=FROZEN, record=False))
    adapted = run(Request(scene.image, pair, painting, intervention=Intervention(layers=frozenset()), record=False))
    assert not np.array_equal(frozen.second.picture, plain.second.picture)
    assert np.array_equal(frozen.first.picture, plain.first.picture), "a network without HABN has nothing to freeze"
    assert adapted.run_id != plain.run_id, "it was run, not remembered"
    assert np.array_equal(adapted.second.picture, plain.second.picture)


def test_weather_is_laid_over_the_picture_before_both_networks_see_it(scene):
    setting = WeatherSetting("darkness", 5, place=(0.2, 0.8), seed=3)
    found = run_experiment(Request(scene.image, labels=scene.labels, weather=setting))
    expected = setting.apply(torch.from_numpy(scene.image).permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0) * 255
    assert np.abs(found.after.image - expected.numpy()).max() <= 0.5 + 1e-3
    assert np.array_equal(found.before.image, scene.image)
    again = run(Request(found.after.image))
    for side in ("first", "second"):
        change, before, after = (getattr(part, side) for part in (found, found.before, found.after))
        assert np.array_equal(after.labels, getattr(again, side).labels)
        assert np.array_equal(change.map > 0, before.labels != after.labels)
        assert change.share == pytest.approx((before.labels != after.labels).mean()) and change.share > 0.05
        assert change.kept == 1 - change.share
        assert change.mean_iou == (before.mean_iou, after.mean_iou)


def test_the_change_of_a_painting_is_its_mean_absolute_distance(scene):
    found = run_experiment(Request(scene.image, "styles", intervention=FROZEN))
    pictures = [result.second.picture.astype(float) for result in (found.before, found.after)]
    assert found.second.share == pytest.approx(np.abs(pictures[0] - pictures[1]).mean() / 255, abs=1e-6)
    assert found.second.share > 0 and found.first.share == 0
    assert found.second.mean_iou is None


def test_weather_of_strength_zero_changes_nothing(scene):
    found = run_experiment(Request(scene.image, weather=WeatherSetting("haze", 0)))
    assert np.array_equal(found.after.image, scene.image)
    assert found.first.share == found.second.share == 0


def test_a_painted_map_changes_the_answer_where_it_was_painted(scene):
    record = run(Request(scene.image)).second.records[-1]
    painted = record.context.copy()
    painted[:, : painted.shape[1] // 2] = 1 - painted[:, : painted.shape[1] // 2]
    intervention = Intervention(context="painted", painted=painted, layers=frozenset([record.name]))
    found = run_experiment(Request(scene.image, intervention=intervention))
    left, right = np.array_split(found.second.map, 2, axis=1)
    assert left.sum() > 0 and right.sum() == 0


def test_many_experiments_do_not_push_the_picture_out_of_memory(scene, monkeypatch):
    plain = run(Request(scene.image))
    monkeypatch.setattr(engine._results, "limit", 2 * plain.nbytes)
    for strength in np.linspace(0.5, 5, 6):
        found = run_experiment(Request(scene.image, weather=WeatherSetting("haze", float(strength))))
        assert found.before is plain, "it is remembered"
        assert found.after.second.records == ()
        assert 0 < found.after.nbytes < 0.6 * plain.nbytes


def test_an_experiment_decodes_its_photo_once(scene, tmp_path, monkeypatch):
    images.save_png(scene.image, tmp_path / "photo.png")
    decode, decoded = images._decode, []
    monkeypatch.setattr(images, "_decode", lambda *arguments: decoded.append(arguments) or decode(*arguments))
    found = run_experiment(Request(tmp_path / "photo.png", weather=WeatherSetting("haze", 1)))
    assert len(decoded) == 1 and np.array_equal(found.before.image, scene.image)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("hail", 1), "There is no weather 'hail'; choose one of shadow_edge"),
        (("haze", 6), "The strength of a weather is between 0 and 5, not 6"),
        (("haze", float("nan")), "The strength of a weather is between 0 and 5"),
        (("haze", 1, (0.5, 1.5)), "A place is (x, y) in [0, 1]"),
    ],
)
def test_a_weather_that_makes_no_sense_is_refused_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as refusal:
        WeatherSetting(*arguments)
    assert "\n" not in str(refusal.value)


def test_every_weather_changes_the_picture_of_an_experiment(scene):
    for name in WEATHER:
        changed = run(Request(scene.image, weather=WeatherSetting(name, 3), record=False)).image
        assert np.abs(changed.astype(int) - scene.image).mean() > 1, name
