"""The lesson: its layers are real, its picture says what the words say, and the words' numbers are the records'."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from habn.comparison import engine
from habn.comparison.experiment import Change
from habn.comparison.lesson import CHANNEL, REGIONS, START, TRAINED, build_layers, load_lesson, misfit
from habn.data.segmentation import STREET_CLASSES
from habn.pixels import to_tensor
from habn.ui import words
from habn.ui.compare.callbacks import Shown
from habn.ui.learn.callbacks import on_photo_step
from habn.ui.learn.photo import build_last_step, build_photo_step, what_is_followed
from habn.ui.learn.regions import build_region_step
from habn.ui.learn.step import Sayer

FIGURE = re.compile(r"−?\d+\.\d+")


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


@pytest.fixture(scope="module")
def result() -> engine.Result:
    """Both street networks on a small picture: bright above, dark below."""
    rows, columns = np.mgrid[0:96, 0:128]
    image = (235 - 2 * rows + 10 * np.sin(columns / 5))[..., None].clip(0, 255).repeat(3, 2).astype(np.uint8)
    return engine.run(engine.Request(image, "camvid-plus"))


def numbers(cells: list[str]) -> list[float]:
    return [float(text.replace("−", "-")) for cell in cells for text in FIGURE.findall(cell)]


def test_every_record_is_what_its_layer_computed():
    lesson = load_lesson()
    for side in (lesson.first, lesson.second):
        for record in side.records:
            assert np.allclose(record.rebuild(), record.y, atol=1e-5)
            assert np.array_equal(record.x, to_tensor(lesson.image)[0])
    start = [side.records[START].y for side in (lesson.first, lesson.second)]
    assert np.allclose(*start, atol=1e-6), "before training both are plain batch normalization"


def test_the_lesson_is_the_same_every_time():
    first, second = load_lesson.__wrapped__(), load_lesson.__wrapped__()
    assert first.run_id == second.run_id and first.twins == second.twins
    assert np.array_equal(first.second.records[START].context, second.second.records[START].context)
    assert np.array_equal(first.second.records[TRAINED].y, second.second.records[TRAINED].y)


def test_habn_keeps_normalization_s_promise_in_each_region():
    lesson = load_lesson()
    before, after = (lesson.moments(side.records[TRAINED].y[CHANNEL]) for side in (lesson.first, lesson.second))
    assert before["whole"] == pytest.approx((0, 1), abs=1e-3)
    for region in REGIONS:
        assert abs(before[region][0]) > 0.5, "neither region is where batch normalization promises it"
        assert after[region] == pytest.approx((0, 1), abs=1e-3)
    assert lesson.misfit[1] < 1e-6 < 0.5 < lesson.misfit[0]


def test_batch_normalization_s_training_found_its_best():
    lesson = load_lesson()
    y = torch.from_numpy(lesson.first.records[START].y)[None]
    tried = [
        misfit(y * scale + bias, lesson.regions) for scale in np.linspace(-3, 3, 25) for bias in (-1, -0.1, 0, 0.1, 1)
    ]
    assert min(tried) >= lesson.misfit[0] - 1e-6


def test_the_encoder_has_found_the_regions():
    lesson = load_lesson()
    context = lesson.second.records[TRAINED].context
    blue, red = (context[lesson.regions[name]] for name in REGIONS)
    assert blue.max() < red.min()


def test_the_two_pixels_are_alike_and_their_surroundings_are_not():
    lesson = load_lesson()
    x = lesson.first.records[START].x[CHANNEL]
    a, b = (lesson.twins[name] for name in REGIONS)
    means = lesson.moments(x)
    assert lesson.regions["blue"][a] and lesson.regions["red"][b] and x[a] == x[b]
    assert x[a] > means["blue"][0] and x[b] < means["red"][0]
    before, after = (side.records[TRAINED].y[CHANNEL] for side in (lesson.first, lesson.second))
    assert before[a] == before[b] and after[a] > 0 > after[b]


def test_the_layers_begin_with_the_pictures_own_statistics():
    lesson = load_lesson()
    for layer in build_layers(lesson.image).values():
        assert torch.allclose(layer.running_mean, to_tensor(lesson.image).mean((0, 2, 3)))
        assert torch.allclose(layer.running_var, to_tensor(lesson.image).var((0, 2, 3), correction=0))


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_step_has_one_right_choice_and_leaves_nothing_open(number, language):
    text, inspection, question = build_region_step(number, load_lesson(), Sayer(language))
    assert [choice["why"] for choice in question["choices"]].count(None) == 1
    said = [text["title"], *text["paragraphs"], question["question"], question["answer"]]
    said += [part for choice in question["choices"] for part in choice.values() if part]
    assert all(part.strip() and "{" not in part for part in said)
    assert text["step"] == question["step"] == number and inspection["look"]["rows"]


def test_the_figures_of_the_first_two_steps_are_the_records():
    lesson, say = load_lesson(), Sayer("en")
    record = lesson.first.records[START]
    rows = build_region_step(1, lesson, say).text["table"]["rows"]
    for row, pixel in zip(rows, lesson.twins.values(), strict=True):
        scale, bias, mean, var = record.static[:, CHANNEL]
        expected = [record.x[CHANNEL][pixel], mean, var, scale, bias, record.y[CHANNEL][pixel]]
        assert numbers(row) == pytest.approx(expected, abs=6e-4)
    rows = build_region_step(2, lesson, say).text["table"]["rows"]
    for row, name in zip(rows, (*REGIONS, "whole"), strict=True):
        where = lesson.regions.get(name, np.ones_like(record.context, bool))
        x, y = record.x[CHANNEL][where], record.y[CHANNEL][where]
        assert numbers(row) == pytest.approx([x.mean(), x.std(), y.mean(), y.std()], abs=6e-4)


def test_the_table_of_the_last_region_step_is_the_equation_filled_in():
    rows = build_region_step(4, load_lesson(), Sayer("en")).text["table"]["rows"]
    s, *parameters, x, y = (numbers(row) for row in rows)
    for static, delta, *values in parameters:
        assert values == pytest.approx([static + s_pixel * delta for s_pixel in s], abs=2e-3)
    for pixel in (0, 1):
        scale, bias, mean, var = (values[2 + pixel] for values in parameters)
        assert (x[pixel] - mean) / np.sqrt(var) * scale + bias == pytest.approx(y[pixel], abs=0.05)


def followed_by(s: np.ndarray, image: np.ndarray, labels: np.ndarray | None):
    second = SimpleNamespace(labels=labels, classes=STREET_CLASSES)
    return what_is_followed(s, SimpleNamespace(image=image, second=second))


def test_what_a_map_follows_is_measured():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 60, 1)).repeat(3, 2).astype(np.uint8)
    labels = (np.arange(40)[:, None] // 10 + np.zeros(60)).astype(np.uint8)
    by_brightness = followed_by(image[..., 0].astype(np.float32), image, labels)
    assert by_brightness.brightness == pytest.approx(1) and by_brightness.height < 0.1
    by_height = followed_by(np.arange(40.0)[:, None] + np.zeros(60), image, None)
    assert by_height.height == pytest.approx(1) and by_height.brightness < 0.1
    assert by_height.classes is None and by_height.class_means == {}
    by_class = followed_by(np.array([0.9, 0.1, 0.8, 0.2])[labels], image, labels)
    assert by_class.classes == pytest.approx(1) and by_class.height < 0.5
    assert list(by_class.class_means) == [STREET_CLASSES[k] for k in (1, 3, 2, 0)]
    flat = followed_by(np.full((40, 60), 0.5), image, labels)
    assert (flat.brightness, flat.height, flat.classes) == (0, 0, 0)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_step_about_the_photo_tells_of_the_layer_that_adapts_most(result, language):
    text, inspection, question = build_photo_step(result, Sayer(language))
    record = max(result.second.records, key=lambda record: np.linalg.norm(record.strength))
    assert result.second.records[inspection["layer"]] is record and record.name in text["paragraphs"][0]
    assert record.context[tuple(inspection["look"]["pixel"])] == record.context.max()
    assert text["table"]["rows"][0][1:] == [words.percent(value, language) for value in record.strength]
    followed = what_is_followed(record.context, result)
    said = [words.percent(share, language) for share in (followed.brightness, followed.height)]
    assert all(text in question["answer"] for text in said)
    shares = (followed.brightness, followed.height)
    right = int(np.argmax(shares)) if max(shares) >= 0.5 else 2
    assert [choice["why"] is None for choice in question["choices"]].index(True) == right


@pytest.mark.parametrize(("share", "right"), [(0.0, 0), (0.0099, 0), (0.05, 1), (0.5, 2)])
def test_the_last_step_says_what_freezing_changed(result, share, right):
    frozen = Change(np.full(result.image.shape[:2], share, np.float32), share, (0.5, 0.25))
    _, inspection, question = build_last_step(result, frozen, Sayer("en"))
    assert [choice["why"] is None for choice in question["choices"]].index(True) == right
    assert all(
        text in question["answer"]
        for text in (words.percent(share, "en"), "50.0\N{NO-BREAK SPACE}%", "25.0\N{NO-BREAK SPACE}%")
    )
    metadata = [engine.load_network(output.checkpoint).metadata for output in (result.first, result.second)]
    measured = [of_one["metrics"]["test"]["mean_iou"] for of_one in metadata]
    assert [numbers(row[1:]) for row in question["table"]["rows"]] == [[value] for value in measured]
    layer, channel, pixel = inspection["layer"], inspection["channel"], tuple(inspection["look"]["pixel"])
    gap = np.abs(result.second.records[layer].y[channel] - result.first.records[layer].y[channel])
    s = result.second.records[layer].context
    assert s[pixel] > 0.5 and gap[pixel] == gap[s > 0.5].max()


def test_what_is_filled_into_the_words_cannot_bring_markup(result):
    named = replace(result, second=replace(result.second, label="<b>HABN</b>"))
    text = build_photo_step(named, Sayer("en")).text
    assert "<b>HABN" not in "".join(text["paragraphs"]) and "&lt;b&gt;HABN" in text["paragraphs"][0]


def test_a_photo_that_is_gone_is_said_in_the_visitors_language():
    shown, event = Shown("", "gone.jpg", "camvid-plus", ""), SimpleNamespace(step=5)
    text, _, question = on_photo_step(shown, event, SimpleNamespace(headers={"accept-language": "es"}))
    assert text == {"step": 5, "note": words.say("server.gone", "es")} and question is None


@pytest.mark.parametrize(("value", "text"), [(-0.4892, "−0.489"), (-1e-5, "0.000"), (0.0, "0.000"), (1.2345, "1.234")])
def test_figures_have_a_true_minus_sign_and_no_negative_zero(value, text):
    assert Sayer("en").decimals(value) == text
    assert Sayer("es").decimals(value) == text.replace(".", ",")
